//! What can be known of a condition before any batch: that every name in it exists and that its parts are yes or no.
//!
//! CEL is checked only as it runs, and `&&` hides what stands to its right. So every part that is joined by `&&`, `||`,
//! `!` or `?:` is tried on its own, on several made-up parties.

use super::condition::{Evaluator, Inputs, variable_index};
use super::error::RuleError;
use crate::catalogue::FEATURE_COUNT;
use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, operators};

pub(super) fn check(
    rule: &str,
    expression: &IdedExpr,
    evaluator: &Evaluator,
) -> Result<(), RuleError> {
    if let Some(variable) = unknown_variable(expression, &mut Vec::new()) {
        return Err(RuleError::UnknownVariable {
            rule: rule.to_owned(),
            variable,
        });
    }
    let mut parts = Vec::new();
    boolean_parts(expression, &mut parts);
    for part in parts {
        for value in [0.0, 1.0, 7.5, 250_000.0] {
            let row = [value; FEATURE_COUNT];
            let inputs = Inputs {
                row: &row,
                score: 300.0 + value.min(600.0),
            };
            match evaluator.evaluate(part, &inputs) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    return Err(RuleError::NotBoolean {
                        rule: rule.to_owned(),
                    });
                }
                Err(detail) => {
                    return Err(RuleError::Compile {
                        rule: rule.to_owned(),
                        detail,
                    });
                }
            }
        }
    }
    Ok(())
}

/// The parts that must each be a yes or no, the whole among them when nothing joins it.
fn boolean_parts<'a>(expression: &'a IdedExpr, parts: &mut Vec<&'a IdedExpr>) {
    const JOINS: [&str; 4] = [
        operators::LOGICAL_AND,
        operators::LOGICAL_OR,
        operators::LOGICAL_NOT,
        operators::CONDITIONAL,
    ];
    match &expression.expr {
        Expr::Call(call) if JOINS.contains(&call.func_name.as_str()) => {
            for argument in &call.args {
                boolean_parts(argument, parts);
            }
        }
        _ => parts.push(expression),
    }
}

/// The first name that is neither a variable nor bound by an enclosing macro such as `exists`.
fn unknown_variable<'a>(expression: &'a IdedExpr, bound: &mut Vec<&'a str>) -> Option<String> {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => None,
        Expr::Ident(name) => {
            let known = bound.contains(&name.as_str()) || variable_index(name).is_some();
            (!known).then(|| name.clone())
        }
        Expr::Select(select) => unknown_variable(&select.operand, bound),
        Expr::Call(call) => {
            first_unknown(call.target.as_deref().into_iter().chain(&call.args), bound)
        }
        Expr::List(list) => first_unknown(&list.elements, bound),
        Expr::Map(map) => first_unknown(map.entries.iter().flat_map(|e| entry(&e.expr)), bound),
        Expr::Struct(fields) => {
            first_unknown(fields.entries.iter().flat_map(|e| entry(&e.expr)), bound)
        }
        Expr::Comprehension(fold) => first_unknown([&fold.iter_range, &fold.accu_init], bound)
            .or_else(|| {
                let outer = bound.len();
                bound.extend([fold.iter_var.as_str(), fold.accu_var.as_str()]);
                bound.extend(fold.iter_var2.as_deref());
                let inner = [&fold.loop_cond, &fold.loop_step, &fold.result];
                let found = first_unknown(inner, bound);
                bound.truncate(outer);
                found
            }),
    }
}

fn first_unknown<'a>(
    parts: impl IntoIterator<Item = &'a IdedExpr>,
    bound: &mut Vec<&'a str>,
) -> Option<String> {
    parts
        .into_iter()
        .find_map(|part| unknown_variable(part, bound))
}

fn entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(map) => vec![&map.key, &map.value],
    }
}
