//! `kycc model curves`: a model on its holdout, as charts in text.

use kycc_proto::models::v1::{
    CalibrationPoint, GetCurvesRequest, GetCurvesResponse, KsPoint, LiftPoint, RocPoint,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::Global;
use crate::connection::Connection;
use crate::show::chart::bar;
use crate::show::{json as show_json, text};

const WIDTH: usize = 40;

/// Shares of good rows called bad at which the ROC curve is read.
const ROC_AT: [f64; 10] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9];

/// Shares of the rows at which the lift curve is read.
const LIFT_AT: [f64; 9] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7];

pub(super) async fn run(
    connection: &Connection,
    global: &Global,
    model: Option<String>,
) -> anyhow::Result<()> {
    let request = GetCurvesRequest {
        model_id: model.unwrap_or_default(),
    };
    let answer = connection.models().get_curves(request).await;
    let curves = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        show_json::print(&as_json(&curves));
        return Ok(());
    }
    outln!("model {}, on its holdout", curves.model_id);
    roc(&curves.roc);
    ks(&curves.ks);
    calibration(&curves.calibration);
    lift(&curves.lift);
    Ok(())
}

fn roc(points: &[RocPoint]) {
    outln!("\nROC: of the bads, the share that is called bad with so many of the goods");
    for at in ROC_AT {
        let caught = true_bad_rate(points, at);
        line(&format!("{:>3.0} % of goods", 100.0 * at), caught, "");
    }
}

/// The curve between its points is straight.
fn true_bad_rate(points: &[RocPoint], at: f64) -> f64 {
    let after = points.partition_point(|point| point.false_bad_rate <= at);
    match (points[..after].last(), points.get(after)) {
        (Some(from), Some(to)) => {
            let way = (at - from.false_bad_rate) / (to.false_bad_rate - from.false_bad_rate);
            from.true_bad_rate + way * (to.true_bad_rate - from.true_bad_rate)
        }
        (Some(from), None) => from.true_bad_rate,
        (None, _) => 0.0,
    }
}

fn ks(points: &[KsPoint]) {
    let gap = |point: &KsPoint| (point.goods_below - point.bads_below).abs();
    let Some(widest) = points.iter().max_by(|a, b| gap(a).total_cmp(&gap(b))) else {
        return;
    };
    outln!(
        "\nKS: goods and bads are furthest apart at a probability of {:.4}",
        widest.score
    );
    line("goods at or below", widest.goods_below, "");
    line("bads at or below", widest.bads_below, "");
    line("gap", gap(widest), "");
}

fn calibration(points: &[CalibrationPoint]) {
    outln!("\nCalibration: the bad rate of rows by their probability, which should be its mean");
    for point in points {
        let Some((mean, bad_rate)) = point.mean_probability.zip(point.bad_rate) else {
            continue;
        };
        let name = format!("{:.1} to {:.1}", point.low, point.high);
        let beside = format!("mean {mean:.3}, {} rows", text::count(point.rows));
        line(&name, bad_rate, &beside);
    }
}

fn lift(points: &[LiftPoint]) {
    if points.is_empty() {
        return;
    }
    outln!("\nLift: of the bads, the share among the worst so many of the rows");
    for at in LIFT_AT {
        // Shares are those of whole rows, so they may lie a little above the hundredth that they are of.
        let Some(point) = points.iter().find(|point| point.share >= at) else {
            continue;
        };
        let name = format!("worst {:>2.0} %", 100.0 * at);
        line(&name, point.bads_caught, &format!("lift {:.2}", point.lift));
    }
}

fn line(name: &str, share: f64, beside: &str) {
    let drawn = bar(share, WIDTH);
    let text = format!(
        "  {name:<17} {:>6.1} %  {drawn:<WIDTH$}  {beside}",
        100.0 * share
    );
    outln!("{}", text.trim_end());
}

fn as_json(curves: &GetCurvesResponse) -> Value {
    let roc = curves.roc.iter().map(|point| {
        json!({
            "false_bad_rate": point.false_bad_rate, "true_bad_rate": point.true_bad_rate,
            "threshold": point.threshold,
        })
    });
    let ks = curves.ks.iter().map(|point| {
        json!({"score": point.score, "goods_below": point.goods_below, "bads_below": point.bads_below})
    });
    let calibration = curves.calibration.iter().map(|point| {
        json!({
            "low": point.low, "high": point.high, "rows": point.rows,
            "mean_probability": point.mean_probability, "bad_rate": point.bad_rate,
        })
    });
    let lift = curves.lift.iter().map(
        |point| json!({"share": point.share, "bads_caught": point.bads_caught, "lift": point.lift}),
    );
    json!({
        "model_id": curves.model_id,
        "roc": roc.collect::<Vec<_>>(),
        "ks": ks.collect::<Vec<_>>(),
        "calibration": calibration.collect::<Vec<_>>(),
        "lift": lift.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_points_the_roc_curve_is_straight_and_at_a_step_it_is_the_upper_end() {
        let point = |false_bad_rate, true_bad_rate| RocPoint {
            false_bad_rate,
            true_bad_rate,
            threshold: None,
        };
        let curve = [
            point(0.0, 0.0),
            point(0.0, 0.4),
            point(0.5, 0.8),
            point(1.0, 1.0),
        ];
        assert_eq!(true_bad_rate(&curve, 0.0), 0.4);
        assert!((true_bad_rate(&curve, 0.25) - 0.6).abs() < 1e-12);
        assert_eq!(true_bad_rate(&curve, 1.0), 1.0);
        assert_eq!(true_bad_rate(&[], 0.5), 0.0);
    }
}
