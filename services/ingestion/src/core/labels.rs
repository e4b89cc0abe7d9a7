//! Looks for outcome fields in what is otherwise left out: nested values, and arrays that no table has.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::table::OUTCOME_FIELDS;

/// The outcome field within a JSON value, at any depth. `Err` when the text is no JSON.
pub(crate) fn outcome_within(json: &str) -> Result<Option<String>, serde_json::Error> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_str(json);
    Search(&mut found).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

struct Search<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if OUTCOME_FIELDS.contains(&key.as_str()) {
                self.0.get_or_insert(key);
            }
            map.next_value_seed(Search(self.0))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Search(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_found_at_any_depth() {
        let nested = r#"{"a": [1, {"b": {"ground_truth": null}}], "c": "will_default"}"#;
        assert_eq!(
            outcome_within(nested).unwrap().as_deref(),
            Some("ground_truth")
        );
        assert_eq!(outcome_within(r#"{"a": "will_default"}"#).unwrap(), None);
        assert!(outcome_within(r#"{"a": 1} x"#).is_err());
    }
}
