//! `ListLabels`: the labels of a batch, of its current version or of all.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use kycc_lake::{PartyTable, VersionId};
use kycc_proto::labels::v1::{Label, LabelValue, ListLabelsRequest, ListLabelsResponse};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token, timestamp};
use tonic::Status;

use super::published::PublishedLabels;
use crate::core::history::{Cursor, Start, page, starts};

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

pub(super) async fn list_labels(
    published: &PublishedLabels,
    request: ListLabelsRequest,
) -> Result<ListLabelsResponse, Status> {
    if request.batch_id.is_empty() {
        return Err(ApiError::invalid("batch_id", "must name a batch").into());
    }
    let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
    let cursor = cursor(&request.page_token)?;
    let versions = if request.current_only {
        vec![published.current(&request.batch_id).await?]
    } else {
        published.all(&request.batch_id).await?
    };
    let keys: Vec<&str> = versions
        .iter()
        .map(|version| version.key.as_str())
        .collect();
    let mut of_versions = Vec::with_capacity(versions.len());
    let mut known = false;
    for (version, start) in versions.iter().zip(starts(&keys, cursor.as_ref())) {
        let table = published.rows(version).await?;
        let rows = if request.party_id.is_empty() {
            let from = first_row(&table, start);
            from..table.rows().num_rows().min(from.saturating_add(size + 1))
        } else {
            let row = table.row_of(&request.party_id);
            known |= row.is_some();
            match row {
                Some(row) if row >= first_row(&table, start) => row..row + 1,
                _ => 0..0,
            }
        };
        of_versions.push(
            rows.map(|row| label(version, table.rows(), row))
                .collect::<Vec<_>>(),
        );
    }
    if !request.party_id.is_empty() && !known {
        let what = format!("party of batch {}", request.batch_id);
        return Err(ApiError::not_found(what, &request.party_id).into());
    }
    let (rows, more) = page(of_versions, size, |label: &Label| &label.party_id);
    let last = rows.last().filter(|_| more).map(|(_, label)| Cursor {
        party_id: label.party_id.clone(),
        version: label.dataset_version.clone(),
    });
    Ok(ListLabelsResponse {
        labels: rows.into_iter().map(|(_, label)| label).collect(),
        next_page_token: last.map_or_else(String::new, |last| page_token(&last.text())),
    })
}

fn cursor(token: &str) -> Result<Option<Cursor>, ApiError> {
    let Some(text) = read_page_token(token)? else {
        return Ok(None);
    };
    let cursor = Cursor::read(&text);
    let foreign = || ApiError::invalid("page_token", "is of another call");
    cursor.ok_or_else(foreign).map(Some)
}

fn first_row(table: &PartyTable, start: Start<'_>) -> usize {
    match start {
        Start::First => 0,
        Start::At(party) => table
            .row_of(party)
            .unwrap_or_else(|| table.first_after(party)),
        Start::After(party) => table.first_after(party),
    }
}

/// One row of the dataset, whose columns its schema promises.
fn label(version: &VersionId, rows: &RecordBatch, row: usize) -> Label {
    let column = |name: &str| {
        rows.column_by_name(name)
            .expect("a version read whole has every column of its dataset")
    };
    let text = |name: &str| column(name).as_string::<i32>();
    let source = text("source");
    let t0 = column("t0").as_primitive::<TimestampMicrosecondType>();
    Label {
        party_id: text("party_id").value(row).to_owned(),
        as_of_time: Some(timestamp(t0.value(row))),
        value: value(text("label").value(row)).into(),
        source: if source.is_valid(row) {
            source.value(row).to_owned()
        } else {
            String::new()
        },
        weight: column("weight").as_primitive::<Float64Type>().value(row),
        policy_version: text("policy_version").value(row).to_owned(),
        dataset_version: version.key.clone(),
    }
}

fn value(name: &str) -> LabelValue {
    match name {
        "good" => LabelValue::Good,
        "bad" => LabelValue::Bad,
        "indeterminate" => LabelValue::Indeterminate,
        "excluded" => LabelValue::Excluded,
        "unlabelled" => LabelValue::Unlabelled,
        _ => LabelValue::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_domain::labels::Label as Domain;

    #[test]
    fn every_label_that_is_written_has_a_value_on_the_wire() {
        for label in [
            Domain::Good,
            Domain::Bad,
            Domain::Indeterminate,
            Domain::Excluded,
            Domain::Unlabelled,
        ] {
            let wire = value(label.as_str()).as_str_name();
            let name = wire.trim_start_matches("LABEL_VALUE_").to_lowercase();
            assert_eq!(name, label.as_str());
        }
    }
}
