//! `kycc serve`: some of the services in this process, the others in others.

use std::process::ExitCode;

use anyhow::Context;
use kycc_telemetry::Format;

use kycc_rpc::ChannelOptions;

use crate::args::{FleetArgs, Global, ServeArgs};
use crate::{fleet_config, remote, serving};

/// Instead of names: every service.
const ALL: &str = "all";

pub(crate) async fn run(global: &Global, args: ServeArgs) -> anyhow::Result<ExitCode> {
    let ServeArgs {
        services,
        grpc_addr,
        console_addr,
        advertise,
        peers,
        fleet,
    } = args;
    let mut config = fleet_config::resolve(global, &fleet)?;
    config.services = match services.iter().any(|name| name == ALL) {
        true => Vec::new(),
        false => services,
    };
    config.grpc_addr = grpc_addr.unwrap_or(config.grpc_addr);
    config.console_addr = console_addr.or(config.console_addr);
    config.advertise = advertise.or(config.advertise);
    config.peers.extend(peers);
    // Somebody runs `kycc migrate` once, instead of every process trying.
    config.migrate = false;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make the folder {}", config.data_dir.display()))?;
    serving::serve(config, Format::Json, |fleet| {
        let config = fleet.config();
        let services = match config.services.is_empty() {
            true => ALL.to_owned(),
            false => config.services.join(", "),
        };
        eprintln!("kycc serves {services} on {}", fleet.grpc_addr());
    })
    .await
}

/// `scoring=host:50051`.
pub(crate) fn peer(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((service, address)) if !service.is_empty() && !address.is_empty() => {
            Ok((service.to_owned(), address.to_owned()))
        }
        _ => Err("expected service=host:port".to_owned()),
    }
}

/// For `kycc health`.
pub(crate) async fn health(global: &Global) -> anyhow::Result<ExitCode> {
    let config = fleet_config::resolve(global, &FleetArgs::default())?;
    // A probe asks its own process, whatever fleet a person talks to: the current context is not looked at.
    let named = match global.server.is_some() || global.context.is_some() {
        true => remote::named(global)?,
        false => None,
    };
    let (address, tls) = match named {
        Some(options) => (options.address, options.tls),
        None => (config.grpc_addr.to_string(), remote::ca_file()),
    };
    let options = ChannelOptions {
        tls: tls.or_else(|| config.security.peer_tls.clone()),
        ..ChannelOptions::default()
    };
    let serving = kycc_rpc::is_serving_over(&address, &options).await;
    let (text, code) = match serving {
        Ok(true) => ("SERVING".to_owned(), ExitCode::SUCCESS),
        Ok(false) => ("NOT_SERVING".to_owned(), ExitCode::FAILURE),
        Err(error) => (
            format!("{address} does not answer: {}", error.message()),
            ExitCode::FAILURE,
        ),
    };
    println!("{text}");
    Ok(code)
}
