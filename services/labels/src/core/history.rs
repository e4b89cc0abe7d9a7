//! Pages over the labels of a batch in several versions: parties in order, and within a party the newest version first.

/// What a page goes on after: a party, and the version that was told of it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) party_id: String,
    pub(crate) version: String,
}

impl Cursor {
    /// As the text of a page token. No version key holds a line break.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.version, self.party_id)
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let (version, party_id) = text.split_once('\n')?;
        Some(Self {
            party_id: party_id.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// Where reading of one version starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start<'a> {
    First,
    /// At the party, if the version holds it, else after it.
    At(&'a str),
    After(&'a str),
}

/// Where to start in each of `versions` (newest first). Versions newer than the cursor's have told of its party already,
/// and so has every version where the cursor's own is not among them.
pub(crate) fn starts<'a>(versions: &[&str], cursor: Option<&'a Cursor>) -> Vec<Start<'a>> {
    let Some(cursor) = cursor else {
        return vec![Start::First; versions.len()];
    };
    let told = versions.iter().position(|key| *key == cursor.version);
    let told = told.unwrap_or(versions.len());
    (0..versions.len())
        .map(|rank| {
            if rank <= told {
                Start::After(&cursor.party_id)
            } else {
                Start::At(&cursor.party_id)
            }
        })
        .collect()
}

/// The first `size` rows of all versions, and whether there are more. `of_versions` holds the rows of one version each,
/// newest first, in party order, and as many as a page or all there are.
pub(crate) fn page<T>(
    of_versions: Vec<Vec<T>>,
    size: usize,
    party_id: impl Fn(&T) -> &str,
) -> (Vec<(usize, T)>, bool) {
    let mut rows: Vec<(usize, T)> = of_versions
        .into_iter()
        .enumerate()
        .flat_map(|(rank, rows)| rows.into_iter().map(move |row| (rank, row)))
        .collect();
    rows.sort_by(|(a_rank, a), (b_rank, b)| {
        let parties = party_id(a).as_bytes().cmp(party_id(b).as_bytes());
        parties.then(a_rank.cmp(b_rank))
    });
    let more = rows.len() > size;
    rows.truncate(size);
    (rows, more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_is_found_again_whatever_the_party_is_called() {
        let cursor = Cursor {
            party_id: "P\n1".into(),
            version: "k".into(),
        };
        assert_eq!(Cursor::read(&cursor.text()), Some(cursor));
        assert_eq!(Cursor::read("k"), None);
    }

    #[test]
    fn versions_newer_than_the_cursor_go_on_after_its_party() {
        let cursor = Cursor {
            party_id: "P".into(),
            version: "b".into(),
        };
        let found = starts(&["c", "b", "a"], Some(&cursor));
        assert_eq!(
            found,
            [Start::After("P"), Start::After("P"), Start::At("P")]
        );
        assert_eq!(starts(&["c"], Some(&cursor)), [Start::After("P")]);
        assert_eq!(starts(&["c"], None), [Start::First]);
    }

    proptest! {
        #[test]
        fn pages_give_every_label_once_in_order(
            versions in prop::collection::vec(prop::collection::btree_set("[a-e]{1,2}", 0..8), 0..4),
            size in 1usize..6,
        ) {
            let keys: Vec<String> = (0..versions.len()).map(|rank| format!("k{rank}")).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let mut expected: Vec<(String, usize)> = versions.iter().enumerate()
                .flat_map(|(rank, parties)| parties.iter().map(move |party| (party.clone(), rank)))
                .collect();
            expected.sort();
            let mut found = Vec::new();
            let mut cursor: Option<Cursor> = None;
            loop {
                let rows: Vec<Vec<String>> = versions.iter().zip(starts(&keys, cursor.as_ref()))
                    .map(|(parties, start)| parties.iter()
                        .filter(|party| match start {
                            Start::First => true,
                            Start::At(at) => party.as_str() >= at,
                            Start::After(after) => party.as_str() > after,
                        })
                        .take(size + 1).cloned().collect())
                    .collect();
                let (rows, more) = page(rows, size, |party| party);
                prop_assert!(rows.len() <= size);
                cursor = rows.last().map(|(rank, party)| Cursor { party_id: party.clone(), version: keys[*rank].into() });
                found.extend(rows.into_iter().map(|(rank, party)| (party, rank)));
                if !more {
                    break;
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
