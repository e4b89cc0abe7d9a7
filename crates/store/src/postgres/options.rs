//! How a store uses its Postgres, from the URL's parameters.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::{StoreError, redacted};

/// Bounds on what one process takes from the server, and on how long it waits. Each is a parameter of the URL too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Of this process, at least 2: one half reads, one half writes.
    pub max_connections: u32,
    /// For a connection, also for a server that is starting up.
    pub acquire_timeout: Duration,
    /// For one statement.
    pub statement_timeout: Duration,
    /// For a lock that another transaction holds.
    pub lock_timeout: Duration,
    /// Between the statements of a transaction: a process that hangs does not hold its locks for ever.
    pub idle_in_transaction_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(60),
        }
    }
}

impl StoreOptions {
    /// What the server is told for every session.
    pub(super) fn of_session(&self) -> [(&'static str, String); 3] {
        let millis = |time: Duration| time.as_millis().to_string();
        [
            ("statement_timeout", millis(self.statement_timeout)),
            ("lock_timeout", millis(self.lock_timeout)),
            (
                "idle_in_transaction_session_timeout",
                millis(self.idle_in_transaction_timeout),
            ),
        ]
    }

    /// False if it is no parameter of ours.
    fn set(&mut self, key: &str, value: &str) -> Result<bool, StoreError> {
        let seconds = || match value.parse::<u64>() {
            Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
            _ => Err(wrong(key, "1 to 86400 seconds")),
        };
        match key {
            "max_connections" => {
                self.max_connections = match value.parse() {
                    Ok(count @ 2..=1_000) => count,
                    _ => return Err(wrong(key, "2 to 1000 connections")),
                };
            }
            "acquire_timeout" => self.acquire_timeout = seconds()?,
            "statement_timeout" => self.statement_timeout = seconds()?,
            "lock_timeout" => self.lock_timeout = seconds()?,
            "idle_in_transaction_timeout" => self.idle_in_transaction_timeout = seconds()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What the driver knows; it would ignore anything else, and log its value, which may be a misspelt password's.
const OF_DRIVER: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

const OURS: &str = "max_connections, acquire_timeout, statement_timeout, lock_timeout, idle_in_transaction_timeout";

fn wrong(key: &str, expected: &str) -> StoreError {
    StoreError::Parameter {
        key: key.to_owned(),
        expected: expected.to_owned(),
    }
}

pub(super) fn parse(url: &str) -> Result<(PgConnectOptions, StoreOptions), StoreError> {
    let mut parsed = Url::parse(url).map_err(|_| StoreError::Url { url: redacted(url) })?;
    let mut options = StoreOptions::default();
    let mut of_driver = Vec::new();
    for (key, value) in parsed.query_pairs() {
        if options.set(&key, &value)? {
            continue;
        }
        if !OF_DRIVER.contains(&key.as_ref()) && !key.starts_with("options[") {
            let known = format!("one of {}, {OURS}", OF_DRIVER.join(", "));
            return Err(wrong(&key, &known));
        }
        of_driver.push((key.into_owned(), value.into_owned()));
    }
    let is_named = of_driver.iter().any(|(key, _)| key == "application_name");
    if of_driver.is_empty() {
        parsed.set_query(None);
    } else {
        parsed.query_pairs_mut().clear().extend_pairs(of_driver);
    }
    let connect = PgConnectOptions::from_url(&parsed).map_err(|source| StoreError::Open {
        url: redacted(url),
        source,
    })?;
    let connect = if is_named {
        connect
    } else {
        connect.application_name("kycc")
    };
    Ok((connect, options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_sets_bounds_and_leaves_the_rest_to_the_driver() {
        let (connect, options) =
            parse("postgres://u:pw@h:7/db?max_connections=4&lock_timeout=3&sslmode=require")
                .unwrap();
        assert_eq!(options.max_connections, 4);
        assert_eq!(options.lock_timeout, Duration::from_secs(3));
        assert_eq!(options.statement_timeout, Duration::from_secs(60));
        assert_eq!((connect.get_host(), connect.get_port()), ("h", 7));
        assert_eq!(connect.get_database(), Some("db"));
        assert_eq!(connect.get_application_name(), Some("kycc"));
        assert!(matches!(
            connect.get_ssl_mode(),
            sqlx::postgres::PgSslMode::Require
        ));
        let (named, _) = parse("postgres://h/db?application_name=mine").unwrap();
        assert_eq!(named.get_application_name(), Some("mine"));
    }

    #[test]
    fn a_misspelt_parameter_is_refused_without_its_value() {
        let error = parse("postgres://h/db?passwrod=hush").unwrap_err();
        assert_eq!(error.reason(), "STORE_URL");
        let text = format!("{error} {error:?}");
        assert!(
            text.contains("passwrod") && !text.contains("hush"),
            "{text}"
        );
        for wrong in ["max_connections=1", "acquire_timeout=0", "lock_timeout=x"] {
            let error = parse(&format!("postgres://h/db?{wrong}")).unwrap_err();
            assert!(error.to_string().contains("expected"), "{error}");
        }
    }
}
