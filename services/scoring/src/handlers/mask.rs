//! Which fields of a score a caller wants.

use kycc_rpc::ApiError;
use prost_types::FieldMask;

/// The fields of `Score`, in the order of the bits.
const FIELDS: [&str; 13] = [
    "party_id",
    "batch_id",
    "scorecard_version",
    "as_of_time",
    "raw",
    "score",
    "final_score",
    "band",
    "flags",
    "rules_fired",
    "reasons",
    "cutoff_reasons",
    "contributions",
];

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask(u16);

impl Mask {
    pub(super) const PARTY_ID: Self = Self(1);
    pub(super) const BATCH_ID: Self = Self(1 << 1);
    pub(super) const SCORECARD_VERSION: Self = Self(1 << 2);
    pub(super) const AS_OF_TIME: Self = Self(1 << 3);
    pub(super) const RAW: Self = Self(1 << 4);
    pub(super) const SCORE: Self = Self(1 << 5);
    pub(super) const FINAL_SCORE: Self = Self(1 << 6);
    pub(super) const BAND: Self = Self(1 << 7);
    pub(super) const FLAGS: Self = Self(1 << 8);
    pub(super) const RULES_FIRED: Self = Self(1 << 9);
    pub(super) const REASONS: Self = Self(1 << 10);
    pub(super) const CUTOFF_REASONS: Self = Self(1 << 11);
    pub(super) const CONTRIBUTIONS: Self = Self(1 << 12);
    pub(super) const ALL: Self = Self((1 << 13) - 1);
    /// What lists answer with unless they are asked for more.
    pub(super) const LISTED: Self = Self(Self::ALL.0 & !Self::CONTRIBUTIONS.0);

    pub(super) fn has(self, field: Self) -> bool {
        self.0 & field.0 != 0
    }

    /// The mask of a request; `default` where it gives none.
    pub(super) fn read(given: Option<&FieldMask>, default: Self) -> Result<Self, ApiError> {
        let paths = given.map_or(&[][..], |mask| &mask.paths);
        let mut read = Self(0);
        for path in paths {
            read.0 |= match FIELDS.iter().position(|field| field == path) {
                Some(bit) => 1 << bit,
                None if path == "*" => Self::ALL.0,
                None => return Err(unknown(path)),
            };
        }
        Ok(if paths.is_empty() { default } else { read })
    }
}

fn unknown(path: &str) -> ApiError {
    let text = format!(
        "{path:?} is no field of a score; there are {}, and * for all",
        FIELDS.join(", ")
    );
    ApiError::invalid("read_mask", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(paths: &[&str]) -> Result<Mask, ApiError> {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        Mask::read(Some(&FieldMask { paths }), Mask::LISTED)
    }

    #[test]
    fn a_mask_has_the_fields_that_it_names_and_no_others() {
        let mask = read(&["band", "final_score"]).unwrap();
        assert!(mask.has(Mask::BAND) && mask.has(Mask::FINAL_SCORE));
        assert!(!mask.has(Mask::PARTY_ID) && !mask.has(Mask::CONTRIBUTIONS));
        assert_eq!(read(&["*"]).unwrap(), Mask::ALL);
        assert_eq!(read(&["contributions"]).unwrap(), Mask::CONTRIBUTIONS);
    }

    #[test]
    fn no_mask_means_the_default() {
        assert_eq!(read(&[]).unwrap(), Mask::LISTED);
        assert_eq!(Mask::read(None, Mask::ALL).unwrap(), Mask::ALL);
    }

    #[test]
    fn what_is_no_field_is_refused_with_those_there_are() {
        for path in [
            "bands",
            "",
            "contributions.points",
            "Band",
            "'; DROP TABLE scores",
        ] {
            let error = read(&["band", path]).unwrap_err().to_string();
            assert!(
                error.starts_with("read_mask: ") && error.contains("cutoff_reasons"),
                "{error}"
            );
        }
    }
}
