//! Amounts, exactly: the text of a number becomes ten-thousandths in an i64. No float is involved, so 0.1 is 0.1.

/// Decimals that an amount may have; the scale of the lake's DECIMAL(18,4).
pub(crate) const DECIMALS: i64 = 4;
/// |amount| stays below 10^14, in ten-thousandths below 10^18.
const LIMIT: i64 = 1_000_000_000_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AmountError {
    NotANumber,
    NotFinite,
    TooManyDecimals,
    TooLarge,
}

/// Reads a decimal number (JSON's grammar; a leading `+` and leading zeros are let pass, CSV has them).
pub(crate) fn parse(text: &str) -> Result<i64, AmountError> {
    match plain(text.as_bytes()) {
        Some(amount) => Ok(amount),
        None => general(text),
    }
}

/// The common case: up to 14 digits, a point, up to 4 digits.
fn plain(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let point = digits.iter().position(|b| *b == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &digits[..0]),
    };
    if whole.is_empty() || whole.len() > 14 || fraction.len() > 4 {
        return None;
    }
    if point.is_some() && fraction.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for byte in whole.iter().chain(fraction) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    for _ in fraction.len()..4 {
        value *= 10;
    }
    Some(if negative { -value } else { value })
}

/// Exponents, long fractions, and everything that is wrong.
fn general(text: &str) -> Result<i64, AmountError> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if ["nan", "inf", "infinity"].contains(&unsigned.to_ascii_lowercase().as_str()) {
        return Err(AmountError::NotFinite);
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(AmountError::NotANumber),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit())
    {
        return Err(AmountError::NotANumber);
    }
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    // value = significant · 10^power; counts of bytes fit an i64 and the exponent is bounded by its reader.
    let trailing = (digits.len() - significant.len()) as i64;
    let power = exponent - fraction.len() as i64 + trailing;
    if significant.len() as i64 + power > 14 {
        return Err(AmountError::TooLarge);
    }
    if power < -DECIMALS {
        return Err(AmountError::TooManyDecimals);
    }
    let value = significant
        .bytes()
        .fold(0i64, |value, b| value * 10 + i64::from(b - b'0'));
    let scaled = value * 10i64.pow((power + DECIMALS) as u32);
    Ok(if negative { -scaled } else { scaled })
}

/// The exponent of a number; what does not fit is as good as a million.
fn exponent(text: &str) -> Result<i64, AmountError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000_000);
    Ok(if negative { -size } else { size })
}

/// An integer with a decimal scale (of a Parquet column) as ten-thousandths.
pub(crate) fn from_scaled(unscaled: i128, scale: i64) -> Result<i64, AmountError> {
    let mut value = unscaled;
    let mut scale = scale;
    while scale > DECIMALS {
        if value % 10 != 0 {
            return Err(AmountError::TooManyDecimals);
        }
        value /= 10;
        scale -= 1;
    }
    for _ in scale..DECIMALS {
        value = value.checked_mul(10).ok_or(AmountError::TooLarge)?;
    }
    match i64::try_from(value) {
        Ok(value) if value.abs() < LIMIT => Ok(value),
        _ => Err(AmountError::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_exact_to_the_ten_thousandth() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("0.1", 1_000),
            ("48213.46", 482_134_600),
            ("-36134.4300", -361_344_300),
            ("1.50000000", 15_000),
            ("1.5e3", 15_000_000),
            ("25E-2", 2_500),
            ("1e-4", 1),
            ("0e99999999999999999999", 0),
            ("99999999999999.9999", LIMIT - 1),
            ("-99999999999999.9999", 1 - LIMIT),
            ("+7", 70_000),
            ("007", 70_000),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_kind() {
        for (text, expected) in [
            ("", AmountError::NotANumber),
            ("-", AmountError::NotANumber),
            (".5", AmountError::NotANumber),
            ("5.", AmountError::NotANumber),
            ("1,000.00", AmountError::NotANumber),
            ("1e", AmountError::NotANumber),
            ("0x10", AmountError::NotANumber),
            ("NaN", AmountError::NotFinite),
            ("-Infinity", AmountError::NotFinite),
            ("inf", AmountError::NotFinite),
            ("0.00001", AmountError::TooManyDecimals),
            ("1.23456", AmountError::TooManyDecimals),
            ("1e-99999999999999999999", AmountError::TooManyDecimals),
            ("100000000000000", AmountError::TooLarge),
            ("1e14", AmountError::TooLarge),
            ("-1e308", AmountError::TooLarge),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn scaled_integers_keep_their_value() {
        assert_eq!(from_scaled(12_345, 2), Ok(1_234_500));
        assert_eq!(from_scaled(-1_500_000, 6), Ok(-15_000));
        assert_eq!(from_scaled(1, 5), Err(AmountError::TooManyDecimals));
        assert_eq!(
            from_scaled(100_000_000_000_000, 0),
            Err(AmountError::TooLarge)
        );
        assert_eq!(from_scaled(i128::MAX, 0), Err(AmountError::TooLarge));
        assert_eq!(from_scaled(7, -2), Ok(7_000_000));
    }

    proptest! {
        #[test]
        fn every_amount_survives_being_written_and_read(value in (1 - LIMIT)..LIMIT) {
            let sign = if value < 0 { "-" } else { "" };
            let size = value.unsigned_abs();
            let text = format!("{sign}{}.{:04}", size / 10_000, size % 10_000);
            prop_assert_eq!(parse(&text), Ok(value));
            prop_assert_eq!(parse(&format!("{sign}{size}e-4")), Ok(value));
        }

        #[test]
        fn both_ways_agree(text in "-?[0-9]{1,16}(\\.[0-9]{1,6})?") {
            if let Some(fast) = plain(text.as_bytes()) {
                prop_assert_eq!(general(&text), Ok(fast));
            }
        }

        #[test]
        fn no_text_panics(text in "[-+0-9eE.NnaIif ]{0,40}") {
            let _ = parse(&text);
        }
    }
}
