//! Cuts a JSON document into blocks of array elements without building it: keys in any order, elements as ranges of
//! bytes. What is inside an element is the parser's business; here only its borders matter.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use super::block::{Block, Content, Origin, Span, Text};
use super::error::ReadError;
use super::window::Window;
use super::{BLOCK_BYTES, LONGEST_RECORD_BYTES};
use crate::core::fault::quoted;
use crate::core::labels;
use crate::core::table::{OUTCOME_FIELDS, Table};

/// Keys at the top of a document; a batch has about ten.
const MOST_KEYS: usize = 1_000;

/// What the top of a document says of its batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) batch_id: Option<String>,
    pub(crate) generated_at: Option<String>,
    /// Tables that have an array, empty or not.
    pub(crate) tables: BTreeSet<Table>,
}

enum State {
    Start,
    /// Before a key, or the closing brace.
    Key {
        first: bool,
    },
    Elements {
        array: Array,
        index: u64,
    },
    AfterMember,
    Tail,
    End,
}

struct Array {
    name: Arc<str>,
    origin: Origin,
}

pub(crate) struct Document<R> {
    window: Window<R>,
    file: u32,
    name: String,
    /// The document is one array of this table, not an object of arrays.
    only: Option<Table>,
    state: State,
    keys: BTreeSet<String>,
    header: Header,
    /// Kept from value to value for its memory.
    borders: Borders,
}

impl<R: Read> Document<R> {
    pub(crate) fn new(window: Window<R>, file: u32, name: &str) -> Self {
        Self {
            window,
            file,
            name: name.to_owned(),
            only: None,
            state: State::Start,
            keys: BTreeSet::new(),
            header: Header::default(),
            borders: Borders::default(),
        }
    }

    /// A document that is one array of records.
    pub(crate) fn array(window: Window<R>, file: u32, name: &str, table: Table) -> Self {
        Self {
            only: Some(table),
            ..Self::new(window, file, name)
        }
    }

    /// Complete once the last block has been given out.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            match std::mem::replace(&mut self.state, State::End) {
                State::Start => self.start()?,
                State::Key { first } => self.member(first)?,
                State::Elements { array, index } => {
                    if let Some(block) = self.elements(array, index)? {
                        return Ok(Some(block));
                    }
                }
                State::AfterMember => self.after_member()?,
                State::Tail => self.tail()?,
                State::End => return Ok(None),
            }
        }
    }

    fn start(&mut self) -> Result<(), ReadError> {
        self.io(Window::skip_byte_order_mark)?;
        let expected = match self.only {
            None => b'{',
            Some(_) => b'[',
        };
        let found = self.token("the document")?;
        if found != expected {
            let what = format!("the document must start with '{}'", char::from(expected));
            return Err(self.syntax("the start of the document", what));
        }
        self.window.at += 1;
        self.state = match self.only {
            None => State::Key { first: true },
            Some(table) => Self::array_of("", Origin::Table(table)),
        };
        Ok(())
    }

    fn array_of(name: &str, origin: Origin) -> State {
        let array = Array {
            name: name.into(),
            origin,
        };
        State::Elements { array, index: 0 }
    }

    fn member(&mut self, first: bool) -> Result<(), ReadError> {
        let place = "the top of the document";
        match self.token(place)? {
            b'}' if first => {
                self.window.at += 1;
                self.state = State::Tail;
                return Ok(());
            }
            b'"' => {}
            _ => return Err(self.syntax(place, "expected a key in quotes")),
        }
        let key = self.key(place)?;
        if self.token(&key)? != b':' {
            return Err(self.syntax(&key, "expected ':'"));
        }
        self.window.at += 1;
        if self.token(&key)? == b'[' {
            self.window.at += 1;
            let origin = match Table::named(&key) {
                Some(table) => {
                    self.header.tables.insert(table);
                    Origin::Table(table)
                }
                None => Origin::Other(key.as_str().into()),
            };
            self.state = Self::array_of(&key, origin);
            return Ok(());
        }
        self.scalar(&key)?;
        self.window.forget();
        self.state = State::AfterMember;
        Ok(())
    }

    fn key(&mut self, place: &str) -> Result<String, ReadError> {
        let raw = self.text(place)?;
        let Ok(key) = serde_json::from_str::<String>(&raw) else {
            return Err(self.syntax(place, format!("{} is no key", quoted(&raw))));
        };
        if OUTCOME_FIELDS.contains(&key.as_str()) {
            return Err(self.outcome(place, key));
        }
        if self.keys.len() >= MOST_KEYS {
            return Err(self.syntax(place, format!("more than {MOST_KEYS} keys")));
        }
        if !self.keys.insert(key.clone()) {
            let file = self.name.clone();
            return Err(ReadError::DuplicateKey { file, key });
        }
        Ok(key)
    }

    /// A member that is no array: part of the header, or left out.
    fn scalar(&mut self, key: &str) -> Result<(), ReadError> {
        let text = self.text(key)?;
        if let Some(table) = Table::named(key) {
            let what = format!("{table} must be an array, found {}", quoted(&text));
            return Err(self.syntax(key, what));
        }
        match key {
            "batch_id" => self.header.batch_id = Some(self.header_text("batch_id", &text)?),
            "generated_at" => {
                self.header.generated_at = Some(self.header_text("generated_at", &text)?)
            }
            _ => match labels::outcome_within(&text) {
                Ok(None) => {}
                Ok(Some(field)) => return Err(self.outcome(key, field)),
                Err(_) => return Err(self.syntax(key, format!("{} is no JSON", quoted(&text)))),
            },
        }
        Ok(())
    }

    fn header_text(&self, field: &'static str, text: &str) -> Result<String, ReadError> {
        serde_json::from_str(text).map_err(|_| ReadError::BadHeader {
            file: self.name.clone(),
            field,
            found: quoted(text),
            expected: "text",
        })
    }

    /// Elements up to the end of the array, or to a block's worth of them.
    fn elements(&mut self, array: Array, index: u64) -> Result<Option<Block>, ReadError> {
        let mut index = index;
        let first = index;
        let mut spans = Vec::new();
        let closed = loop {
            let token = self.token_of(&array, index)?;
            if token == b']' && index == 0 {
                self.window.at += 1;
                break true;
            }
            let (start, end) = self.value_of(&array, index)?;
            if start == end {
                return Err(self.syntax_of(&array, index, "expected a value"));
            }
            spans.push(Span::new(start, end, index - first));
            index += 1;
            match self.token_of(&array, index)? {
                b',' => self.window.at += 1,
                b']' => {
                    self.window.at += 1;
                    break true;
                }
                _ => return Err(self.syntax_of(&array, index, "expected ',' or ']'")),
            }
            if self.window.at >= BLOCK_BYTES {
                break false;
            }
        };
        let block = (!spans.is_empty()).then(|| Block {
            file: self.file,
            origin: array.origin.clone(),
            bytes_read: self.window.bytes_read(),
            content: Content::Json(Text {
                bytes: self.window.cut(),
                records: spans,
                first_row: first + 1,
                indexed: true,
            }),
        });
        self.state = match (closed, self.only) {
            (false, _) => State::Elements { array, index },
            (true, None) => State::AfterMember,
            (true, Some(_)) => State::Tail,
        };
        Ok(block)
    }

    fn after_member(&mut self) -> Result<(), ReadError> {
        let place = "the top of the document";
        self.state = match self.token(place)? {
            b',' => State::Key { first: false },
            b'}' => State::Tail,
            _ => return Err(self.syntax(place, "expected ',' or '}'")),
        };
        self.window.at += 1;
        Ok(())
    }

    fn tail(&mut self) -> Result<(), ReadError> {
        match self.io(Window::peek_token)? {
            None => Ok(()),
            Some(_) => {
                Err(self.syntax("the end of the document", "something follows the document"))
            }
        }
    }

    /// The text of the value that starts here.
    fn text(&mut self, place: &str) -> Result<String, ReadError> {
        let (start, end) = self.value(&|| place.to_owned())?;
        let bytes = &self.window.bytes()[start..end];
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => {
                let what = format!(
                    "invalid UTF-8 {} bytes before",
                    bytes.len() - error.valid_up_to()
                );
                Err(self.syntax(place, what))
            }
        }
    }

    fn value_of(&mut self, array: &Array, index: u64) -> Result<(usize, usize), ReadError> {
        self.value(&|| element(array, index))
    }

    /// Finds the end of the value that starts here and moves there; its range in the window.
    fn value(&mut self, place: &dyn Fn() -> String) -> Result<(usize, usize), ReadError> {
        let start = self.window.at;
        self.borders.reset();
        let mut at = start;
        loop {
            let (end, outcome) = self.borders.advance(self.window.bytes(), at);
            at = end;
            if at - start > LONGEST_RECORD_BYTES {
                return Err(ReadError::RecordTooLong {
                    file: self.name.clone(),
                    offset: self.window.offset(),
                    place: place(),
                });
            }
            match outcome {
                Border::End => {
                    self.window.at = at;
                    return Ok((start, at));
                }
                Border::Mismatch => {
                    self.window.at = at;
                    return Err(self.syntax(&place(), "brackets do not match"));
                }
                Border::More => {
                    if !self.io(Window::fill)? {
                        return Err(self.truncated(&place()));
                    }
                }
            }
        }
    }

    fn token(&mut self, place: &str) -> Result<u8, ReadError> {
        let found = self.io(Window::peek_token)?;
        found.ok_or_else(|| self.truncated(place))
    }

    fn token_of(&mut self, array: &Array, index: u64) -> Result<u8, ReadError> {
        let found = self.io(Window::peek_token)?;
        found.ok_or_else(|| self.truncated(&element(array, index)))
    }

    fn io<T>(
        &mut self,
        read: impl FnOnce(&mut Window<R>) -> std::io::Result<T>,
    ) -> Result<T, ReadError> {
        read(&mut self.window).map_err(|source| ReadError::Io {
            file: self.name.clone(),
            source,
        })
    }

    fn truncated(&self, place: &str) -> ReadError {
        ReadError::Truncated {
            file: self.name.clone(),
            offset: self.window.bytes_read(),
            place: place.to_owned(),
        }
    }

    fn syntax(&self, place: &str, what: impl Into<String>) -> ReadError {
        ReadError::Syntax {
            file: self.name.clone(),
            offset: self.window.offset(),
            place: place.to_owned(),
            what: what.into(),
        }
    }

    fn syntax_of(&self, array: &Array, index: u64, what: &str) -> ReadError {
        self.syntax(&element(array, index), what)
    }

    fn outcome(&self, place: &str, field: String) -> ReadError {
        let (file, place) = (self.name.clone(), place.to_owned());
        ReadError::OutcomeInProfiles { file, place, field }
    }
}

/// `parties[17]`, from 0, as JSON paths count.
fn element(array: &Array, index: u64) -> String {
    format!("{}[{index}]", array.name)
}

enum Border {
    End,
    More,
    Mismatch,
}

/// Follows strings, escapes and brackets to where a value ends.
#[derive(Default)]
struct Borders {
    open: Vec<u8>,
    in_string: bool,
}

impl Borders {
    fn reset(&mut self) {
        self.open.clear();
        self.in_string = false;
    }

    /// Goes on from `at`; the position reached, and what is there.
    fn advance(&mut self, bytes: &[u8], mut at: usize) -> (usize, Border) {
        while at < bytes.len() {
            if self.in_string {
                let Some(mark) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else {
                    return (bytes.len(), Border::More);
                };
                at += mark;
                if bytes[at] == b'"' {
                    self.in_string = false;
                    at += 1;
                    if self.open.is_empty() {
                        return (at, Border::End);
                    }
                } else if at + 1 < bytes.len() {
                    at += 2;
                } else {
                    // The escaped byte is in the next chunk; come back to the backslash.
                    return (at, Border::More);
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                open @ (b'{' | b'[') => self.open.push(open),
                close @ (b'}' | b']') => match self.open.pop() {
                    // A number or a word ends before the bracket that closes what holds it.
                    None => return (at, Border::End),
                    // '{' and '}', '[' and ']' are two apart in ASCII.
                    Some(open) if open + 2 != close => return (at, Border::Mismatch),
                    Some(_) if self.open.is_empty() => return (at + 1, Border::End),
                    Some(_) => {}
                },
                b',' | b' ' | b'\n' | b'\r' | b'\t' if self.open.is_empty() => {
                    return (at, Border::End);
                }
                _ => {}
            }
            at += 1;
        }
        (at, Border::More)
    }
}

#[cfg(test)]
mod tests;
