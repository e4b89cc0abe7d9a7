//! One flat JSON object becomes the values of a table's fields. Strings without escapes are borrowed, the text of
//! numbers is kept, so that amounts stay exact; what is rare (escapes, nested values) goes through serde_json.

use std::borrow::Cow;

use super::fault::{Fault, Refused, quoted};
use super::labels;
use super::table::Table;
use super::unknown::UnknownFields;
use super::value::Value;

/// Reads a record into `values`, which has one place per field of the table; all are overwritten.
pub(crate) fn record<'a>(
    text: &'a str,
    table: Table,
    values: &mut [Value<'a>],
    unknown: &mut UnknownFields,
) -> Result<(), Refused> {
    values.fill(Value::Absent);
    let mut lexer = Lexer {
        text,
        at: 0,
        key: "".into(),
    };
    lexer.space();
    if lexer.peek() != Some(b'{') {
        let kind = lexer.kind();
        return Err(
            Fault::whole("NOT_AN_OBJECT", format!("expected an object, found {kind}")).into(),
        );
    }
    lexer.at += 1;
    lexer.members(table, values, unknown)?;
    lexer.space();
    match lexer.peek() {
        None => Ok(()),
        Some(_) => Err(lexer.syntax("something follows the object").into()),
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The key whose value is being read: what a fault is about.
    key: Cow<'a, str>,
}

impl<'a> Lexer<'a> {
    fn members(
        &mut self,
        table: Table,
        values: &mut [Value<'a>],
        unknown: &mut UnknownFields,
    ) -> Result<(), Refused> {
        let fields = table.fields();
        // Records of one file have their fields in one order, so the next field is the likeliest.
        let mut next = 0;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            self.key = "".into();
            self.key = self.string()?;
            self.space();
            self.expect(b':')?;
            self.space();
            let field = match fields.get(next) {
                Some(name) if *name == self.key => Some(next),
                _ => table.field(&self.key),
            };
            if let Some(field) = field {
                if values[field] != Value::Absent {
                    return Err(self
                        .fault("DUPLICATE_FIELD", "the field appears twice")
                        .into());
                }
                values[field] = self.value()?;
                next = field + 1;
            } else {
                self.unknown_member(table, unknown)?;
            }
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.syntax("expected ',' or '}'").into()),
            }
        }
    }

    fn unknown_member(&mut self, table: Table, unknown: &mut UnknownFields) -> Result<(), Refused> {
        if table.leaks(&self.key) {
            return Err(Refused::Outcome {
                field: self.key.clone().into_owned(),
            });
        }
        unknown.add(&self.key, 1);
        let start = self.at;
        let value = self.value()?;
        if matches!(value, Value::Nested(_)) && table != Table::Outcomes {
            let nested = &self.text[start..self.at];
            if let Ok(Some(field)) = labels::outcome_within(nested) {
                return Err(Refused::Outcome { field });
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Value<'a>, Fault> {
        match self.peek() {
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') if self.rest().starts_with("null") => self.word("null", Value::Null),
            Some(b'{') => self.nested("an object"),
            Some(b'[') => self.nested("an array"),
            Some(b'N' | b'I' | b'n' | b'i') => Err(self.not_finite()),
            _ => Err(self.syntax("expected a value")),
        }
    }

    /// A quoted string; borrowed unless it has escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax("expected '\"'"));
        }
        let start = self.at + 1;
        let bytes = &self.text.as_bytes()[start..];
        let plain = bytes
            .iter()
            .position(|b| *b < 0x20 || *b == b'"' || *b == b'\\');
        match plain.map(|length| (length, bytes[length])) {
            Some((length, b'"')) => {
                self.at = start + length + 1;
                Ok(Cow::Borrowed(&self.text[start..start + length]))
            }
            Some((_, b'\\')) => self.escaped().map(Cow::Owned),
            Some(_) => Err(self.syntax("a control character within a string")),
            None => Err(self.syntax("a string that does not end")),
        }
    }

    fn escaped(&mut self) -> Result<String, Fault> {
        let mut stream = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
        match stream.next() {
            Some(Ok(string)) => {
                self.at += stream.byte_offset();
                Ok(string)
            }
            _ => Err(self.syntax("a string with a bad escape")),
        }
    }

    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let whole = self.digits();
        if whole == 0 && matches!(self.peek(), Some(b'I' | b'i' | b'N' | b'n')) {
            return Err(self.not_finite());
        }
        let leading_zero = whole > 1 && self.text.as_bytes()[self.at - whole] == b'0';
        let mut good = whole > 0 && !leading_zero;
        if self.peek() == Some(b'.') {
            self.at += 1;
            good &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            good &= self.digits() > 0;
        }
        if good {
            Ok(Value::Number(Cow::Borrowed(&self.text[start..self.at])))
        } else {
            Err(self.syntax("a number that JSON does not know"))
        }
    }

    fn digits(&mut self) -> usize {
        let count = self.text.as_bytes()[self.at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        if !self.rest().starts_with(word) {
            return Err(self.syntax("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn nested(&mut self, kind: &'static str) -> Result<Value<'a>, Fault> {
        let reader = serde_json::Deserializer::from_str(self.rest());
        let mut stream = reader.into_iter::<serde::de::IgnoredAny>();
        match stream.next() {
            Some(Ok(_)) => {
                self.at += stream.byte_offset();
                Ok(Value::Nested(kind))
            }
            _ => Err(self.syntax("a nested value that is no JSON")),
        }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.syntax(&format!("expected '{}'", char::from(byte))))
        }
    }

    fn kind(&self) -> &'static str {
        match self.peek() {
            None => "nothing",
            Some(b'[') => "an array",
            Some(b'"') => "text",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(_) => "a number",
        }
    }

    fn fault(&self, code: &'static str, reason: impl Into<String>) -> Fault {
        let field = match self.key.as_ref() {
            "" => None,
            key => Some(Cow::Owned(key.chars().take(64).collect())),
        };
        Fault {
            field,
            code,
            reason: reason.into(),
        }
    }

    fn not_finite(&self) -> Fault {
        let word: String = self
            .rest()
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        if matches!(
            word.to_ascii_lowercase().as_str(),
            "nan" | "inf" | "infinity"
        ) {
            self.fault("NOT_FINITE", format!("{word} is not a finite number"))
        } else {
            self.syntax("expected a value")
        }
    }

    fn syntax(&self, what: &str) -> Fault {
        let found = match self.rest().chars().next() {
            Some(_) => quoted(&self.rest().chars().take(12).collect::<String>()),
            None => "the end of the record".to_owned(),
        };
        self.fault(
            "INVALID_JSON",
            format!("{what} at byte {} of the record, at {found}", self.at),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<Value<'_>>, Refused> {
        let mut values = vec![Value::Absent; Table::Transactions.fields().len()];
        record(
            text,
            Table::Transactions,
            &mut values,
            &mut UnknownFields::default(),
        )?;
        Ok(values)
    }

    fn fault(text: &str) -> Fault {
        match read(text) {
            Err(Refused::Record(fault)) => fault,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_text_of_numbers_is_kept() {
        let text =
            r#" { "amount" : -0.10 , "txn_id":"a\u00e9\"b", "x": {"y": [1, "}"]}, "ts": null } "#;
        let values = read(text).unwrap();
        let of = |name| &values[Table::Transactions.field(name).unwrap()];
        assert_eq!(of("amount"), &Value::Number("-0.10".into()));
        assert_eq!(of("txn_id"), &Value::Text("aé\"b".into()));
        assert_eq!(of("ts"), &Value::Null);
        assert_eq!(of("reference"), &Value::Absent);
    }

    #[test]
    fn faults_name_the_field_and_the_place() {
        for (text, field, code) in [
            (r#"{"amount": NaN}"#, Some("amount"), "NOT_FINITE"),
            (r#"{"amount": -Infinity}"#, Some("amount"), "NOT_FINITE"),
            (r#"{"amount": 01}"#, Some("amount"), "INVALID_JSON"),
            (r#"{"amount": 1.}"#, Some("amount"), "INVALID_JSON"),
            (
                r#"{"amount": 1, "amount": 2}"#,
                Some("amount"),
                "DUPLICATE_FIELD",
            ),
            (r#"{"amount" 1}"#, Some("amount"), "INVALID_JSON"),
            (r#"{"amount": 1 "ts": 2}"#, Some("amount"), "INVALID_JSON"),
            (r#"{"reference": "\x"}"#, Some("reference"), "INVALID_JSON"),
            (
                "{\"reference\": \"a\nb\"}",
                Some("reference"),
                "INVALID_JSON",
            ),
            (r#"{"x": tru}"#, Some("x"), "INVALID_JSON"),
            (r#"{"amount": 1,}"#, None, "INVALID_JSON"),
            (r#"{"amount": 1} {"#, Some("amount"), "INVALID_JSON"),
            ("[1]", None, "NOT_AN_OBJECT"),
            ("null", None, "NOT_AN_OBJECT"),
            ("", None, "NOT_AN_OBJECT"),
        ] {
            let fault = fault(text);
            assert_eq!(
                (fault.field.as_deref(), fault.code),
                (field, code),
                "{text}: {fault:?}"
            );
        }
    }

    #[test]
    fn an_outcome_refuses_the_input() {
        for (text, name) in [
            (r#"{"will_default": 1}"#, "will_default"),
            (
                r#"{"profile": {"a": [{"ground_truth": 1}]}}"#,
                "ground_truth",
            ),
            (r#"{"will\u005fdefault": 1}"#, "will_default"),
        ] {
            assert_eq!(read(text), Err(Refused::Outcome { field: name.into() }));
        }
    }

    proptest! {
        #[test]
        fn accepts_what_serde_json_accepts(text in r#"\{("(ts|x)": ?("[a\\n\\"é]{0,4}"|-?[0-9.e+-]{0,5}|null|true|\[1,?\]|\{\}),? ?){0,2}\}?"#) {
            let reference = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
            match (read(&text), reference) {
                (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
                // serde_json keeps the last of two equal keys, this reader refuses them.
                (Err(Refused::Record(fault)), Ok(_)) => prop_assert_eq!(fault.code, "DUPLICATE_FIELD"),
                // Numbers beyond a double are numbers here.
                (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}: {}", text, error),
                (Err(refused), Ok(_)) => prop_assert!(false, "{}: {:?}", text, refused),
            }
        }

        #[test]
        fn strings_mean_what_serde_json_says(value in "\\PC{0,20}", raw in any::<String>()) {
            for content in [value, raw] {
                let text = serde_json::json!({"reference": content}).to_string();
                let values = read(&text).unwrap();
                let field = Table::Transactions.field("reference").unwrap();
                prop_assert_eq!(&values[field], &Value::Text(content.into()));
            }
        }
    }
}
