//! Event logs of runs, and the feed of all of them.

use std::sync::Arc;

use super::{apply, create, line, new_run, nothing};
use crate::store::{FeedFilter, RunStore};

pub(crate) async fn event_numbers_have_no_gaps_also_when_written_at_once(store: Arc<dyn RunStore>) {
    create(&store, &new_run("r1", "")).await;
    let writers = (0..8).map(|writer| {
        let store = &store;
        async move {
            let mut change = nothing("r1");
            change.log = vec![line(&format!("{writer} a")), line(&format!("{writer} b"))];
            apply(store, &[change]).await.unwrap()[0]
        }
    });
    let mut last = futures::future::join_all(writers).await;
    last.sort_unstable();
    assert_eq!(last, [3, 5, 7, 9, 11, 13, 15, 17]);
    let run_id = "r1".parse().unwrap();
    let events = store.events(&run_id, 1, 100).await.unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (2..=17).collect::<Vec<_>>());
    assert_eq!(store.events(&run_id, 10, 3).await.unwrap().len(), 3);
}

pub(crate) async fn who_follows_the_feed_while_it_is_written_misses_nothing(
    store: Arc<dyn RunStore>,
) {
    create(&store, &new_run("r1", "")).await;
    create(&store, &new_run("r2", "")).await;
    let writers = (0..20).map(|writer| {
        let store = &store;
        async move {
            let mut change = nothing(["r1", "r2"][writer % 2]);
            change.log = vec![line("a"), line("b"), line("c")];
            apply(store, &[change]).await.unwrap();
        }
    });
    let follower = async {
        let mut seen = Vec::new();
        let mut after = 0;
        while seen.len() < 62 {
            let filter = FeedFilter {
                up_to: store.last_position().await.unwrap(),
                ..FeedFilter::default()
            };
            let found = store.feed(&filter, after, 7).await.unwrap();
            after = match found.last() {
                Some(last) if found.len() == 7 => last.position,
                _ => filter.up_to,
            };
            seen.extend(found);
            tokio::task::yield_now().await;
        }
        seen
    };
    let (seen, _) = tokio::join!(follower, futures::future::join_all(writers));
    assert!(seen.is_sorted_by(|a, b| a.position < b.position));
    for run in ["r1", "r2"] {
        let of_run = seen.iter().filter(|found| found.run_id.as_str() == run);
        let numbers: Vec<u64> = of_run.map(|found| found.event.sequence).collect();
        assert_eq!(numbers, (1..=31).collect::<Vec<_>>());
    }
}
