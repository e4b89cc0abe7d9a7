//! Servers that are emptied, killed, frozen: errors say whether to try again, and then everything goes on.

use std::time::Duration;

use kycc_queue::conformance::redis_server::RedisServer;
use kycc_queue::{Beat, Effect, QueueError, RedisOptions, RedisQueue, TaskQueue};

use super::{LANE, NOW, SOON, result, task};

/// Calls until it succeeds; every error on the way is a transient one.
async fn in_the_end<T>(call: impl AsyncFn() -> Result<T, QueueError>) -> (T, usize) {
    let mut failures = 0;
    let calls = async {
        loop {
            match call().await {
                Ok(done) => return (done, failures),
                Err(error) => assert!(error.is_transient(), "{error:?}"),
            }
            failures += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let calls = tokio::time::timeout(Duration::from_secs(30), calls).await;
    calls.expect("the server is back, so calls succeed again")
}

#[tokio::test]
async fn an_emptied_server_is_rebuilt_by_use_while_readers_wait() {
    let server = RedisServer::start();
    let queue = server.queue();
    queue.push(LANE, &task("lost")).await.unwrap();
    let held = queue.pull(LANE, "w", 1, SOON).await.unwrap().remove(0);
    let empty = async {
        until_readers_wait(&server, 2).await;
        server.flush();
        queue.push(LANE, &task("a")).await.unwrap();
        queue.publish_result(&result("a")).await.unwrap();
    };
    let (pulled, results, ()) = tokio::join!(
        queue.pull(LANE, "w", 1, SOON),
        queue.pull_results(1, SOON),
        empty
    );
    assert_eq!(pulled.unwrap()[0].task, task("a"));
    assert_eq!(results.unwrap()[0].result, result("a"));

    server.flush();
    assert_eq!(
        queue.beat(LANE, &held.entry, "w").await.unwrap(),
        Beat::Lost
    );
    queue.ack(LANE, &held.entry).await.unwrap();
    server.flush();
    assert!(queue.expired(LANE, NOW).await.unwrap().is_empty());
    server.flush();
    assert!(queue.outstanding(LANE).await.unwrap().is_empty());
    server.flush();
    assert!(queue.pull(LANE, "w", 1, NOW).await.unwrap().is_empty());
    server.flush();
    assert!(queue.pull_results(1, NOW).await.unwrap().is_empty());
    assert!(queue.pull_logs(1, NOW).await.unwrap().is_empty());
}

/// Until so many clients are blocked within the server.
async fn until_readers_wait(server: &RedisServer, readers: usize) {
    let waits = async {
        loop {
            let clients: String = server.ask(&["INFO", "clients"]);
            if clients.contains(&format!("blocked_clients:{readers}")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waits = tokio::time::timeout(SOON, waits).await;
    waits.expect("readers wait within the server");
}

/// A pull of `w` is dropped while the server, frozen, has a task for it on the way.
async fn dropped_as_it_is_given_a_task(
    server: &RedisServer,
    worker: &RedisQueue,
    leader: &RedisQueue,
) {
    let given = task("a");
    // The server knows the script by then, so that the push is one command.
    leader.push("another lane", &given).await.unwrap();
    let mut push = std::pin::pin!(leader.push(LANE, &given));
    {
        let mut pull = std::pin::pin!(worker.pull(LANE, "w", 1, SOON));
        tokio::select! {
            _ = &mut pull => panic!("nothing was pushed yet"),
            () = until_readers_wait(server, 1) => {}
        }
        server.freeze();
        let sent = tokio::time::timeout(Duration::from_millis(50), &mut push).await;
        assert!(sent.is_err(), "the server is frozen");
    }
    server.thaw();
    push.await.unwrap();
}

#[tokio::test]
async fn a_task_given_to_a_pull_as_it_was_dropped_goes_to_the_next_pull_in_that_process() {
    for consumer in ["w", "other"] {
        let server = RedisServer::start();
        let (worker, leader) = (server.queue(), server.queue());
        dropped_as_it_is_given_a_task(&server, &worker, &leader).await;
        let given = leader.expired(LANE, NOW).await.unwrap();
        assert_eq!(given.len(), 1);
        assert_eq!(given[0].consumer, "w");
        let pulled = worker.pull(LANE, consumer, 1, SOON).await.unwrap();
        assert_eq!(pulled[0].task, task("a"));
        let beat = worker.beat(LANE, &pulled[0].entry, consumer).await;
        assert_eq!(beat.unwrap(), Beat::Go);
        assert_eq!(leader.outstanding(LANE).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_task_whose_lease_was_ended_is_not_handed_out_by_a_later_pull() {
    let server = RedisServer::start();
    let (worker, leader) = (server.queue(), server.queue());
    dropped_as_it_is_given_a_task(&server, &worker, &leader).await;
    for ended in leader.expired(LANE, NOW).await.unwrap() {
        leader.push(LANE, &task("again")).await.unwrap();
        leader.ack(LANE, &ended.entry).await.unwrap();
    }
    let pulled = worker.pull(LANE, "w", 5, SOON).await.unwrap();
    assert_eq!(pulled.len(), 1);
    assert_eq!(pulled[0].task, task("again"));
}

#[tokio::test]
async fn a_server_that_was_killed_comes_back_with_all_that_it_acknowledged() {
    let mut server = RedisServer::start();
    let queue = server.queue();
    for id in ["pending", "waiting"] {
        queue.push(LANE, &task(id)).await.unwrap();
    }
    let held = queue.pull(LANE, "w", 1, SOON).await.unwrap().remove(0);
    queue.publish_result(&result("a")).await.unwrap();
    server.kill();
    server.start_again();
    let ((beat, _), (outstanding, _)) = (
        in_the_end(async || queue.beat(LANE, &held.entry, "w").await).await,
        in_the_end(async || queue.outstanding(LANE).await).await,
    );
    assert_eq!(beat, Beat::Go, "still this consumer's");
    assert_eq!(outstanding.len(), 2);
    let (pulled, _) = in_the_end(async || queue.pull(LANE, "w", 1, SOON).await).await;
    assert_eq!(pulled[0].task, task("waiting"));
    let (results, _) = in_the_end(async || queue.pull_results(1, SOON).await).await;
    assert_eq!(results[0].result, result("a"));
}

#[tokio::test]
async fn two_seconds_without_a_server_are_transient_errors_and_then_all_goes_on() {
    let mut server = RedisServer::start();
    let queue = server.queue();
    for id in ["a", "b"] {
        queue.push(LANE, &task(id)).await.unwrap();
    }
    let held = queue.pull(LANE, "w", 1, SOON).await.unwrap().remove(0);
    let entry = &held.entry;
    server.kill();
    let back = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.start_again();
    };
    let pushing = in_the_end(async || queue.push(LANE, &task("c")).await);
    let pulling = in_the_end(async || queue.pull(LANE, "w", 1, NOW).await);
    let beating = in_the_end(async || queue.beat(LANE, entry, "w").await);
    let publishing = in_the_end(async || queue.publish_result(&result("a")).await);
    let ((), (_, pushed), (pulled, unpulled), (beat, unbeaten), (_, published)) =
        tokio::join!(back, pushing, pulling, beating, publishing);
    for failures in [pushed, unpulled, unbeaten, published] {
        assert!(failures > 0, "the server was away");
    }
    assert_eq!(pulled[0].task, task("b"));
    assert_eq!(beat, Beat::Go);
    assert_eq!(queue.outstanding(LANE).await.unwrap().len(), 3);
    assert_eq!(queue.pull_results(5, SOON).await.unwrap().len(), 1);
}

#[tokio::test]
async fn readers_that_wait_notice_a_server_that_dies() {
    let mut server = RedisServer::start();
    let queue = server.queue();
    let kill = async {
        until_readers_wait(&server, 2).await;
        server.kill();
    };
    let long = Duration::from_secs(300);
    let (pulled, results, ()) = tokio::join!(
        queue.pull(LANE, "w", 1, long),
        queue.pull_results(1, long),
        kill
    );
    for error in [pulled.unwrap_err(), results.unwrap_err()] {
        assert!(error.is_transient());
        assert_eq!(error.effect(), Effect::Unknown);
    }
}

#[tokio::test]
async fn what_never_reached_a_server_was_not_applied() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let url = format!("redis://:hush@127.0.0.1:{port}");
    let queue = RedisQueue::open(&url, RedisOptions::default()).unwrap();
    let error = queue.push(LANE, &task("a")).await.unwrap_err();
    assert_eq!(error.effect(), Effect::NotApplied);
    assert_eq!(error.reason(), "QUEUE_UNAVAILABLE");
    let told = format!("{error:?} {queue:?}");
    assert!(!told.contains("hush"), "{told}");
    queue.ping().await.unwrap_err();
}

#[tokio::test]
async fn a_server_that_answers_nobody_is_noticed_and_forgiven() {
    let server = RedisServer::start();
    let queue = server.queue();
    queue.ping().await.unwrap();
    server.freeze();
    let error = queue.push(LANE, &task("a")).await.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown);
    server.thaw();
    in_the_end(async || queue.push(LANE, &task("a")).await).await;
    let outstanding = queue.outstanding(LANE).await.unwrap();
    assert!(
        matches!(outstanding.len(), 1 | 2),
        "the first push may have arrived"
    );
}

#[tokio::test]
async fn a_server_that_refuses_says_so() {
    let server = RedisServer::start();
    let queue = server.queue();
    server.ask::<()>(&["SET", "kycc:v1:{kycc}:results", "not a stream"]);
    let error = queue.publish_result(&result("a")).await.unwrap_err();
    assert_eq!(error.reason(), "QUEUE_REFUSED");
    assert_eq!(error.effect(), Effect::NotApplied);
}
