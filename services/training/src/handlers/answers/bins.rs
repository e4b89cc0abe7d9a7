//! What each factor tells alone, as an answer of the API.

use kycc_domain::binning::{self, Binning, Trend};
use kycc_proto::models::v1::{Bin, FactorBins, GetFactorBinsResponse};
use kycc_rpc::ApiError;

use crate::core::model::ModelDocument;

/// Of one factor, or of all where `feature` is empty.
pub(crate) fn factor_bins(
    document: &ModelDocument,
    feature: &str,
) -> Result<GetFactorBinsResponse, ApiError> {
    let factors = document
        .learned
        .as_ref()
        .map(|learned| &learned.factors[..])
        .filter(|factors| !factors.is_empty())
        .ok_or_else(|| {
            ApiError::precondition(
                "NOT_BINNED",
                format!(
                    "model {} keeps no bins of its factors: it learned nothing, or was trained by an earlier version of \
                     kycc; train it again",
                    document.model_id
                ),
            )
        })?;
    let asked = |name: &str| feature.is_empty() || name == feature;
    let factors: Vec<FactorBins> = document
        .features
        .iter()
        .zip(factors)
        .filter(|(name, _)| asked(name))
        .map(|(name, factor)| answer(name, &factor.bins))
        .collect();
    if factors.is_empty() {
        return Err(ApiError::invalid(
            "feature",
            format!(
                "{feature} is not a factor of model {}; its factors are {}",
                document.model_id,
                document.features.join(", ")
            ),
        ));
    }
    Ok(GetFactorBinsResponse {
        model_id: document.model_id.clone(),
        factors,
    })
}

fn answer(feature: &str, of: &Binning) -> FactorBins {
    FactorBins {
        feature: feature.to_owned(),
        information_value: of.information_value,
        trend: trend(of.trend).to_owned(),
        bins: of.bins.iter().map(bin).collect(),
        suspected_of_leakage: of.warns_of_leakage(),
    }
}

fn bin(of: &binning::Bin) -> Bin {
    Bin {
        low: of.low,
        high: of.high,
        rows: of.rows,
        goods: of.goods,
        bads: of.bads,
        bad_rate: of.bad_rate,
        weight_of_evidence: of.woe,
        information_value: of.iv,
    }
}

fn trend(of: Trend) -> &'static str {
    match of {
        Trend::Ascending => "ascending",
        Trend::Descending => "descending",
        Trend::Peak => "peak",
        Trend::Valley => "valley",
        // Bins never have the trend that is only asked for.
        Trend::None | Trend::Auto => "none",
    }
}
