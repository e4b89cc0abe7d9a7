//! The leader: feeds what happens to the core, writes what it answers, and does what it asks for.
//!
//! ```text
//!   launch, cancel ─┐                 ┌─▶ store (one transaction for all that happened)
//!   results, logs ──┼─▶ inbox ─▶ turn ┤
//!   resolved steps ─┤                 └─▶ after the commit: push tasks, resolve steps, start timers, acknowledge
//!   timers, leases ─┘
//! ```
//!
//! Pushed by what happens, never polling the store; timers only for leases and timeouts.

mod commit;
mod dead_letter;
mod deadlines;
mod effects;
mod handle;
mod hub;
mod leader;
mod live;
mod outside;
mod resolve;
mod roots;
mod streams;
mod task;
mod timers;
mod turn;

#[cfg(test)]
mod tests;

pub(crate) use handle::EngineHandle;
pub(crate) use hub::Notice;
pub(crate) use leader::{Engine, EngineParts};
pub(crate) use outside::FleetOutside;
#[cfg(test)]
pub(crate) use outside::{Outside, Refusal};
pub(crate) use roots::Roots;
