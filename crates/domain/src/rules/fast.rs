//! Comparisons of variables with variables or numbers, joined by `&&`, `||` and `!`, as a small tree.
//!
//! CEL compares a double with a whole number as doubles; so does this. Two literals are left to CEL, which compares
//! whole numbers exactly.

use super::condition::{Inputs, variable_index};
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Constant(bool),
    Compare(Operand, Comparison, Operand),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand {
    Variable(usize),
    Number(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    /// The expression as a test, or `None` if any part of it is beyond this evaluator.
    pub(super) fn of(expression: &IdedExpr) -> Option<Self> {
        match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(b)) => Some(Self::Constant(*b.inner())),
            Expr::Call(call) if call.target.is_none() => Self::of_call(call),
            _ => None,
        }
    }

    fn of_call(call: &CallExpr) -> Option<Self> {
        let tests = || call.args.iter().map(Self::of).collect::<Option<Vec<_>>>();
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [inner]) => Some(Self::Not(Box::new(Self::of(inner)?))),
            (operators::LOGICAL_AND, [_, _, ..]) => Some(Self::All(tests()?)),
            (operators::LOGICAL_OR, [_, _, ..]) => Some(Self::Any(tests()?)),
            (name, [left, right]) => {
                let comparison = Comparison::of(name)?;
                let (left, right) = (Operand::of(left)?, Operand::of(right)?);
                let literals = matches!((left, right), (Operand::Number(_), Operand::Number(_)));
                (!literals).then_some(Self::Compare(left, comparison, right))
            }
            _ => None,
        }
    }

    pub(super) fn holds(&self, inputs: &Inputs<'_>) -> bool {
        match self {
            Self::Constant(answer) => *answer,
            Self::Compare(left, comparison, right) => {
                comparison.holds(left.value(inputs), right.value(inputs))
            }
            Self::Not(test) => !test.holds(inputs),
            Self::All(tests) => tests.iter().all(|test| test.holds(inputs)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(inputs)),
        }
    }
}

impl Operand {
    fn of(expression: &IdedExpr) -> Option<Self> {
        match &expression.expr {
            Expr::Ident(name) => variable_index(name).map(Self::Variable),
            Expr::Literal(literal) => number(literal).map(Self::Number),
            Expr::Call(call) if call.func_name == operators::NEGATE && call.target.is_none() => {
                match call.args.as_slice() {
                    [inner] => match Self::of(inner)? {
                        Self::Number(value) => Some(Self::Number(-value)),
                        Self::Variable(_) => None,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn value(self, inputs: &Inputs<'_>) -> f64 {
        match self {
            Self::Variable(index) => inputs.at(index),
            Self::Number(value) => value,
        }
    }
}

fn number(literal: &LiteralValue) -> Option<f64> {
    match literal {
        LiteralValue::Double(value) => Some(*value.inner()),
        LiteralValue::Int(value) => Some(*value.inner() as f64),
        // Left to CEL: a negated unsigned literal is an error there.
        _ => None,
    }
}

impl Comparison {
    fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            operators::EQUALS => Self::Equal,
            operators::NOT_EQUALS => Self::NotEqual,
            operators::LESS => Self::Less,
            operators::LESS_EQUALS => Self::LessOrEqual,
            operators::GREATER => Self::Greater,
            operators::GREATER_EQUALS => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}
