//! Sign bounds as they are typed: `age:-,debt:+`, `*:-` for every feature.

use std::str::FromStr;

use kycc_domain::logistic::SignBound;

use crate::error::WorkbenchError;
use crate::printable::listed;

/// Which sign a coefficient of "bad" may have. What is not named is free.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Signs {
    #[default]
    Free,
    NonNegative,
    Named(Vec<(String, SignBound)>),
}

impl FromStr for Signs {
    type Err = WorkbenchError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |part: &str| WorkbenchError::BadSign {
            text: part.to_owned(),
        };
        text.split(',')
            .map(|part| {
                // A name may hold colons itself.
                let (name, sign) = part.trim().rsplit_once(':').ok_or_else(|| bad(part))?;
                let sign = match sign.trim() {
                    "+" => SignBound::NonNegative,
                    "-" => SignBound::NonPositive,
                    _ => return Err(bad(part)),
                };
                match name.trim() {
                    "" => Err(bad(part)),
                    name => Ok((name.to_owned(), sign)),
                }
            })
            .collect::<Result<_, _>>()
            .map(Self::Named)
    }
}

impl Signs {
    /// One bound per feature; a later word on the same feature replaces an earlier one.
    pub(super) fn bounds(&self, features: &[String]) -> Result<Vec<SignBound>, WorkbenchError> {
        let mut bounds = vec![SignBound::Free; features.len()];
        match self {
            Self::Free => {}
            Self::NonNegative => bounds.fill(SignBound::NonNegative),
            Self::Named(named) => {
                for (name, bound) in named {
                    match features.iter().position(|feature| feature == name) {
                        Some(at) => bounds[at] = *bound,
                        None if name == "*" => bounds.fill(*bound),
                        None => {
                            return Err(WorkbenchError::UnknownSign {
                                name: name.clone(),
                                features: listed(features.iter().map(String::as_str)),
                            });
                        }
                    }
                }
            }
        }
        Ok(bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_bounds_all_and_a_name_after_it_one() {
        let signs: Signs = "*:-, b:+".parse().unwrap();
        let bounds = signs.bounds(&["a".into(), "b".into()]).unwrap();
        assert_eq!(bounds, [SignBound::NonPositive, SignBound::NonNegative]);
    }

    #[test]
    fn a_bound_without_a_name_or_sign_is_refused() {
        for text in ["a", "a:", ":+", "a:*", "", "a:+,"] {
            let error = text.parse::<Signs>().unwrap_err();
            assert_eq!(error.reason(), "BAD_SIGN", "{text:?}");
        }
        let signs: Signs = "c:+".parse().unwrap();
        let error = signs.bounds(&["a".into()]).unwrap_err().to_string();
        assert!(error.contains("\"c\"") && error.contains(": a"), "{error}");
    }
}
