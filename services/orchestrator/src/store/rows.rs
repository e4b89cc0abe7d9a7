//! From texts and numbers of a row to the types that they stand for.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RunStoreError;

pub(super) fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, RunStoreError> {
    serde_json::from_str(text).map_err(|_| RunStoreError::corrupt(what))
}

pub(super) fn json_option<T: DeserializeOwned>(
    what: &str,
    text: Option<String>,
) -> Result<Option<T>, RunStoreError> {
    text.map(|text| json(what, &text)).transpose()
}

pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("run state has string keys only")
}

pub(super) fn to_json_option<T: Serialize>(value: Option<&T>) -> Option<String> {
    value.map(to_json)
}

pub(super) fn id<T: FromStr>(what: &str, text: &str) -> Result<T, RunStoreError> {
    text.parse()
        .map_err(|_| RunStoreError::corrupt(format!("{what} {text:?}")))
}

pub(super) fn spelled<T>(
    what: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, RunStoreError> {
    parse(text).ok_or_else(|| RunStoreError::corrupt(format!("{what} {text:?}")))
}

/// Counts are written as BIGINT and never negative.
pub(super) fn count<T: TryFrom<i64>>(what: &str, value: i64) -> Result<T, RunStoreError> {
    T::try_from(value).map_err(|_| RunStoreError::corrupt(format!("{what} {value}")))
}

pub(super) fn bigint(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
