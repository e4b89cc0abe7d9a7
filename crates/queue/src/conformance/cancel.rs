//! Cancelling: a mark that the next beat brings home.

use std::sync::Arc;

use super::{LANE, SOON, task};
use crate::{Beat, TaskQueue};

type Queue = Arc<dyn TaskQueue>;

async fn pull_and_beat(queue: &Queue) -> Beat {
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    queue.beat(LANE, &pulled[0].entry, "w").await.unwrap()
}

pub async fn a_cancelled_task_hears_so_at_its_next_beat(queue: Queue) {
    queue.push(LANE, &task("a")).await.unwrap();
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    let entry = &pulled[0].entry;
    assert_eq!(queue.beat(LANE, entry, "w").await.unwrap(), Beat::Go);
    queue.cancel("a").await.unwrap();
    queue.cancel("a").await.unwrap();
    assert_eq!(queue.beat(LANE, entry, "w").await.unwrap(), Beat::Cancelled);
}

pub async fn a_cancel_before_the_pull_is_heard_after_it(queue: Queue) {
    queue.cancel("a").await.unwrap();
    queue.push(LANE, &task("a")).await.unwrap();
    assert_eq!(pull_and_beat(&queue).await, Beat::Cancelled);
}

pub async fn cancelling_one_task_leaves_others_alone(queue: Queue) {
    queue.cancel("a").await.unwrap();
    queue.push(LANE, &task("b")).await.unwrap();
    assert_eq!(pull_and_beat(&queue).await, Beat::Go);
}
