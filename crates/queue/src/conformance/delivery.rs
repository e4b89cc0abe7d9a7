//! Who gets which task: priorities, bounds of a pull, many consumers, readers that leave, payloads of every kind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kycc_proto::work::v1::Task;

use super::{LANE, NOW, SOON, task, urgent};
use crate::{Delivery, TaskQueue};

type Queue = Arc<dyn TaskQueue>;

fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|d| d.task.task_id.as_str()).collect()
}

async fn push(queue: &Queue, tasks: &[Task]) {
    for task in tasks {
        queue.push(LANE, task).await.unwrap();
    }
}

pub async fn urgent_tasks_come_before_those_that_waited_longer(queue: Queue) {
    let waiting = [task("a"), urgent("u1"), task("b"), urgent("u2")];
    push(&queue, &waiting).await;
    let first = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    assert_eq!(ids(&first), ["u1"]);
    assert_eq!(first[0].task, urgent("u1"));
    let rest = queue.pull(LANE, "w", 10, SOON).await.unwrap();
    assert_eq!(ids(&rest), ["u2", "a", "b"]);
    for delivery in first.iter().chain(&rest) {
        queue.ack(LANE, &delivery.entry).await.unwrap();
    }
    assert!(queue.outstanding(LANE).await.unwrap().is_empty());
}

pub async fn a_pull_never_gives_more_than_it_was_asked_for(queue: Queue) {
    let waiting = [task("a"), urgent("u"), task("b"), urgent("v")];
    push(&queue, &waiting).await;
    for _ in 0..2 {
        let pulled = queue.pull(LANE, "w", 2, SOON).await.unwrap();
        assert_eq!(pulled.len(), 2);
    }
    assert!(queue.pull(LANE, "w", 0, NOW).await.unwrap().is_empty());
    let late = [task("c"), urgent("x")];
    let (pulled, ()) = tokio::join!(queue.pull(LANE, "w", 1, SOON), push(&queue, &late));
    assert_eq!(pulled.unwrap().len(), 1);
    assert_eq!(queue.pull(LANE, "w", 5, SOON).await.unwrap().len(), 1);
}

pub async fn a_waiting_reader_is_woken_by_an_urgent_push(queue: Queue) {
    let waiting = [urgent("u")];
    let (pulled, ()) = tokio::join!(queue.pull(LANE, "w", 1, SOON), push(&queue, &waiting));
    assert_eq!(ids(&pulled.unwrap()), ["u"]);
}

pub async fn a_pull_dropped_while_it_waits_leaves_its_consumer_able_to_pull(queue: Queue) {
    for name in ["a", "b", "c"] {
        let abandoned = queue.pull(LANE, "w", 1, SOON);
        let at_once = tokio::time::timeout(Duration::from_millis(10), abandoned).await;
        assert!(at_once.is_err(), "nothing to pull yet");
        push(&queue, &[task(name)]).await;
        let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
        assert_eq!(ids(&pulled), [name]);
    }
}

/// Takes until nothing has come for a second.
async fn drain(queue: &Queue, consumer: &str) -> Vec<String> {
    let mut taken = Vec::new();
    loop {
        let pulled = queue.pull(LANE, consumer, 3, Duration::from_secs(1));
        let pulled = pulled.await.unwrap();
        if pulled.is_empty() {
            return taken;
        }
        for delivery in pulled {
            queue.ack(LANE, &delivery.entry).await.unwrap();
            taken.push(delivery.task.task_id);
        }
    }
}

pub async fn two_hundred_tasks_go_to_eight_consumers_each_once(queue: Queue) {
    let all: Vec<Task> = (0..200)
        .map(|number| Task {
            priority: number % 3,
            ..task(&format!("t{number:03}"))
        })
        .collect();
    let (one, two, three, four, five, six, seven, eight, (), ()) = tokio::join!(
        drain(&queue, "1"),
        drain(&queue, "2"),
        drain(&queue, "3"),
        drain(&queue, "4"),
        drain(&queue, "5"),
        drain(&queue, "6"),
        drain(&queue, "7"),
        drain(&queue, "8"),
        push(&queue, &all[..100]),
        push(&queue, &all[100..]),
    );
    let taken = [one, two, three, four, five, six, seven, eight].concat();
    assert_eq!(taken.len(), 200, "none twice");
    let names: BTreeSet<_> = taken.into_iter().collect();
    assert_eq!(names.len(), 200, "each once");
    assert!(queue.outstanding(LANE).await.unwrap().is_empty());
}

pub async fn a_large_task_arrives_whole(queue: Queue) {
    let large = Task {
        config_json: "x".repeat(1 << 20),
        ..task("large")
    };
    push(&queue, std::slice::from_ref(&large)).await;
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    assert!(pulled[0].task == large, "1 MiB, byte for byte");
    let expired = queue.expired(LANE, NOW).await.unwrap();
    assert!(expired[0].task == large, "also for who leads");
}

pub async fn a_task_of_any_text_arrives_as_it_was_pushed(queue: Queue) {
    let odd = Task {
        task_id: "run:7/ä{}%\u{0}\r\n".to_owned(),
        config_json: (0..=0x2ff_u32).filter_map(char::from_u32).collect(),
        attempt: u32::MAX,
        ..task("")
    };
    let empty = Task::default();
    push(&queue, &[odd.clone(), empty.clone()]).await;
    let pulled = queue.pull(LANE, "w", 2, SOON).await.unwrap();
    assert_eq!(pulled[0].task, odd);
    assert_eq!(pulled[1].task, empty);
    let outstanding = queue.outstanding(LANE).await.unwrap();
    assert_eq!(outstanding[0].task_id, odd.task_id);
    assert_eq!(outstanding[0].attempt, u32::MAX);
    queue.cancel(&odd.task_id).await.unwrap();
    for (delivery, expected) in pulled.iter().zip([crate::Beat::Cancelled, crate::Beat::Go]) {
        let beat = queue.beat(LANE, &delivery.entry, "w").await.unwrap();
        assert_eq!(beat, expected);
        queue.ack(LANE, &delivery.entry).await.unwrap();
    }
}
