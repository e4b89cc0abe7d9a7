//! `kycc label record`: streams a file of outcomes to the labels service, and tells what became of each that is wrong.

mod places;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use kycc_proto::labels::v1::{RecordOutcomesRequest, RecordOutcomesResponse};
use kycc_rpc::ClientError;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::feed::{self, Record};
use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};
use places::Places;

/// Outcomes of one message; each message is recorded in one transaction.
const PER_MESSAGE: usize = 1_000;
/// Messages that are ready before they are sent.
const READY: usize = 2;
/// A file that has more errors is wrong in one way.
const MAX_ERRORS: usize = 1_000;

pub(super) async fn record(
    connection: &Connection,
    global: &Global,
    file: &Path,
    source: String,
) -> anyhow::Result<ExitCode> {
    let name = file.display().to_string();
    let opened = File::open(file).with_context(|| format!("{name} cannot be opened"))?;
    let (sender, messages) = mpsc::channel(READY);
    let reading =
        tokio::task::spawn_blocking(move || read(BufReader::new(opened), &source, &sender));
    let answer = connection
        .labels()
        .record_outcomes(ReceiverStream::new(messages))
        .await;
    let read = reading.await.context("reading the outcomes stopped")?;
    let answer = answer.map_err(ClientError::from)?.into_inner();
    let errors = read.errors_of_file(&answer);
    let wrong = !errors.is_empty();
    show(global, &answer, &errors);
    if let Some(end) = read.end {
        let told = if errors.len() >= MAX_ERRORS {
            format!("{name} has {MAX_ERRORS} wrong outcomes or more; the rest was not read")
        } else {
            format!("{name} was read up to outcome {} only", read.count)
        };
        return Err(end).context(told);
    }
    Ok(if wrong {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A record that is wrong.
#[derive(Debug, Clone, PartialEq)]
struct Wrong {
    /// Among the records of the file, from 0.
    index: u64,
    /// Of the file, from 1.
    line: u64,
    /// As the file calls it; empty where it is the record.
    field: String,
    message: String,
}

/// What reading the file came to.
#[derive(Default)]
struct Read {
    /// Records of the file.
    count: u64,
    /// Lines of those that were sent.
    sent: Places,
    /// Those that were not sent, in order.
    errors: Vec<Wrong>,
    /// Why the file was not read to its end.
    end: Option<anyhow::Error>,
}

fn read(
    reader: BufReader<File>,
    source: &str,
    sender: &mpsc::Sender<RecordOutcomesRequest>,
) -> Read {
    let mut read = Read::default();
    let mut outcomes = Vec::with_capacity(PER_MESSAGE);
    // Nobody receives any more: the call has ended, and its answer says why.
    let send = |outcomes: &mut Vec<_>| {
        let message = RecordOutcomesRequest {
            outcomes: std::mem::take(outcomes),
            source: source.to_owned(),
        };
        sender.blocking_send(message).is_ok()
    };
    let end = feed::read(reader, &mut |Record { line, outcome }| {
        let mut go_on = true;
        match outcome {
            Ok(outcome) => {
                read.sent.push(line);
                outcomes.push(outcome);
                if outcomes.len() == PER_MESSAGE {
                    go_on = send(&mut outcomes);
                }
            }
            Err(fault) => {
                read.errors.push(Wrong {
                    index: read.count,
                    line,
                    field: fault.field.to_owned(),
                    message: fault.message,
                });
                if read.errors.len() >= MAX_ERRORS {
                    read.end = Some(anyhow::anyhow!("too many of its outcomes are wrong"));
                    go_on = false;
                }
            }
        }
        read.count += 1;
        go_on
    });
    if !outcomes.is_empty() {
        send(&mut outcomes);
    }
    if let Err(error) = end {
        read.end = Some(error);
    }
    read
}

impl Read {
    /// All errors by their position in the file. The service counts only what was sent to it.
    fn errors_of_file(&self, answer: &RecordOutcomesResponse) -> Vec<Wrong> {
        let mut all = self.errors.clone();
        for error in &answer.errors {
            let mut index = error.index;
            for kept_back in &self.errors {
                if kept_back.index <= index {
                    index += 1;
                }
            }
            all.push(Wrong {
                index,
                line: self.sent.line_of(error.index).unwrap_or_default(),
                field: field_of_file(&error.field).to_owned(),
                message: error.message.clone(),
            });
        }
        all.sort_by_key(|error| error.index);
        all
    }
}

/// The service speaks of its request, whose times end in `_time`.
fn field_of_file(field: &str) -> &str {
    match field {
        "occurred_time" => "occurred_at",
        field => field,
    }
}

fn show(global: &Global, answer: &RecordOutcomesResponse, errors: &[Wrong]) {
    if global.json {
        let errors: Vec<_> = errors
            .iter()
            .map(|error| {
                json!({
                    "index": error.index, "line": error.line, "field": error.field, "message": error.message,
                })
            })
            .collect();
        show_json::print(&json!({
            "recorded": answer.recorded, "duplicates": answer.duplicates, "errors": errors,
        }));
        return;
    }
    outln!(
        "{} recorded, {} known already, {} wrong",
        text::count(answer.recorded),
        text::count(answer.duplicates),
        text::count(errors.len() as u64),
    );
    if errors.is_empty() {
        return;
    }
    let mut table = Table::new(&["#line", "#index", "field", "problem"]);
    for error in errors {
        table.row([
            error.line.to_string(),
            error.index.to_string(),
            error.field.clone(),
            error.message.clone(),
        ]);
    }
    table.print("");
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_proto::labels::v1::OutcomeError;

    #[test]
    fn errors_of_the_service_are_told_by_their_place_in_the_file_and_its_names() {
        let kept_back = |index| Wrong {
            index,
            line: 10 + index,
            field: String::new(),
            message: String::new(),
        };
        let of_service = |index, field: &str| OutcomeError {
            index,
            field: field.into(),
            ..OutcomeError::default()
        };
        // Of records 0 to 6 on lines 10 to 16, 0, 2 and 3 were not sent: 1, 4, 5, 6 went out as 0 to 3.
        let mut read = Read {
            count: 7,
            errors: [0, 2, 3].map(kept_back).to_vec(),
            ..Read::default()
        };
        for line in [11, 14, 15, 16] {
            read.sent.push(line);
        }
        let answer = RecordOutcomesResponse {
            errors: vec![
                of_service(0, "party_id"),
                of_service(1, "occurred_time"),
                of_service(3, ""),
            ],
            ..RecordOutcomesResponse::default()
        };
        let errors = read.errors_of_file(&answer);
        let places: Vec<_> = errors.iter().map(|error| error.index).collect();
        assert_eq!(places, [0, 1, 2, 3, 4, 6]);
        assert!(errors.iter().all(|error| error.line == 10 + error.index));
        assert_eq!(errors[4].field, "occurred_at");
    }
}
