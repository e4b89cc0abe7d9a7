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

/// From here on up a number is written with an exponent.
const LARGE: f64 = 1e15;

/// `places` digits after the point, without a negative zero; with an exponent where it is too large to be read.
pub fn fixed(value: f64, places: usize) -> String {
    if value.abs() >= LARGE {
        return format!("{value:.4e}");
    }
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|byte| matches!(byte, b'0' | b'.')) => zero.to_owned(),
        _ => text,
    }
}

/// The shortest text that reads back as the same number.
pub(crate) fn exact(value: f64) -> String {
    let size = value.abs();
    if size >= LARGE || (size > 0.0 && size < 1e-6) {
        format!("{value:e}")
    } else {
        // Adding 0 turns a negative zero into 0.
        (value + 0.0).to_string()
    }
}

/// A cut's name is not rounded by more than this part of the way to its nearer neighbour,
const ROUNDED_OF_GAP: f64 = 1e-3;

/// nor by more than this part of itself, so that 2019.5 stays on its side of 2020.
const ROUNDED_OF_VALUE: f64 = 2e-5;

/// Names for cuts that rise, as short as tells each from its neighbours.
pub fn cut_names(cuts: &[f64]) -> Vec<String> {
    let gap = |at: usize| {
        let below = at.checked_sub(1).map(|below| cuts[at] - cuts[below]);
        let above = cuts.get(at + 1).map(|above| above - cuts[at]);
        below.into_iter().chain(above).fold(f64::INFINITY, f64::min)
    };
    let tolerance = |at: usize| (ROUNDED_OF_GAP * gap(at)).min(ROUNDED_OF_VALUE * cuts[at].abs());
    (0..cuts.len())
        .map(|at| short(cuts[at], tolerance(at)))
        .collect()
}

/// The fewest significant digits, four or more, that are off by `tolerance` at most.
fn short(value: f64, tolerance: f64) -> String {
    (3..16)
        .filter_map(|digits| format!("{value:.digits$e}").parse::<f64>().ok())
        .find(|rounded| (rounded - value).abs() <= tolerance)
        .map_or_else(|| exact(value), exact)
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
    use super::{cut_names, exact, fixed, p_value, significant};

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
    fn fixed_numbers_have_no_negative_zero_and_no_hundred_digits() {
        for (value, text) in [
            (-0.000_01, "0.0000"),
            (-0.0, "0.0000"),
            (-0.5, "-0.5000"),
            (1e308, "1.0000e308"),
        ] {
            assert_eq!(fixed(value, 4), text);
        }
    }

    #[test]
    fn exact_text_reads_back_as_the_same_number() {
        for value in [0.1, -1e308, 5e-324, 1e15, 123_456.789, 1e-7] {
            let text = exact(value);
            assert_eq!(text.parse::<f64>().unwrap(), value);
            assert!(text.len() < 25, "{text}");
        }
        assert_eq!(exact(-0.0), "0");
    }

    #[test]
    fn cuts_are_named_as_shortly_as_tells_them_apart() {
        let names = cut_names(&[1.0 / 3.0, 2.0 / 3.0, 1.0]);
        assert_eq!(names, ["0.33333", "0.66667", "1"]);
        assert_eq!(cut_names(&[12_345.5, 12_346.5]), ["12345.5", "12346.5"]);
        assert_eq!(cut_names(&[0.1 + 0.2]), ["0.3"]);
        assert_eq!(cut_names(&[2019.5]), ["2019.5"]);
        assert_eq!(cut_names(&[-1e308, 0.0, 1e308]), ["-1e308", "0", "1e308"]);
        let near = [1.0, 1.0 + f64::EPSILON];
        let names = cut_names(&near);
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn a_tiny_p_value_is_not_shown_as_0() {
        assert_eq!(p_value(1e-30), "<0.0001");
        assert_eq!(p_value(0.04321), "0.0432");
    }
}
