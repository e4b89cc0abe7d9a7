//! What was used last, within a budget: made once however many ask for it at the same time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Holds values that cost something to make and never change once made.
pub struct Recent<K, V> {
    budget: usize,
    keep: usize,
    /// Newest use last.
    held: Mutex<VecDeque<Held<K, V>>>,
}

struct Held<K, V> {
    key: K,
    value: Arc<OnceCell<Arc<V>>>,
    weight: usize,
}

impl<K: Eq + Clone, V> Recent<K, V> {
    /// Holds what was used last and weighs no more than `budget` together; the `keep` used last whatever they weigh.
    pub fn new(budget: usize, keep: usize) -> Self {
        Self {
            budget,
            keep: keep.max(1),
            held: Mutex::new(VecDeque::new()),
        }
    }

    /// The value of `key`; made by `make` and weighed by `weigh` unless it is held. A failure is not held: whoever asks next
    /// tries again.
    pub async fn get<E, F>(
        &self,
        key: &K,
        weigh: impl FnOnce(&V) -> usize,
        make: impl FnOnce() -> F,
    ) -> Result<Arc<V>, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        let cell = self.touch(key);
        if let Some(value) = cell.get() {
            return Ok(Arc::clone(value));
        }
        let made = cell.get_or_try_init(async || make().await.map(Arc::new));
        match made.await {
            Ok(value) => {
                self.weighed(&cell, weigh(value));
                Ok(Arc::clone(value))
            }
            Err(error) => {
                self.lock().retain(|held| !same(held, &cell));
                Err(error)
            }
        }
    }

    /// The value of `key`, if it is held; does not count as a use.
    pub fn peek(&self, key: &K) -> Option<Arc<V>> {
        let held = self.lock();
        let found = held.iter().rev().find(|held| held.key == *key)?;
        found.value.get().cloned()
    }

    fn touch(&self, key: &K) -> Arc<OnceCell<Arc<V>>> {
        let mut held = self.lock();
        let newest = held.len().wrapping_sub(1);
        let found = match held.iter().rposition(|held| held.key == *key) {
            Some(at) if at == newest => return Arc::clone(&held[at].value),
            Some(at) => held.remove(at),
            None => None,
        };
        let found = found.unwrap_or_else(|| Held {
            key: key.clone(),
            value: Arc::default(),
            weight: 0,
        });
        // Whoever was making one has left, and left nothing behind.
        held.retain(|held| held.value.initialized() || Arc::strong_count(&held.value) > 1);
        let value = Arc::clone(&found.value);
        held.push_back(found);
        value
    }

    fn weighed(&self, cell: &Arc<OnceCell<Arc<V>>>, weight: usize) {
        let mut held = self.lock();
        if let Some(found) = held.iter_mut().find(|held| same(held, cell)) {
            found.weight = weight;
        }
        let mut total: usize = held.iter().map(|held| held.weight).sum();
        while total > self.budget && held.len() > self.keep {
            total -= held.pop_front().map_or(0, |gone| gone.weight);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Held<K, V>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same<K, V>(held: &Held<K, V>, cell: &Arc<OnceCell<Arc<V>>>) -> bool {
    Arc::ptr_eq(&held.value, cell)
}

impl<K, V> fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    async fn get(recent: &Recent<&'static str, usize>, key: &'static str, weight: usize) {
        let made = recent.get(&key, |weight| *weight, async || Ok::<_, Infallible>(weight));
        made.await.unwrap();
    }

    #[tokio::test]
    async fn the_budget_drops_what_was_not_used_for_longest_but_never_the_last() {
        let recent = Recent::new(10, 2);
        get(&recent, "a", 4).await;
        get(&recent, "b", 4).await;
        get(&recent, "a", 4).await;
        get(&recent, "c", 4).await;
        assert_eq!(recent.peek(&"b"), None, "used before a was");
        assert!(recent.peek(&"a").is_some() && recent.peek(&"c").is_some());
        get(&recent, "d", 100).await;
        assert_eq!(recent.peek(&"a"), None);
        assert!(recent.peek(&"c").is_some() && recent.peek(&"d").is_some());
    }

    #[tokio::test]
    async fn whoever_leaves_while_it_is_made_leaves_nothing_behind() {
        let recent = Recent::<String, usize>::new(1_000, 1);
        for number in 0..50 {
            let key = number.to_string();
            let never = std::future::pending::<Result<usize, Infallible>>;
            let left = recent.get(&key, |_| 1, never);
            let left = tokio::time::timeout(std::time::Duration::ZERO, left).await;
            left.unwrap_err();
        }
        assert!(recent.lock().len() <= 1);
    }

    #[tokio::test]
    async fn those_who_ask_at_once_make_it_once_and_a_failure_is_tried_again() {
        let recent = Recent::<&str, usize>::new(1, 1);
        let failed = recent.get(&"a", |_| 1, async || Err::<usize, _>("no"));
        assert_eq!(failed.await, Err("no"));
        let made = AtomicUsize::new(0);
        let make = async || {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(made.fetch_add(1, Ordering::Relaxed))
        };
        let (one, other) =
            tokio::join!(recent.get(&"a", |_| 1, make), recent.get(&"a", |_| 1, make));
        assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
        assert_eq!(made.into_inner(), 1);
    }
}
