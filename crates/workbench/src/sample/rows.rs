//! What each row weighs, and whether it trains or is held out.

use std::fmt;
use std::str::FromStr;

use super::target;
use crate::error::WorkbenchError;
use crate::table::Table;

/// Which rows are held out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holdout {
    /// A column that is 1 or true there.
    Column(String),
    /// `i%N==K`, i counting rows from 0.
    Every { modulus: usize, remainder: usize },
}

impl FromStr for Holdout {
    type Err = WorkbenchError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || WorkbenchError::BadRowRule {
            text: text.to_owned(),
        };
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if !compact.contains('%') {
            return match text.trim() {
                "" => Err(bad()),
                name => Ok(Self::Column(name.to_owned())),
            };
        }
        let rule = compact.strip_prefix("i%").ok_or_else(bad)?;
        let (modulus, remainder) = rule.split_once("==").ok_or_else(bad)?;
        let modulus: usize = modulus.parse().map_err(|_| bad())?;
        let remainder: usize = remainder.parse().map_err(|_| bad())?;
        if modulus < 2 || remainder >= modulus {
            return Err(bad());
        }
        Ok(Self::Every { modulus, remainder })
    }
}

impl fmt::Display for Holdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => write!(f, "column {name:?}"),
            Self::Every { modulus, remainder } => write!(f, "i%{modulus}=={remainder}"),
        }
    }
}

/// (train, holdout) row indices.
pub(super) fn split(
    table: &Table,
    rule: Option<&Holdout>,
) -> Result<(Vec<usize>, Vec<usize>), WorkbenchError> {
    let all = 0..table.rows();
    let Some(rule) = rule else {
        return Ok((all.collect(), Vec::new()));
    };
    let (holdout, train): (Vec<usize>, Vec<usize>) = match rule {
        Holdout::Every { modulus, remainder } => all.partition(|i| i % modulus == *remainder),
        Holdout::Column(name) => {
            let held = target::flags(table, name, |_| None)?;
            let held = held.ok_or_else(|| WorkbenchError::NotAHoldout {
                file: table.source().to_owned(),
                column: name.clone(),
                found: target::found(table, name),
            })?;
            all.partition(|i| held[*i])
        }
    };
    if train.is_empty() || holdout.is_empty() {
        return Err(WorkbenchError::EmptyPart {
            file: table.source().to_owned(),
            rule: rule.to_string(),
            holdout: holdout.len(),
            rows: table.rows(),
        });
    }
    Ok((train, holdout))
}

pub(super) fn weights(table: &Table, name: &str) -> Result<Vec<f64>, WorkbenchError> {
    let weights = table.complete_numbers(name)?;
    match weights.iter().position(|w| *w < 0.0) {
        None => Ok(weights.to_vec()),
        Some(row) => Err(WorkbenchError::BadWeight {
            file: table.source().to_owned(),
            place: table.place(row),
            column: name.to_owned(),
            weight: weights[row],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_exactly_one_shape() {
        let every = |text: &str| text.parse::<Holdout>();
        let wanted = Holdout::Every {
            modulus: 5,
            remainder: 4,
        };
        assert_eq!(every("i%5==4").unwrap(), wanted);
        assert_eq!(every(" i % 5 == 4 ").unwrap(), wanted);
        assert_eq!(every("fold").unwrap(), Holdout::Column("fold".into()));
        for text in [
            "i%5==5", "i%1==0", "i%0==0", "j%5==1", "i%5=1", "i%5==-1", "", "%",
        ] {
            assert_eq!(every(text).unwrap_err().reason(), "BAD_HOLDOUT", "{text:?}");
        }
    }
}
