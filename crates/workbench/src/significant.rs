//! Numbers of any size for people.

/// Five significant digits, without trailing zeros.
pub fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..7.0).contains(&magnitude) {
        return format!("{value:.4e}");
    }
    let places = (4.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A p-value to four places.
pub fn p_value(p: f64) -> String {
    if p < 0.000_05 {
        "<0.0001".into()
    } else {
        format!("{p:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::{p_value, significant};

    #[test]
    fn five_digits_whatever_the_size() {
        for (value, text) in [
            (0.0, "0"),
            (1234567.8, "1234568"),
            (0.000_123_456, "0.00012346"),
            (12.5, "12.5"),
            (-100.0, "-100"),
            (3.2e-9, "3.2000e-9"),
        ] {
            assert_eq!(significant(value), text);
        }
    }

    #[test]
    fn a_tiny_p_value_is_not_shown_as_0() {
        assert_eq!(p_value(1e-30), "<0.0001");
        assert_eq!(p_value(0.04321), "0.0432");
    }
}
