//! Rules: what is refused, the order of their effects, and that both evaluators agree.

use super::condition::{Condition, Evaluator, Inputs};
use super::*;
use crate::catalogue::{FEATURE_COUNT, FEATURES, FeatureVector, feature_index};
use crate::expert::expert_card;
use proptest::prelude::*;

fn rule(name: &str, priority: i32, condition: &str, action: Action) -> Rule {
    Rule {
        name: name.into(),
        priority,
        condition: condition.into(),
        action,
    }
}

fn always(name: &str, priority: i32, action: Action) -> Rule {
    rule(name, priority, "true", action)
}

fn reason_of(condition: &str) -> &'static str {
    let adjust = Action::AdjustScore { value: 1.0 };
    match RuleSet::compile(&[rule("r", 1, condition, adjust)]) {
        Ok(_) => "compiles",
        Err(error) => {
            assert!(error.to_string().contains("\"r\""), "{error}");
            error.reason()
        }
    }
}

fn decide(rules: &[Rule], raw: f64) -> Decision {
    let row = FeatureVector::zero();
    RuleSet::compile(rules)
        .unwrap()
        .apply(&expert_card().compile(), row.as_slice(), raw)
        .unwrap()
}

#[test]
fn faulty_conditions_are_refused_when_saved() {
    for (condition, reason) in [
        ("score >", "RULE_DOES_NOT_COMPILE"),
        ("", "RULE_DOES_NOT_COMPILE"),
        ("score = 1.0", "RULE_DOES_NOT_COMPILE"),
        ("shoe_size > 1.0", "RULE_UNKNOWN_VARIABLE"),
        ("false && shoe_size > 1.0", "RULE_UNKNOWN_VARIABLE"),
        ("[1.0].exists(x, x > shoe_size)", "RULE_UNKNOWN_VARIABLE"),
        ("score", "RULE_NOT_BOOLEAN"),
        ("score + 1.0", "RULE_NOT_BOOLEAN"),
        ("score > 1.0 && network_size", "RULE_NOT_BOOLEAN"),
        ("score > 1.0 ? 1.0 : 2.0", "RULE_NOT_BOOLEAN"),
        ("score < 'x'", "RULE_DOES_NOT_COMPILE"),
        ("score < 0.0 && score < 'x'", "RULE_DOES_NOT_COMPILE"),
        ("nonsense(score)", "RULE_DOES_NOT_COMPILE"),
        ("true", "compiles"),
        ("score / 2.0 > 200.0", "compiles"),
        ("[1.0, 2.0].exists(x, x == network_size)", "compiles"),
        ("kyc_verified == 0 || !(score >= 500)", "compiles"),
        ("score > 500.0 ? network_size > 1.0 : false", "compiles"),
    ] {
        assert_eq!(reason_of(condition), reason, "{condition}");
    }
}

#[test]
fn conditions_made_to_exhaust_the_stack_are_refused_before_they_are_parsed() {
    let nested = |depth| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(reason_of(&nested(900)), "RULE_DOES_NOT_COMPILE");
    assert_eq!(reason_of(&nested(16)), "compiles");
    let sum = |terms: usize| format!("{}1 > 0", "1 + ".repeat(terms));
    assert_eq!(reason_of(&sum(400)), "RULE_DOES_NOT_COMPILE");
    assert_eq!(reason_of(&sum(16)), "compiles");
    let folds = format!("{}true{}", "[1].exists(x, ".repeat(5), ")".repeat(5));
    assert_eq!(reason_of(&folds), "compiles");
    let chosen = |times: usize| format!("{}true", "score > 1.0 ? true : ".repeat(times));
    assert_eq!(reason_of(&chosen(80)), "RULE_DOES_NOT_COMPILE");
    assert_eq!(reason_of(&chosen(16)), "compiles");
    assert_eq!(
        reason_of(&format!("{}true", "!".repeat(1_500))),
        "RULE_DOES_NOT_COMPILE"
    );
    assert_eq!(reason_of(&format!("{}true", "!".repeat(16))), "compiles");
    assert_eq!(reason_of(&" ".repeat(2_001)), "RULE_DOES_NOT_COMPILE");
    let many = vec!["score >= 1.5"; 100].join(" && ");
    assert_eq!(reason_of(&many), "compiles");
}

#[test]
fn faulty_actions_are_refused_when_saved() {
    let reason = |rules: &[Rule]| RuleSet::compile(rules).unwrap_err().reason();
    for action in [
        Action::AdjustScore { value: f64::NAN },
        Action::MultiplyScore { value: -1.0 },
        Action::SetMaxScore { value: 500.5 },
        Action::SetMinScore {
            value: f64::INFINITY,
        },
    ] {
        assert_eq!(reason(&[always("r", 1, action)]), "RULE_VALUE");
    }
    let blank = Action::FlagForReview { flag: " ".into() };
    assert_eq!(reason(&[always("r", 1, blank)]), "RULE_FLAG");
    let adjust = || Action::AdjustScore { value: 1.0 };
    assert_eq!(reason(&[always(" ", 1, adjust())]), "RULE_NAME");
    let twice = [always("r", 1, adjust()), always("r", 2, adjust())];
    assert_eq!(reason(&twice), "DUPLICATE_RULE");
    let many: Vec<_> = (0..65)
        .map(|i| always(&i.to_string(), i, adjust()))
        .collect();
    assert_eq!(reason(&many), "TOO_MANY_RULES");
    assert!(RuleSet::compile(&many[..64]).is_ok());
}

#[test]
fn json_form_names_the_action_and_round_trips() {
    let text = r#"{"name":"kyc_override","priority":1,"condition":"kyc_verified == 0.0 && company_age_years < 1.0","action":"set_max_score","value":500.0}"#;
    let rule: Rule = serde_json::from_str(text).unwrap();
    assert_eq!(rule, default_rules()[0]);
    assert_eq!(serde_json::to_string(&rule).unwrap(), text);
    let flag = serde_json::to_string(&default_rules()[4]).unwrap();
    assert!(
        flag.ends_with(r#""action":"flag_for_review","flag":"incomplete_profile"}"#),
        "{flag}"
    );
}

#[test]
fn adjustments_run_in_priority_order_on_the_running_value() {
    let double = always("double", 1, Action::MultiplyScore { value: 2.0 });
    let less = always("less", 2, Action::AdjustScore { value: -100.0 });
    assert_eq!(decide(&[less, double], 350.0).final_score, 600);
    let less_first = always("less", 0, Action::AdjustScore { value: -100.0 });
    let double = always("double", 1, Action::MultiplyScore { value: 2.0 });
    assert_eq!(decide(&[double, less_first], 350.0).final_score, 500);
}

#[test]
fn equal_priorities_run_in_order_of_name_however_they_are_listed() {
    let rules = [
        always("b", 1, Action::AdjustScore { value: 100.0 }),
        always("a", 1, Action::MultiplyScore { value: 1.5 }),
    ];
    assert_eq!(decide(&rules, 400.0).final_score, 700);
    let digest = RuleSet::compile(&rules).unwrap().digest();
    let reversed = [rules[1].clone(), rules[0].clone()];
    assert_eq!(RuleSet::compile(&reversed).unwrap().digest(), digest);
}

#[test]
fn caps_beat_floors_and_bonuses() {
    let rules = [
        always("cap", 1, Action::SetMaxScore { value: 500.0 }),
        always("floor", 2, Action::SetMinScore { value: 650.0 }),
        always("bonus", 3, Action::AdjustScore { value: 200.0 }),
    ];
    assert_eq!(decide(&rules, 400.0).final_score, 500);
    assert_eq!(decide(&rules[1..], 400.0).final_score, 650);
}

#[test]
fn conditions_see_the_cards_score_whatever_fired_before() {
    let rules = [
        always("less", 1, Action::AdjustScore { value: -200.0 }),
        rule(
            "more",
            2,
            "score >= 600.0",
            Action::AdjustScore { value: 50.0 },
        ),
    ];
    assert_eq!(decide(&rules, 600.0).final_score, 450);
}

#[test]
fn result_is_clamped_then_rounded_once_then_banded() {
    let adjust = |value| [always("r", 1, Action::AdjustScore { value })];
    assert_eq!(decide(&adjust(1e9), 600.0).final_score, 900);
    assert_eq!(decide(&adjust(-1e9), 600.0).final_score, 300);
    assert_eq!(decide(&adjust(0.25), 799.25).final_score, 800);
    assert_eq!(decide(&adjust(0.25), 799.25).band, 0);
    assert_eq!(decide(&[], 799.49).band, 1);
}

#[test]
fn default_rules_fire_as_described() {
    let rules = RuleSet::compile(&default_rules()).unwrap();
    let card = expert_card().compile();
    let nothing_known = FeatureVector::zero();
    let decision = rules.apply(&card, nothing_known.as_slice(), 640.0).unwrap();
    assert_eq!(decision.final_score, 500);
    assert_eq!(card.bands().as_slice()[decision.band].name, "poor");
    let fired: Vec<_> = rules.fired(&decision).map(|r| r.name.as_str()).collect();
    assert_eq!(
        fired,
        [
            "kyc_override",
            "no_activity_penalty",
            "network_isolation_flag",
            "missing_contact_flag"
        ]
    );
    let flags: Vec<_> = rules.flags(&decision).collect();
    assert_eq!(flags, ["isolated_network", "incomplete_profile"]);

    let mut busy = FeatureVector::new([10.0; FEATURE_COUNT]);
    assert!(busy.set("total_transaction_volume_6m", 500_000.01));
    assert!(busy.set("contact_completeness", 100.0));
    let decision = rules.apply(&card, busy.as_slice(), 640.0).unwrap();
    assert_eq!(decision.final_score, 665);
    assert_eq!(decision.fired_bits(), 0b100);
}

#[test]
fn default_rules_never_need_the_interpreter() {
    let rules = RuleSet::compile(&default_rules()).unwrap();
    assert!(
        rules
            .conditions
            .iter()
            .all(|c| matches!(c, Condition::Fast(_)))
    );
}

#[test]
fn interpreted_condition_that_fails_on_a_party_names_the_rule() {
    let condition = "int(score) / (int(network_size) - 9) > 0";
    let rules = [rule(
        "ratio",
        1,
        condition,
        Action::AdjustScore { value: 1.0 },
    )];
    let rules = RuleSet::compile(&rules).unwrap();
    let mut row = FeatureVector::zero();
    assert!(row.set("network_size", 9.0));
    let error = rules
        .apply(&expert_card().compile(), row.as_slice(), 600.0)
        .unwrap_err();
    assert_eq!(error.reason(), "RULE_EVALUATION");
    assert!(error.to_string().contains("\"ratio\""));
}

#[test]
fn rule_sets_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&RuleSet::compile(&default_rules()).unwrap());
}

const PALETTE: [f64; 6] = [-1.0, 0.0, 0.5, 1.0, 50.0, 600.0];

fn comparison() -> impl Strategy<Value = String> {
    let name = (0..=FEATURE_COUNT).prop_map(|i| match FEATURES.get(i) {
        Some(spec) => spec.name.to_owned(),
        None => "score".to_owned(),
    });
    let number = prop::sample::select(&PALETTE[..]).prop_flat_map(|value| {
        let whole = value.fract() == 0.0;
        let text = if whole {
            format!("{value}")
        } else {
            format!("{value:?}")
        };
        prop_oneof![Just(format!("{value:?}")), Just(text)]
    });
    let operator = prop::sample::select(&["==", "!=", "<", "<=", ">", ">="][..]);
    let right = prop_oneof![number, name.clone()];
    (name, operator, right, any::<bool>()).prop_map(|(left, operator, right, swap)| {
        if swap {
            format!("{right} {operator} {left}")
        } else {
            format!("{left} {operator} {right}")
        }
    })
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![9 => comparison(), 1 => Just("true".to_owned())];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} && {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("{a} || {b} || {c}")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn fast_evaluation_agrees_with_cel(
        source in expression(),
        picks in prop::array::uniform17(0..PALETTE.len()),
        score in prop::sample::select(&PALETTE[..]),
    ) {
        let evaluator = Evaluator::default();
        let condition = Condition::compile("r", &source, &evaluator).unwrap();
        let Condition::Fast(test) = &condition else {
            return Err(TestCaseError::fail(format!("{source} is not compiled")));
        };
        let row = picks.map(|pick| PALETTE[pick]);
        let inputs = Inputs { row: &row, score };
        let program = cel::Program::compile(&source).unwrap();
        let interpreted = evaluator.evaluate(program.expression(), &inputs).unwrap();
        prop_assert_eq!(Some(test.holds(&inputs)), interpreted, "{}", source);
    }

    #[test]
    fn nothing_lifts_a_score_past_its_cap(
        raw in 300.0f64..=900.0,
        cap in 300i32..=900,
        floor in 0i32..2000,
        bonus in -500.0f64..500.0,
        factor in 0.0f64..3.0,
        priorities in prop::array::uniform4(-3i32..3),
    ) {
        let rules = [
            always("cap", priorities[0], Action::SetMaxScore { value: f64::from(cap) }),
            always("floor", priorities[1], Action::SetMinScore { value: f64::from(floor) }),
            always("bonus", priorities[2], Action::AdjustScore { value: bonus }),
            always("factor", priorities[3], Action::MultiplyScore { value: factor }),
        ];
        let decision = decide(&rules, raw);
        prop_assert!((300..=cap).contains(&decision.final_score));
        prop_assert!(decision.final_score >= floor.min(cap));
    }
}

#[test]
fn score_is_the_variable_after_the_features() {
    assert_eq!(feature_index("score"), None);
    assert_eq!(
        super::condition::variable_index("score"),
        Some(FEATURE_COUNT)
    );
}
