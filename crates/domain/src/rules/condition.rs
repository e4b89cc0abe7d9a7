//! A condition ready to run: our own small evaluator where it understands the expression, CEL's interpreter elsewhere.
//!
//! Interpreting costs microseconds per rule and party, which a batch of a million cannot afford; comparisons joined by
//! `&&`, `||` and `!`, which is what rules are, take nanoseconds in ours. A property test holds the two to agree.

use super::error::RuleError;
use super::{check, depth, fast};
use crate::catalogue::{FEATURE_COUNT, feature_index};
use cel::common::types::CelDouble;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, IdedExpr, Program, Value};

/// Beyond this nobody reads a condition any more, and a parser's time grows with it.
pub(super) const MAX_CONDITION_BYTES: usize = 2_000;

/// The name under which conditions see the raw score.
pub(super) const SCORE: &str = "score";

/// What conditions see of one party.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) row: &'a [f64],
    pub(super) score: f64,
}

impl Inputs<'_> {
    pub(super) fn at(&self, variable: usize) -> f64 {
        if variable == FEATURE_COUNT {
            self.score
        } else {
            self.row[variable]
        }
    }
}

/// Position of a variable: a feature's index, or one past them for the score.
pub(super) fn variable_index(name: &str) -> Option<usize> {
    if name == SCORE {
        Some(FEATURE_COUNT)
    } else {
        feature_index(name)
    }
}

impl VariableResolver for Inputs<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        variable_index(variable).map(|index| CowVal::owned(CelDouble::from(self.at(index))))
    }
}

/// CEL's functions and types, built once per rule set.
#[derive(Default)]
pub(super) struct Evaluator(Context<'static, 'static>);

impl Evaluator {
    /// The value if the expression is a yes or no here, `None` if it is something else.
    pub(super) fn evaluate(
        &self,
        expression: &IdedExpr,
        inputs: &Inputs<'_>,
    ) -> Result<Option<bool>, String> {
        let root: &Context<'_, '_> = &self.0;
        let mut scope = root.new_inner_scope();
        scope.set_variable_resolver(inputs);
        match Value::resolve(expression, &scope) {
            Ok(Value::Bool(answer)) => Ok(Some(answer)),
            Ok(_) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

pub(super) enum Condition {
    Fast(fast::Test),
    Interpreted(Box<Program>),
}

impl Condition {
    pub(super) fn compile(
        rule: &str,
        source: &str,
        evaluator: &Evaluator,
    ) -> Result<Self, RuleError> {
        if source.len() > MAX_CONDITION_BYTES {
            return Err(RuleError::TooLong {
                rule: rule.to_owned(),
                limit: MAX_CONDITION_BYTES,
            });
        }
        if depth::nests_too_deep(source) {
            return Err(RuleError::TooDeep {
                rule: rule.to_owned(),
            });
        }
        let program = depth::on_a_deep_stack(|| {
            let program = Program::compile(source).map_err(|errors| RuleError::Compile {
                rule: rule.to_owned(),
                detail: errors.to_string(),
            })?;
            check::check(rule, program.expression(), evaluator)?;
            Ok(program)
        })
        .unwrap_or_else(|error| {
            Err(RuleError::Compile {
                rule: rule.to_owned(),
                detail: format!("no stack to compile it on: {error}"),
            })
        })?;
        Ok(match fast::Test::of(program.expression()) {
            Some(test) => Self::Fast(test),
            None => Self::Interpreted(Box::new(program)),
        })
    }

    pub(super) fn holds(
        &self,
        rule: &str,
        inputs: &Inputs<'_>,
        evaluator: &Evaluator,
    ) -> Result<bool, RuleError> {
        let program = match self {
            Self::Fast(test) => return Ok(test.holds(inputs)),
            Self::Interpreted(program) => program,
        };
        match evaluator.evaluate(program.expression(), inputs) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(RuleError::NotBoolean {
                rule: rule.to_owned(),
            }),
            Err(detail) => Err(RuleError::Evaluate {
                rule: rule.to_owned(),
                detail,
            }),
        }
    }
}
