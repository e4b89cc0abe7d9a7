//! A record of a feed as an outcome.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use kycc_proto::labels::v1::{Outcome, OutcomeKind};
use prost_types::Timestamp;
use serde_json::Value;

use super::Fault;

/// Checks what can be checked without the service.
pub(super) fn outcome(record: &Value) -> Result<Outcome, Fault> {
    let fault = |field, message: String| Fault { field, message };
    if !record.is_object() {
        return Err(Fault::of_record("the record is no JSON object"));
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

    fn read(record: &str) -> Result<Outcome, Fault> {
        outcome(&serde_json::from_str(record).unwrap())
    }

    fn fault(record: &str) -> Fault {
        read(record).unwrap_err()
    }

    #[test]
    fn a_record_is_an_outcome() {
        let one = read(ONE).unwrap();
        assert_eq!(
            (one.kind(), one.days_past_due),
            (OutcomeKind::LatePayment, 95)
        );
        assert_eq!(one.occurred_time.unwrap().seconds, 1_772_323_200);
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
}
