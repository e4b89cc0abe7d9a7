//! Configuration from environment variables, which come in as a map: precedence is tested without touching the process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use kycc_rpc::Principal;

use super::{ConfigError, ConfigLayer, security};

/// Variables that are read elsewhere: where to log, which file to read, whom to call, where tests kill the process.
const OTHERS: &[&str] = &[
    "KYCC_API_KEY",
    "KYCC_CA_FILE",
    "KYCC_CONFIG",
    "KYCC_CONTEXT",
    "KYCC_CONTEXTS",
    "KYCC_CRASH_AT",
    "KYCC_LOG",
    "KYCC_LOG_FORMAT",
    "KYCC_SERVER",
];

const KEYS: &[&str] = &[
    "KYCC_ADVERTISE",
    "KYCC_ALLOWED_ROOTS",
    "KYCC_CONSOLE_ADDR",
    "KYCC_DATA_DIR",
    "KYCC_DRAIN_DELAY_SECONDS",
    "KYCC_DRAIN_SECONDS",
    "KYCC_GRPC_ADDR",
    "KYCC_LAKE_URL",
    "KYCC_LANDING",
    "KYCC_LEADER_LEASE_SECONDS",
    "KYCC_LEASE_SECONDS",
    "KYCC_LOCAL_PRINCIPAL",
    "KYCC_MEMORY_BYTES",
    "KYCC_MIGRATE",
    "KYCC_PARTIES_PER_SHARD",
    "KYCC_PEERS",
    "KYCC_PIPELINE",
    "KYCC_QUEUE_URL",
    "KYCC_RESUME_RUNS",
    "KYCC_START_PATIENCE_SECONDS",
    "KYCC_STORE_URL",
    "KYCC_TASKS_PER_LANE",
    "KYCC_THREADS",
];

impl ConfigLayer {
    /// `KYCC_<KEY>` for every key, lists separated as in PATH. A variable that kycc does not know is an error; the
    /// principal falls back to the user of the operating system.
    pub fn from_env(variables: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        refuse_unknown(variables)?;
        let text = |key: &str| {
            variables
                .get(key)
                .filter(|value| !value.is_empty())
                .cloned()
        };
        let path = |key: &str| text(key).map(PathBuf::from);
        let user = Principal::os_user(variables);
        let user = (user != Principal::anonymous()).then(|| user.to_string());
        Ok(Self {
            data_dir: path("KYCC_DATA_DIR"),
            grpc_addr: parsed("KYCC_GRPC_ADDR", text("KYCC_GRPC_ADDR"), "host:port")?,
            console_addr: parsed(
                "KYCC_CONSOLE_ADDR",
                text("KYCC_CONSOLE_ADDR"),
                "host:port or off",
            )?,
            store_url: text("KYCC_STORE_URL"),
            lake_url: text("KYCC_LAKE_URL"),
            queue_url: text("KYCC_QUEUE_URL"),
            landing: path("KYCC_LANDING"),
            allowed_roots: text("KYCC_ALLOWED_ROOTS")
                .map(|list| std::env::split_paths(&list).collect()),
            pipeline: path("KYCC_PIPELINE"),
            threads: parsed("KYCC_THREADS", text("KYCC_THREADS"), NUMBER)?,
            memory_bytes: parsed("KYCC_MEMORY_BYTES", text("KYCC_MEMORY_BYTES"), NUMBER)?,
            parties_per_shard: parsed(
                "KYCC_PARTIES_PER_SHARD",
                text("KYCC_PARTIES_PER_SHARD"),
                NUMBER,
            )?,
            tasks_per_lane: parsed("KYCC_TASKS_PER_LANE", text("KYCC_TASKS_PER_LANE"), NUMBER)?,
            lease_seconds: parsed("KYCC_LEASE_SECONDS", text("KYCC_LEASE_SECONDS"), NUMBER)?,
            drain_seconds: parsed("KYCC_DRAIN_SECONDS", text("KYCC_DRAIN_SECONDS"), NUMBER)?,
            drain_delay_seconds: parsed(
                "KYCC_DRAIN_DELAY_SECONDS",
                text("KYCC_DRAIN_DELAY_SECONDS"),
                NUMBER,
            )?,
            start_patience_seconds: parsed(
                "KYCC_START_PATIENCE_SECONDS",
                text("KYCC_START_PATIENCE_SECONDS"),
                NUMBER,
            )?,
            leader_lease_seconds: parsed(
                "KYCC_LEADER_LEASE_SECONDS",
                text("KYCC_LEADER_LEASE_SECONDS"),
                NUMBER,
            )?,
            advertise: text("KYCC_ADVERTISE"),
            peers: text("KYCC_PEERS").map(|list| peers(&list)).transpose()?,
            resume_runs: parsed(
                "KYCC_RESUME_RUNS",
                text("KYCC_RESUME_RUNS"),
                "true or false",
            )?,
            migrate: parsed("KYCC_MIGRATE", text("KYCC_MIGRATE"), "true or false")?,
            local_principal: text("KYCC_LOCAL_PRINCIPAL").or(user),
            security: security::from_env(variables)?,
        })
    }
}

/// `scoring=host:50051,labels=host:50052`.
fn peers(list: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let wrong = |part: &str| {
        ConfigError::value("KYCC_PEERS", part, "service=host:port, separated by commas")
    };
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((service, address)) if !service.is_empty() && !address.is_empty() => {
                Ok((service.trim().to_owned(), address.trim().to_owned()))
            }
            _ => Err(wrong(part)),
        })
        .collect()
}

const NUMBER: &str = "a whole number";

pub(super) fn parsed<T: FromStr>(
    key: &str,
    text: Option<String>,
    expected: &str,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    match text.parse() {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(ConfigError::value(key, &text, expected)),
    }
}

fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().chain(security::KEYS).copied()
}

fn refuse_unknown(variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let unknown = variables.keys().find(|key| {
        key.starts_with("KYCC_")
            && !keys().any(|known| known == *key)
            && !OTHERS.contains(&key.as_str())
            && !is_service_link(key)
    });
    match unknown {
        None => Ok(()),
        Some(key) => Err(ConfigError::UnknownVariable {
            key: key.clone(),
            known: keys().collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Kubernetes puts `KYCC_SERVICE_HOST`, `KYCC_PORT_50051_TCP_ADDR` and the like into every pod beside a service that is
/// called kycc.
fn is_service_link(key: &str) -> bool {
    key.contains("_SERVICE_HOST")
        || key.contains("_SERVICE_PORT")
        || key.ends_with("_PORT")
        || key.contains("_PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ConfigLayer, ConfigError> {
        let variables = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        ConfigLayer::from_env(&variables)
    }

    #[test]
    fn a_misspelt_variable_is_refused_and_those_of_others_are_not() {
        let error = read(&[("KYCC_THRAEDS", "2")]).unwrap_err();
        assert!(error.to_string().contains("KYCC_THRAEDS"), "{error}");
        read(&[
            ("PATH", "/bin"),
            ("KYCC_LOG", "debug"),
            ("KYCC_SERVICE_HOST", "10.0.0.1"),
            ("KYCC_PORT_50051_TCP_ADDR", "10.0.0.1"),
        ])
        .unwrap();
    }

    #[test]
    fn a_variable_of_the_wrong_kind_is_refused_with_what_is_expected() {
        let error = read(&[("KYCC_THREADS", "two")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "KYCC_THREADS=\"two\" is not valid: expected a whole number"
        );
    }

    #[test]
    fn every_key_is_read() {
        for key in keys() {
            let value = match key {
                "KYCC_GRPC_ADDR" | "KYCC_CONSOLE_ADDR" => "127.0.0.1:1",
                "KYCC_MIGRATE" | "KYCC_RESUME_RUNS" => "true",
                "KYCC_ALLOW_PLAINTEXT" | "KYCC_ALLOW_UNAUTHENTICATED" => "true",
                "KYCC_TLS_REQUIRE_CLIENT_CERT" => "true",
                "KYCC_PEERS" => "scoring=localhost:1",
                _ => "1",
            };
            let layer = read(&[(key, value)]).unwrap();
            assert_ne!(
                layer,
                ConfigLayer::default(),
                "{key} is listed and not read"
            );
        }
    }

    #[test]
    fn without_a_configured_principal_the_user_is_taken() {
        let user = |pairs| read(pairs).unwrap().local_principal;
        assert_eq!(user(&[("USER", "ada")]).as_deref(), Some("ada"));
        let both = [("USER", "ada"), ("KYCC_LOCAL_PRINCIPAL", "ci")];
        assert_eq!(user(&both).as_deref(), Some("ci"));
        assert_eq!(user(&[]), None);
    }
}
