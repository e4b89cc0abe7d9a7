//! `kycc label …`.

mod feed;
mod record;

use std::process::ExitCode;

use kycc_proto::labels::v1::{
    GetLabelStatisticsRequest, GetLabelStatisticsResponse, Label, ListLabelsRequest,
    ListOutcomesRequest, RecordedOutcome,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::{Global, LabelCommand};
use crate::connection::Connection;
use crate::show::{Table, chart, json as show_json, text};

/// Rows asked for at once.
const PAGE: u32 = 1_000;

pub(crate) async fn run(global: &Global, command: LabelCommand) -> anyhow::Result<ExitCode> {
    let connection = match command {
        LabelCommand::Record { .. } => Connection::for_writing(global).await?,
        _ => Connection::for_reading(global).await?,
    };
    let done = |outcome: anyhow::Result<()>| outcome.map(|()| ExitCode::SUCCESS);
    let outcome = match command {
        LabelCommand::Stats { batch } => done(stats(&connection, global, batch).await),
        LabelCommand::List {
            batch,
            party,
            current,
            limit,
        } => {
            let request = ListLabelsRequest {
                batch_id: batch,
                party_id: party.unwrap_or_default(),
                current_only: current,
                ..ListLabelsRequest::default()
            };
            done(list(&connection, global, request, limit).await)
        }
        LabelCommand::Record { file, source } => {
            record::record(&connection, global, &file, source).await
        }
        LabelCommand::Outcomes { party, limit } => {
            done(outcomes(&connection, global, party, limit).await)
        }
    };
    connection.close().await;
    outcome
}

async fn stats(
    connection: &Connection,
    global: &Global,
    batch: Option<String>,
) -> anyhow::Result<()> {
    let request = GetLabelStatisticsRequest {
        batch_id: batch.unwrap_or_default(),
    };
    let answer = connection.labels().get_label_statistics(request).await;
    let found = answer.map_err(ClientError::from)?.into_inner();
    let policy = show_json::parsed(&found.policy_json);
    if global.json {
        show_json::print(&stats_json(&found, policy));
        return Ok(());
    }
    outln!(
        "{} as of {}: {} parties, {}",
        found.batch_id,
        text::time(found.as_of_time),
        text::count(found.parties),
        if found.matured {
            "matured"
        } else {
            "not matured"
        },
    );
    let labels = [
        ("observed bad", found.observed_bad),
        ("observed good", found.observed_good),
        ("scorecard bad", found.scorecard_bad),
        ("scorecard good", found.scorecard_good),
        ("indeterminate", found.indeterminate),
        ("excluded", found.excluded),
        ("unlabelled", found.unlabelled),
    ];
    chart::print_counts(&labels.map(|(label, count)| (label.to_owned(), count)));
    outln!(
        "  the outcomes cover {} parties; a scorecard label weighs {}",
        text::count(found.covered),
        text::decimal(found.scorecard_weight, 4),
    );
    outln!(
        "  policy {} ({}): window of {} days, {} in a million called bad by the scorecard",
        policy["mix"].as_str().unwrap_or("-"),
        short(&found.policy_version),
        policy["window_days"],
        policy["bad_rate_ppm"],
    );
    Ok(())
}

fn stats_json(found: &GetLabelStatisticsResponse, policy: Value) -> Value {
    json!({
        "batch_id": found.batch_id,
        "as_of_time": text::rfc3339(found.as_of_time),
        "policy_version": found.policy_version,
        "policy": policy,
        "parties": found.parties,
        "observed_good": found.observed_good,
        "observed_bad": found.observed_bad,
        "scorecard_good": found.scorecard_good,
        "scorecard_bad": found.scorecard_bad,
        "indeterminate": found.indeterminate,
        "excluded": found.excluded,
        "unlabelled": found.unlabelled,
        "covered": found.covered,
        "matured": found.matured,
        "scorecard_weight": found.scorecard_weight,
    })
}

async fn list(
    connection: &Connection,
    global: &Global,
    request: ListLabelsRequest,
    limit: u32,
) -> anyhow::Result<()> {
    let mut client = connection.labels();
    let mut labels = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListLabelsRequest {
            page_size: page_size(limit, labels.len()),
            page_token,
            ..request.clone()
        };
        let answer = client.list_labels(request).await;
        let page = answer.map_err(ClientError::from)?.into_inner();
        labels.extend(page.labels);
        page_token = page.next_page_token;
        if page_token.is_empty() || labels.len() >= limit as usize {
            break;
        }
    }
    if global.json {
        let labels: Vec<_> = labels.iter().map(label_json).collect();
        show_json::print(&json!({"labels": labels}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "party", "as of", "label", "source", "#weight", "policy", "version",
    ]);
    for label in &labels {
        let source = if label.source.is_empty() {
            "-"
        } else {
            &label.source
        };
        table.row([
            label.party_id.clone(),
            text::time(label.as_of_time),
            value(label),
            source.to_owned(),
            text::decimal(label.weight, 4),
            short(&label.policy_version),
            short(&label.dataset_version),
        ]);
    }
    table.print("no labels");
    if !page_token.is_empty() {
        outln!(
            "there are more; --limit {} shows the first so many",
            limit.saturating_mul(10)
        );
    }
    Ok(())
}

fn label_json(label: &Label) -> Value {
    json!({
        "party_id": label.party_id,
        "as_of_time": text::rfc3339(label.as_of_time),
        "value": value(label),
        "source": label.source,
        "weight": label.weight,
        "policy_version": label.policy_version,
        "dataset_version": label.dataset_version,
    })
}

fn value(label: &Label) -> String {
    let name = label.value().as_str_name();
    name.trim_start_matches("LABEL_VALUE_").to_lowercase()
}

async fn outcomes(
    connection: &Connection,
    global: &Global,
    party_id: String,
    limit: u32,
) -> anyhow::Result<()> {
    let mut client = connection.labels();
    let mut outcomes = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListOutcomesRequest {
            party_id: party_id.clone(),
            page_size: page_size(limit, outcomes.len()),
            page_token,
        };
        let answer = client.list_outcomes(request).await;
        let page = answer.map_err(ClientError::from)?.into_inner();
        outcomes.extend(page.outcomes);
        page_token = page.next_page_token;
        if page_token.is_empty() || outcomes.len() >= limit as usize {
            break;
        }
    }
    if global.json {
        let outcomes: Vec<_> = outcomes.iter().map(outcome_json).collect();
        show_json::print(&json!({"outcomes": outcomes}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "occurred",
        "kind",
        "#days past due",
        "source",
        "recorded",
        "by",
    ]);
    for recorded in &outcomes {
        let outcome = recorded.outcome.clone().unwrap_or_default();
        table.row([
            text::time(outcome.occurred_time),
            kind(recorded),
            // 0 is what a kind without days has.
            match outcome.days_past_due {
                0 => String::new(),
                days => days.to_string(),
            },
            recorded.source.clone(),
            text::time(recorded.record_time),
            recorded.recorded_by.clone(),
        ]);
    }
    table.print("no outcome of this party has been recorded");
    Ok(())
}

fn outcome_json(recorded: &RecordedOutcome) -> Value {
    let outcome = recorded.outcome.clone().unwrap_or_default();
    json!({
        "party_id": outcome.party_id,
        "kind": kind(recorded),
        "days_past_due": outcome.days_past_due,
        "occurred_time": text::rfc3339(outcome.occurred_time),
        "source": recorded.source,
        "record_time": text::rfc3339(recorded.record_time),
        "recorded_by": recorded.recorded_by,
    })
}

fn kind(recorded: &RecordedOutcome) -> String {
    let kind = recorded.outcome.as_ref().map(|outcome| outcome.kind());
    let name = kind.unwrap_or_default().as_str_name();
    name.trim_start_matches("OUTCOME_KIND_").to_lowercase()
}

/// Of `limit` rows those that are still wanted, a page at most.
fn page_size(limit: u32, found: usize) -> i32 {
    let wanted = limit.saturating_sub(u32::try_from(found).unwrap_or(u32::MAX));
    i32::try_from(wanted.min(PAGE)).unwrap_or(i32::MAX)
}

fn short(digest: &str) -> String {
    digest.get(..12).unwrap_or(digest).to_owned()
}
