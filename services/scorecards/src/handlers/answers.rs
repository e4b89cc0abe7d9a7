//! Versions as answers of the API.

use kycc_domain::scaling::Method;
use kycc_proto::scorecards::v1::{
    Factor, FactorChange, GateResult, ScorecardStatus, ScorecardVersion,
};
use kycc_rpc::{ApiError, timestamp};

use crate::core::version::{Status, Version};

pub(crate) fn version(of: &Version) -> Result<ScorecardVersion, ApiError> {
    let (card, standing) = (&of.card, &of.standing);
    let compiled = card.compile();
    let factors = card
        .factors()
        .iter()
        .enumerate()
        .map(|(index, factor)| Factor {
            feature: factor.feature.clone(),
            weight: factor.weight,
            scaling: scaling(factor.method),
            max_points: compiled.max_points(index),
        });
    let gates = of
        .gates
        .iter()
        .flat_map(|report| &report.gates)
        .map(|gate| GateResult {
            gate: gate.gate.name().to_owned(),
            status: word(&gate.status),
            message: gate.message.clone(),
            numbers: gate
                .numbers
                .iter()
                .map(|number| (number.name.clone(), number.value))
                .collect(),
        });
    Ok(ScorecardVersion {
        version: card.version().to_owned(),
        hash: card.hash().to_string(),
        status: status(of.status()).into(),
        author: of.author.clone(),
        approver: standing.approver.clone().unwrap_or_default(),
        create_time: Some(timestamp(of.created_at_micros)),
        activate_time: standing.activated_at_micros.map(timestamp),
        parent_version: of.parent.clone().unwrap_or_default(),
        model_id: of.model_id.clone().unwrap_or_default(),
        run_id: of.run_id.clone().unwrap_or_default(),
        factors: factors.collect(),
        gates: gates.collect(),
        blend: of.blend,
        card_json: serde_json::to_string(card).map_err(|error| ApiError::internal(&error))?,
        note: standing.note.clone().unwrap_or_default(),
        etag: of.etag(),
        bootstrap: of.is_bootstrap(),
        self_approved: standing.self_approved,
        shadow: standing.shadow,
        gate_notes: standing.gate_notes.clone().into_iter().collect(),
        missing_link: of.missing_link.clone().unwrap_or_default(),
    })
}

/// Every factor of either card, in catalogue order as both are.
pub(crate) fn changes(base: &ScorecardVersion, other: &ScorecardVersion) -> Vec<FactorChange> {
    let mut names: Vec<&str> = Vec::new();
    for spec in kycc_domain::catalogue::FEATURES {
        if base
            .factors
            .iter()
            .chain(&other.factors)
            .any(|factor| factor.feature == spec.name)
        {
            names.push(spec.name);
        }
    }
    let of = |card: &ScorecardVersion, name: &str| {
        let found = card.factors.iter().find(|factor| factor.feature == name);
        found.map_or((0.0, 0.0), |factor| (factor.weight, factor.max_points))
    };
    let change = |name: &str| {
        let ((base_weight, base_max_points), (other_weight, other_max_points)) =
            (of(base, name), of(other, name));
        FactorChange {
            feature: name.to_owned(),
            base_weight,
            other_weight,
            base_max_points,
            other_max_points,
        }
    };
    names.into_iter().map(change).collect()
}

fn status(of: Status) -> ScorecardStatus {
    match of {
        Status::Draft => ScorecardStatus::Draft,
        Status::Gated => ScorecardStatus::Gated,
        Status::Failed => ScorecardStatus::Failed,
        Status::Approved => ScorecardStatus::Approved,
        Status::Active => ScorecardStatus::Active,
        Status::Retired => ScorecardStatus::Retired,
    }
}

/// `cap(5)`, `flag`.
fn scaling(method: Method) -> String {
    match method {
        Method::Flag => "flag".into(),
        Method::Percent => "percent".into(),
        Method::Cap(limit) => format!("cap({limit})"),
        Method::Log(limit) => format!("log({limit})"),
    }
}

fn word<T: serde::Serialize>(of: &T) -> String {
    let value = serde_json::to_value(of).ok();
    value
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
