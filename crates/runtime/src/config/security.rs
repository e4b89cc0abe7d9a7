//! The `security:` section: who may call, over what, and how much.

mod env;
mod layer;

use serde::Serialize;

use kycc_rpc::{AuthOptions, ClientTls, Limits, ServerTls};

use super::ConfigError;
pub(super) use env::{KEYS, from_env};
pub use layer::{ClientTlsLayer, JwtLayer, LimitsLayer, SecretText, SecurityLayer, ServerTlsLayer};

/// What is in force. With nothing set, nobody has to prove anything, and only this machine is listened to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SecurityConfig {
    pub auth: AuthOptions,
    pub tls: Option<ServerTls>,
    /// How other processes of the fleet are reached; clear text without it.
    pub peer_tls: Option<ClientTls>,
    pub limits: Limits,
    /// Listens beyond this machine, though everybody who reaches it may do everything.
    pub allow_unauthenticated: bool,
    /// Listens beyond this machine in clear text: where a mesh or a balancer beside it speaks TLS.
    pub allow_plaintext: bool,
}

impl SecurityConfig {
    /// `beyond`: whether somebody else than this machine reaches the process. `several`: whether the fleet has other
    /// processes.
    pub(super) fn validate(
        &self,
        addr: &str,
        beyond: bool,
        several: bool,
    ) -> Result<(), ConfigError> {
        let auth = &self.auth;
        let configured = auth.is_configured();
        if beyond && !configured && !self.allow_unauthenticated {
            return Err(ConfigError::value(
                "grpc_addr",
                addr,
                "a loopback address such as 127.0.0.1:50051: callers are not authenticated, so nobody else may reach it. \
                 Configure security.jwt, security.api_keys_file or security.certificates; or say \
                 `allow_unauthenticated: true` (--allow-unauthenticated), and everybody who reaches it may do everything",
            ));
        }
        if beyond && configured && self.tls.is_none() && !self.allow_plaintext {
            return Err(ConfigError::value(
                "grpc_addr",
                addr,
                "a loopback address: without security.tls, credentials would cross the network in clear text. Set \
                 security.tls; or, where something in front speaks TLS, `allow_plaintext: true` (--allow-plaintext)",
            ));
        }
        let asks_for_certificates = self
            .tls
            .as_ref()
            .is_some_and(|tls| tls.client_ca_file.is_some());
        let by_certificate = !auth.certificates.is_empty() || !auth.peer_names.is_empty();
        if by_certificate && !asks_for_certificates {
            return Err(ConfigError::value(
                "security.tls.client_ca_file",
                "",
                "a file: security.certificates and security.peer_names need roots that clients' certificates are checked against",
            ));
        }
        if several && configured && auth.fleet_secret.is_none() && auth.peer_names.is_empty() {
            return Err(ConfigError::value(
                "security",
                "without fleet_secret_file and peer_names",
                "one of them: processes of the fleet pass calls on to each other, and must know each other from everybody else",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
