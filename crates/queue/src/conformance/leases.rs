//! Leases: who beats keeps its entry, who does not is shown to whoever leads.

use std::sync::Arc;
use std::time::Duration;

use super::{LANE, NOW, SOON, task, urgent};
use crate::{Beat, Delivery, EntryId, TaskQueue};

type Queue = Arc<dyn TaskQueue>;

const LEASE: Duration = Duration::from_millis(50);

async fn pulled(queue: &Queue) -> Delivery {
    queue.push(LANE, &task("a")).await.unwrap();
    let mut pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    pulled.remove(0)
}

/// Polls until an entry has expired; fails after ten seconds.
async fn wait_until_expired(queue: &Queue) -> Vec<Delivery> {
    let wait = async {
        loop {
            let expired = queue.expired(LANE, LEASE).await.unwrap();
            if !expired.is_empty() {
                return expired;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, wait)
        .await
        .expect("the entry expires once its lease has passed")
}

pub async fn an_entry_without_beats_expires_and_stays_until_acknowledged(queue: Queue) {
    let held = pulled(&queue).await;
    assert_eq!(
        wait_until_expired(&queue).await,
        std::slice::from_ref(&held)
    );
    assert_eq!(
        wait_until_expired(&queue).await,
        std::slice::from_ref(&held)
    );
    queue.ack(LANE, &held.entry).await.unwrap();
    assert!(queue.expired(LANE, NOW).await.unwrap().is_empty());
}

pub async fn a_beat_prolongs_the_lease(queue: Queue) {
    let held = pulled(&queue).await;
    wait_until_expired(&queue).await;
    let beat = queue.beat(LANE, &held.entry, "w").await.unwrap();
    assert_eq!(beat, Beat::Go, "late, but nobody took it away");
    let long = Duration::from_secs(60);
    assert!(queue.expired(LANE, long).await.unwrap().is_empty());
    assert_eq!(wait_until_expired(&queue).await, [held]);
}

pub async fn the_beat_of_another_consumer_or_of_a_gone_entry_is_lost(queue: Queue) {
    let held = pulled(&queue).await;
    let other = queue.beat(LANE, &held.entry, "other").await.unwrap();
    assert_eq!(other, Beat::Lost);
    let unknown = EntryId("no such entry".to_owned());
    assert_eq!(queue.beat(LANE, &unknown, "w").await.unwrap(), Beat::Lost);
    queue.ack(LANE, &held.entry).await.unwrap();
    let gone = queue.beat(LANE, &held.entry, "w").await.unwrap();
    assert_eq!(gone, Beat::Lost);
}

pub async fn waiting_tasks_do_not_expire(queue: Queue) {
    queue.push(LANE, &task("a")).await.unwrap();
    assert!(queue.expired(LANE, NOW).await.unwrap().is_empty());
}

pub async fn entries_of_every_priority_expire_in_the_order_they_were_pushed(queue: Queue) {
    for task in [task("a"), urgent("u"), task("b"), urgent("v")] {
        queue.push(LANE, &task).await.unwrap();
    }
    queue.pull(LANE, "w", 4, SOON).await.unwrap();
    let expired = queue.expired(LANE, NOW).await.unwrap();
    let of_priority = |urgent: bool| -> Vec<_> {
        let tasks = expired.iter().map(|delivery| &delivery.task);
        let tasks = tasks.filter(|task| (task.priority > 0) == urgent);
        tasks.map(|task| task.task_id.as_str()).collect()
    };
    assert_eq!(of_priority(false), ["a", "b"]);
    assert_eq!(of_priority(true), ["u", "v"]);
}
