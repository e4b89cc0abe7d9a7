//! `kycc batch upload`: streams a batch to the ingestion service and has it ingested. What the service has acknowledged is
//! not sent again, whether a connection breaks or the command is typed a second time.

mod send;
mod source;

use std::process::ExitCode;

use anyhow::{Context, bail};
use kycc_proto::ingestion::v1::{
    CommitBatchRequest, CreateBatchRequest, CreateBatchResponse, Upload, UploadState,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::{FleetArgs, Global, UploadArgs};
use crate::commands::job::follow_to_end;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};
use send::{Sent, Wrong};
use source::Source;

/// Uploads of one source that may have been given up before.
const ATTEMPTS: u32 = 100;

pub(super) async fn run(global: &Global, args: UploadArgs) -> anyhow::Result<ExitCode> {
    let source = Source::read(&args.sources, &args.batch)?;
    let connection = Connection::for_runs(global, &FleetArgs::default(), &[]).await?;
    let outcome = upload(&connection, global, &args, &source).await;
    connection.close().await;
    outcome
}

async fn upload(
    connection: &Connection,
    global: &Global,
    args: &UploadArgs,
    source: &Source,
) -> anyhow::Result<ExitCode> {
    let as_of = match args.as_of {
        Some(as_of) => Some(as_of),
        None => source.generated_at,
    };
    let as_of = as_of.map(|time| prost_types::Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0),
    });
    if as_of.is_none() && !args.keep_open {
        bail!(
            "batch {} does not say of which instant it is; give it with --as-of",
            args.batch
        );
    }
    let upload = open(connection, args, source).await?;
    let mut sent = Sent::default();
    if upload.state() == UploadState::Open {
        for stream in &source.streams {
            send::stream(connection, &upload, stream, &mut sent, global.json).await?;
        }
        if !global.json {
            show(&sent);
        }
    } else if !global.json {
        eprintln!("the same files were uploaded before");
    }
    if args.keep_open {
        if global.json {
            show_json::print(&as_json(&upload, &sent));
        } else {
            outln!("upload {} of {} is open", upload.upload_id, args.batch);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let request = CommitBatchRequest {
        upload_id: upload.upload_id.clone(),
        as_of_time: as_of,
        ..CommitBatchRequest::default()
    };
    let committed = connection.ingestion().commit_batch(request).await;
    let committed = committed
        .map_err(ClientError::from)
        .context("the upload was not committed; type the command again")?;
    let run = crate::watch::get(connection, &committed.into_inner().run_id).await?;
    follow_to_end(connection, run, global.json).await
}

/// The open upload of these files, or a new one where an earlier one was given up.
async fn open(
    connection: &Connection,
    args: &UploadArgs,
    source: &Source,
) -> anyhow::Result<Upload> {
    for attempt in 0..ATTEMPTS {
        let request = CreateBatchRequest {
            batch_id: args.batch.clone(),
            // The instant is told at the end: who types the command again with another one means the same upload.
            request_id: format!("cli-{}-{attempt}", source.fingerprint),
            ..CreateBatchRequest::default()
        };
        let created = connection.ingestion().create_batch(request).await;
        let CreateBatchResponse { upload } = created.map_err(ClientError::from)?.into_inner();
        let upload = upload.context("the server answered without an upload")?;
        if !matches!(upload.state(), UploadState::Aborted | UploadState::Expired) {
            return Ok(upload);
        }
    }
    bail!(
        "these files were uploaded and given up {ATTEMPTS} times; look at what goes wrong with them"
    );
}

fn show(sent: &Sent) {
    outln!(
        "{} records uploaded, {} of them bad",
        text::count(sent.records),
        text::count(sent.bad)
    );
    if sent.wrong.is_empty() {
        return;
    }
    let mut table = Table::new(&["file", "#record", "field", "code", "reason"]);
    for Wrong { file, error } in &sent.wrong {
        let field = if error.field.is_empty() {
            "-"
        } else {
            &error.field
        };
        table.row([
            file.clone(),
            (error.offset + 1).to_string(),
            field.to_owned(),
            error.code.clone(),
            error.reason.clone(),
        ]);
    }
    table.print("");
    if sent.bad > sent.wrong.len() as u64 {
        outln!("and others; `kycc batch rejected` lists them once the batch is ingested");
    }
}

fn as_json(upload: &Upload, sent: &Sent) -> Value {
    let wrong = sent.wrong.iter().map(|Wrong { file, error }| {
        json!({
            "file": file, "offset": error.offset, "field": error.field, "code": error.code, "reason": error.reason,
        })
    });
    json!({
        "upload_id": upload.upload_id, "batch_id": upload.batch_id, "records": sent.records, "bad_records": sent.bad,
        "errors": wrong.collect::<Vec<_>>(),
    })
}
