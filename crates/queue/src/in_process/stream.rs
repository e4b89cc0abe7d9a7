//! A bounded stream of encoded messages, numbered from 1.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;

use super::{Bell, lock};
use crate::{EntryId, QueueError};

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    capacity: usize,
    entries: Mutex<Entries>,
    arrived: Bell,
    /// Rung for every writer that waits for room.
    room: Notify,
}

#[derive(Debug, Default)]
struct Entries {
    last_number: u64,
    kept: BTreeMap<u64, Vec<u8>>,
}

impl Stream {
    pub(super) fn new(name: &str, capacity: usize) -> Self {
        Self {
            name: name.to_owned(),
            capacity,
            entries: Mutex::default(),
            arrived: Bell::default(),
            room: Notify::new(),
        }
    }

    pub(super) async fn append_waiting(&self, message: Vec<u8>) {
        let mut messages = vec![message];
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            // Listens before it looks, so that no room made in between is missed.
            room.as_mut().enable();
            match self.append(messages) {
                Ok(()) => return,
                Err(back) => messages = back,
            }
            room.await;
        }
    }

    pub(super) fn append_all(&self, messages: Vec<Vec<u8>>) -> Result<(), QueueError> {
        self.append(messages).map_err(|_| QueueError::Full {
            stream: self.name.clone(),
            capacity: self.capacity,
        })
    }

    /// All or none; hands them back when there is no room.
    fn append(&self, messages: Vec<Vec<u8>>) -> Result<(), Vec<Vec<u8>>> {
        let mut entries = lock(&self.entries);
        if entries.kept.len() + messages.len() > self.capacity {
            return Err(messages);
        }
        for message in messages {
            entries.last_number += 1;
            let number = entries.last_number;
            entries.kept.insert(number, message);
        }
        drop(entries);
        self.arrived.ring();
        Ok(())
    }

    /// The oldest entries, left in place.
    pub(super) async fn peek(&self, max: usize, wait: Duration) -> Vec<(u64, Vec<u8>)> {
        let look = || {
            let entries = lock(&self.entries);
            let oldest: Vec<_> = entries
                .kept
                .iter()
                .take(max)
                .map(|(number, message)| (*number, message.clone()))
                .collect();
            (!oldest.is_empty()).then_some(oldest)
        };
        self.arrived.wait_for(wait, look).await.unwrap_or_default()
    }

    /// The oldest entries, removed.
    pub(super) async fn take(&self, max: usize, wait: Duration) -> Vec<Vec<u8>> {
        let look = || {
            let mut entries = lock(&self.entries);
            let count = max.min(entries.kept.len());
            let taken: Vec<_> = (0..count)
                .filter_map(|_| entries.kept.pop_first())
                .map(|(_, message)| message)
                .collect();
            (!taken.is_empty()).then_some(taken)
        };
        let taken = self.arrived.wait_for(wait, look).await.unwrap_or_default();
        self.room.notify_waiters();
        taken
    }

    pub(super) fn remove(&self, numbers: &[EntryId]) {
        let mut entries = lock(&self.entries);
        for number in numbers.iter().filter_map(|entry| entry.0.parse().ok()) {
            entries.kept.remove(&number);
        }
        drop(entries);
        self.room.notify_waiters();
    }
}
