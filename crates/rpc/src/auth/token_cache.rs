//! Tokens that were found good, by their hash: a signature costs tens of microseconds, a look here one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ring::digest::{SHA256, digest};

use super::Caller;

/// Some 100 bytes each.
const MOST: usize = 10_000;

/// Of a credential; what is kept cannot be used as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(credential: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, credential.as_bytes()).as_ref());
        Self(bytes)
    }
}

#[derive(Debug)]
struct Entry {
    caller: Caller,
    /// Seconds since 1970.
    valid_until: i64,
    /// Of the keys that found it good.
    generation: u64,
}

#[derive(Debug, Default)]
pub(super) struct TokenCache(Mutex<HashMap<Fingerprint, Entry>>);

impl TokenCache {
    /// The caller, if the credential still holds and the keys are those that it was checked with.
    pub(super) fn get(&self, of: Fingerprint, generation: u64, now: i64) -> Option<Caller> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&of)?;
        (entry.generation == generation && now < entry.valid_until).then(|| entry.caller.clone())
    }

    pub(super) fn put(
        &self,
        of: Fingerprint,
        generation: u64,
        caller: Caller,
        valid_until: i64,
        now: i64,
    ) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.retain(|_, entry| entry.valid_until > now && entry.generation == generation);
        }
        if entries.len() >= MOST {
            // Each costs one signature to find again.
            entries.clear();
        }
        let entry = Entry {
            caller,
            valid_until,
            generation,
        };
        entries.insert(of, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_or_was_checked_by_other_keys_is_checked_again() {
        let cache = TokenCache::default();
        let of = Fingerprint::of("token");
        cache.put(of, 7, Caller::fleet(), 100, 0);
        assert_eq!(cache.get(of, 7, 99), Some(Caller::fleet()));
        assert_eq!(cache.get(of, 7, 100), None);
        assert_eq!(cache.get(of, 8, 0), None);
        assert_eq!(cache.get(Fingerprint::of("other"), 7, 0), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let cache = TokenCache::default();
        for number in 0..=2 * MOST {
            let of = Fingerprint::of(&number.to_string());
            cache.put(of, 1, Caller::fleet(), i64::MAX, 0);
        }
        assert!(cache.0.lock().unwrap().len() <= MOST);
    }
}
