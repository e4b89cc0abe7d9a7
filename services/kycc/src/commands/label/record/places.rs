//! Lines of records, kept in little room: in most files each record is as many lines after the one before it.

/// Line by position, both in order.
#[derive(Debug, Default)]
pub(super) struct Places {
    count: u64,
    runs: Vec<Run>,
}

/// Records that lie `step` lines apart.
#[derive(Debug)]
struct Run {
    /// Position of its first record.
    first: u64,
    line: u64,
    step: u64,
}

impl Places {
    /// The line of the next record; none lies before the last one.
    pub(super) fn push(&mut self, line: u64) {
        let index = self.count;
        self.count += 1;
        if let Some(run) = self.runs.last_mut() {
            if index == run.first + 1 {
                run.step = line - run.line;
            }
            if run.line + run.step * (index - run.first) == line {
                return;
            }
        }
        self.runs.push(Run {
            first: index,
            line,
            step: 0,
        });
    }

    /// `None` past the last record.
    pub(super) fn line_of(&self, index: u64) -> Option<u64> {
        let after = self.runs.partition_point(|run| run.first <= index);
        let run = self.runs[..after].last().filter(|_| index < self.count)?;
        Some(run.line + run.step * (index - run.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_again_and_an_even_file_takes_one_run() {
        for (lines, runs) in [
            ((1..=1_000).collect::<Vec<u64>>(), 1),
            ((0..500).map(|index| 2 + 6 * index).collect(), 1),
            (vec![7; 9], 1),
            (vec![1, 2, 4, 5, 6, 9, 9, 20], 4),
            (vec![], 0),
        ] {
            let mut places = Places::default();
            lines.iter().for_each(|line| places.push(*line));
            let found: Vec<u64> = (0..).map_while(|index| places.line_of(index)).collect();
            assert_eq!(found, lines);
            assert_eq!(places.runs.len(), runs, "{lines:?}");
        }
    }
}
