//! `kycc run …`.

mod dead_letters;

use std::process::ExitCode;

use anyhow::Context;
use kycc_proto::orchestrator::v1::{
    CancelRunRequest, FailureKind, ListRunEventsRequest, ListRunsRequest, RetryRunRequest,
    RetryStrategy, Run, RunEvent, RunStatus, Step,
};
use kycc_rpc::ClientError;
use serde_json::json;
use uuid::Uuid;

use crate::args::{FleetArgs, Global, RunCommand};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};
use crate::watch;

pub(crate) async fn run(global: &Global, command: RunCommand) -> anyhow::Result<ExitCode> {
    match command {
        RunCommand::List { job, batch, limit } => {
            let connection = Connection::for_reading(global).await?;
            list(&connection, global, job, batch, limit).await?;
            connection.close().await;
        }
        RunCommand::Show { run } => {
            let connection = Connection::for_reading(global).await?;
            let run = watch::get(&connection, &run).await?;
            connection.close().await;
            if global.json {
                show_json::print(&show_json::run(&run));
            } else {
                print(&run);
            }
        }
        RunCommand::Logs { run, follow } => {
            let connection = Connection::for_reading(global).await?;
            logs(&connection, global, &run, follow).await?;
            connection.close().await;
        }
        RunCommand::Cancel { run } => {
            let connection = Connection::for_runs(global, &FleetArgs::default(), &[]).await?;
            let outcome = cancel(&connection, global, run).await;
            connection.close().await;
            outcome?;
        }
        RunCommand::Retry {
            run,
            all_steps,
            fleet,
        } => {
            let connection = Connection::for_runs(global, &fleet, &[]).await?;
            let code = retry(&connection, global, run, all_steps).await;
            connection.close().await;
            return code;
        }
        RunCommand::DeadLetters { command } => return dead_letters::run(global, command).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(
    connection: &Connection,
    global: &Global,
    job: Option<String>,
    batch: Option<String>,
    limit: u32,
) -> anyhow::Result<()> {
    let request = ListRunsRequest {
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        job: job.unwrap_or_default(),
        batch_id: batch.unwrap_or_default(),
        ..ListRunsRequest::default()
    };
    let answer = connection
        .orchestrator()
        .list_runs(request)
        .await
        .map_err(ClientError::from)?;
    let runs = answer.into_inner().runs;
    if global.json {
        show_json::print(&json!({"runs": runs.iter().map(show_json::run).collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "run",
        "job",
        "batch",
        "status",
        "created",
        "#took",
        "launched by",
    ]);
    for run in &runs {
        table.row([
            run.run_id.clone(),
            run.job.clone(),
            run.batch_id.clone(),
            text::run_status(run.status).to_owned(),
            text::time(run.create_time),
            text::elapsed(run.start_time, run.end_time),
            run.principal.clone(),
        ]);
    }
    table.print("no runs yet; launch one with `kycc job execute -j full_scoring_job --file …`");
    Ok(())
}

/// The run, its steps, and what went wrong, for a person.
pub(crate) fn print(run: &Run) {
    outln!(
        "run {}  {}  {}  {}",
        run.run_id,
        text::run_status(run.status),
        run.batch_id,
        text::elapsed(run.start_time, run.end_time)
    );
    let mut table = Table::new(&[
        "step", "status", "#rows", "#size", "#took", "version", "note",
    ]);
    for step in &run.steps {
        let rows: u64 = step.outputs.iter().map(|output| output.rows).sum();
        let size: u64 = step.outputs.iter().map(|output| output.bytes).sum();
        table.row([
            step.asset.clone(),
            text::step_status(step.status).to_owned(),
            text::count(rows),
            text::bytes(size),
            text::elapsed(step.start_time, step.end_time),
            step.version_key.get(..12).unwrap_or_default().to_owned(),
            note(step),
        ]);
    }
    table.print("the run has no steps");
    if let Some(failure) = &run.failure {
        let (kind, reason) = (text::failure_kind(failure.kind), &failure.reason);
        // A canceled run may have tasks that did not stop.
        let what = match run.status() {
            RunStatus::Canceled => "canceled",
            _ => "failed",
        };
        outln!("\n{what}: {} ({reason})", failure.message);
        if kind != reason {
            outln!("  kind: {kind}");
        }
        if !failure.record.is_empty() {
            outln!("  record: {}", failure.record);
        }
        if run.status() == RunStatus::Failure {
            outln!("  once mended: kycc run retry {}", run.run_id);
            if failure.kind() == FailureKind::TaskDeadLettered {
                outln!(
                    "  the task: kycc run dead-letters list --run {}",
                    run.run_id
                );
            }
        }
    }
}

fn note(step: &Step) -> String {
    let mut notes = Vec::new();
    if step.memoized {
        notes.push("reused".to_owned());
    }
    if step.attempt > 1 {
        notes.push(format!("attempt {}", step.attempt));
    }
    if step.tasks > 1 {
        notes.push(format!("{} of {} tasks", step.tasks_done, step.tasks));
    }
    if let Some(failure) = &step.failure {
        notes.push(failure.reason.clone());
    }
    notes.join(", ")
}

async fn logs(
    connection: &Connection,
    global: &Global,
    run_id: &str,
    follow: bool,
) -> anyhow::Result<()> {
    const PAGE: i32 = 1_000;
    let mut after = 0;
    loop {
        let request = ListRunEventsRequest {
            run_id: run_id.to_owned(),
            after_sequence: after,
            page_size: PAGE,
        };
        let answer = connection
            .orchestrator()
            .list_run_events(request)
            .await
            .map_err(ClientError::from)?;
        let events = answer.into_inner().events;
        for event in &events {
            print_event(event, global.json);
            after = event.sequence;
        }
        if events.len() < PAGE as usize {
            break;
        }
    }
    if follow && connection.is_embedded() {
        anyhow::bail!("no fleet is running, so nothing more will come; what there is stands above");
    }
    if follow {
        let request = kycc_proto::orchestrator::v1::WatchRunRequest {
            run_id: run_id.to_owned(),
            after_sequence: after,
        };
        let answer = connection
            .orchestrator()
            .watch_run(request)
            .await
            .map_err(ClientError::from)?;
        let mut stream = answer.into_inner();
        while let Some(answer) = stream.message().await.map_err(ClientError::from)? {
            if let Some(event) = answer.event {
                print_event(&event, global.json);
            }
        }
    }
    Ok(())
}

fn print_event(event: &RunEvent, as_json: bool) {
    if as_json {
        outln!("{}", watch::json_line(event));
    } else {
        outln!("{}", watch::line(event));
    }
}

async fn cancel(connection: &Connection, global: &Global, run_id: String) -> anyhow::Result<()> {
    let request = CancelRunRequest {
        run_id,
        ..Default::default()
    };
    let answer = connection
        .orchestrator()
        .cancel_run(request)
        .await
        .map_err(ClientError::from)?;
    let run = answer
        .into_inner()
        .run
        .context("the server answered without a run")?;
    // Our own fleet goes when we do, so it is given the time to end the run.
    let run = if connection.is_embedded() {
        watch::follow(connection, run, true).await?
    } else {
        run
    };
    if global.json {
        show_json::print(&show_json::run(&run));
    } else {
        outln!("run {} is {}", run.run_id, text::run_status(run.status));
    }
    Ok(())
}

async fn retry(
    connection: &Connection,
    global: &Global,
    run_id: String,
    all_steps: bool,
) -> anyhow::Result<ExitCode> {
    let strategy = if all_steps {
        RetryStrategy::AllSteps
    } else {
        RetryStrategy::FromFailure
    };
    let request = RetryRunRequest {
        run_id,
        strategy: strategy.into(),
        request_id: Uuid::new_v4().to_string(),
    };
    let answer = connection
        .orchestrator()
        .retry_run(request)
        .await
        .map_err(ClientError::from)?;
    let run = answer
        .into_inner()
        .run
        .context("the server answered without a run")?;
    super::job::follow_to_end(connection, run, global.json).await
}
