//! From a feature's value to `s` in [0, 1]: the four methods that a factor may declare.
//!
//! The method is declared per factor and never guessed from the value, so the same value always scales the same way.

use serde::{Deserialize, Serialize};

/// How a value becomes a share of a factor's points. In JSON: `"flag"`, `{"cap": 5}`, `{"log": 100000}`, `"percent"`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// 1 for any value but 0.
    Flag,
    /// `clamp(x / c, 0, 1)`.
    Cap(f64),
    /// `clamp(log10(x + 1) / log10(c + 1), 0, 1)`, and 0 for x ≤ 0.
    Log(f64),
    /// `Cap(100)`.
    Percent,
}

impl Method {
    pub fn scale(self, x: f64) -> f64 {
        CompiledMethod::from(self).scale(x)
    }

    /// A limit must be a positive finite number, or the method divides by nothing.
    pub fn is_valid(self) -> bool {
        match self {
            Method::Flag | Method::Percent => true,
            Method::Cap(c) | Method::Log(c) => c.is_finite() && c > 0.0,
        }
    }
}

/// A method with its constants worked out once; what the hot loop runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CompiledMethod {
    Flag,
    Cap { limit: f64 },
    Log { log_limit: f64 },
}

impl From<Method> for CompiledMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Flag => Self::Flag,
            Method::Cap(limit) => Self::Cap { limit },
            Method::Percent => Self::Cap { limit: 100.0 },
            Method::Log(limit) => Self::Log {
                log_limit: (limit + 1.0).log10(),
            },
        }
    }
}

impl CompiledMethod {
    pub(crate) fn scale(self, x: f64) -> f64 {
        match self {
            Self::Flag => f64::from(u8::from(x != 0.0)),
            Self::Cap { limit } => (x / limit).clamp(0.0, 1.0),
            Self::Log { .. } if x <= 0.0 => 0.0,
            Self::Log { log_limit } => ((x + 1.0).log10() / log_limit).clamp(0.0, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn methods_scale_as_declared() {
        assert_eq!(Method::Flag.scale(-3.0), 1.0);
        assert_eq!(Method::Flag.scale(0.0), 0.0);
        assert_eq!(Method::Cap(5.0).scale(2.0), 0.4);
        assert_eq!(Method::Cap(5.0).scale(7.0), 1.0);
        assert_eq!(Method::Cap(5.0).scale(-1.0), 0.0);
        assert_eq!(Method::Percent.scale(75.0), 0.75);
        assert_eq!(Method::Log(99.0).scale(9.0), 0.5);
        assert_eq!(Method::Log(99.0).scale(1e9), 1.0);
        assert_eq!(Method::Log(99.0).scale(-0.5), 0.0);
        assert_eq!(Method::Log(99.0).scale(0.0), 0.0);
    }

    #[test]
    fn json_form_is_readable_and_round_trips() {
        for (method, json) in [
            (Method::Flag, "\"flag\""),
            (Method::Percent, "\"percent\""),
            (Method::Cap(5.0), "{\"cap\":5.0}"),
            (Method::Log(100000.0), "{\"log\":100000.0}"),
        ] {
            assert_eq!(serde_json::to_string(&method).unwrap(), json);
            assert_eq!(serde_json::from_str::<Method>(json).unwrap(), method);
        }
        assert_eq!(
            serde_json::from_str::<Method>("{\"cap\": 5}").unwrap(),
            Method::Cap(5.0)
        );
    }

    #[test]
    fn limits_that_divide_by_nothing_are_invalid() {
        for limit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(!Method::Cap(limit).is_valid());
            assert!(!Method::Log(limit).is_valid());
        }
        assert!(Method::Cap(0.5).is_valid());
    }

    proptest! {
        #[test]
        fn scaled_values_lie_in_the_unit_interval_and_never_fall(
            a in -1e12f64..1e12, b in -1e12f64..1e12, limit in 1e-6f64..1e9,
        ) {
            let (low, high) = if a <= b { (a, b) } else { (b, a) };
            for method in [Method::Cap(limit), Method::Log(limit), Method::Percent] {
                let (s_low, s_high) = (method.scale(low), method.scale(high));
                prop_assert!((0.0..=1.0).contains(&s_low) && (0.0..=1.0).contains(&s_high));
                prop_assert!(s_low <= s_high);
            }
        }
    }
}
