//! What a person should look at before believing a model.

use kycc_domain::binning::LEAKAGE_IV;
use kycc_domain::vif::Vif;

use super::model::Learned;

/// A factor this many times more uncertain than it would be alone tells what others tell (Marquardt 1970).
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
    for (feature, factor) in factors().filter(|(_, factor)| factor.bins.warns_of_leakage()) {
        found.push(format!(
            "{feature} alone has an information value of {:.2}, above {LEAKAGE_IV}: make sure that it is known before \
             the outcome (leakage)",
            factor.bins.information_value
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
    for (feature, factor) in factors() {
        if let Vif::Value(value) = factor.variance_inflation
            && value > HIGH_INFLATION
        {
            found.push(format!(
                "{feature} has a variance inflation of {value:.1}, above {HIGH_INFLATION}: other factors tell nearly \
                 the same, and its coefficient is uncertain"
            ));
        }
    }
    found
}
