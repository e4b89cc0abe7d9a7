//! `kycc batch rejected`: the records that a batch left out, each with its place and what is wrong with it.

use kycc_proto::ingestion::v1::{ListRejectedRecordsRequest, RejectedRecord};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

/// Rows asked for at once.
const PAGE: usize = 1_000;
/// Characters of a record that a table shows.
const RECORD_CHARS: usize = 60;

pub(super) async fn run(global: &Global, batch_id: String, limit: u32) -> anyhow::Result<()> {
    let connection = Connection::for_reading(global).await?;
    let found = records(&connection, &batch_id, limit as usize).await;
    connection.close().await;
    let (records, total) = found?;
    if global.json {
        let records: Vec<_> = records.iter().map(as_json).collect();
        show_json::print(
            &json!({"batch_id": batch_id, "total_records": total, "records": records}),
        );
        return Ok(());
    }
    let mut table = Table::new(&["table", "file", "#row", "field", "code", "reason", "record"]);
    for record in &records {
        let or_dash = |text: &String| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text.clone()
            }
        };
        table.row([
            record.table.clone(),
            record.file.clone(),
            record.row.to_string(),
            or_dash(&record.field),
            record.code.clone(),
            record.reason.clone(),
            text::shortened(&or_dash(&record.record), RECORD_CHARS),
        ]);
    }
    table.print("nothing was left out");
    if total > records.len() as u64 {
        outln!("{} in all; --limit {total} shows them", text::count(total));
    }
    Ok(())
}

/// At most `limit` records, and how many there are.
async fn records(
    connection: &Connection,
    batch_id: &str,
    limit: usize,
) -> Result<(Vec<RejectedRecord>, u64), ClientError> {
    let mut client = connection.ingestion();
    let mut records = Vec::new();
    let mut page_token = String::new();
    loop {
        let wanted = (limit - records.len()).min(PAGE);
        let request = ListRejectedRecordsRequest {
            batch_id: batch_id.to_owned(),
            page_size: i32::try_from(wanted).unwrap_or(i32::MAX),
            page_token,
        };
        let page = client.list_rejected_records(request).await?.into_inner();
        records.extend(page.records);
        page_token = page.next_page_token;
        if page_token.is_empty() || records.len() >= limit {
            return Ok((records, page.total_records));
        }
    }
}

fn as_json(record: &RejectedRecord) -> Value {
    json!({
        "table": record.table, "file": record.file, "row": record.row, "field": record.field,
        "code": record.code, "reason": record.reason, "record": record.record,
    })
}
