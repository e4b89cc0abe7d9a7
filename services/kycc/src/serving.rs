//! A process that serves: from its log to the signal that ends it.

use std::process::ExitCode;

use anyhow::{Context, bail};
use kycc_runtime::{Fleet, FleetConfig, RunningFleet};
use kycc_telemetry::Format;
use tokio::signal::unix::{SignalKind, signal};

use crate::fleet_config;

const LOG: &str = "warn,kycc=info";

/// Starts the fleet of this process, says so with `greet`, and serves until told to stop. `format` is that of the log
/// unless KYCC_LOG_FORMAT says otherwise.
pub(crate) async fn serve(
    config: FleetConfig,
    format: Format,
    greet: impl FnOnce(&RunningFleet),
) -> anyhow::Result<ExitCode> {
    let mut environment = fleet_config::environment();
    let filter = environment
        .remove("KYCC_LOG")
        .unwrap_or_else(|| LOG.to_owned());
    let format = match environment.remove("KYCC_LOG_FORMAT").as_deref() {
        None | Some("") => format,
        Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(other) => bail!("KYCC_LOG_FORMAT={other:?} is not valid: expected text or json"),
    };
    let telemetry = kycc_telemetry::init(&filter, format)?;
    // A signal that comes while it waits for what it stands on ends it at once: nothing has begun yet.
    let fleet = tokio::select! {
        started = Fleet::start(config, kycc_embed::modules()) => started?,
        stopped = told_to_stop() => {
            stopped?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    greet(&fleet);
    let code = tokio::select! {
        stopped = told_to_stop() => {
            stopped?;
            ExitCode::SUCCESS
        }
        reason = fleet.failed() => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    };
    eprintln!("stopping; once more to leave at once");
    tokio::select! {
        () = fleet.shutdown() => {}
        stopped = told_to_stop() => {
            stopped?;
            eprintln!("stopped at once; unfinished work begins again at the next start");
            return Ok(ExitCode::FAILURE);
        }
    }
    telemetry.shutdown();
    Ok(code)
}

async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for SIGINT"),
        _ = terminate.recv() => Ok(()),
    }
}
