//! What may happen to a fleet.

use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// `kill -9`; back after a while.
    Kill {
        process: &'static str,
        away: Duration,
    },
    /// SIGSTOP, and SIGCONT after a while: longer than a lease, half of the time.
    Pause {
        process: &'static str,
        away: Duration,
    },
    EmptyRedis,
    /// Killed and started again.
    RestartRedis,
    RestartPostgres,
}

#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// Counted from the end of the one before.
    pub(crate) after: Duration,
    pub(crate) kind: Kind,
}

/// Half a dozen, one after another, most of them to processes.
pub(crate) fn draw(random: &mut ChaCha8Rng, processes: Vec<&'static str>) -> Vec<Trouble> {
    let count = random.random_range(4..=8);
    (0..count)
        .map(|_| {
            let after = Duration::from_millis(random.random_range(0..400));
            let process = processes[random.random_range(0..processes.len())];
            let kind = match random.random_range(0..10) {
                0..=3 => Kind::Kill {
                    process,
                    away: Duration::from_millis(random.random_range(0..1000)),
                },
                4..=6 => Kind::Pause {
                    process,
                    away: Duration::from_millis(random.random_range(100..2500)),
                },
                7 => Kind::EmptyRedis,
                8 => Kind::RestartRedis,
                _ => Kind::RestartPostgres,
            };
            Trouble { after, kind }
        })
        .collect()
}
