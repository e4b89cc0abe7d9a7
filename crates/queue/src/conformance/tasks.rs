//! Pushing, pulling and acknowledging tasks.

use std::sync::Arc;
use std::time::Duration;

use super::{LANE, NOW, SOON, task, urgent};
use crate::{Delivery, TaskQueue};

type Queue = Arc<dyn TaskQueue>;

fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|d| d.task.task_id.as_str()).collect()
}

async fn push(queue: &Queue, names: &[&str]) {
    for name in names {
        queue.push(LANE, &task(name)).await.unwrap();
    }
}

pub async fn tasks_come_in_the_order_they_were_pushed(queue: Queue) {
    push(&queue, &["a", "b", "c"]).await;
    let first = queue.pull(LANE, "w", 2, SOON).await.unwrap();
    assert_eq!(ids(&first), ["a", "b"]);
    let second = queue.pull(LANE, "w", 2, SOON).await.unwrap();
    assert_eq!(ids(&second), ["c"]);
}

pub async fn a_task_arrives_as_it_was_pushed(queue: Queue) {
    push(&queue, &["a"]).await;
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    assert_eq!(pulled[0].task, task("a"));
}

pub async fn lanes_do_not_see_each_other(queue: Queue) {
    push(&queue, &["a"]).await;
    let other = queue.pull("labels", "w", 1, NOW).await.unwrap();
    assert!(other.is_empty());
}

pub async fn a_waiting_reader_is_woken_by_a_push(queue: Queue) {
    let (pulled, ()) = tokio::join!(queue.pull(LANE, "w", 1, SOON), push(&queue, &["a"]));
    assert_eq!(ids(&pulled.unwrap()), ["a"]);
}

pub async fn an_empty_pull_ends_after_its_wait(queue: Queue) {
    let wait = Duration::from_millis(20);
    let pulled = queue.pull(LANE, "w", 1, wait).await.unwrap();
    assert!(pulled.is_empty());
}

pub async fn one_task_goes_to_one_consumer(queue: Queue) {
    push(&queue, &["a"]).await;
    let one = queue.pull(LANE, "one", 1, NOW).await.unwrap();
    let two = queue.pull(LANE, "two", 1, NOW).await.unwrap();
    assert_eq!(one.len() + two.len(), 1);
}

pub async fn every_waiting_consumer_gets_its_share(queue: Queue) {
    let (one, two, three, ()) = tokio::join!(
        queue.pull(LANE, "one", 1, SOON),
        queue.pull(LANE, "two", 1, SOON),
        queue.pull(LANE, "three", 1, SOON),
        push(&queue, &["a", "b", "c"]),
    );
    let mut seen = Vec::new();
    for pulled in [one, two, three] {
        let pulled = pulled.unwrap();
        assert_eq!(pulled.len(), 1, "each reader asked for one");
        seen.push(pulled[0].task.task_id.clone());
    }
    seen.sort();
    assert_eq!(seen, ["a", "b", "c"]);
}

pub async fn an_abandoned_pull_takes_nothing(queue: Queue) {
    {
        let abandoned = queue.pull(LANE, "gone", 1, SOON);
        let at_once = tokio::time::timeout(Duration::from_millis(10), abandoned).await;
        assert!(at_once.is_err(), "nothing to pull yet");
    }
    push(&queue, &["a"]).await;
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    assert_eq!(ids(&pulled), ["a"]);
}

pub async fn a_pending_task_is_not_handed_out_again(queue: Queue) {
    push(&queue, &["a"]).await;
    queue.pull(LANE, "w", 1, SOON).await.unwrap();
    let again = queue.pull(LANE, "w", 1, NOW).await.unwrap();
    assert!(again.is_empty());
}

pub async fn waiting_and_pending_tasks_are_outstanding_until_acknowledged(queue: Queue) {
    let outstanding = async || {
        let held = queue.outstanding(LANE).await.unwrap();
        let mut ids: Vec<_> = held.into_iter().map(|o| (o.task_id, o.attempt)).collect();
        ids.sort();
        ids
    };
    assert!(outstanding().await.is_empty());
    push(&queue, &["a", "b"]).await;
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    assert_eq!(
        outstanding().await,
        [("a".to_owned(), 1), ("b".to_owned(), 1)]
    );
    queue.ack(LANE, &pulled[0].entry).await.unwrap();
    assert_eq!(outstanding().await, [("b".to_owned(), 1)]);
}

pub async fn acknowledging_twice_is_no_error(queue: Queue) {
    push(&queue, &["a"]).await;
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    queue.ack(LANE, &pulled[0].entry).await.unwrap();
    queue.ack(LANE, &pulled[0].entry).await.unwrap();
    assert!(queue.expired(LANE, NOW).await.unwrap().is_empty());
}

pub async fn a_report_counts_what_a_lane_holds_and_who_holds_it(queue: Queue) {
    let empty = queue.report(LANE).await.unwrap();
    assert_eq!((empty.waiting, empty.pending), (0, 0));
    assert_eq!(empty.oldest, Duration::ZERO);
    for task in [task("a"), task("b"), urgent("c"), task("d")] {
        queue.push(LANE, &task).await.unwrap();
    }
    let held = queue.pull(LANE, "w1", 2, SOON).await.unwrap();
    queue.pull(LANE, "w2", 1, SOON).await.unwrap();
    let report = queue.report(LANE).await.unwrap();
    assert_eq!((report.waiting, report.pending), (1, 3));
    let holders = report.consumers.iter();
    let holders: Vec<_> = holders.map(|c| (c.name.as_str(), c.pending)).collect();
    assert_eq!(holders, [("w1", 2), ("w2", 1)]);
    for delivery in &held {
        queue.ack(LANE, &delivery.entry).await.unwrap();
    }
    let report = queue.report(LANE).await.unwrap();
    assert_eq!((report.waiting, report.pending), (1, 1));
    let other = queue.report("another").await.unwrap();
    assert_eq!((other.waiting, other.pending), (0, 0));
}
