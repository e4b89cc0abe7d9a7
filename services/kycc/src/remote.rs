//! The fleet that a command was told to talk to.

use kycc_client::{ClientOptions, Credentials};
use kycc_rpc::{ClientTls, Secret};

use crate::args::Global;
use crate::contexts::{self, Contexts};
use crate::fleet_config;

/// A server or a context that was named, else the current context where no data folder and no configuration file was. `None`:
/// the fleet of the data folder, or one in this process.
pub(crate) fn named(global: &Global) -> anyhow::Result<Option<ClientOptions>> {
    let environment = fleet_config::environment();
    if let Some(server) = &global.server {
        return Ok(Some(with_key(ClientOptions {
            tls: ca_file(),
            ..ClientOptions::new(server)
        })));
    }
    if global.context.is_none() && (global.data_dir.is_some() || global.config_file.is_some()) {
        return Ok(None);
    }
    let Some(path) = contexts::path(&environment) else {
        return Ok(None);
    };
    let known = Contexts::read(&path)?;
    let Some(name) = global.context.as_ref().or(known.current.as_ref()) else {
        return Ok(None);
    };
    let context = known.named(name)?;
    let credentials = match &context.token_file {
        Some(path) => Credentials::TokenFile(path.clone()),
        None => Credentials::None,
    };
    Ok(Some(with_key(ClientOptions {
        tls: context.tls().or_else(ca_file),
        credentials,
        ..ClientOptions::new(&context.address)
    })))
}

/// The roots in KYCC_CA_FILE.
pub(crate) fn ca_file() -> Option<ClientTls> {
    let path = fleet_config::environment().remove("KYCC_CA_FILE");
    path.filter(|path| !path.is_empty()).map(|path| ClientTls {
        ca_file: Some(path.into()),
        ..ClientTls::default()
    })
}

/// With the token or API key in KYCC_API_KEY, where it is set, instead of any other.
pub(crate) fn with_key(options: ClientOptions) -> ClientOptions {
    let key = fleet_config::environment().remove("KYCC_API_KEY");
    match key.filter(|key| !key.is_empty()).map(Secret::new) {
        Some(key) => ClientOptions {
            credentials: Credentials::Bearer(key.expose().to_owned()),
            ..options
        },
        None => options,
    }
}
