//! One field's value as it was read, and what a table makes of it. All formats meet here, so they are judged alike.

use std::borrow::Cow;

use super::amount::{self, AmountError};
use super::fault::{Fault, quoted};
use super::time::{self, TimeError};

/// Most bytes of an id that names a party; the domain's bound for party ids.
const LONGEST_ID_BYTES: usize = 512;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Value<'a> {
    #[default]
    Absent,
    Null,
    Bool(bool),
    /// The text of a number.
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    /// Text that does not say what it is: a CSV field. Reads as whatever the table wants.
    Bare(Cow<'a, str>),
    /// Microseconds since 1970, from a column that holds times.
    Time(i64),
    /// From a DECIMAL column.
    Decimal {
        unscaled: i128,
        scale: i8,
    },
    /// An object or an array.
    Nested(&'static str),
}

type Field = &'static str;

impl Value<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) | Self::Decimal { .. } => "a number",
            Self::Text(_) | Self::Bare(_) => "text",
            Self::Time(_) => "a time",
            Self::Nested(kind) => kind,
        }
    }

    /// Absent, null, and blank text are the same: not there.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Absent | Self::Null => true,
            Self::Text(text) | Self::Bare(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    fn wrong(&self, field: Field, wanted: &str) -> Fault {
        let found = match self {
            Self::Text(text) | Self::Bare(text) => format!("the text {}", quoted(text)),
            Self::Number(text) => format!("the number {text}"),
            other => other.kind().to_owned(),
        };
        Fault::of(
            field,
            "WRONG_TYPE",
            format!("expected {wanted}, found {found}"),
        )
    }

    fn missing(&self, field: Field) -> Fault {
        let reason = match self {
            Self::Absent => "the field is missing",
            Self::Null => "the field is required and null",
            _ => "the field is required and blank",
        };
        Fault::of(field, "MISSING_FIELD", reason)
    }

    pub(crate) fn text(&self, field: Field) -> Result<Option<&str>, Fault> {
        match self {
            _ if self.is_missing() => Ok(None),
            Self::Text(text) | Self::Bare(text) => Ok(Some(text)),
            _ => Err(self.wrong(field, "text")),
        }
    }

    pub(crate) fn required_text(&self, field: Field) -> Result<&str, Fault> {
        self.text(field)?.ok_or_else(|| self.missing(field))
    }

    /// An id that names a party.
    pub(crate) fn party(&self, field: Field) -> Result<Option<&str>, Fault> {
        match self.text(field)? {
            Some(id) if id.len() > LONGEST_ID_BYTES => {
                let reason = format!("{} is longer than {LONGEST_ID_BYTES} bytes", quoted(id));
                Err(Fault::of(field, "BAD_ID", reason))
            }
            Some(id) if id.contains(char::is_control) => Err(Fault::of(
                field,
                "BAD_ID",
                format!("{} contains a control character", quoted(id)),
            )),
            id => Ok(id),
        }
    }

    pub(crate) fn required_party(&self, field: Field) -> Result<&str, Fault> {
        self.party(field)?.ok_or_else(|| self.missing(field))
    }

    pub(crate) fn one_of(
        &self,
        field: Field,
        known: &[&'static str],
    ) -> Result<&'static str, Fault> {
        let text = self.required_text(field)?;
        let found = known.iter().find(|name| **name == text);
        found.copied().ok_or_else(|| {
            let reason = format!("{} is none of {}", quoted(text), known.join(", "));
            Fault::of(field, "UNKNOWN_VALUE", reason)
        })
    }

    /// 0, 1, true or false.
    pub(crate) fn flag(&self, field: Field) -> Result<Option<bool>, Fault> {
        let wanted = "0, 1, true or false";
        match self {
            _ if self.is_missing() => Ok(None),
            Self::Bool(flag) => Ok(Some(*flag)),
            Self::Number(text) if text == "0" => Ok(Some(false)),
            Self::Number(text) if text == "1" => Ok(Some(true)),
            Self::Bare(text) => match text.trim() {
                "0" => Ok(Some(false)),
                "1" => Ok(Some(true)),
                word if word.eq_ignore_ascii_case("true") => Ok(Some(true)),
                word if word.eq_ignore_ascii_case("false") => Ok(Some(false)),
                _ => Err(self.wrong(field, wanted)),
            },
            _ => Err(self.wrong(field, wanted)),
        }
    }

    /// Ten-thousandths.
    pub(crate) fn amount(&self, field: Field) -> Result<Option<i64>, Fault> {
        let parsed = match self {
            _ if self.is_missing() => return Ok(None),
            Self::Number(text) => amount::parse(text),
            Self::Bare(text) => amount::parse(text.trim()),
            Self::Decimal { unscaled, scale } => amount::from_scaled(*unscaled, i64::from(*scale)),
            _ => return Err(self.wrong(field, "a number")),
        };
        parsed
            .map(Some)
            .map_err(|error| self.amount_fault(field, error))
    }

    fn amount_fault(&self, field: Field, error: AmountError) -> Fault {
        let shown = match self {
            Self::Number(text) | Self::Bare(text) => quoted(text).replace('"', ""),
            Self::Decimal { unscaled, scale } => format!("{unscaled}e-{scale}"),
            other => other.kind().to_owned(),
        };
        match error {
            AmountError::NotANumber => self.wrong(field, "a number"),
            AmountError::NotFinite => Fault::of(
                field,
                "NOT_FINITE",
                format!("{shown} is not a finite number"),
            ),
            AmountError::TooManyDecimals => {
                let reason = format!("{shown} has more than {} decimals", amount::DECIMALS);
                Fault::of(field, "TOO_MANY_DECIMALS", reason)
            }
            AmountError::TooLarge => Fault::of(
                field,
                "AMOUNT_OUT_OF_RANGE",
                format!("{shown} is 10^14 or more in size"),
            ),
        }
    }

    pub(crate) fn required_amount(&self, field: Field) -> Result<i64, Fault> {
        self.amount(field)?.ok_or_else(|| self.missing(field))
    }

    /// Microseconds since 1970.
    pub(crate) fn time(&self, field: Field) -> Result<Option<i64>, Fault> {
        let parsed = match self {
            _ if self.is_missing() => return Ok(None),
            Self::Text(text) => time::parse(text),
            Self::Bare(text) => time::parse(text.trim()),
            Self::Time(micros) => time::checked(*micros),
            _ => return Err(self.wrong(field, "a time such as 2025-12-31T23:59:59Z")),
        };
        parsed.map(Some).map_err(|error| {
            let shown = match self {
                Self::Text(text) | Self::Bare(text) => quoted(text),
                _ => "the time".to_owned(),
            };
            let (first, last) = (time::YEARS.start(), time::YEARS.end());
            match error {
                TimeError::NotATime => {
                    let reason = format!("{shown} is no time such as 2025-12-31T23:59:59Z");
                    Fault::of(field, "BAD_TIME", reason)
                }
                TimeError::OutOfRange => {
                    let reason = format!("{shown} lies outside the years {first} to {last}");
                    Fault::of(field, "TIME_OUT_OF_RANGE", reason)
                }
            }
        })
    }

    pub(crate) fn required_time(&self, field: Field) -> Result<i64, Fault> {
        self.time(field)?.ok_or_else(|| self.missing(field))
    }

    /// A whole number of days.
    pub(crate) fn days(&self, field: Field) -> Result<Option<i32>, Fault> {
        let text = match self {
            _ if self.is_missing() => return Ok(None),
            Self::Number(text) => text,
            Self::Bare(text) => text,
            _ => return Err(self.wrong(field, "a whole number")),
        };
        let days = text
            .trim()
            .parse()
            .map_err(|_| self.wrong(field, "a whole number"))?;
        Ok(Some(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Value<'_> {
        Value::Number(text.into())
    }

    #[test]
    fn a_field_says_what_is_wrong_with_it() {
        let text = Value::Text("12.5".into());
        let cases = [
            (
                text.amount("amount").unwrap_err(),
                "WRONG_TYPE",
                "expected a number, found the text \"12.5\"",
            ),
            (
                number("7").text("name").unwrap_err(),
                "WRONG_TYPE",
                "expected text, found the number 7",
            ),
            (
                number("1.23456").amount("amount").unwrap_err(),
                "TOO_MANY_DECIMALS",
                "1.23456 has more than 4 decimals",
            ),
            (
                number("1e14").amount("amount").unwrap_err(),
                "AMOUNT_OUT_OF_RANGE",
                "1e14 is 10^14 or more in size",
            ),
            (
                number("2").flag("kyc_verified").unwrap_err(),
                "WRONG_TYPE",
                "expected 0, 1, true or false, found the number 2",
            ),
            (
                Value::Bare("inf".into()).amount("amount").unwrap_err(),
                "NOT_FINITE",
                "inf is not a finite number",
            ),
            (
                Value::Absent.required_time("ts").unwrap_err(),
                "MISSING_FIELD",
                "the field is missing",
            ),
            (
                Value::Null.required_text("name").unwrap_err(),
                "MISSING_FIELD",
                "the field is required and null",
            ),
            (
                Value::Text("  ".into()).required_text("name").unwrap_err(),
                "MISSING_FIELD",
                "the field is required and blank",
            ),
            (
                Value::Text("P\u{1b}1".into())
                    .party("party_id")
                    .unwrap_err(),
                "BAD_ID",
                "\"P\\u{1b}1\" contains a control character",
            ),
            (
                Value::Text("2025-02-30".into()).time("ts").unwrap_err(),
                "BAD_TIME",
                "\"2025-02-30\" is no time such as 2025-12-31T23:59:59Z",
            ),
            (
                Value::Text("0999-01-01".into()).time("ts").unwrap_err(),
                "TIME_OUT_OF_RANGE",
                "\"0999-01-01\" lies outside the years 1600 to 2999",
            ),
            (
                Value::Nested("an object").text("name").unwrap_err(),
                "WRONG_TYPE",
                "expected text, found an object",
            ),
            (
                number("3.5").days("days_past_due").unwrap_err(),
                "WRONG_TYPE",
                "expected a whole number, found the number 3.5",
            ),
            (
                Value::Text("loan".into())
                    .one_of("txn_type", &["invoice", "payment"])
                    .unwrap_err(),
                "UNKNOWN_VALUE",
                "\"loan\" is none of invoice, payment",
            ),
        ];
        for (fault, code, reason) in cases {
            assert_eq!((fault.code, fault.reason.as_str()), (code, reason));
            assert!(fault.field.is_some());
        }
    }

    #[test]
    fn blank_is_absent() {
        for value in [
            Value::Absent,
            Value::Null,
            Value::Text(" ".into()),
            Value::Bare("".into()),
        ] {
            assert_eq!(value.text("phone"), Ok(None));
            assert_eq!(value.amount("balance"), Ok(None));
            assert_eq!(value.flag("kyc_verified"), Ok(None));
        }
    }

    #[test]
    fn a_bare_field_reads_as_what_the_table_wants() {
        let bare = |text: &'static str| Value::Bare(text.into());
        assert_eq!(bare("TRUE").flag("f"), Ok(Some(true)));
        assert_eq!(bare("0").flag("f"), Ok(Some(false)));
        assert_eq!(bare("12.50").amount("f"), Ok(Some(125_000)));
        assert_eq!(bare("1970-01-01").time("f"), Ok(Some(0)));
        assert_eq!(bare("90").days("f"), Ok(Some(90)));
        assert_eq!(bare("90").text("f"), Ok(Some("90")));
    }
}
