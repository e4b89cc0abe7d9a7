//! What modules of one process tell each other at once, before anybody is answered: that something was written which
//! others hold a copy of. Across processes the same is told by a feed, a little later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of a process. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Versions of datasets that became the current ones of their batch, by position in the orchestrator's log.
    pub published: Changed,
    /// Changes to versions of the scorecard, counted.
    pub scorecards: Changed,
}

/// How far something has been written by this process. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Changed(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    position: AtomicU64,
    under_way: AtomicU64,
}

/// Held while a write is under way, whose outcome nobody can know yet.
#[derive(Debug)]
pub struct UnderWay(Changed);

impl Changed {
    /// Everything up to `position` has been written.
    pub fn raise_to(&self, position: u64) {
        self.0.position.fetch_max(position, Ordering::AcqRel);
    }

    /// One more has been written.
    pub fn raise(&self) {
        self.0.position.fetch_add(1, Ordering::AcqRel);
    }

    /// To be taken before writing, and dropped after the counter was raised.
    #[must_use]
    pub fn under_way(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(self.clone())
    }

    /// How far a copy must have come to hold all that was written; `None` while a write is under way.
    #[must_use]
    pub fn settled(&self) -> Option<u64> {
        // In this order: a write that ends in between has raised the position by then.
        let settled = self.0.under_way.load(Ordering::Acquire) == 0;
        settled.then(|| self.0.position.load(Ordering::Acquire))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_under_way_leaves_open_how_far_things_are() {
        let changed = Changed::default();
        assert_eq!(changed.settled(), Some(0));
        let (one, other) = (changed.under_way(), changed.clone().under_way());
        changed.raise_to(7);
        drop(one);
        assert_eq!(changed.settled(), None);
        drop(other);
        assert_eq!(changed.settled(), Some(7));
        changed.raise_to(3);
        assert_eq!(changed.settled(), Some(7), "it never falls");
        changed.raise();
        assert_eq!(changed.settled(), Some(8));
    }
}
