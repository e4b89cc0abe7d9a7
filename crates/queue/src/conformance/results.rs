//! The streams back: results at least once, log lines at most once.

use std::sync::Arc;
use std::time::Duration;

use super::{NOW, SOON, log, result};
use crate::{EntryId, TaskQueue};

type Queue = Arc<dyn TaskQueue>;

async fn publish(queue: &Queue, ids: &[&str]) {
    for id in ids {
        queue.publish_result(&result(id)).await.unwrap();
    }
}

async fn unacknowledged(queue: &Queue) -> Vec<String> {
    let entries = queue.pull_results(10, NOW).await.unwrap();
    entries.into_iter().map(|e| e.result.task_id).collect()
}

pub async fn results_come_again_until_acknowledged(queue: Queue) {
    publish(&queue, &["a", "b"]).await;
    let first = queue.pull_results(1, SOON).await.unwrap();
    assert_eq!(first[0].result, result("a"));
    assert_eq!(unacknowledged(&queue).await, ["a", "b"]);
    queue.ack_results(&[first[0].entry.clone()]).await.unwrap();
    assert_eq!(unacknowledged(&queue).await, ["b"]);
}

pub async fn results_can_be_acknowledged_out_of_order(queue: Queue) {
    publish(&queue, &["a", "b", "c"]).await;
    let all = queue.pull_results(10, SOON).await.unwrap();
    queue.ack_results(&[all[1].entry.clone()]).await.unwrap();
    assert_eq!(unacknowledged(&queue).await, ["a", "c"]);
    let rest: Vec<_> = all.into_iter().map(|entry| entry.entry).collect();
    queue.ack_results(&rest).await.unwrap();
    assert!(unacknowledged(&queue).await.is_empty());
}

pub async fn a_waiting_reader_is_woken_by_a_result(queue: Queue) {
    let (pulled, ()) = tokio::join!(queue.pull_results(1, SOON), publish(&queue, &["a"]));
    assert_eq!(pulled.unwrap()[0].result, result("a"));
}

pub async fn logs_and_results_do_not_mix(queue: Queue) {
    queue.publish_logs(&[log(1)]).await.unwrap();
    assert!(unacknowledged(&queue).await.is_empty());
    publish(&queue, &["a"]).await;
    assert_eq!(queue.pull_logs(10, SOON).await.unwrap(), [log(1)]);
}

pub async fn logs_keep_their_order_and_come_once(queue: Queue) {
    queue.publish_logs(&[log(1), log(2)]).await.unwrap();
    queue.publish_logs(&[log(3)]).await.unwrap();
    assert_eq!(queue.pull_logs(2, SOON).await.unwrap(), [log(1), log(2)]);
    assert_eq!(queue.pull_logs(2, SOON).await.unwrap(), [log(3)]);
    assert!(queue.pull_logs(2, NOW).await.unwrap().is_empty());
}

pub async fn a_reader_of_results_that_was_dropped_keeps_nothing_from_the_next(queue: Queue) {
    let abandoned = queue.pull_results(1, SOON);
    let at_once = tokio::time::timeout(Duration::from_millis(10), abandoned).await;
    assert!(at_once.is_err(), "nothing to read yet");
    publish(&queue, &["a"]).await;
    assert_eq!(unacknowledged(&queue).await, ["a"]);
    let again = queue.pull_results(1, SOON).await.unwrap();
    assert_eq!(again[0].result, result("a"));
}

pub async fn results_acknowledged_twice_are_no_error(queue: Queue) {
    publish(&queue, &["a"]).await;
    let entry = queue.pull_results(1, SOON).await.unwrap().remove(0).entry;
    let entries = [entry.clone(), EntryId("no such entry".to_owned()), entry];
    queue.ack_results(&entries).await.unwrap();
    queue.ack_results(&entries).await.unwrap();
    queue.ack_results(&[]).await.unwrap();
    assert!(unacknowledged(&queue).await.is_empty());
}
