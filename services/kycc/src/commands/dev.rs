//! `kycc dev`: every service in this process until it is told to stop.

use std::process::ExitCode;

use anyhow::Context;
use kycc_runtime::{Fleet, FleetConfig, RunningFleet};
use kycc_telemetry::Format;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{DevArgs, Global};
use crate::fleet_config;

const LOG: &str = "warn,kycc=info";

pub(crate) async fn run(global: &Global, args: DevArgs) -> anyhow::Result<ExitCode> {
    let mut config = fleet_config::resolve(global, &args.fleet)?;
    config.grpc_addr = args.grpc_addr;
    config.console_addr = Some(args.console_addr);
    // Inputs may lie where one works, besides the landing folder and what --allow-root adds.
    let here = std::env::current_dir().context("the working folder cannot be read")?;
    config.allowed_roots.push(here);
    std::fs::create_dir_all(&config.landing).with_context(|| {
        format!(
            "cannot make the landing folder {}",
            config.landing.display()
        )
    })?;
    let filter = fleet_config::environment()
        .remove("KYCC_LOG")
        .unwrap_or_else(|| LOG.into());
    let telemetry = kycc_telemetry::init(&filter, Format::Text)?;
    let fleet = Fleet::start(config, kycc_embed::modules()).await?;
    greet(&fleet);
    let code = until_stopped(&fleet).await?;
    if !leave(fleet).await? {
        eprintln!("stopped at once; unfinished work begins again at the next start");
        return Ok(ExitCode::FAILURE);
    }
    telemetry.shutdown();
    Ok(code)
}

fn greet(fleet: &RunningFleet) {
    let config: &FleetConfig = fleet.config();
    eprintln!("kycc is running");
    eprintln!("  gRPC     {}", fleet.grpc_addr());
    if let Some(console) = config.console_addr {
        eprintln!("  console  http://{console}");
    }
    eprintln!("  data     {}", config.data_dir.display());
    eprintln!("  landing  {}", config.landing.display());
    eprintln!(
        "  callers are not authenticated: everybody on this machine is {}",
        config.local_principal
    );
}

/// Waits for a signal, or for something that the fleet cannot do without to fail.
async fn until_stopped(fleet: &RunningFleet) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(tokio::select! {
        _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
        _ = terminate.recv() => ExitCode::SUCCESS,
        reason = fleet.failed() => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    })
}

/// Stops in order. A second signal does not wait: false.
async fn leave(fleet: RunningFleet) -> anyhow::Result<bool> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    eprintln!("stopping; once more to leave at once");
    Ok(tokio::select! {
        () = fleet.shutdown() => true,
        _ = tokio::signal::ctrl_c() => false,
        _ = terminate.recv() => false,
    })
}
