//! Synthetic batches: a tiered supply chain whose parties carry a hidden credit risk, the traces that risk leaves in
//! KYC data, transactions and relationships, and the outcomes it leads to, in a file apart. `kycc batch generate`, the
//! demo, tests and benches use it. The same [`Spec`] gives the same bytes on every machine.

mod batch;
mod draw;
mod error;
mod labels;
mod names;
mod network;
mod output;
mod party;
mod population;
mod rows;
mod spec;
mod tables;

use std::path::{Path, PathBuf};

use batch::Batch;
use network::Network;
use population::Population;

pub use error::SyntheticError;
pub use spec::{Format, Spec};

/// What [`write`] left on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The document `<BATCH>_profiles.json`, or the folder `<BATCH>/` of table files and their `<BATCH>_batch.json`.
    pub source: PathBuf,
    /// `<BATCH>_labels.json`, beside the source: an array of `{party_id, will_default (0 or 1), batch_id}`.
    pub labels: PathBuf,
    pub parties: u64,
    pub accounts: u64,
    pub transactions: u64,
    pub relationships: u64,
    /// Parties whose label says they will default.
    pub defaults: u64,
    /// Size of the source, labels not counted.
    pub bytes: u64,
}

/// Writes the batch and its labels into `folder`, which is created when missing; files of an earlier batch of the same
/// name and format are replaced.
///
/// Rows are streamed. What stays in memory is about 28 bytes per party and 4 per relationship (the network, from which
/// transactions take their counterparties), so a million parties need some 40 MB whatever their transactions. Every file
/// gets its name only when all are complete: labels first, and a folder's header last.
pub fn write(spec: &Spec, folder: &Path) -> Result<Written, SyntheticError> {
    spec.check()?;
    let population = Population::draw(spec);
    let network = Network::draw(spec, &population);

    let mut batch = Batch::open(spec, folder)?;
    let parties = tables::parties::write(&mut batch, spec, &population)?;
    let accounts = tables::accounts::write(&mut batch, spec, &population)?;
    let transactions = tables::transactions::write(&mut batch, spec, &population, &network)?;
    let relationships = tables::relationships::write(&mut batch, spec, &population, &network)?;
    let outcomes = labels::write(spec, folder, &population)?;
    let labels = outcomes.file.publish()?;
    let source = batch.publish()?;

    Ok(Written {
        source: source.path,
        labels,
        parties,
        accounts,
        transactions,
        relationships,
        defaults: outcomes.defaults,
        bytes: source.bytes,
    })
}
