use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Name of the array, row, text.
type Element = (String, u64, String);

/// All elements of all arrays.
fn cut(document: &str, chunk_bytes: usize) -> Result<(Vec<Element>, Header), ReadError> {
    let window = Window::with_chunks(document.as_bytes(), chunk_bytes);
    let mut reader = Document::new(window, 0, "doc.json");
    let mut all = Vec::new();
    while let Some(block) = reader.next_block()? {
        let name = match block.origin {
            Origin::Table(table) => table.name().to_owned(),
            Origin::Other(name) => name.to_string(),
        };
        let Content::Json(text) = block.content else {
            panic!("a document has JSON records");
        };
        for span in &text.records {
            let record = &text.bytes[span.start as usize..span.end as usize];
            let record = String::from_utf8(record.to_vec()).unwrap();
            all.push((name.clone(), text.first_row + u64::from(span.row), record));
        }
    }
    Ok((all, reader.header().clone()))
}

fn error(document: &str) -> String {
    cut(document, 7).unwrap_err().to_string()
}

#[test]
fn keys_may_come_in_any_order() {
    let document = r#" {"parties": [ {"a":"]}\"\\"} , {} ], "counts": {"x": [1]}, "extra": [1, "two"],
        "accounts": [], "generated_at": "2025-01-01", "batch_id": "B1" } "#;
    for chunk_bytes in [1, 2, 3, 64] {
        let (elements, header) = cut(document, chunk_bytes).unwrap();
        let texts: Vec<_> = elements
            .iter()
            .map(|(n, r, t)| (n.as_str(), *r, t.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                ("parties", 1, r#"{"a":"]}\"\\"}"#),
                ("parties", 2, "{}"),
                ("extra", 1, "1"),
                ("extra", 2, "\"two\""),
            ]
        );
        assert_eq!(header.batch_id.as_deref(), Some("B1"));
        assert_eq!(header.generated_at.as_deref(), Some("2025-01-01"));
        assert_eq!(header.tables, [Table::Parties, Table::Accounts].into());
    }
}

#[test]
fn a_truncated_document_says_where_it_ends() {
    for (document, place) in [
        ("", "the document"),
        ("{", "the top of the document"),
        (r#"{"par"#, "the top of the document"),
        (r#"{"parties""#, "parties"),
        (r#"{"parties": [{"a": 1}, {"b": "#, "parties[1]"),
        (r#"{"parties": [{"a": 1}"#, "parties[1]"),
        (r#"{"parties": [{"a": 1}]"#, "the top of the document"),
        (r#"{"parties": [{"a": "\"#, "parties[0]"),
    ] {
        let expected = format!(
            "doc.json ends at byte {}, inside {place}: the document is truncated; fetch or write it again",
            document.len()
        );
        assert_eq!(error(document), expected);
    }
}

#[test]
fn a_broken_document_is_refused_with_the_place() {
    for (document, expected) in [
        (
            "[1]",
            "byte 0, the start of the document: the document must start with '{'",
        ),
        (
            r#"{"parties": [1,]}"#,
            "byte 15, parties[1]: expected a value",
        ),
        (
            r#"{"parties": [,1]}"#,
            "byte 13, parties[0]: expected a value",
        ),
        (
            r#"{"parties": [1 2]}"#,
            "byte 15, parties[1]: expected ',' or ']'",
        ),
        (
            r#"{"parties": [{"a": [1}]}"#,
            "byte 21, parties[0]: brackets do not match",
        ),
        (
            r#"{"parties": {}}"#,
            "byte 14, parties: parties must be an array, found \"{}\"",
        ),
        (
            r#"{"x": 1,}"#,
            "byte 8, the top of the document: expected a key in quotes",
        ),
        (r#"{"x": nope}"#, "byte 10, x: \"nope\" is no JSON"),
        (
            r#"{"x": 1} {"#,
            "byte 9, the end of the document: something follows the document",
        ),
        (r#"{"x": 1, "x": 2}"#, "the key \"x\" appears twice"),
        (r#"{"batch_id": 7}"#, "batch_id is \"7\"; expected text"),
        (
            r#"{"ground_truth": []}"#,
            "the field ground_truth is an outcome",
        ),
        (
            r#"{"meta": {"will_default": 1}}"#,
            "meta: the field will_default is an outcome",
        ),
    ] {
        let found = error(document);
        assert!(found.contains(expected), "{document}: {found}");
    }
}

/// Yields a document whose 18th party is one endless string, and counts what is asked of it.
struct Endless {
    start: std::io::Cursor<Vec<u8>>,
    asked: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.start.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        buffer.fill(b'x');
        self.asked += buffer.len() as u64;
        assert!(
            self.asked < 4 * LONGEST_RECORD_BYTES as u64,
            "the string is being buffered"
        );
        Ok(buffer.len())
    }
}

#[test]
fn an_endless_string_is_refused_without_being_buffered() {
    let start = format!(r#"{{"parties": [{}{{"name": ""#, "{},".repeat(17));
    let endless = Endless {
        start: std::io::Cursor::new(start.into_bytes()),
        asked: 0,
    };
    let mut reader = Document::new(Window::new(endless), 0, "doc.json");
    let error = loop {
        match reader.next_block() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the document has no end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.reason(), "RECORD_TOO_LONG");
    assert!(
        error
            .to_string()
            .contains("parties[17]: record longer than 1048576 bytes"),
        "{error}"
    );
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a\\\\\"{}\\[\\],:é\n]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a\"\\\\}]{0,3}", inner, 0..4).prop_map(|m| json!(m)),
        ]
    })
}

proptest! {
    #[test]
    fn elements_are_those_that_serde_json_finds(
        tables in proptest::collection::btree_map("[a-z]{1,6}", proptest::collection::vec(json_value(), 0..6), 0..4),
        other in json_value(),
        pretty in any::<bool>(),
        chunk_bytes in 1usize..40,
    ) {
        let mut document = json!(tables);
        document["zz_other"] = json!({"inner": other});
        let text = if pretty { format!("{document:#}") } else { document.to_string() };
        let (found, _) = cut(&text, chunk_bytes).unwrap();
        let found: Vec<_> = found
            .into_iter()
            .map(|(name, row, text)| (name, row, serde_json::from_str::<Value>(&text).unwrap()))
            .collect();
        let expected: Vec<_> = tables
            .iter()
            .flat_map(|(name, values)| {
                values.iter().zip(1..).map(move |(value, row)| (name.clone(), row, value.clone()))
            })
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_cut_of_a_document_is_taken_for_a_whole(
        values in proptest::collection::vec(json_value(), 0..4),
        cut_at in any::<prop::sample::Index>(),
    ) {
        let text = json!({"batch_id": "B", "parties": values}).to_string();
        let shortened: String = text.chars().take(cut_at.index(text.chars().count())).collect();
        prop_assert!(cut(&shortened, 5).is_err());
    }

    #[test]
    fn no_document_panics(text in "[{}\\[\\],:\"\\\\ a1]{0,40}", chunk_bytes in 1usize..9) {
        let _ = cut(&text, chunk_bytes);
    }
}
