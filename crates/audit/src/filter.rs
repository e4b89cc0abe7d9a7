//! Which entries are asked for, and in which order.

/// Empty parts match all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub service: String,
    /// Whole, `kind/id`; or `kind/` for all of a kind.
    pub subject: String,
    pub principal: String,
    pub action: String,
    pub request_id: String,
    /// Microseconds UTC, the first inside.
    pub from_micros: Option<i64>,
    /// The first outside.
    pub until_micros: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    OldestFirst,
    NewestFirst,
}

/// An entry's place among those of all chains: by time, then service, then number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub at_micros: i64,
    pub service: String,
    pub sequence: i64,
}

impl Position {
    /// As a page token carries it.
    #[must_use]
    pub fn to_cursor(&self) -> String {
        format!("{} {} {}", self.at_micros, self.sequence, self.service)
    }

    #[must_use]
    pub fn from_cursor(cursor: &str) -> Option<Self> {
        let mut parts = cursor.splitn(3, ' ');
        Some(Self {
            at_micros: parts.next()?.parse().ok()?,
            sequence: parts.next()?.parse().ok()?,
            service: parts.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_cursor() {
        let position = Position {
            at_micros: -3,
            service: "feature store".into(),
            sequence: 9,
        };
        let read = Position::from_cursor(&position.to_cursor());
        assert_eq!(read, Some(position));
        for nonsense in ["", "1", "1 x labels", "1 2"] {
            assert_eq!(Position::from_cursor(nonsense), None, "{nonsense:?}");
        }
    }
}
