//! Run history and one run: steps, failure, event log.

use axum::extract::{Path, State};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{
    GetRunRequest, ListRunEventsRequest, ListRunsRequest, Run, RunEvent, RunStatus, Step,
    StepStatus,
};
use kycc_proto::work::v1::LogLevel;
use maud::{Markup, html};
use tonic::transport::Channel;

use crate::format::{bare, count, time, took};
use crate::layout::{Refused, page};

const SHOWN_RUNS: i32 = 100;
const SHOWN_EVENTS: i32 = 1_000;
/// Seconds after which a page of work in progress loads again.
const REFRESH: u32 = 2;

pub(crate) async fn list(State(channel): State<Channel>) -> Result<Markup, Refused> {
    let request = ListRunsRequest {
        page_size: SHOWN_RUNS,
        ..ListRunsRequest::default()
    };
    let runs = OrchestratorServiceClient::new(channel)
        .list_runs(request)
        .await?
        .into_inner()
        .runs;
    let busy = runs.iter().any(|run| !has_ended(run));
    let body = html! {
        @if runs.is_empty() {
            p.soft { "No runs yet. Launch one: " code { "kycc job execute -j full_scoring_job --file BATCH_profiles.json" } }
        } @else {
            div.scroll { table {
                thead { tr { th { "Run" } th { "Job" } th { "Batch" } th { "Status" } th { "Created" }
                    th.number { "Took" } th { "Launched by" } } }
                tbody { @for run in &runs { tr {
                    td.mono { a href={ "/runs/" (run.run_id) } { (run.run_id) } }
                    td { (run.job) } td { (run.batch_id) } td { (status(run)) } td { (time(run.create_time)) }
                    td.number { (took(run.start_time, run.end_time)) } td { (run.principal) }
                } } }
            } }
        }
    };
    Ok(page("/runs", "Runs", busy.then_some(REFRESH), body))
}

pub(crate) async fn show(
    State(channel): State<Channel>,
    Path(run_id): Path<String>,
) -> Result<Markup, Refused> {
    let mut client = OrchestratorServiceClient::new(channel);
    let run = client
        .get_run(GetRunRequest {
            run_id: run_id.clone(),
        })
        .await?
        .into_inner()
        .run;
    let run = run.ok_or_else(|| Refused::incomplete("run"))?;
    let request = ListRunEventsRequest {
        run_id,
        after_sequence: 0,
        page_size: SHOWN_EVENTS,
    };
    let events = client.list_run_events(request).await?.into_inner().events;
    let body = html! {
        dl {
            dt { "Status" } dd { (status(&run)) }
            dt { "Job" } dd { (run.job) }
            dt { "Batch" } dd { (run.batch_id) }
            dt { "Created" } dd { (time(run.create_time)) " by " (run.principal) }
            dt { "Took" } dd { (took(run.start_time, run.end_time)) }
            @if !run.parent_run_id.is_empty() {
                dt { "Retries" } dd.mono { a href={ "/runs/" (run.parent_run_id) } { (run.parent_run_id) } }
            }
            @if let Some(failure) = &run.failure {
                dt { "Failed" } dd.FAILURE { (failure.message) " (" (failure.reason) ")" @if !failure.record.is_empty() { br; (failure.record) } }
            }
        }
        h2 { "Steps" }
        (steps(&run.steps))
        h2 { "Run config" }
        pre { (run.run_config_json) }
        h2 { "Events" }
        (event_log(&events))
    };
    let refresh = (!has_ended(&run)).then_some(REFRESH);
    Ok(page("/runs", &format!("Run {}", run.run_id), refresh, body))
}

fn has_ended(run: &Run) -> bool {
    matches!(
        run.status(),
        RunStatus::Success | RunStatus::Failure | RunStatus::Canceled
    )
}

fn status(run: &Run) -> Markup {
    let name = bare(run.status().as_str_name(), "RUN_STATUS_");
    html! { span class=(name) { (name) } }
}

fn steps(steps: &[Step]) -> Markup {
    html! { div.scroll { table {
        thead { tr { th { "Step" } th { "Status" } th.number { "Rows" } th.number { "Tasks" } th.number { "Attempt" }
            th.number { "Took" } th { "Version" } th { "" } } }
        tbody { @for step in steps {
            @let name = bare(step.status().as_str_name(), "STEP_STATUS_");
            tr {
                td { a href={ "/assets/" (step.asset) } { (step.asset) } }
                td class=(name) { (name) }
                td.number { (count(step.outputs.iter().map(|output| output.rows).sum())) }
                td.number { (step.tasks_done) " of " (step.tasks) }
                td.number { (step.attempt) }
                td.number { (took(step.start_time, step.end_time)) }
                td.mono { (step.version_key.get(..12).unwrap_or_default()) }
                td { (note(step)) }
            }
        } }
    } } }
}

fn note(step: &Step) -> Markup {
    html! {
        @if step.status() == StepStatus::Success && step.memoized { span.soft { "reused" } }
        @if let Some(failure) = &step.failure { span.FAILURE { (failure.message) } }
    }
}

fn event_log(events: &[RunEvent]) -> Markup {
    html! { div.scroll { table {
        thead { tr { th.number { "#" } th { "Time" } th { "Step" } th { "Event" } th { "Message" } } }
        tbody { @for event in events { tr {
            td.number { (event.sequence) }
            td { (time(event.time)) }
            td { (event.asset) }
            td class=[level(event)] { (event.kind) }
            td class=[level(event)] { (event.message) }
        } } }
    } } }
}

fn level(event: &RunEvent) -> Option<&'static str> {
    match event.level() {
        LogLevel::Error => Some("ERROR"),
        LogLevel::Warning => Some("WARNING"),
        _ => None,
    }
}
