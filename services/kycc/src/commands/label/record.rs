//! `kycc label record`: streams a file of outcomes to the labels service, and tells what became of each that is wrong.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use kycc_proto::labels::v1::{OutcomeError, RecordOutcomesRequest, RecordOutcomesResponse};
use kycc_rpc::ClientError;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::feed;
use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

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

/// What reading the file came to.
struct Read {
    /// Records of the file.
    count: u64,
    /// Those that were not sent, in order.
    errors: Vec<OutcomeError>,
    /// Why the file was not read to its end.
    end: Option<anyhow::Error>,
}

fn read(
    reader: BufReader<File>,
    source: &str,
    sender: &mpsc::Sender<RecordOutcomesRequest>,
) -> Read {
    let mut read = Read {
        count: 0,
        errors: Vec::new(),
        end: None,
    };
    let mut outcomes = Vec::with_capacity(PER_MESSAGE);
    // Nobody receives any more: the call has ended, and its answer says why.
    let send = |outcomes: &mut Vec<_>| {
        let message = RecordOutcomesRequest {
            outcomes: std::mem::take(outcomes),
            source: source.to_owned(),
        };
        sender.blocking_send(message).is_ok()
    };
    let end = feed::read(reader, &mut |record| {
        let mut go_on = true;
        match record {
            Ok(outcome) => {
                outcomes.push(outcome);
                if outcomes.len() == PER_MESSAGE {
                    go_on = send(&mut outcomes);
                }
            }
            Err(fault) => {
                read.errors.push(OutcomeError {
                    index: read.count,
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
        read.end = Some(error.into());
    }
    read
}

impl Read {
    /// All errors by their position in the file. The service counts only what was sent to it.
    fn errors_of_file(&self, answer: &RecordOutcomesResponse) -> Vec<OutcomeError> {
        let mut all = self.errors.clone();
        for error in &answer.errors {
            let mut index = error.index;
            for kept_back in &self.errors {
                if kept_back.index <= index {
                    index += 1;
                }
            }
            all.push(OutcomeError {
                index,
                ..error.clone()
            });
        }
        all.sort_by_key(|error| error.index);
        all
    }
}

fn show(global: &Global, answer: &RecordOutcomesResponse, errors: &[OutcomeError]) {
    if global.json {
        let errors: Vec<_> = errors
            .iter()
            .map(|error| {
                json!({"index": error.index, "field": error.field, "message": error.message})
            })
            .collect();
        show_json::print(&json!({
            "recorded": answer.recorded, "duplicates": answer.duplicates, "errors": errors,
        }));
        return;
    }
    outln!(
        "{} recorded, {} recorded before, {} wrong",
        text::count(answer.recorded),
        text::count(answer.duplicates),
        text::count(errors.len() as u64),
    );
    if errors.is_empty() {
        return;
    }
    let mut table = Table::new(&["#index", "field", "problem"]);
    for error in errors {
        table.row([
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

    #[test]
    fn errors_of_the_service_are_told_by_their_place_in_the_file() {
        let error = |index| OutcomeError {
            index,
            ..OutcomeError::default()
        };
        // Of records 0 to 6, 0, 2 and 3 were not sent: 1, 4, 5, 6 went out as 0 to 3.
        let read = Read {
            count: 7,
            errors: vec![error(0), error(2), error(3)],
            end: None,
        };
        let answer = RecordOutcomesResponse {
            errors: vec![error(0), error(1), error(3)],
            ..RecordOutcomesResponse::default()
        };
        let places: Vec<_> = read
            .errors_of_file(&answer)
            .iter()
            .map(|error| error.index)
            .collect();
        assert_eq!(places, [0, 1, 2, 3, 4, 6]);
    }
}
