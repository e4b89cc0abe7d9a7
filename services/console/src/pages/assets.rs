//! Jobs, the asset catalogue, and one asset with its materializations.

use axum::extract::{Path, State};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{
    GetAssetRequest, ListAssetsRequest, ListJobsRequest, Materialization,
};
use kycc_proto::work::v1::{MetadataEntry, metadata_entry};
use maud::{Markup, html};
use tonic::transport::Channel;

use crate::format::{count, time};
use crate::layout::{Refused, page};

pub(crate) async fn jobs(State(channel): State<Channel>) -> Result<Markup, Refused> {
    let answer = OrchestratorServiceClient::new(channel)
        .list_jobs(ListJobsRequest {})
        .await?
        .into_inner();
    let body = html! {
        p.soft { "Location " (answer.location_name) ", definitions " code { (answer.definitions_hash.get(..12).unwrap_or_default()) } }
        div.scroll { table {
            thead { tr { th { "Job" } th { "What it does" } th { "Assets" } } }
            tbody { @for job in &answer.jobs { tr {
                td { (job.name) } td { (job.description) }
                td { @for asset in &job.assets { a href={ "/assets/" (asset) } { (asset) } " " } }
            } } }
        } }
    };
    Ok(page("/jobs", "Jobs", None, body))
}

pub(crate) async fn list(State(channel): State<Channel>) -> Result<Markup, Refused> {
    let assets = OrchestratorServiceClient::new(channel)
        .list_assets(ListAssetsRequest {})
        .await?
        .into_inner()
        .assets;
    let body = html! { div.scroll { table {
        thead { tr { th { "Asset" } th { "Group" } th { "Depends on" } th { "What it is" } } }
        tbody { @for asset in &assets { tr {
            td { a href={ "/assets/" (asset.key) } { (asset.key) } }
            td { (asset.group) }
            td { @for name in &asset.dependencies { a href={ "/assets/" (name) } { (name) } " " } }
            td { (asset.description) }
        } } }
    } } };
    Ok(page("/assets", "Assets", None, body))
}

pub(crate) async fn show(
    State(channel): State<Channel>,
    Path(key): Path<String>,
) -> Result<Markup, Refused> {
    let answer = OrchestratorServiceClient::new(channel)
        .get_asset(GetAssetRequest { key })
        .await?
        .into_inner();
    let asset = answer.asset.ok_or_else(|| Refused::incomplete("asset"))?;
    let body = html! {
        p { (asset.description) }
        dl {
            dt { "Depends on" } dd { @for name in &asset.dependencies { a href={ "/assets/" (name) } { (name) } " " } }
            dt { "Produces" } dd { (asset.datasets.join(", ")) }
            dt { "Lane" } dd { (asset.lane) }
            dt { "Code version" } dd { (asset.code_version) }
        }
        h2 { "Newest materialization of each batch" }
        @if answer.latest.is_empty() { p.soft { "Not materialized yet." } }
        @for made in &answer.latest { (materialization(made)) }
    };
    Ok(page("/assets", &asset.key, None, body))
}

fn materialization(made: &Materialization) -> Markup {
    html! {
        h3 { (made.batch_id) " " span.soft { (time(made.create_time)) } }
        p { "Run " a.mono href={ "/runs/" (made.run_id) } { (made.run_id) } ", version " code { (made.version_key) } }
        div.scroll { table {
            thead { tr { th { "Dataset" } th.number { "Rows" } th.number { "Bytes" } th { "Digest" } } }
            tbody { @for output in &made.outputs { tr {
                td { (output.dataset) } td.number { (count(output.rows)) } td.number { (count(output.bytes)) }
                td.mono { (output.digest.get(..16).unwrap_or_default()) }
            } } }
        } }
        dl { @for entry in &made.metadata { dt { (entry.label) } dd { (value(entry)) } } }
    }
}

fn value(entry: &MetadataEntry) -> String {
    match &entry.value {
        Some(metadata_entry::Value::IntValue(value)) => value.to_string(),
        Some(metadata_entry::Value::FloatValue(value)) => format!("{value:.4}"),
        Some(metadata_entry::Value::TextValue(value) | metadata_entry::Value::JsonValue(value)) => {
            value.clone()
        }
        Some(metadata_entry::Value::BoolValue(value)) => value.to_string(),
        None => String::new(),
    }
}
