//! The two scalings as written down and as checked; what they do to scores is in the laws of refinement.

use super::*;
use crate::expert::expert_card;

fn pdo(per_weight: f64) -> Scaling {
    Scaling::Pdo(Pdo {
        anchor: PdoAnchor::default(),
        log_odds: LogOdds {
            intercept: -2.0,
            per_weight,
        },
    })
}

fn scaled(scaling: Scaling) -> Result<Scorecard, CardError> {
    let content = ScoringContent {
        scaling,
        ..expert_card().content().clone()
    };
    Scorecard::new("t", content, Provenance::default())
}

#[test]
fn both_kinds_are_one_flat_object_each_and_round_trip() {
    let plain = serde_json::to_string(&Scaling::default()).unwrap();
    assert_eq!(plain, r#"{"base":300,"max":900}"#);
    let text = serde_json::to_string(&pdo(0.04)).unwrap();
    assert_eq!(
        text,
        r#"{"base":600,"pdo":20.0,"odds":50.0,"log_odds":{"intercept":-2.0,"per_weight":0.04}}"#
    );
    for (text, scaling) in [(plain, Scaling::default()), (text, pdo(0.04))] {
        assert_eq!(serde_json::from_str::<Scaling>(&text).unwrap(), scaling);
    }
}

#[test]
fn a_mix_of_kinds_is_refused_with_both_forms_named() {
    for text in [
        r#"{"base":600}"#,
        r#"{"base":600,"max":900,"pdo":20}"#,
        r#"{"base":600,"pdo":20,"odds":50}"#,
    ] {
        let error = serde_json::from_str::<Scaling>(text).unwrap_err();
        assert!(
            error.to_string().contains("give base and max, or"),
            "{error}"
        );
    }
    assert!(serde_json::from_str::<Scaling>(r#"{"base":300,"max":900,"mix":1}"#).is_err());
}

#[test]
fn log_odds_that_make_no_scores_are_refused() {
    assert!(scaled(pdo(0.04)).is_ok());
    for per_weight in [0.0, -0.04, f64::NAN, f64::INFINITY, 1e-300, 1e300] {
        let error = scaled(pdo(per_weight)).unwrap_err();
        assert_eq!(error.reason(), "PDO_LOG_ODDS", "{per_weight}");
    }
}

#[test]
fn scaling_is_part_of_the_hash() {
    let hash = |scaling| scaled(scaling).unwrap().hash();
    assert_eq!(hash(Scaling::default()), expert_card().hash());
    assert_ne!(hash(pdo(0.04)), hash(Scaling::default()));
    assert_ne!(hash(pdo(0.04)), hash(pdo(0.05)));
}

#[test]
fn pdo_scores_follow_the_formula_beyond_the_bands() {
    let card = scaled(pdo(0.2)).unwrap();
    let compiled = card.compile();
    let factor = 20.0 / 2f64.ln();
    let offset = 600.0 - factor * 50f64.ln();
    assert!((compiled.least() - (offset - 2.0 * factor)).abs() < 1e-9);
    // All 165 of the expert's weight.
    let greatest = offset + factor * (0.2 * 165.0 - 2.0);
    assert!((compiled.greatest() - greatest).abs() < 1e-9);
    assert!(compiled.greatest() > 900.0);
    assert_eq!(compiled.final_range(), (300, 900));
    assert_eq!(
        compiled.bands().band_of(round_half_up(greatest)).name,
        "excellent"
    );
}

#[test]
fn scalings_count_alike_where_all_that_a_person_chose_is_equal() {
    let anchored = |anchor| {
        let log_odds = LogOdds {
            intercept: 1.0,
            per_weight: 0.1,
        };
        Scaling::Pdo(Pdo { anchor, log_odds })
    };
    let usual = PdoAnchor::default();
    // The weights of another card say something else about the odds.
    assert!(pdo(0.04).counts_like(&anchored(usual)));
    for other in [
        PdoAnchor { pdo: 40.0, ..usual },
        PdoAnchor {
            odds: 20.0,
            ..usual
        },
        PdoAnchor { base: 500, ..usual },
    ] {
        assert!(!pdo(0.04).counts_like(&anchored(other)), "{other:?}");
    }
    let range = |base, max| Scaling::MinMax(MinMax { base, max });
    assert!(range(300, 900).counts_like(&Scaling::default()));
    assert!(!range(300, 850).counts_like(&Scaling::default()));
    assert!(!pdo(0.04).counts_like(&range(600, 900)));
    assert!(!range(600, 900).counts_like(&pdo(0.04)));
}
