//! The leader, and who wants to be it: feeds what happens to the core, writes what it answers, and does what it asks for.
//!
//! ```text
//!   launch, cancel ─┐                 ┌─▶ store (one transaction for all that happened, and for what follows from it)
//!   results, logs ──┼─▶ inbox ─▶ turn ┤
//!   resolved steps ─┤                 └─▶ after the commit: push tasks, resolve steps, start timers, acknowledge
//!   timers, leases ─┘
//! ```
//!
//! Pushed by what happens, never polling the store; timers only for leases and timeouts.

mod commit;
mod contender;
mod create;
mod dead_letter;
mod deadlines;
mod effects;
mod handle;
mod housekeeping;
mod hub;
mod inline;
mod leader;
mod lines;
mod live;
mod memos;
mod outside;
mod reconcile;
mod resolve;
mod roots;
mod streams;
mod task;
mod term;
mod timers;
mod turn;

#[cfg(test)]
mod tests;

pub(crate) use contender::Contender;
pub(crate) use handle::{EngineHandle, NotCreated, Seat};
pub(crate) use hub::Notice;
pub(crate) use leader::EngineParts;
pub(crate) use outside::FleetOutside;
#[cfg(test)]
pub(crate) use outside::{Outside, Refusal};
pub(crate) use roots::Roots;
