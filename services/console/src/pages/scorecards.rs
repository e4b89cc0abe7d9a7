//! Versions of the scorecard, and one of them with its factors and gates.

use axum::extract::{Path, State};
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_proto::scorecards::v1::{
    GetVersionRequest, ListVersionsRequest, ScorecardStatus, ScorecardVersion,
};
use maud::{Markup, html};
use tonic::transport::Channel;

use crate::format::{bare, time};
use crate::layout::{Refused, page};

const SHOWN: i32 = 100;

pub(crate) async fn list(State(channel): State<Channel>) -> Result<Markup, Refused> {
    let request = ListVersionsRequest {
        page_size: SHOWN,
        page_token: String::new(),
    };
    let versions = ScorecardServiceClient::new(channel)
        .list_versions(request)
        .await?
        .into_inner()
        .versions;
    let body = html! { div.scroll { table {
        thead { tr { th { "Version" } th { "Status" } th { "Author" } th { "Created" } th { "Parent" } th { "Model" } } }
        tbody { @for version in &versions { tr {
            td { a href={ "/scorecards/" (version.version) } { (version.version) } }
            td class=(status(version)) { (status(version)) }
            td { (version.author) } td { (time(version.create_time)) }
            td { (version.parent_version) } td.mono { (version.model_id) }
        } } }
    } } };
    Ok(page("/scorecards", "Scorecards", None, body))
}

pub(crate) async fn show(
    State(channel): State<Channel>,
    Path(version): Path<String>,
) -> Result<Markup, Refused> {
    let answer = ScorecardServiceClient::new(channel)
        .get_version(GetVersionRequest { version })
        .await?;
    let version = answer
        .into_inner()
        .version
        .ok_or_else(|| Refused::incomplete("version"))?;
    let rejected = version.status() == ScorecardStatus::Retired && version.activate_time.is_none();
    let body = html! {
        dl {
            dt { "Status" } dd class=(status(&version)) { (status(&version)) }
            dt { "Author" } dd { (version.author) }
            @if !version.approver.is_empty() { dt { "Approved by" } dd {
                (version.approver) @if version.self_approved { ", its author" } @if !rejected { ": " (version.note) }
            } }
            @if rejected { dt { "Rejected" } dd { (version.note) } }
            dt { "Hash" } dd.mono { (version.hash) }
        }
        h2 { "Factors" }
        div.scroll { table {
            thead { tr { th { "Feature" } th.number { "Weight" } th { "Scaling" } th.number { "Most points" } } }
            tbody { @for factor in &version.factors { tr {
                td { (factor.feature) } td.number { (format!("{:.3}", factor.weight)) } td { (factor.scaling) }
                td.number { (format!("{:.1}", factor.max_points)) }
            } } }
        } }
        @if !version.gates.is_empty() {
            h2 { "Gates" }
            div.scroll { table {
                thead { tr { th { "Gate" } th { "Result" } th { "Finding" } } }
                tbody { @for gate in &version.gates { tr {
                    td { (gate.gate) } td class=(gate.status) { (gate.status) } td { (gate.message) }
                } } }
            } }
        }
    };
    Ok(page(
        "/scorecards",
        &format!("Scorecard {}", version.version),
        None,
        body,
    ))
}

fn status(version: &ScorecardVersion) -> String {
    bare(version.status().as_str_name(), "SCORECARD_STATUS_").to_lowercase()
}
