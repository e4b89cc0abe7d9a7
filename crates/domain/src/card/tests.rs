//! Cards: what is refused, what the hash covers, and the laws of points.

use super::*;
use crate::bands::Band;
use crate::catalogue::{FeatureVector, feature_index};
use crate::expert::expert_card;
use proptest::prelude::*;

fn factor(feature: &str, weight: f64, method: Method) -> Factor {
    Factor {
        feature: feature.into(),
        weight,
        method,
    }
}

fn card_of(factors: Vec<Factor>) -> Result<Scorecard, CardError> {
    Scorecard::new("t", ScoringContent::of(factors), Provenance::default())
}

fn range(base: i32, max: i32) -> Scaling {
    Scaling::MinMax(MinMax { base, max })
}

fn reason_of(factors: Vec<Factor>) -> &'static str {
    card_of(factors).unwrap_err().reason()
}

#[test]
fn faulty_factors_are_refused_by_name() {
    let flag = |name, weight| factor(name, weight, Method::Flag);
    assert_eq!(reason_of(vec![]), "CARD_NO_FACTORS");
    assert_eq!(reason_of(vec![flag("shoe_size", 1.0)]), "UNKNOWN_FEATURE");
    let twice = vec![flag("has_tax_id", 1.0), flag("has_tax_id", 2.0)];
    assert_eq!(reason_of(twice), "DUPLICATE_FACTOR");
    for weight in [f64::NAN, f64::INFINITY] {
        assert_eq!(
            reason_of(vec![flag("has_tax_id", weight)]),
            "NON_FINITE_WEIGHT"
        );
    }
    let zero = vec![flag("has_tax_id", 0.0), flag("kyc_verified", -0.0)];
    assert_eq!(reason_of(zero), "DEGENERATE_CARD");
    let cap = vec![factor("network_size", 1.0, Method::Cap(0.0))];
    assert_eq!(reason_of(cap), "METHOD_LIMIT");
}

#[test]
fn bands_and_cutoff_must_fit_the_range_of_scores() {
    let content = |change: fn(&mut ScoringContent)| {
        let mut content = expert_card().content().clone();
        change(&mut content);
        Scorecard::new("t", content, Provenance::default()).map_err(|error| error.reason())
    };
    assert!(content(|_| ()).is_ok());
    assert_eq!(content(|c| c.scaling = range(300, 850)), Err("CARD_BANDS"));
    assert_eq!(content(|c| c.scaling = range(300, 300)), Err("CARD_RANGE"));
    assert_eq!(content(|c| c.cutoff = 901), Err("CARD_CUTOFF"));
    let link = |c: &mut ScoringContent| {
        c.link = Some(PdLink {
            intercept: f64::NAN,
            slope: 0.0,
        });
    };
    assert_eq!(content(link), Err("CARD_LINK"));
}

#[test]
fn reference_must_cover_exactly_the_factors() {
    let points = |feature: &str| ReferencePoints {
        feature: feature.into(),
        population_mean: 1.0,
        near_cutoff_mean: 2.0,
    };
    let with = |features: &[&str]| {
        let mut content = ScoringContent::of(vec![
            factor("network_size", 1.0, Method::Cap(20.0)),
            factor("kyc_verified", 1.0, Method::Flag),
        ]);
        content.reference = Some(ReferencePopulation {
            parties: 1,
            near_cutoff_parties: 1,
            factors: features.iter().map(|f| points(f)).collect(),
        });
        Scorecard::new("t", content, Provenance::default())
    };
    assert!(with(&["network_size", "kyc_verified"]).is_ok());
    assert!(with(&["kyc_verified"]).is_err());
    assert!(with(&["kyc_verified", "kyc_verified"]).is_err());
    assert!(with(&["kyc_verified", "network_size", "has_tax_id"]).is_err());
}

#[test]
fn hash_ignores_listing_order_and_provenance_but_no_scoring_content() {
    let card = expert_card();
    let mut content = card.content().clone();
    content.factors.reverse();
    let provenance = Provenance {
        author: Some("somebody else".into()),
        ..Provenance::default()
    };
    let reordered = Scorecard::new("1.0-copy", content, provenance).unwrap();
    assert_eq!(reordered.hash(), card.hash());

    let changes: [fn(&mut ScoringContent); 4] = [
        |c| c.factors[0].weight += 1e-9,
        |c| c.factors[1].method = Method::Cap(6.0),
        |c| c.cutoff = 601,
        |c| {
            c.link = Some(PdLink {
                intercept: 0.0,
                slope: -0.01,
            });
        },
    ];
    for change in changes {
        let mut content = card.content().clone();
        change(&mut content);
        let changed = Scorecard::new("1.0", content, Provenance::default()).unwrap();
        assert_ne!(changed.hash(), card.hash());
    }
}

#[test]
fn unknown_fields_of_a_card_are_refused() {
    let mut document = serde_json::to_value(expert_card()).unwrap();
    document["facotrs"] = serde_json::json!([]);
    assert!(serde_json::from_value::<Scorecard>(document).is_err());
}

#[test]
fn omitted_range_bands_and_cutoff_take_their_defaults() {
    let card: Scorecard = serde_json::from_str(
        r#"{"version": "2", "factors": [{"feature": "network_size", "weight": 3, "method": {"cap": 20}}]}"#,
    )
    .unwrap();
    assert_eq!(card.scaling(), Scaling::default());
    assert_eq!(card.bands(), &Bands::default());
    assert_eq!(card.content().cutoff, 600);
}

#[test]
fn negative_weight_awards_points_for_less() {
    let card = card_of(vec![
        factor("kyc_verified", 10.0, Method::Flag),
        factor("network_size", -20.0, Method::Cap(20.0)),
    ])
    .unwrap();
    let mut features = FeatureVector::zero();
    let scored = card.score(&features);
    assert_eq!(scored.points, [0.0, 400.0]);
    assert_eq!(scored.lost, [200.0, 0.0]);
    assert_eq!(scored.raw, 700.0);
    assert!(features.set("network_size", 5.0));
    let scored = card.score(&features);
    assert_eq!(scored.points, [0.0, 300.0]);
    assert_eq!(scored.lost, [200.0, 100.0]);
}

#[test]
fn halves_round_up_once() {
    assert_eq!(round_half_up(599.5), 600);
    assert_eq!(round_half_up(599.499_999_999_999_9), 599);
    assert_eq!(round_half_up(0.499_999_999_999_999_94), 0);
    assert_eq!(round_half_up(-0.5), 0);
    assert_eq!(round_half_up(300.0), 300);
}

#[test]
fn link_gives_the_probability_over_points_above_base() {
    let link = PdLink {
        intercept: 0.0,
        slope: -0.01,
    };
    assert_eq!(link.probability(300.0, 300), 0.5);
    let expected = 1.0 / (1.0 + 3.0f64.exp());
    assert!((link.probability(600.0, 300) - expected).abs() < 1e-15);
    let extreme = PdLink {
        intercept: 0.0,
        slope: -10.0,
    };
    assert!(extreme.probability(900.0, 300) >= 0.0);
}

#[test]
fn bands_of_another_range_are_accepted_with_that_range() {
    let mut content = expert_card().content().clone();
    content.scaling = range(0, 100);
    content.cutoff = 50;
    let half = |name: &str, min, max| Band {
        name: name.into(),
        min,
        max,
    };
    content.bands = Bands::new(vec![half("pass", 50, 100), half("fail", 0, 49)]).unwrap();
    let card = Scorecard::new("t", content, Provenance::default()).unwrap();
    assert_eq!(card.score(&FeatureVector::zero()).raw, 0.0);
}

fn any_method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::Flag),
        Just(Method::Percent),
        (0.001f64..1e6).prop_map(Method::Cap),
        (0.001f64..1e6).prop_map(Method::Log),
    ]
}

prop_compose! {
    fn any_card()(
        factors in prop::collection::vec((any::<bool>(), -50.0f64..50.0, any_method()), FEATURE_COUNT),
        sure in 0..FEATURE_COUNT,
    ) -> Scorecard {
        let chosen = factors.into_iter().enumerate().filter(|(index, (take, ..))| *take || *index == sure);
        let list = chosen.map(|(index, (_, weight, method))| {
            let weight = if index == sure { weight + 100.0 } else { weight };
            factor(FEATURES[index].name, weight, method)
        });
        card_of(list.collect()).unwrap()
    }
}

proptest! {
    #[test]
    fn raw_lies_in_range_and_is_base_plus_points(
        card in any_card(), values in prop::array::uniform17(-1e7f64..1e7),
    ) {
        let scored = card.score(&FeatureVector::new(values));
        prop_assert!((300.0..=900.0).contains(&scored.raw));
        prop_assert!((300..=900).contains(&scored.score));
        let sum: f64 = scored.points.iter().sum();
        prop_assert!((300.0 + sum - scored.raw).abs() < 1e-9);

        let (mut g_min, mut g_max, mut weighted) = (0.0f64, 0.0f64, 0.0f64);
        for (factor, s) in card.factors().iter().zip(&scored.s) {
            let x = values[feature_index(&factor.feature).unwrap()];
            prop_assert_eq!(*s, factor.method.scale(x));
            g_min += factor.weight.min(0.0);
            g_max += factor.weight.max(0.0);
            weighted += factor.weight * s;
        }
        let expected = 300.0 + 600.0 / (g_max - g_min) * (weighted - g_min);
        prop_assert!((scored.raw - expected).abs() < 1e-9);
        prop_assert!(scored.lost.iter().all(|lost| *lost >= 0.0));
    }

    #[test]
    fn a_card_read_back_is_the_same_card(card in any_card()) {
        let text = serde_json::to_string(&card).unwrap();
        let back: Scorecard = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(back.hash(), card.hash());
        prop_assert_eq!(back, card);
    }
}
