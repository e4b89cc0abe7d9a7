//! Following a run to its end: a bar per step on a terminal, one line per event elsewhere.

mod bars;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use kycc_proto::orchestrator::v1::{
    CancelRunRequest, GetRunRequest, Run, RunEvent, RunStatus, WatchRunRequest, WatchRunResponse,
};
use kycc_proto::work::v1::LogLevel;
use kycc_rpc::ClientError;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::connection::{Connection, Orchestrator};
use crate::show::out::escaped;
use crate::show::{json, text};
use bars::Bars;

/// Longest that a fleet which went away is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Follows `run` until it has ended and returns it as it ended. Interrupted once, a run of this process is cancelled
/// and followed on; a run of another fleet is left to go on.
pub(crate) async fn follow(connection: &Connection, run: Run, quiet: bool) -> anyhow::Result<Run> {
    let mut client = connection.orchestrator();
    let mut view = View::new(&run, quiet);
    let mut signals = Signals::listen()?;
    let mut after = 0;
    let mut interrupted = false;
    let mut gone_since: Option<Instant> = None;
    loop {
        // A stream may be cut by a restart; what was seen is not asked for again.
        let mut stream = match open(&mut client, &run.run_id, after).await {
            Ok(stream) => stream,
            Err(error) => {
                let since = *gone_since.get_or_insert_with(Instant::now);
                if !error.is_transient() || since.elapsed() > PATIENCE {
                    return Err(error).with_context(|| gone(&run.run_id));
                }
                tokio::time::sleep(BETWEEN_TRIES).await;
                continue;
            }
        };
        loop {
            let answer = tokio::select! {
                answer = stream.message() => answer,
                () = signals.received() => {
                    if interrupted {
                        anyhow::bail!("left at once; run {} goes on at the next start", run.run_id);
                    }
                    interrupted = true;
                    interrupt(connection, &mut client, &run.run_id).await?;
                    continue;
                }
            };
            let Ok(Some(answer)) = answer else {
                gone_since.get_or_insert_with(Instant::now);
                tokio::time::sleep(BETWEEN_TRIES).await;
                break;
            };
            gone_since = None;
            if let Some(ended) = answer.run {
                view.finish();
                return Ok(ended);
            }
            if let Some(event) = answer.event {
                after = event.sequence;
                view.event(&event);
            }
            if let Some(progress) = answer.progress {
                view.progress(&progress.asset, progress.done, progress.total);
            }
        }
    }
}

fn gone(run_id: &str) -> String {
    format!(
        "run {run_id} cannot be watched; `kycc run logs --follow {run_id}` shows it once the fleet answers"
    )
}

/// What asks this process to stop.
struct Signals {
    terminate: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        Ok(Self { terminate })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn open(
    client: &mut Orchestrator,
    run_id: &str,
    after_sequence: u64,
) -> Result<tonic::Streaming<WatchRunResponse>, ClientError> {
    let request = WatchRunRequest {
        run_id: run_id.to_owned(),
        after_sequence,
    };
    Ok(client.watch_run(request).await?.into_inner())
}

async fn interrupt(
    connection: &Connection,
    client: &mut Orchestrator,
    run_id: &str,
) -> anyhow::Result<()> {
    if !connection.is_embedded() {
        anyhow::bail!(
            "interrupted; run {run_id} goes on: `kycc run logs --follow {run_id}` or `kycc run cancel {run_id}`"
        );
    }
    eprintln!("cancelling; interrupt again to leave at once");
    let request = CancelRunRequest {
        run_id: run_id.to_owned(),
        ..Default::default()
    };
    client
        .cancel_run(request)
        .await
        .map_err(ClientError::from)?;
    Ok(())
}

/// The run as it is now.
pub(crate) async fn get(connection: &Connection, run_id: &str) -> anyhow::Result<Run> {
    let request = GetRunRequest {
        run_id: run_id.to_owned(),
    };
    let answer = connection
        .orchestrator()
        .get_run(request)
        .await
        .map_err(ClientError::from)?;
    answer
        .into_inner()
        .run
        .context("the server answered without a run")
}

/// 0 for SUCCESS, 3 for CANCELED, 1 for everything else.
pub(crate) fn exit_code(run: &Run) -> ExitCode {
    match run.status() {
        RunStatus::Success => ExitCode::SUCCESS,
        RunStatus::Canceled => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    }
}

/// Where the story of the run goes.
enum View {
    Bars(Bars),
    Lines,
    Quiet,
}

impl View {
    fn new(run: &Run, quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() {
            Self::Bars(Bars::new(run))
        } else {
            Self::Lines
        }
    }

    fn event(&mut self, event: &RunEvent) {
        match self {
            Self::Bars(bars) => bars.event(event),
            Self::Lines => eprintln!("{}", line(event)),
            Self::Quiet => {}
        }
    }

    fn progress(&mut self, asset: &str, done: u64, total: u64) {
        if let Self::Bars(bars) = self {
            bars.progress(asset, done, total);
        }
    }

    fn finish(self) {
        if let Self::Bars(bars) = self {
            bars.finish();
        }
    }
}

/// `12:00:00.123 WARNING STEP_RETRY score_batch  message`.
pub(crate) fn line(event: &RunEvent) -> String {
    let clock = text::rfc3339(event.time).unwrap_or_default();
    let clock = clock.get(11..23).unwrap_or("-").to_owned();
    let level = match event.level() {
        LogLevel::Warning => "WARNING ",
        LogLevel::Error => "ERROR ",
        _ => "",
    };
    let kind = if event.kind == "LOG" {
        String::new()
    } else {
        format!("{} ", event.kind)
    };
    let asset = if event.asset.is_empty() {
        "run"
    } else {
        &event.asset
    };
    let message = escaped(&event.message);
    format!("{clock}  {asset:<27} {level}{kind}{message}")
}

/// The whole event as JSON on a line of its own.
pub(crate) fn json_line(event: &RunEvent) -> String {
    json::event(event).to_string()
}
