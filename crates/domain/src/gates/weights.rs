//! WEIGHTS: whether the challenger's weights contradict what the catalogue declares, jump, or vanish.

use super::{Gate, GateResult, GateStatus};
use crate::card::Scorecard;
use crate::catalogue::Direction;

/// The most of 100 points that one factor's share may move.
const MAX_MOVE: f64 = 10.0;
/// A move of exactly the limit must not fail by rounding.
const ROUNDING: f64 = 1e-9;

pub(super) fn gate(champion: &Scorecard, challenger: &Scorecard) -> GateResult {
    let (old, new) = (shares(champion), shares(challenger));
    let share = |of: &[(&'static str, f64)], name: &str| {
        let found = of.iter().find(|(feature, _)| *feature == name);
        found.map_or(0.0, |(_, share)| *share)
    };
    let wrong: Vec<&str> = challenger
        .specs()
        .zip(challenger.factors())
        .filter(|(spec, factor)| factor.weight * declared_sign(spec.direction) < 0.0)
        .map(|(spec, _)| spec.name)
        .collect();
    let dropped = old
        .iter()
        .filter(|(name, _)| new.iter().all(|(other, _)| other != name));
    let names: Vec<&str> = new.iter().chain(dropped).map(|(name, _)| *name).collect();
    let moves: Vec<(&str, f64)> = names
        .iter()
        .map(|name| (*name, share(&new, name) - share(&old, name)))
        .collect();
    let jumped: Vec<&str> = moves
        .iter()
        .filter(|(_, by)| by.abs() > MAX_MOVE + ROUNDING)
        .map(|(name, _)| *name)
        .collect();
    let zeroed: Vec<&str> = old
        .iter()
        .filter(|(name, was)| *was != 0.0 && share(&new, name) == 0.0)
        .map(|(name, _)| *name)
        .collect();

    let (status, message) = verdict(&wrong, &jumped, &zeroed);
    let result = GateResult::new(Gate::Weights, status, message)
        .number("wrong_signs", wrong.len() as f64)
        .number("jumps", jumped.len() as f64)
        .number("zeroed", zeroed.len() as f64)
        .number("allowed_move", MAX_MOVE);
    let result = challenger.specs().fold(result, |result, spec| {
        result.number(
            format!("declared_sign.{}", spec.name),
            declared_sign(spec.direction),
        )
    });
    moves.into_iter().fold(result, |result, (name, by)| {
        result
            .number(format!("champion_share.{name}"), share(&old, name))
            .number(format!("challenger_share.{name}"), share(&new, name))
            .number(format!("share_move.{name}"), by)
    })
}

/// Of a weight that says what the catalogue says.
fn declared_sign(direction: Direction) -> f64 {
    match direction {
        Direction::HigherIsBetter => 1.0,
        Direction::LowerIsBetter => -1.0,
    }
}

fn verdict(wrong: &[&str], jumped: &[&str], zeroed: &[&str]) -> (GateStatus, String) {
    let mut findings = Vec::new();
    for (what, names) in [
        ("sign against its declaration", wrong),
        ("share moved by more than 10 of 100 points", jumped),
        ("weight gone to zero", zeroed),
    ] {
        if !names.is_empty() {
            findings.push(format!("{what}: {}", names.join(", ")));
        }
    }
    let status = if !wrong.is_empty() || !jumped.is_empty() {
        GateStatus::Fail
    } else if !zeroed.is_empty() {
        GateStatus::NeedsNote
    } else {
        return (
            GateStatus::Pass,
            "signs as declared, no share moved by more than 10 points, none zeroed".to_owned(),
        );
    };
    (status, findings.join("; "))
}

/// Each factor's signed share of `Σ|w| = 100`.
fn shares(card: &Scorecard) -> Vec<(&'static str, f64)> {
    let total: f64 = card.factors().iter().map(|f| f.weight.abs()).sum();
    card.specs()
        .zip(card.factors())
        .map(|(spec, factor)| (spec.name, 100.0 * factor.weight / total))
        .collect()
}
