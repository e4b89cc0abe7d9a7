//! Typed records as lines of JSON: stored and judged like those that came as text.

use chrono::{DateTime, SecondsFormat};
use kycc_proto::ingestion::v1::{
    AccountRecord, PartyRecord, RelationshipRecord, TransactionRecord,
};
use prost_types::Timestamp;

/// Writes a record as one line, in the order of the table's fields. What is empty is left out.
pub(super) trait Line {
    fn write(&self, to: &mut Object<'_>);
}

pub(super) fn lines<R: Line>(records: &[R]) -> Vec<u8> {
    // About the size of a transaction.
    let mut text = Vec::with_capacity(records.len() * 256);
    for record in records {
        text.push(b'{');
        let mut object = Object {
            text: &mut text,
            first: true,
        };
        record.write(&mut object);
        text.extend_from_slice(b"}\n");
    }
    text
}

pub(super) struct Object<'a> {
    text: &'a mut Vec<u8>,
    first: bool,
}

impl Object<'_> {
    fn key(&mut self, name: &str) {
        if !self.first {
            self.text.push(b',');
        }
        self.first = false;
        self.text.push(b'"');
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
    }

    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.key(name);
            self.quoted(value);
        }
    }

    fn quoted(&mut self, value: &str) {
        serde_json::to_writer(&mut *self.text, value).expect("a text is JSON, and memory takes it");
    }

    /// What could not be a number stays text, and is judged as such.
    fn amount(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        self.key(name);
        let part =
            |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
        if value.bytes().all(part) {
            self.text.extend_from_slice(value.as_bytes());
        } else {
            self.quoted(value);
        }
    }

    fn time(&mut self, name: &str, value: Option<&Timestamp>) {
        let Some(time) = value else {
            return;
        };
        self.key(name);
        let known = u32::try_from(time.nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(time.seconds, nanos));
        match known {
            Some(time) => self.quoted(&time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => self.quoted(&format!("{} s and {} ns", time.seconds, time.nanos)),
        }
    }

    fn plain(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.key(name);
            self.text.extend_from_slice(value.to_string().as_bytes());
        }
    }
}

impl Line for PartyRecord {
    fn write(&self, to: &mut Object<'_>) {
        to.text("party_id", &self.party_id);
        to.text("name", &self.name);
        to.text("party_type", &self.party_type);
        to.plain("kyc_verified", self.kyc_verified);
        to.text("tax_id", &self.tax_id);
        to.text("registration_number", &self.registration_number);
        to.text("contact_person", &self.contact_person);
        to.text("email", &self.email);
        to.text("phone", &self.phone);
        to.text("address", &self.address);
        to.time("created_at", self.created_time.as_ref());
    }
}

impl Line for AccountRecord {
    fn write(&self, to: &mut Object<'_>) {
        to.text("account_id", &self.account_id);
        to.text("party_id", &self.party_id);
        to.text("account_type", &self.account_type);
        to.text("currency", &self.currency);
        to.amount("balance", &self.balance);
    }
}

impl Line for TransactionRecord {
    fn write(&self, to: &mut Object<'_>) {
        to.text("txn_id", &self.txn_id);
        to.text("party_id", &self.party_id);
        to.text("counterparty_id", &self.counterparty_id);
        to.text("account_id", &self.account_id);
        to.amount("amount", &self.amount);
        to.text("currency", &self.currency);
        to.text("txn_type", &self.txn_type);
        to.time("ts", self.transaction_time.as_ref());
        to.text("reference", &self.reference);
        to.plain("days_past_due", self.days_past_due);
    }
}

impl Line for RelationshipRecord {
    fn write(&self, to: &mut Object<'_>) {
        to.text("relationship_id", &self.relationship_id);
        to.text("from_party_id", &self.from_party_id);
        to.text("to_party_id", &self.to_party_id);
        to.text("relationship_type", &self.relationship_type);
        to.time("established_date", self.established_time.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(record: impl Line) -> String {
        String::from_utf8(lines(&[record])).unwrap()
    }

    #[test]
    fn a_record_is_one_line_of_the_fields_of_documents() {
        let record = TransactionRecord {
            txn_id: "T\"1\n".to_owned(),
            party_id: "é".to_owned(),
            amount: "-0.10".to_owned(),
            txn_type: "payment".to_owned(),
            transaction_time: Some(Timestamp {
                seconds: 1_760_205_055,
                nanos: 872_979_999,
            }),
            days_past_due: Some(0),
            ..TransactionRecord::default()
        };
        let expected = r#"{"txn_id":"T\"1\n","party_id":"é","amount":-0.10,"txn_type":"payment","ts":"2025-10-11T17:50:55.872979Z","days_past_due":0}"#;
        assert_eq!(line(record), format!("{expected}\n"));
        assert_eq!(line(AccountRecord::default()), "{}\n");
    }

    #[test]
    fn no_text_becomes_another_field() {
        for amount in ["1,\"will_default\":1", "1}\n{", "\"", "NaN", " 1"] {
            let record = AccountRecord {
                balance: amount.to_owned(),
                ..AccountRecord::default()
            };
            let text = line(record);
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read, serde_json::json!({"balance": amount}));
            assert_eq!(text.matches('\n').count(), 1);
        }
    }

    #[test]
    fn a_time_that_is_none_is_told_as_it_came() {
        let record = RelationshipRecord {
            established_time: Some(Timestamp {
                seconds: i64::MAX,
                nanos: -1,
            }),
            ..RelationshipRecord::default()
        };
        let text = line(record);
        assert!(text.contains("9223372036854775807 s and -1 ns"), "{text}");
    }
}
