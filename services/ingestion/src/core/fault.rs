//! What is wrong with one record. A fault rejects the record; a refusal ends the step.

use std::borrow::Cow;

/// Why a record is left out: which field, a stable code, and the reason for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) field: Option<Cow<'static, str>>,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn of(field: &'static str, code: &'static str, reason: impl Into<String>) -> Self {
        let field = Some(Cow::Borrowed(field));
        Self {
            field,
            code,
            reason: reason.into(),
        }
    }

    pub(crate) fn whole(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            field: None,
            code,
            reason: reason.into(),
        }
    }
}

/// What reading one record can come to when it is not a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The record is left out.
    Record(Fault),
    /// The record carries an outcome: the whole input is refused, for scores must not be made from what they predict.
    Outcome { field: String },
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Record(fault)
    }
}

/// Text of strangers within a message: quoted, at most 60 characters.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
