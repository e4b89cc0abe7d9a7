//! Outcomes by party id, turned into outcomes by position in a batch's party order.

use kycc_domain::labels::{Label, Observed};

/// The parties of a batch, in byte order of their ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parties<'a>(pub(crate) &'a [&'a str]);

impl Parties<'_> {
    /// Position of a party, if the batch holds it.
    pub(crate) fn position(&self, party_id: &str) -> Option<usize> {
        self.0
            .binary_search_by(|id| id.as_bytes().cmp(party_id.as_bytes()))
            .ok()
    }
}

/// `first` where it knows a party, `second` for the others.
pub(crate) fn prefer(first: Observed, second: &Observed) -> Observed {
    let labels: Vec<Label> = first
        .labels
        .iter()
        .zip(&second.labels)
        .map(|(first, second)| {
            if *first == Label::Unlabelled {
                *second
            } else {
                *first
            }
        })
        .collect();
    Observed {
        covered: labels
            .iter()
            .filter(|label| **label != Label::Unlabelled)
            .count(),
        matured: first.matured || second.matured,
        labels,
    }
}

/// Parties on which both have a word, and not the same.
pub(crate) fn disagreements<'a>(
    first: &'a Observed,
    second: &'a Observed,
) -> impl Iterator<Item = usize> + 'a {
    let both = first.labels.iter().zip(&second.labels).enumerate();
    both.filter(|(_, (first, second))| {
        first != second && **first != Label::Unlabelled && **second != Label::Unlabelled
    })
    .map(|(party, _)| party)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_are_found_by_byte_order_and_strangers_are_not() {
        let ids = ["A", "B", "a", "ä"];
        let parties = Parties(&ids);
        assert_eq!(
            ids.map(|id| parties.position(id)),
            [Some(0), Some(1), Some(2), Some(3)]
        );
        assert_eq!(parties.position("C"), None);
    }

    #[test]
    fn the_first_word_on_a_party_stands_and_the_second_fills_gaps() {
        let observed = |labels: &[Label]| Observed {
            labels: labels.to_vec(),
            matured: true,
            covered: 0,
        };
        let first = observed(&[Label::Good, Label::Unlabelled, Label::Unlabelled]);
        let second = observed(&[Label::Bad, Label::Bad, Label::Unlabelled]);
        assert_eq!(disagreements(&first, &second).collect::<Vec<_>>(), [0]);
        let both = prefer(first, &second);
        assert_eq!(both.labels, [Label::Good, Label::Bad, Label::Unlabelled]);
        assert_eq!(both.covered, 2);
    }
}
