//! Times on the wire.

use prost_types::Timestamp;

/// Microseconds since 1970, as the state store and the lake keep times, as a message.
#[must_use]
pub fn timestamp(micros: i64) -> Timestamp {
    let nanos = micros.rem_euclid(1_000_000) * 1_000;
    Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(nanos).expect("less than a second in nanoseconds fits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_have_positive_fractions() {
        let of = |micros| (timestamp(micros).seconds, timestamp(micros).nanos);
        assert_eq!(of(1_500_000), (1, 500_000_000));
        assert_eq!(of(-1), (-1, 999_999_000));
    }
}
