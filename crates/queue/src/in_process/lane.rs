//! One lane: tasks that wait, and tasks in somebody's hands with the time of the last beat.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use kycc_proto::work::v1::Task;
use prost::Message;
use tokio::time::Instant;

use super::{Bell, decode, lock};
use crate::{Consumer, Delivery, EntryId, LaneReport, Outstanding, QueueError};

#[derive(Debug)]
pub(super) struct Lane {
    name: String,
    capacity: usize,
    entries: Mutex<Entries>,
    arrived: Bell,
}

#[derive(Debug, Default)]
struct Entries {
    last_number: u64,
    /// With a priority above 0: taken before the others.
    urgent: VecDeque<Waiting>,
    ordinary: VecDeque<Waiting>,
    pending: BTreeMap<u64, Pending>,
    /// When each consumer last asked for tasks.
    asked: BTreeMap<String, Instant>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    pushed_at: Instant,
    task: Vec<u8>,
}

#[derive(Debug)]
struct Pending {
    consumer: String,
    pushed_at: Instant,
    beaten_at: Instant,
    task_id: String,
    task: Vec<u8>,
}

impl Entries {
    fn waiting(&self) -> usize {
        self.urgent.len() + self.ordinary.len()
    }

    fn take(&mut self, max: usize) -> Vec<Waiting> {
        let urgent = max.min(self.urgent.len());
        let ordinary = (max - urgent).min(self.ordinary.len());
        let taken = self.urgent.drain(..urgent);
        taken.chain(self.ordinary.drain(..ordinary)).collect()
    }
}

impl Lane {
    pub(super) fn new(name: &str, capacity: usize) -> Self {
        Self {
            name: format!("lane {name}"),
            capacity,
            entries: Mutex::default(),
            arrived: Bell::default(),
        }
    }

    pub(super) fn push(&self, task: &Task) -> Result<(), QueueError> {
        let mut entries = lock(&self.entries);
        if entries.waiting() + entries.pending.len() >= self.capacity {
            return Err(QueueError::Full {
                stream: self.name.clone(),
                capacity: self.capacity,
            });
        }
        entries.last_number += 1;
        let number = entries.last_number;
        let waiting = if task.priority > 0 {
            &mut entries.urgent
        } else {
            &mut entries.ordinary
        };
        waiting.push_back(Waiting {
            number,
            pushed_at: Instant::now(),
            task: task.encode_to_vec(),
        });
        drop(entries);
        self.arrived.ring();
        Ok(())
    }

    pub(super) async fn pull(
        &self,
        consumer: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        self.arrived
            .wait_for(wait, || self.take(consumer, max).transpose())
            .await
            .unwrap_or_else(|| Ok(Vec::new()))
    }

    /// None when nothing waits. An entry that cannot be read is dropped with its error: it would fail for ever.
    fn take(&self, consumer: &str, max: usize) -> Result<Option<Vec<Delivery>>, QueueError> {
        let mut entries = lock(&self.entries);
        let now = Instant::now();
        match entries.asked.get_mut(consumer) {
            Some(asked) => *asked = now,
            None => {
                entries.asked.insert(consumer.to_owned(), now);
            }
        }
        let taken = entries.take(max);
        let mut deliveries = Vec::with_capacity(taken.len());
        for waiting in taken {
            let number = waiting.number;
            let task: Task = decode(&self.name, &waiting.task)?;
            let pending = Pending {
                consumer: consumer.to_owned(),
                pushed_at: waiting.pushed_at,
                beaten_at: now,
                task_id: task.task_id.clone(),
                task: waiting.task,
            };
            entries.pending.insert(number, pending);
            deliveries.push(Delivery {
                entry: EntryId(number.to_string()),
                task,
                consumer: consumer.to_owned(),
            });
        }
        if entries.waiting() > 0 {
            // Rings do not add up while nobody listens: whoever leaves something behind rings for it.
            self.arrived.ring();
        }
        Ok((!deliveries.is_empty()).then_some(deliveries))
    }

    /// The task's id when the entry is still this consumer's.
    pub(super) fn beat(&self, entry: &EntryId, consumer: &str) -> Option<String> {
        let mut entries = lock(&self.entries);
        let pending = entries.pending.get_mut(&number(entry)?)?;
        if pending.consumer != consumer {
            return None;
        }
        pending.beaten_at = Instant::now();
        Some(pending.task_id.clone())
    }

    pub(super) fn ack(&self, entry: &EntryId) {
        if let Some(number) = number(entry) {
            lock(&self.entries).pending.remove(&number);
        }
    }

    pub(super) fn outstanding(&self) -> Result<Vec<Outstanding>, QueueError> {
        let entries = lock(&self.entries);
        let waiting = entries.urgent.iter().chain(&entries.ordinary);
        let waiting = waiting.map(|waiting| &waiting.task);
        let pending = entries.pending.values().map(|pending| &pending.task);
        waiting
            .chain(pending)
            .map(|bytes| {
                let task: Task = decode(&self.name, bytes)?;
                Ok(Outstanding {
                    task_id: task.task_id,
                    attempt: task.attempt,
                })
            })
            .collect()
    }

    pub(super) fn report(&self) -> LaneReport {
        let now = Instant::now();
        let entries = lock(&self.entries);
        let waiting = entries.urgent.iter().chain(&entries.ordinary);
        let pushed = waiting.map(|waiting| waiting.pushed_at);
        let pushed = pushed.chain(entries.pending.values().map(|pending| pending.pushed_at));
        let held_by = |name: &str| {
            let held = entries.pending.values();
            held.filter(|pending| pending.consumer == name).count() as u64
        };
        LaneReport {
            waiting: entries.waiting() as u64,
            pending: entries.pending.len() as u64,
            oldest: pushed
                .min()
                .map_or(Duration::ZERO, |first| now.duration_since(first)),
            consumers: entries
                .asked
                .iter()
                .map(|(name, asked)| Consumer {
                    name: name.clone(),
                    pending: held_by(name),
                    idle: now.duration_since(*asked),
                })
                .collect(),
        }
    }

    pub(super) fn expired(&self, lease: Duration) -> Result<Vec<Delivery>, QueueError> {
        let now = Instant::now();
        let entries = lock(&self.entries);
        entries
            .pending
            .iter()
            .filter(|(_, pending)| now.duration_since(pending.beaten_at) >= lease)
            .map(|(number, pending)| {
                Ok(Delivery {
                    entry: EntryId(number.to_string()),
                    task: decode(&self.name, &pending.task)?,
                    consumer: pending.consumer.clone(),
                })
            })
            .collect()
    }
}

fn number(entry: &EntryId) -> Option<u64> {
    entry.0.parse().ok()
}
