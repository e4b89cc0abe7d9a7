//! Why a rule is refused, or cannot be applied. Every variant names the rule.

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuleError {
    #[error(
        "{count} rules are more than the {} that one set may hold",
        super::MAX_RULES
    )]
    TooMany { count: usize },
    #[error("rule name {rule:?} is not valid: use 1 to 128 characters, not only blanks")]
    Name { rule: String },
    #[error("rule {rule:?} is listed twice: names must differ")]
    DuplicateName { rule: String },
    #[error("rule {rule:?} raises a flag without a name")]
    Flag { rule: String },
    #[error(
        "value {value} of rule {rule:?} is not valid: it must be finite, whole for a floor or a cap, and not negative \
         for a factor"
    )]
    Value { rule: String, value: f64 },
    #[error("condition of rule {rule:?} is longer than {limit} bytes")]
    TooLong { rule: String, limit: usize },
    #[error(
        "condition of rule {rule:?} nests too deep or joins too much: split it into several rules"
    )]
    TooDeep { rule: String },
    #[error("condition of rule {rule:?} does not compile: {detail}")]
    Compile { rule: String, detail: String },
    #[error(
        "condition of rule {rule:?} refers to {variable:?}, which is neither a feature nor `score`"
    )]
    UnknownVariable { rule: String, variable: String },
    #[error(
        "condition of rule {rule:?} is not a yes or no: compare values, and join comparisons with && and ||"
    )]
    NotBoolean { rule: String },
    #[error("condition of rule {rule:?} cannot be evaluated: {detail}")]
    Evaluate { rule: String, detail: String },
}

impl RuleError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "TOO_MANY_RULES",
            Self::Name { .. } => "RULE_NAME",
            Self::DuplicateName { .. } => "DUPLICATE_RULE",
            Self::Flag { .. } => "RULE_FLAG",
            Self::Value { .. } => "RULE_VALUE",
            Self::TooLong { .. } | Self::TooDeep { .. } | Self::Compile { .. } => {
                "RULE_DOES_NOT_COMPILE"
            }
            Self::UnknownVariable { .. } => "RULE_UNKNOWN_VARIABLE",
            Self::NotBoolean { .. } => "RULE_NOT_BOOLEAN",
            Self::Evaluate { .. } => "RULE_EVALUATION",
        }
    }
}
