//! A file of outcomes, read one at a time: a JSON array, or one JSON object after the other.

use std::fmt;
use std::io::BufRead;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use kycc_proto::labels::v1::{Outcome, OutcomeKind};
use prost_types::Timestamp;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;

/// A field that is not acceptable, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) field: &'static str,
    pub(super) message: String,
}

/// Gives every record to `take`, until that returns false.
///
/// # Errors
/// Where the text is no JSON, with line and column.
pub(super) fn read(
    mut reader: impl BufRead,
    take: &mut dyn FnMut(Result<Outcome, Fault>) -> bool,
) -> Result<(), serde_json::Error> {
    if first_byte(&mut reader).map_err(serde_json::Error::io)? == Some(b'[') {
        let mut json = serde_json::Deserializer::from_reader(reader);
        let mut stopped = false;
        let end = json.deserialize_seq(Elements {
            take,
            stopped: &mut stopped,
        });
        return if stopped {
            Ok(())
        } else {
            end.and_then(|()| json.end())
        };
    }
    for record in serde_json::Deserializer::from_reader(reader).into_iter::<Value>() {
        if !take(outcome(&record?)) {
            break;
        }
    }
    Ok(())
}

/// The first byte that is not blank, left in place.
fn first_byte(reader: &mut impl BufRead) -> std::io::Result<Option<u8>> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace());
        let blank = blank.count();
        if let Some(first) = buffer.get(blank) {
            return Ok(Some(*first));
        }
        reader.consume(blank);
    }
}

/// The elements of an array, without ever holding two of them.
struct Elements<'a> {
    take: &'a mut dyn FnMut(Result<Outcome, Fault>) -> bool,
    stopped: &'a mut bool,
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of outcomes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(record) = elements.next_element::<Value>()? {
            if !(self.take)(outcome(&record)) {
                *self.stopped = true;
                break;
            }
        }
        Ok(())
    }
}

fn outcome(record: &Value) -> Result<Outcome, Fault> {
    let fault = |field, message: String| Fault { field, message };
    if !record.is_object() {
        return Err(fault("", "the record is no JSON object".into()));
    }
    if !record["will_default"].is_null() {
        let told = "is a verdict, not an event; such a file goes with its batch: kycc job execute --labels";
        return Err(fault("will_default", told.into()));
    }
    let text = |field: &'static str| {
        let missing = || fault(field, "must be given as text".into());
        record[field].as_str().ok_or_else(missing)
    };
    let days_past_due = match &record["days_past_due"] {
        Value::Null => 0,
        days => days
            .as_i64()
            .and_then(|days| i32::try_from(days).ok())
            .ok_or_else(|| fault("days_past_due", format!("must be whole days, found {days}")))?,
    };
    Ok(Outcome {
        party_id: text("party_id")?.to_owned(),
        kind: kind(text("kind")?)
            .map_err(|message| fault("kind", message))?
            .into(),
        days_past_due,
        occurred_time: Some(
            time(text("occurred_at")?).map_err(|message| fault("occurred_at", message))?,
        ),
    })
}

fn kind(name: &str) -> Result<OutcomeKind, String> {
    let found = OutcomeKind::from_str_name(&format!("OUTCOME_KIND_{}", name.to_uppercase()));
    match found {
        Some(kind) if kind != OutcomeKind::Unspecified && name == name.to_lowercase() => Ok(kind),
        _ => Err(format!(
            "{name:?} is none of late_payment, write_off, collections, insolvency, restructuring, paid"
        )),
    }
}

/// UTC where no offset is given; the first instant of a day where no time is given.
fn time(text: &str) -> Result<Timestamp, String> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    let at = zoned
        .ok()
        .or_else(|| {
            let plain = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
            plain
                .iter()
                .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
                .map(|at| at.and_utc())
        })
        .or_else(|| {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(day.and_hms_opt(0, 0, 0)?.and_utc())
        })
        .ok_or_else(|| format!("{text:?} is no time such as 2026-03-01T00:00:00Z"))?;
    Ok(Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"party_id": "A", "kind": "late_payment", "days_past_due": 95, "occurred_at": "2026-03-01"}"#;

    fn all(text: &str) -> (Vec<Result<Outcome, Fault>>, Result<(), serde_json::Error>) {
        let mut found = Vec::new();
        let end = read(text.as_bytes(), &mut |record| {
            found.push(record);
            true
        });
        (found, end)
    }

    fn fault(record: &str) -> Fault {
        all(record).0.remove(0).unwrap_err()
    }

    #[test]
    fn an_array_and_lines_give_the_same_outcomes() {
        let (array, end) = all(&format!(" \n[{ONE},\n{ONE}]\n"));
        end.unwrap();
        let (lines, end) = all(&format!("{ONE}\n\n{ONE}"));
        end.unwrap();
        assert_eq!(array, lines);
        assert_eq!(array.len(), 2);
        let one = array[0].as_ref().unwrap();
        assert_eq!(
            (one.kind(), one.days_past_due),
            (OutcomeKind::LatePayment, 95)
        );
        assert_eq!(one.occurred_time.unwrap().seconds, 1_772_323_200);
        assert!(all("").0.is_empty());
    }

    #[test]
    fn text_that_is_no_json_is_told_with_its_line_after_what_came_before() {
        for text in [
            format!("[{ONE},\nx]"),
            format!("{ONE}\nx"),
            format!("[{ONE}\n"),
        ] {
            let (found, end) = all(&text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(end.unwrap_err().line(), 2, "{text}");
        }
        assert!(all(&format!("[{ONE}] x")).1.is_err());
    }

    #[test]
    fn a_record_that_is_wrong_names_its_field() {
        for (old, new, field) in [
            ("\"A\"", "7", "party_id"),
            ("late_payment", "default", "kind"),
            ("late_payment", "PAID", "kind"),
            ("95", "9.5", "days_past_due"),
            ("95", "9999999999", "days_past_due"),
            ("2026-03-01", "1.3.2026", "occurred_at"),
            ("2026-03-01", "2026-02-30", "occurred_at"),
        ] {
            assert_eq!(fault(&ONE.replace(old, new)).field, field, "{new}");
        }
        assert_eq!(fault("7").message, "the record is no JSON object");
        let verdict = r#"{"party_id": "A", "will_default": 1}"#;
        assert_eq!(fault(verdict).field, "will_default");
    }

    #[test]
    fn a_time_without_an_offset_is_utc() {
        for text in [
            "2026-03-01",
            "2026-03-01T00:00:00",
            "2026-03-01 00:00:00",
            "2026-03-01T01:00:00+01:00",
        ] {
            assert_eq!(time(text).unwrap().seconds, 1_772_323_200, "{text}");
        }
    }

    #[test]
    fn reading_stops_when_nobody_takes_any_more() {
        let mut seen = 0;
        read(format!("[{ONE},{ONE}]").as_bytes(), &mut |_| {
            seen += 1;
            false
        })
        .unwrap();
        assert_eq!(seen, 1);
    }
}
