//! What the queue costs beside the server's own commands, measured in one run:
//! `TEST_REDIS_URL=redis://… cargo run -p kycc-queue --features conformance --example queue_rates`. Prints JSON.
//!
//! Every loop does one message after the other, so a rate is the inverse of a round's latency. Ratios are to the raw commands.

use std::error::Error;
use std::time::{Duration, Instant};

use kycc_proto::work::v1::Task;
use kycc_queue::conformance::redis_server::Namespace;
use kycc_queue::{InProcessQueue, TaskQueue};
use prost::Message;
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, Value};
use serde_json::json;

const ROUNDS: u32 = 3_000;
const WAKES: usize = 400;
const LANE: &str = "rates";
const WAIT: Duration = Duration::from_secs(10);

fn task() -> Task {
    Task {
        task_id: "0199c2f4-7c3e-7d52-8c3e-000000000000-score_batch-0".to_owned(),
        run_id: "0199c2f4-7c3e-7d52-8c3e-000000000000".to_owned(),
        asset: "score_batch".to_owned(),
        attempt: 1,
        config_json: "x".repeat(600),
        ..Task::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let namespace = Namespace::new();
    let on_redis = namespace.queue();
    let in_process = InProcessQueue::default();
    let raw = raw_rate(&namespace).await?;
    let redis = rate(&on_redis).await?;
    let memory = rate(&in_process).await?;
    let (redis_p50, redis_p99) = wake_up(&on_redis).await?;
    let (memory_p50, memory_p99) = wake_up(&in_process).await?;
    let raw_again = raw_rate(&namespace).await?;
    let report = json!({
        "rounds": ROUNDS,
        "raw_xadd_xreadgroup_xack_per_second": [raw.round(), raw_again.round()],
        "redis_queue": {
            "push_pull_ack_per_second": redis.round(),
            "ratio_to_raw": 2.0 * redis / (raw + raw_again),
            "push_to_pulled_ms": {"p50": redis_p50, "p99": redis_p99},
        },
        "in_process_queue": {
            "push_pull_ack_per_second": memory.round(),
            "ratio_to_raw": 2.0 * memory / (raw + raw_again),
            "push_to_pulled_ms": {"p50": memory_p50, "p99": memory_p99},
        },
        "optimised": !cfg!(debug_assertions),
    });
    println!("{report:#}");
    Ok(())
}

async fn raw_rate(namespace: &Namespace) -> Result<f64, Box<dyn Error>> {
    let url = namespace.url();
    let server = url.split('?').next().unwrap_or_default();
    let mut connection = redis::Client::open(server)?
        .get_multiplexed_async_connection()
        .await?;
    let key = format!("kycc:v1:{{{}}}:raw", namespace.name());
    let _: redis::RedisResult<Value> = connection.xgroup_create_mkstream(&key, "g", "0").await;
    let options = StreamReadOptions::default().group("g", "w").count(1);
    let payload = task().encode_to_vec();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let _: String = connection
            .xadd(&key, "*", &[("task", payload.as_slice())])
            .await?;
        let read: StreamReadReply = connection.xread_options(&[&key], &[">"], &options).await?;
        let _: u32 = connection
            .xack(&key, "g", &[&read.keys[0].ids[0].id])
            .await?;
    }
    Ok(f64::from(ROUNDS) / begun.elapsed().as_secs_f64())
}

async fn rate(queue: &dyn TaskQueue) -> Result<f64, Box<dyn Error>> {
    let task = task();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        queue.push(LANE, &task).await?;
        let pulled = queue.pull(LANE, "w", 1, WAIT).await?;
        queue.ack(LANE, &pulled[0].entry).await?;
    }
    Ok(f64::from(ROUNDS) / begun.elapsed().as_secs_f64())
}

/// From the moment a push is asked for to the moment a reader that waited has the task: p50 and p99 in ms.
async fn wake_up(queue: &dyn TaskQueue) -> Result<(f64, f64), Box<dyn Error>> {
    let task = task();
    let mut times = Vec::with_capacity(WAKES);
    for _ in 0..WAKES {
        let reading = async {
            let pulled = queue.pull(LANE, "w", 1, WAIT).await;
            (pulled, Instant::now())
        };
        let pushing = async {
            // Until the reader is idle within the server.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let begun = Instant::now();
            queue.push(LANE, &task).await.map(|()| begun)
        };
        let ((pulled, had), begun) = tokio::join!(reading, pushing);
        queue.ack(LANE, &pulled?[0].entry).await?;
        times.push((had - begun?).as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[WAKES / 2], times[WAKES * 99 / 100]))
}
