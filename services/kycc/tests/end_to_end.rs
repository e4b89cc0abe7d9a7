//! The command as people and scripts use it: the real binary, real files, real processes.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

#[path = "end_to_end/bad_input.rs"]
mod bad_input;
#[path = "end_to_end/beginnings.rs"]
mod beginnings;
#[path = "end_to_end/clients.rs"]
mod clients;
#[path = "end_to_end/commands.rs"]
mod commands;
#[path = "end_to_end/contexts.rs"]
mod contexts;
#[path = "end_to_end/crashes.rs"]
mod crashes;
#[path = "end_to_end/determinism.rs"]
mod determinism;
#[path = "end_to_end/drift_and_shadow.rs"]
mod drift_and_shadow;
#[path = "end_to_end/golden.rs"]
mod golden;
#[path = "end_to_end/labels.rs"]
mod labels;
#[path = "end_to_end/left_out.rs"]
mod left_out;
#[path = "end_to_end/migrate.rs"]
mod migrate;
#[path = "end_to_end/models.rs"]
mod models;
#[path = "end_to_end/place.rs"]
mod place;
#[path = "end_to_end/refusals.rs"]
mod refusals;
#[path = "end_to_end/scorecard.rs"]
mod scorecard;
#[path = "end_to_end/workbench.rs"]
mod workbench;
