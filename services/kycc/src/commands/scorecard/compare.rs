//! Two versions beside each other.

use kycc_proto::scorecards::v1::{CompareVersionsRequest, CompareVersionsResponse};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use super::version::{as_json, print_gates, status};
use crate::connection::Connection;
use crate::show::Table;

pub(crate) async fn compare(
    connection: &Connection,
    base_version: String,
    other_version: String,
) -> anyhow::Result<CompareVersionsResponse> {
    let request = CompareVersionsRequest {
        base_version,
        other_version,
    };
    Ok(connection
        .scorecards()
        .compare_versions(request)
        .await
        .map_err(ClientError::from)?
        .into_inner())
}

/// Factor by factor, then the gates of the other.
pub(crate) fn print_comparison(compared: &CompareVersionsResponse) {
    let (Some(base), Some(other)) = (&compared.base, &compared.other) else {
        return;
    };
    outln!(
        "{} ({})  →  {} ({})",
        base.version,
        status(base),
        other.version,
        status(other)
    );
    let mut table = Table::new(&[
        "factor",
        "#weight",
        "#→ weight",
        "#max points",
        "#→ max points",
        "#change",
    ]);
    for change in &compared.changes {
        table.row([
            change.feature.clone(),
            format!("{:.2}", change.base_weight),
            format!("{:.2}", change.other_weight),
            format!("{:.1}", change.base_max_points),
            format!("{:.1}", change.other_max_points),
            format!("{:+.1}", change.other_max_points - change.base_max_points),
        ]);
    }
    table.print("the two weigh alike");
    print_gates(other);
}

pub(super) fn comparison_json(compared: &CompareVersionsResponse) -> Value {
    let changes = compared.changes.iter().map(|change| {
        json!({
            "feature": change.feature,
            "base_weight": change.base_weight, "other_weight": change.other_weight,
            "base_max_points": change.base_max_points, "other_max_points": change.other_max_points,
        })
    });
    json!({
        "base": compared.base.as_ref().map(as_json),
        "other": compared.other.as_ref().map(as_json),
        "changes": changes.collect::<Vec<_>>(),
    })
}
