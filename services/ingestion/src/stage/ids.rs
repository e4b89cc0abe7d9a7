//! Every party id that any table names gets a number when it is first seen. Which of them are parties is known later.

use std::hash::{BuildHasher, RandomState};

use arrow::array::{Array, StringArray, UInt32Array};
use hashbrown::HashTable;

use super::error::StageError;

/// Bytes of all distinct ids: some twenty million parties.
const MOST_BYTES: usize = 256 << 20;

#[derive(Debug, Default)]
pub(crate) struct Ids {
    table: HashTable<u32>,
    hasher: RandomState,
    text: String,
    ends: Vec<u32>,
}

impl Ids {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, number: u32) -> &str {
        slice(&self.text, &self.ends, number)
    }

    /// Numbers for a column of ids; null stays null.
    pub(crate) fn number(&mut self, column: &StringArray) -> Result<UInt32Array, StageError> {
        let mut last: Option<(&str, u32)> = None;
        let mut numbers = Vec::with_capacity(column.len());
        for id in column {
            let Some(id) = id else {
                numbers.push(0);
                continue;
            };
            // Rows of one party often come together.
            let number = match last {
                Some((same, number)) if same == id => number,
                _ => self.intern(id)?,
            };
            last = Some((id, number));
            numbers.push(number);
        }
        Ok(UInt32Array::new(numbers.into(), column.nulls().cloned()))
    }

    fn intern(&mut self, id: &str) -> Result<u32, StageError> {
        let Self {
            table,
            hasher,
            text,
            ends,
        } = self;
        let hash = hasher.hash_one(id);
        if let Some(number) = table.find(hash, |number| slice(text, ends, *number) == id) {
            return Ok(*number);
        }
        if text.len() + id.len() > MOST_BYTES {
            return Err(StageError::TooManyIds { limit: MOST_BYTES });
        }
        let number = u32::try_from(ends.len()).expect("the ids' bytes are bounded far below");
        text.push_str(id);
        ends.push(u32::try_from(text.len()).expect("the ids' bytes are bounded far below"));
        let rehash = |number: &u32| hasher.hash_one(slice(text, ends, *number));
        table.insert_unique(hash, number, rehash);
        Ok(number)
    }
}

fn slice<'a>(text: &'a str, ends: &[u32], number: u32) -> &'a str {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &text[start as usize..ends[number] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ids_have_equal_numbers() {
        let mut ids = Ids::default();
        let first = ids
            .number(&vec![Some("b"), Some("b"), None, Some("a")].into())
            .unwrap();
        assert_eq!(
            first,
            UInt32Array::from(vec![Some(0), Some(0), None, Some(1)])
        );
        let names: Vec<_> = (0..10_000).map(|n| format!("p{n}")).collect();
        let many = ids.number(&StringArray::from_iter_values(&names)).unwrap();
        assert_eq!(
            many.values()
                .iter()
                .map(|n| ids.get(*n))
                .collect::<Vec<_>>(),
            names
        );
        assert_eq!(
            ids.number(&vec!["a", "p7"].into()).unwrap().values(),
            &[1, 9]
        );
        assert_eq!(ids.len(), 10_002);
    }
}
