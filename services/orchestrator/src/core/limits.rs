//! How long one run may take, where its own tag says so.

use std::collections::BTreeMap;

/// Dagster's name; seconds from having a slot to the end, instead of `run_monitoring.max_runtime_seconds`.
pub(crate) const MAX_RUNTIME: &str = "dagster/max_runtime";

/// None where the run has no such tag; what is wrong with it where it has no sense.
pub(crate) fn max_runtime(tags: &BTreeMap<String, String>) -> Result<Option<u64>, String> {
    let Some(text) = tags.get(MAX_RUNTIME) else {
        return Ok(None);
    };
    match text.trim().parse() {
        Ok(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(format!("{text:?} is not a whole number of seconds above 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_without_sense_is_told_and_none_is_none() {
        let of = |text: &str| max_runtime(&[(MAX_RUNTIME.to_owned(), text.to_owned())].into());
        assert_eq!(max_runtime(&BTreeMap::new()), Ok(None));
        assert_eq!(of("90"), Ok(Some(90)));
        for wrong in ["0", "-1", "1.5", "soon", ""] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
