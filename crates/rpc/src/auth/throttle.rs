//! How often somebody may do something: the generic cell rate algorithm, which keeps one instant per name.
//!
//! So many names at most: when the table is full, those go whose bucket is full again, since forgetting them changes
//! nothing; while that frees nothing, newcomers share one bucket.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A burst, and what comes after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    /// Time that one gives back.
    interval: Duration,
    /// How far the next may lie in the future: one interval for each of a burst but the first.
    tolerance: Duration,
}

impl Bucket {
    /// `per_second` above 0, `burst` at least 1.
    pub(crate) fn new(per_second: f64, burst: u32) -> Self {
        let interval = Duration::from_secs_f64(1.0 / per_second);
        Self {
            interval,
            tolerance: interval * (burst.max(1) - 1),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Throttle<K> {
    bucket: Bucket,
    most_names: usize,
    /// By name: when its bucket is full again.
    full_at: Arc<Mutex<HashMap<Option<K>, Instant>>>,
}

impl<K: Eq + Hash + Clone> Throttle<K> {
    pub(crate) fn new(bucket: Bucket, most_names: usize) -> Self {
        Self {
            bucket,
            most_names,
            full_at: Arc::default(),
        }
    }

    /// Takes one; where there is none, how long until there is.
    pub(crate) fn take(&self, name: &K, now: Instant) -> Result<(), Duration> {
        let mut table = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = Some(name.clone());
        if !table.contains_key(&name) && table.len() >= self.most_names {
            table.retain(|_, full_at| *full_at > now);
            if table.len() >= self.most_names {
                name = None;
            }
        }
        let full_at = table.get(&name).copied().unwrap_or(now).max(now);
        let too_early = (full_at - now).saturating_sub(self.bucket.tolerance);
        if !too_early.is_zero() {
            return Err(too_early);
        }
        table.insert(name, full_at + self.bucket.interval);
        Ok(())
    }

    /// Whether there is one, without taking it.
    pub(crate) fn peek(&self, name: &K, now: Instant) -> Result<(), Duration> {
        let table = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(full_at) = table.get(&Some(name.clone())) else {
            return Ok(());
        };
        let until = full_at.saturating_duration_since(now);
        match until.saturating_sub(self.bucket.tolerance) {
            Duration::ZERO => Ok(()),
            too_early => Err(too_early),
        }
    }

    #[cfg(test)]
    fn names(&self) -> usize {
        self.full_at.lock().unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_one_per_interval() {
        let throttle = Throttle::new(Bucket::new(10.0, 3), 8);
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        for _ in 0..3 {
            throttle.take(&"ann", at(0)).unwrap();
        }
        assert_eq!(
            throttle.peek(&"ann", at(40)),
            Err(Duration::from_millis(60))
        );
        assert_eq!(
            throttle.take(&"ann", at(40)),
            Err(Duration::from_millis(60))
        );
        throttle.take(&"bob", at(40)).unwrap();
        throttle.take(&"ann", at(100)).unwrap();
        assert!(throttle.take(&"ann", at(100)).is_err());
        for _ in 0..3 {
            throttle.take(&"ann", at(10_000)).unwrap();
        }
    }

    #[test]
    fn names_are_bounded_and_a_flood_of_them_shares_one_bucket() {
        let throttle = Throttle::new(Bucket::new(1.0, 1), 100);
        let now = Instant::now();
        let let_in = (0..10_000).filter(|name| throttle.take(name, now).is_ok());
        assert_eq!(let_in.count(), 101);
        assert_eq!(throttle.names(), 101);
        let later = now + Duration::from_secs(2);
        throttle.take(&20_000, later).unwrap();
        assert_eq!(throttle.names(), 1);
    }
}
