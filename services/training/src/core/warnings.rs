//! What a person should look at before believing a model.

use kycc_domain::binning::LEAKAGE_IV;
use kycc_domain::vif::Vif;

use super::model::Learned;

/// A coefficient whose variance is this many times what it would be alone tells what others tell (Marquardt 1970).
const HIGH_INFLATION: f64 = 10.0;

/// One sentence each, the gravest first. `features` is in the order of the factors.
pub(crate) fn warnings(features: &[String], learned: &Learned) -> Vec<String> {
    let mut found = Vec::new();
    let factors = || features.iter().zip(&learned.factors);
    if !learned.fit.converged {
        found.push(format!(
            "the fit did not converge in {} steps: its coefficients are not those of the best model",
            learned.fit.iterations
        ));
    }
    if learned.separable {
        found.push(
            "the factors tell every good training row from every bad one, so that only the penalty keeps the \
             coefficients finite: look for a factor that is only known after the outcome"
                .to_owned(),
        );
    }
    let leaking: Vec<String> = factors()
        .filter(|(_, factor)| factor.bins.warns_of_leakage())
        .map(|(feature, factor)| format!("{feature} ({:.2})", factor.bins.information_value))
        .collect();
    if !leaking.is_empty() {
        found.push(format!(
            "leakage? alone, these have an information value above {LEAKAGE_IV}: {}; make sure that each is known before \
             the outcome",
            leaking.join(", ")
        ));
    }
    let collinear: Vec<&str> = factors()
        .filter(|(_, factor)| factor.variance_inflation == Vif::Collinear)
        .map(|(feature, _)| feature.as_str())
        .collect();
    if !collinear.is_empty() {
        found.push(format!(
            "collinear: {} determine each other wholly, so their coefficients cannot be told apart",
            collinear.join(", ")
        ));
    }
    let inflated: Vec<String> = factors()
        .filter_map(|(feature, factor)| match factor.variance_inflation {
            Vif::Value(value) if value > HIGH_INFLATION => Some(format!("{feature} ({value:.1})")),
            _ => None,
        })
        .collect();
    if !inflated.is_empty() {
        found.push(format!(
            "uncertain: these have a variance inflation above {HIGH_INFLATION}, for other factors tell nearly the same: {}",
            inflated.join(", ")
        ));
    }
    found
}
