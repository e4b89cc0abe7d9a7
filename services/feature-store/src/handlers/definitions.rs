//! The catalogue as the API serves it.

use kycc_domain::catalogue::{Direction, FEATURES, FeatureSpec, Source};
use kycc_domain::expert::expert_card;
use kycc_domain::scaling::Method;
use kycc_proto::features::v1::FeatureDefinition;

/// Every feature, in the order of every row.
pub(super) fn definitions() -> Vec<FeatureDefinition> {
    let expert = expert_card();
    let scaling = |spec: &FeatureSpec| {
        let factor = expert
            .factors()
            .iter()
            .find(|factor| factor.feature == spec.name);
        factor.map_or_else(String::new, |factor| method(factor.method))
    };
    FEATURES
        .iter()
        .map(|spec| FeatureDefinition {
            name: spec.name.to_owned(),
            source: source(spec.source).to_owned(),
            unit: spec.unit.to_owned(),
            definition: spec.definition.to_owned(),
            minimum: spec.min.unwrap_or(f64::NEG_INFINITY),
            maximum: spec.max.unwrap_or(f64::INFINITY),
            direction: match spec.direction {
                Direction::HigherIsBetter => 1,
                Direction::LowerIsBetter => -1,
            },
            scaling: scaling(spec),
        })
        .collect()
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Kyc => "kyc",
        Source::Transaction => "transaction",
        Source::Network => "network",
    }
}

fn method(method: Method) -> String {
    match method {
        Method::Flag => "flag".to_owned(),
        Method::Cap(limit) => format!("cap({limit})"),
        Method::Log(limit) => format!("log({limit})"),
        Method::Percent => "percent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_carry_range_and_the_expert_cards_scaling() {
        let all = definitions();
        assert_eq!(all.len(), FEATURES.len());
        let of = |name: &str| all.iter().find(|d| d.name == name).unwrap();
        assert_eq!(of("company_age_years").scaling, "cap(5)");
        assert_eq!(of("avg_transaction_amount").scaling, "log(100000)");
        assert_eq!(of("avg_transaction_amount").minimum, f64::NEG_INFINITY);
        assert_eq!(
            of("supplier_count").scaling,
            "",
            "the expert card does not use it"
        );
        let depth = of("network_depth_downstream");
        assert_eq!(
            (depth.source.as_str(), depth.minimum, depth.maximum),
            ("network", 0.0, 5.0)
        );
    }
}
