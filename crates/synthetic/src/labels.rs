//! The outcomes, in a file apart from the profiles: who will default is what the model must find out, not read.

use std::path::Path;

use crate::{
    draw::{Draws, Stream, logistic},
    error::SyntheticError,
    output::{Output, Staged},
    population::{Party, Population},
    rows::{Layout, Rows},
    spec::Spec,
    tables::party_id,
};

/// Log-odds of default at average risk, per standard deviation of risk, and of chance that no feature knows. Together
/// about 8 % default, and a logistic regression on the 17 features ranks them with an AUC near 0.8.
const BASE: f64 = -3.37;
const PER_RISK: f64 = 1.6;
const CHANCE: f64 = 0.3;

#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) file: Staged,
    pub(crate) defaults: u64,
}

pub(crate) fn write(
    spec: &Spec,
    folder: &Path,
    population: &Population,
) -> Result<Outcomes, SyntheticError> {
    let mut output = Output::create(folder.join(format!("{}_labels.json", spec.batch_id)))?;
    let mut draws = Draws::new(spec.seed, Stream::Outcomes);
    let mut defaults = 0;
    output.buffer.extend_from_slice(b"[\n");
    let mut rows = Rows::new(
        &mut output,
        Layout::Array,
        &["party_id", "will_default", "batch_id"],
    );
    for (index, party) in population.numbered() {
        let will_default = u64::from(defaults_on(&mut draws, party));
        defaults += will_default;
        rows.id("party_id", party_id(population, index));
        rows.whole("will_default", will_default);
        rows.text("batch_id", &spec.batch_id);
        rows.end()?;
    }
    output.buffer.extend_from_slice(b"\n]\n");
    Ok(Outcomes {
        file: output.finish()?,
        defaults,
    })
}

fn defaults_on(draws: &mut Draws, party: &Party) -> bool {
    let log_odds = BASE + PER_RISK * party.risk() + CHANCE * draws.normal();
    draws.chance(logistic(log_odds))
}
