//! Batches that have been ingested.

use axum::extract::State;
use kycc_proto::ingestion::v1::ListBatchesRequest;
use kycc_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use maud::{Markup, html};
use tonic::transport::Channel;

use crate::format::{count, time};
use crate::layout::{Refused, page};

const SHOWN: i32 = 100;

pub(crate) async fn list(State(channel): State<Channel>) -> Result<Markup, Refused> {
    let request = ListBatchesRequest {
        page_size: SHOWN,
        page_token: String::new(),
    };
    let batches = IngestionServiceClient::new(channel)
        .list_batches(request)
        .await?
        .into_inner()
        .batches;
    let body = html! {
        @if batches.is_empty() { p.soft { "No batch has been ingested yet." } }
        @else { div.scroll { table {
            thead { tr { th { "Batch" } th { "As of" } th { "Datasets" } th { "Ingested" } th { "Run" } } }
            tbody { @for batch in &batches { tr {
                td { (batch.batch_id) } td { (time(batch.as_of_time)) }
                td { @for set in &batch.datasets { (set.dataset) " " span.soft { (count(set.rows)) } "  " } }
                td { (time(batch.create_time)) }
                td.mono { a href={ "/runs/" (batch.run_id) } { (batch.run_id) } }
            } } }
        } } }
    };
    Ok(page("/batches", "Batches", None, body))
}
