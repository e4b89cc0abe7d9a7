//! One column: numbers with NaN for missing, or text as codes into a dictionary.

use std::collections::HashMap;

/// A column without a name is kept out of the table.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub values: Values,
}

#[derive(Debug, Clone)]
pub enum Values {
    /// NaN is missing; every other value is finite.
    Numbers(Vec<f64>),
    Texts(Texts),
    /// A type that the workbench does not read, by its name.
    Unread(String),
}

/// A column of text. Each distinct value is kept once.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    dictionary: Vec<String>,
    codes: Vec<Option<u32>>,
    /// The row whose value made this a column of text.
    pub first_text: usize,
}

impl Texts {
    /// The text of a row; `None` is missing.
    pub fn at(&self, row: usize) -> Option<&str> {
        let code = self.codes[row]?;
        Some(&self.dictionary[code as usize])
    }

    pub fn rows(&self) -> usize {
        self.codes.len()
    }

    /// Where most values are numbers, or would be with a point for their comma: those that are none.
    pub(crate) fn odd(&self) -> Option<Odd> {
        let is_number: Vec<bool> = self
            .dictionary
            .iter()
            .map(|t| number(t).is_some())
            .collect();
        let has_comma: Vec<bool> = self.dictionary.iter().map(|t| is_with_comma(t)).collect();
        let mut odd = Odd::default();
        for (row, code) in self.codes.iter().enumerate() {
            match code.map(|code| code as usize) {
                None => {}
                Some(code) if is_number[code] => odd.numbers += 1,
                Some(code) => {
                    if odd.texts == 0 {
                        odd.first = row;
                    }
                    odd.texts += 1;
                    odd.commas += usize::from(has_comma[code]);
                }
            }
        }
        let meant = odd.numbers + odd.commas;
        (odd.texts > 0 && 2 * meant > odd.numbers + odd.texts).then_some(odd)
    }
}

/// What spoils a column of numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Odd {
    pub(crate) numbers: usize,
    /// Values that are no numbers, and the row of the first.
    pub(crate) texts: usize,
    pub(crate) first: usize,
    /// Those of them that are numbers with commas.
    pub(crate) commas: usize,
}

/// `0,5`, `1,234` and `1.234,5` alike.
fn is_with_comma(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    digits.contains(',')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b',' | b'.'))
}

/// Collects a column of text.
#[derive(Debug, Default)]
pub(super) struct TextsBuilder {
    texts: Texts,
    known: HashMap<String, u32>,
}

impl TextsBuilder {
    pub(super) fn push(&mut self, text: Option<&str>) {
        let code = text.map(|text| match self.known.get(text) {
            Some(code) => *code,
            None => {
                let code = self.texts.dictionary.len() as u32;
                self.texts.dictionary.push(text.to_owned());
                self.known.insert(text.to_owned(), code);
                code
            }
        });
        self.texts.codes.push(code);
    }

    pub(super) fn finish(self, first_text: usize) -> Texts {
        Texts {
            first_text,
            ..self.texts
        }
    }
}

/// Whether a cell stands for "no value": empty, NA, N/A, NaN or null.
pub(super) fn is_missing(cell: &str) -> bool {
    cell.is_empty()
        || ["na", "n/a", "nan", "null"]
            .iter()
            .any(|word| cell.eq_ignore_ascii_case(word))
}

/// A cell as a number: decimal or scientific with a point, or true and false as 1 and 0. Infinity is none.
pub(super) fn number(cell: &str) -> Option<f64> {
    match cell.parse::<f64>() {
        Ok(value) => value.is_finite().then_some(value),
        Err(_) if cell.eq_ignore_ascii_case("true") => Some(1.0),
        Err(_) if cell.eq_ignore_ascii_case("false") => Some(0.0),
        Err(_) => None,
    }
}
