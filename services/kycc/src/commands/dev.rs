//! `kycc dev`: every service in this process until it is told to stop.

use std::process::ExitCode;

use anyhow::Context;
use kycc_runtime::{FleetConfig, RunningFleet};
use kycc_telemetry::Format;

use crate::args::{DevArgs, Global};
use crate::{fleet_config, serving};

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
    serving::serve(config, Format::Text, greet).await
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
    if !config.security.auth.is_configured() {
        eprintln!(
            "  callers are not authenticated: everybody on this machine is {}",
            config.local_principal
        );
    }
}
