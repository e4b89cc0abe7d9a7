//! CSV records (RFC 4180): fields between commas, quoted where they hold commas, quotes or line ends.

use std::borrow::Cow;

use super::fault::Fault;

/// Splits one record, line end included or not, and hands each field to `each` with its index. Returns their number.
pub(crate) fn fields<'a>(
    record: &'a str,
    mut each: impl FnMut(usize, Cow<'a, str>),
) -> Result<usize, Fault> {
    let mut rest = trim_line_end(record);
    let mut index = 0;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted, index)?,
            None => {
                let end = memchr::memchr(b',', rest.as_bytes()).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), &rest[end..])
            }
        };
        each(index, field);
        index += 1;
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok(index),
        }
    }
}

fn trim_line_end(record: &str) -> &str {
    let record = record.strip_suffix('\n').unwrap_or(record);
    record.strip_suffix('\r').unwrap_or(record)
}

/// The field after its opening quote, and what follows its closing one.
fn quoted_field(text: &str, index: usize) -> Result<(Cow<'_, str>, &str), Fault> {
    let mut end = 0;
    let mut doubled = false;
    loop {
        let Some(quote) = memchr::memchr(b'"', &text.as_bytes()[end..]) else {
            let reason = format!("the quoted field {} does not end", index + 1);
            return Err(Fault::whole("INVALID_CSV", reason));
        };
        end += quote;
        let after = &text[end + 1..];
        if after.starts_with('"') {
            doubled = true;
            end += 2;
        } else if after.is_empty() || after.starts_with(',') {
            let field = &text[..end];
            let field = if doubled {
                Cow::Owned(field.replace("\"\"", "\""))
            } else {
                Cow::Borrowed(field)
            };
            return Ok((field, after));
        } else {
            let reason = format!("text follows the closing quote of field {}", index + 1);
            return Err(Fault::whole("INVALID_CSV", reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(record: &str) -> Result<Vec<String>, Fault> {
        let mut all = Vec::new();
        fields(record, |_, field| all.push(field.into_owned()))?;
        Ok(all)
    }

    #[test]
    fn fields_may_hold_commas_quotes_and_line_ends() {
        assert_eq!(split("a,,c\r\n").unwrap(), ["a", "", "c"]);
        assert_eq!(
            split("\"a,b\",\"say \"\"no\"\"\",\"two\nlines\"\n").unwrap(),
            ["a,b", "say \"no\"", "two\nlines"]
        );
        assert_eq!(split("").unwrap(), [""]);
        assert_eq!(split("a\"b,c").unwrap(), ["a\"b", "c"]);
    }

    #[test]
    fn broken_quotes_name_the_field() {
        for (record, reason) in [
            ("a,\"b", "the quoted field 2 does not end"),
            ("\"a\"b,c", "text follows the closing quote of field 1"),
        ] {
            assert_eq!(split(record).unwrap_err().reason, reason);
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(row in proptest::collection::vec("[a,\"\n\ré ]{0,6}", 1..5)) {
            let quoted: Vec<_> = row.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            prop_assert_eq!(split(&quoted.join(",")).unwrap(), row);
        }
    }
}
