//! `kycc model bins`: what each factor alone tells of bad.

use kycc_proto::models::v1::{Bin, FactorBins, GetFactorBinsRequest, GetFactorBinsResponse};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

/// Digits of a cut that a person needs.
const PLACES: usize = 4;

pub(super) async fn run(
    connection: &Connection,
    global: &Global,
    model: Option<String>,
    feature: Option<String>,
) -> anyhow::Result<()> {
    let request = GetFactorBinsRequest {
        model_id: model.unwrap_or_default(),
        feature: feature.unwrap_or_default(),
    };
    let answer = connection.models().get_factor_bins(request).await;
    let found = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        show_json::print(&as_json(&found));
        return Ok(());
    }
    outln!(
        "model {}: weight of evidence ln(%good/%bad) by bins of the training rows",
        found.model_id
    );
    for factor in &found.factors {
        outln!(
            "\n{}  information value {:.4}, bad rate {}{}",
            factor.feature,
            factor.information_value,
            match factor.trend.as_str() {
                "none" => "without a trend",
                trend => trend,
            },
            if factor.suspected_of_leakage {
                "  ! make sure that it is known before the outcome"
            } else {
                ""
            }
        );
        print(factor);
    }
    Ok(())
}

fn print(factor: &FactorBins) {
    let mut table = Table::new(&["bin", "#rows", "#good", "#bad", "#bad rate", "#WoE", "#IV"]);
    for bin in &factor.bins {
        table.row([
            range(bin),
            text::count(bin.rows),
            text::decimal(bin.goods, 2),
            text::decimal(bin.bads, 2),
            format!("{:.4}", bin.bad_rate),
            format!("{:.4}", bin.weight_of_evidence),
            format!("{:.4}", bin.information_value),
        ]);
    }
    table.print("no bins");
}

fn range(bin: &Bin) -> String {
    let shown = |bound: f64| text::decimal(bound, PLACES);
    match (bin.low, bin.high) {
        (None, None) => "all values".into(),
        (None, Some(high)) => format!("below {}", shown(high)),
        (Some(low), None) => format!("{} and above", shown(low)),
        (Some(low), Some(high)) => format!("[{}, {})", shown(low), shown(high)),
    }
}

fn as_json(found: &GetFactorBinsResponse) -> Value {
    let factors = found.factors.iter().map(|factor| {
        let bins = factor.bins.iter().map(|bin| {
            json!({
                "low": bin.low, "high": bin.high, "rows": bin.rows, "goods": bin.goods, "bads": bin.bads,
                "bad_rate": bin.bad_rate, "weight_of_evidence": bin.weight_of_evidence,
                "information_value": bin.information_value,
            })
        });
        json!({
            "feature": factor.feature,
            "information_value": factor.information_value,
            "trend": factor.trend,
            "suspected_of_leakage": factor.suspected_of_leakage,
            "bins": bins.collect::<Vec<_>>(),
        })
    });
    json!({"model_id": found.model_id, "factors": factors.collect::<Vec<_>>()})
}
