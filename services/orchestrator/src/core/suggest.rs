//! The known name that a wrong one was probably meant to be.

/// The closest of `known`, if it is at most a third of the name away.
pub(crate) fn suggest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (distance(wrong, name), name))
        .min()
        .filter(|(distance, name)| *distance <= 1.max(name.len().min(wrong.len()) / 3))
        .map(|(_, name)| name)
}

/// Levenshtein's: insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = ["batch_id", "as_of", "labels_uri"];
        assert_eq!(suggest("batch_idd", known), Some("batch_id"));
        assert_eq!(suggest("label_uri", known), Some("labels_uri"));
        assert_eq!(suggest("cutoff", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
