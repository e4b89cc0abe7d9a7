//! Fields that no table has: left out, and counted by name.

/// Names that are counted one by one; a document with random keys must not grow this.
const MOST_NAMES: usize = 32;
const OTHERS: &str = "(others)";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnknownFields {
    counts: Vec<(String, u64)>,
}

impl UnknownFields {
    pub(crate) fn add(&mut self, name: &str, count: u64) {
        let name = shortened(name);
        if let Some((_, total)) = self.counts.iter_mut().find(|(known, _)| known == name) {
            *total += count;
        } else if self.counts.len() < MOST_NAMES {
            self.counts.push((name.to_owned(), count));
        } else {
            self.add_others(count);
        }
    }

    fn add_others(&mut self, count: u64) {
        match self.counts.iter_mut().find(|(known, _)| known == OTHERS) {
            Some((_, total)) => *total += count,
            None => self.counts.push((OTHERS.to_owned(), count)),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, count) in &other.counts {
            self.add(name, *count);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// By name, whatever the order of arrival.
    pub(crate) fn sorted(&self) -> Vec<(&str, u64)> {
        let mut sorted: Vec<_> = self.counts.iter().map(|(n, c)| (n.as_str(), *c)).collect();
        sorted.sort_unstable();
        sorted
    }
}

fn shortened(name: &str) -> &str {
    match name.char_indices().nth(64) {
        Some((end, _)) => &name[..end],
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_past_the_limit_are_counted_together() {
        let mut fields = UnknownFields::default();
        for index in 0..100 {
            fields.add(&format!("k{index}"), 1);
        }
        let mut both = UnknownFields::default();
        both.merge(&fields);
        both.merge(&fields);
        assert_eq!(both.total(), 200);
        assert_eq!(both.counts.len(), MOST_NAMES + 1);
    }
}
