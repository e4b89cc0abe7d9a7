//! Whether this process takes calls: not before what it stands on answers, and not while that is gone.
//!
//! With hysteresis: one lost answer must not send all callers elsewhere, and one that came through must not call them back
//! while the dependency still comes and goes.

use std::time::Duration;

use kycc_queue::TaskQueue;
use kycc_rpc::Health;
use kycc_store::Store;
use tokio_util::sync::CancellationToken;

/// Between two looks. Two bad ones in a row, and a balancer is told within ten seconds.
const INTERVAL: Duration = Duration::from_secs(5);
/// A dependency that takes longer than this is as good as gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// Looks in a row that must agree before the answer changes.
const STREAK: u32 = 2;

/// What the last looks add up to.
#[derive(Debug, PartialEq, Eq)]
struct Readiness {
    ready: bool,
    /// Looks in a row that disagreed with `ready`.
    against: u32,
}

impl Readiness {
    /// Whether the answer changed.
    fn look(&mut self, answers: bool) -> bool {
        if answers == self.ready {
            self.against = 0;
            return false;
        }
        self.against += 1;
        if self.against < STREAK {
            return false;
        }
        *self = Self {
            ready: answers,
            against: 0,
        };
        true
    }
}

/// Looks until told to stop. The caller has seen everything answer once.
pub(super) async fn watch(
    health: Health,
    store: Store,
    queue: std::sync::Arc<dyn TaskQueue>,
    stop: CancellationToken,
) {
    let mut readiness = Readiness {
        ready: true,
        against: 0,
    };
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let problem = problem(&store, queue.as_ref()).await;
        if !readiness.look(problem.is_none()) {
            continue;
        }
        match problem {
            None => {
                tracing::info!("everything answers again; this process takes calls");
                health.serving().await;
            }
            Some(problem) => {
                tracing::warn!(problem, "this process takes no calls");
                health.not_serving().await;
            }
        }
    }
}

async fn problem(store: &Store, queue: &dyn TaskQueue) -> Option<String> {
    match tokio::time::timeout(PATIENCE, store.ping()).await {
        Err(_) => return Some("the state store is silent".to_owned()),
        Ok(Err(error)) => return Some(kycc_telemetry::chain(&error)),
        Ok(Ok(())) => {}
    }
    match tokio::time::timeout(PATIENCE, queue.ping()).await {
        Err(_) => Some("the queue is silent".to_owned()),
        Ok(Err(error)) => Some(kycc_telemetry::chain(&error)),
        Ok(Ok(())) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(looks: &[bool]) -> Vec<bool> {
        let mut readiness = Readiness {
            ready: true,
            against: 0,
        };
        let mut told = Vec::new();
        for answers in looks {
            if readiness.look(*answers) {
                told.push(readiness.ready);
            }
        }
        told
    }

    #[test]
    fn one_lost_answer_changes_nothing() {
        assert!(changes(&[true, false, true, false, true]).is_empty());
    }

    #[test]
    fn two_in_a_row_turn_it_and_two_turn_it_back() {
        assert_eq!(changes(&[false, false, false]), [false]);
        assert_eq!(
            changes(&[false, false, true, false, true, true]),
            [false, true]
        );
    }
}
