//! `kycc run dead-letters …`.

use std::process::ExitCode;

use anyhow::Context;
use kycc_proto::orchestrator::v1::{DeadLetter, ListDeadLettersRequest, ReplayDeadLetterRequest};
use kycc_rpc::ClientError;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::args::{DeadLettersCommand, Global, ListDeadLettersArgs};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(super) async fn run(
    global: &Global,
    command: Option<DeadLettersCommand>,
) -> anyhow::Result<ExitCode> {
    match command.unwrap_or_else(|| DeadLettersCommand::List(ListDeadLettersArgs::default())) {
        DeadLettersCommand::List(args) => {
            let connection = Connection::for_reading(global).await?;
            let listed = list(&connection, global, args).await;
            connection.close().await;
            listed?;
            Ok(ExitCode::SUCCESS)
        }
        DeadLettersCommand::Replay { dead_letter, fleet } => {
            let connection = Connection::for_runs(global, &fleet, &[]).await?;
            let code = replay(&connection, global, dead_letter).await;
            connection.close().await;
            code
        }
    }
}

async fn list(
    connection: &Connection,
    global: &Global,
    args: ListDeadLettersArgs,
) -> anyhow::Result<()> {
    let request = ListDeadLettersRequest {
        page_size: i32::try_from(args.limit).unwrap_or(i32::MAX),
        run_id: args.run.unwrap_or_default(),
        only_open: args.open,
        ..ListDeadLettersRequest::default()
    };
    let answer = connection
        .orchestrator()
        .list_dead_letters(request)
        .await
        .map_err(ClientError::from)?;
    let letters = answer.into_inner().dead_letters;
    if global.json {
        let letters: Vec<_> = letters.iter().map(as_json).collect();
        show_json::print(&json!({"dead_letters": letters}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "dead letter",
        "step",
        "run",
        "#workers",
        "last worker",
        "when",
        "replayed by run",
    ]);
    for letter in &letters {
        table.row([
            letter.dead_letter_id.clone(),
            letter.asset.clone(),
            letter.run_id.clone(),
            letter.deliveries.to_string(),
            letter.worker_id.clone(),
            text::time(letter.create_time),
            letter.replay_run_id.clone(),
        ]);
    }
    table.print("no task has cost more workers than it may");
    if letters.iter().any(|letter| letter.replay_run_id.is_empty()) {
        outln!("\nonce mended: kycc run dead-letters replay <dead letter>");
    }
    Ok(())
}

fn as_json(letter: &DeadLetter) -> Value {
    json!({
        "dead_letter_id": letter.dead_letter_id,
        "task_id": letter.task_id,
        "run_id": letter.run_id,
        "asset": letter.asset,
        "lane": letter.lane,
        "deliveries": letter.deliveries,
        "last_error": letter.last_error,
        "worker_id": letter.worker_id,
        "create_time": text::rfc3339(letter.create_time),
        "replay_run_id": letter.replay_run_id,
        "replayed_by": letter.replayed_by,
        "replay_time": text::rfc3339(letter.replay_time),
    })
}

async fn replay(
    connection: &Connection,
    global: &Global,
    dead_letter_id: String,
) -> anyhow::Result<ExitCode> {
    let request = ReplayDeadLetterRequest {
        dead_letter_id,
        request_id: Uuid::new_v4().to_string(),
    };
    let answer = connection
        .orchestrator()
        .replay_dead_letter(request)
        .await
        .map_err(ClientError::from)?;
    let run = answer
        .into_inner()
        .run
        .context("the server answered without a run")?;
    crate::commands::job::follow_to_end(connection, run, global.json).await
}
