//! A model's curves on its holdout as an answer of the API.

use kycc_domain::metrics;
use kycc_proto::models::v1::{CalibrationPoint, GetCurvesResponse, KsPoint, LiftPoint, RocPoint};
use kycc_rpc::ApiError;

use crate::core::model::ModelDocument;

pub(crate) fn curves(document: &ModelDocument) -> Result<GetCurvesResponse, ApiError> {
    let judged = document
        .learned
        .as_ref()
        .filter(|learned| !learned.roc_and_calibration().0.is_empty())
        .ok_or_else(|| {
            ApiError::precondition(
                "NOT_JUDGED",
                format!(
                    "model {} has no curves, for it was never judged on a holdout: {}",
                    document.model_id, document.note
                ),
            )
        })?;
    let (roc, calibration) = judged.roc_and_calibration();
    let (ks, lift) = judged.ks_and_lift();
    Ok(GetCurvesResponse {
        model_id: document.model_id.clone(),
        roc: roc.iter().map(roc_point).collect(),
        ks: ks.iter().map(ks_point).collect(),
        calibration: calibration.iter().map(calibration_point).collect(),
        lift: lift.iter().map(lift_point).collect(),
    })
}

fn roc_point(of: &metrics::RocPoint) -> RocPoint {
    RocPoint {
        false_bad_rate: of.false_bad_rate,
        true_bad_rate: of.true_bad_rate,
        threshold: of.threshold,
    }
}

fn ks_point(of: &metrics::KsPoint) -> KsPoint {
    KsPoint {
        score: of.score,
        goods_below: of.good_share,
        bads_below: of.bad_share,
    }
}

fn calibration_point(of: &metrics::CalibrationBin) -> CalibrationPoint {
    CalibrationPoint {
        low: of.low,
        high: of.high,
        rows: of.rows as u64,
        mean_probability: of.mean_pd,
        bad_rate: of.bad_rate,
    }
}

fn lift_point(of: &metrics::LiftPoint) -> LiftPoint {
    LiftPoint {
        share: of.share,
        bads_caught: of.captured,
        lift: of.lift,
    }
}
