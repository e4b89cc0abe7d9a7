//! Which columns are features: those that were named, or every column of numbers that plays no other part.

use super::{Holdout, Roles};
use crate::error::WorkbenchError;
use crate::printable::{listed, printable};
use crate::table::{Column, Table, Values};

/// So many columns of numbers with cells that are none are told one by one.
const SPOILT_TOLD: usize = 10;

/// The names and values of the features; `notices` hears which columns are left out.
pub(super) fn choose<'a>(
    table: &'a Table,
    roles: &Roles,
    notices: &mut Vec<String>,
) -> Result<(Vec<String>, Vec<&'a [f64]>), WorkbenchError> {
    let names: Vec<String> = if roles.features.is_empty() {
        by_default(table, roles, notices)
    } else {
        check_named(roles)?;
        roles.features.clone()
    };
    if names.is_empty() {
        return Err(WorkbenchError::NoFeatures {
            file: table.source().to_owned(),
        });
    }
    let columns = names
        .iter()
        .map(|name| table.numbers(name))
        .collect::<Result<_, _>>()?;
    Ok((names, columns))
}

fn check_named(roles: &Roles) -> Result<(), WorkbenchError> {
    for (index, name) in roles.features.iter().enumerate() {
        if let Some(role) = role(roles, name) {
            return Err(WorkbenchError::FeatureTaken {
                column: name.clone(),
                role,
            });
        }
        if roles.features[..index].contains(name) {
            return Err(WorkbenchError::FeatureTwice {
                column: name.clone(),
            });
        }
    }
    Ok(())
}

fn by_default(table: &Table, roles: &Roles, notices: &mut Vec<String>) -> Vec<String> {
    let free = table
        .columns()
        .iter()
        .filter(|column| role(roles, &column.name).is_none());
    let (numeric, other): (Vec<&Column>, Vec<&Column>) =
        free.partition(|column| matches!(column.values, Values::Numbers(_)));
    if !other.is_empty() {
        notices.push(format!(
            "left out, because they are not numbers: {}",
            listed(other.iter().map(|column| column.name.as_str()))
        ));
    }
    let spoilt = other.iter().filter_map(|column| spoilt(table, column));
    notices.extend(spoilt.take(SPOILT_TOLD));
    numeric.iter().map(|column| column.name.clone()).collect()
}

/// What to put right in a column of numbers that some cells made one of text.
fn spoilt(table: &Table, column: &Column) -> Option<String> {
    let Values::Texts(texts) = &column.values else {
        return None;
    };
    let odd = texts.odd()?;
    let name = printable(&column.name);
    let (all, count) = (odd.numbers + odd.texts, odd.texts);
    let place = table.place(odd.first);
    let value = texts.at(odd.first).unwrap_or_default();
    Some(if odd.commas == count {
        format!(
            "{name} would be a column of numbers, but decimal commas are not read (nor commas between thousands): \
             {count} of its {all} values have one, the first {value:?} in {place}; write decimal points"
        )
    } else {
        format!(
            "{name} would be a column of numbers, but {count} of its {all} values are none, the first {value:?} in \
             {place}; write a finite decimal number there, or nothing"
        )
    })
}

/// The part that a column already plays.
fn role(roles: &Roles, name: &str) -> Option<&'static str> {
    let is = |other: &Option<String>| other.as_deref() == Some(name);
    if roles.target == name {
        Some("target")
    } else if is(&roles.id) {
        Some("id")
    } else if is(&roles.weight) {
        Some("weight")
    } else if matches!(&roles.holdout, Some(Holdout::Column(column)) if column == name) {
        Some("holdout")
    } else {
        None
    }
}
