//! What every run store promises about the seat of the leader.

use std::sync::Arc;

use super::{change, new_run};
use crate::core::Event;
use crate::store::{Epoch, LeaderRow, RunStore, RunStoreError};

async fn row(store: &Arc<dyn RunStore>) -> LeaderRow {
    store.leader().await.unwrap()
}

async fn take_over(store: &Arc<dyn RunStore>, holder: &str) -> Epoch {
    let seen = row(store).await;
    let won = store.campaign(&seen, holder, "host:1").await.unwrap();
    won.unwrap()
}

pub(crate) async fn of_two_candidates_exactly_one_wins(store: Arc<dyn RunStore>) {
    for _ in 0..10 {
        let seen = row(&store).await;
        let campaign = |holder: &'static str| {
            let (store, seen) = (Arc::clone(&store), seen.clone());
            async move { store.campaign(&seen, holder, "host:1").await.unwrap() }
        };
        let (a, b) = tokio::join!(campaign("a"), campaign("b"));
        let expected = Epoch(seen.epoch.0 + 1);
        let (winner, epoch) = match (a, b) {
            (Some(epoch), None) => ("a", epoch),
            (None, Some(epoch)) => ("b", epoch),
            both => panic!("one wins, not {both:?}"),
        };
        let now = row(&store).await;
        assert_eq!(
            (now.holder.as_str(), now.epoch, epoch),
            (winner, expected, expected)
        );
        assert_eq!(now.address, "host:1");
    }
}

pub(crate) async fn a_deposed_leader_writes_nothing(store: Arc<dyn RunStore>) {
    let old = take_over(&store, "old").await;
    let run = new_run("r1", "");
    store.create(old, std::slice::from_ref(&run)).await.unwrap();
    let new = take_over(&store, "new").await;
    let before = row(&store).await;

    let (started, _) = change(&run.state, Event::Started);
    let refused = [
        store
            .apply(old, std::slice::from_ref(&started))
            .await
            .map(|_| ()),
        store.create(old, &[new_run("r2", "q2")]).await.map(|_| ()),
        store.renew(old).await,
        store.give_up(old).await,
    ];
    for answer in refused {
        let error = answer.unwrap_err();
        assert!(
            matches!(error, RunStoreError::Deposed { epoch } if epoch == old),
            "{error}"
        );
        assert_eq!(error.effect(), kycc_store::Effect::NotApplied);
    }
    assert_eq!(row(&store).await, before);
    let read = store.run(&run.facts.run_id).await.unwrap().unwrap();
    assert_eq!((read.state, read.last_sequence), (run.state.clone(), 1));
    assert_eq!(store.run(&"r2".parse().unwrap()).await.unwrap(), None);
    store.apply(new, &[started]).await.unwrap();
    // The request id is as good as new.
    let created = store.create(new, &[new_run("r2", "q2")]).await.unwrap();
    assert_eq!(created, [crate::store::Created::New]);
}

pub(crate) async fn a_seat_that_was_given_up_is_empty_and_its_epoch_is_over(
    store: Arc<dyn RunStore>,
) {
    let epoch = take_over(&store, "a").await;
    store.give_up(epoch).await.unwrap();
    let empty = row(&store).await;
    assert_eq!((empty.holder.as_str(), empty.address.as_str()), ("", ""));
    let error = store.renew(epoch).await.unwrap_err();
    assert!(matches!(error, RunStoreError::Deposed { .. }), "{error}");
    assert!(take_over(&store, "b").await > epoch);
}

pub(crate) async fn whatever_a_leader_writes_renews_its_lease(store: Arc<dyn RunStore>) {
    let epoch = take_over(&store, "a").await;
    let run = new_run("r1", "");
    let (started, _) = change(&run.state, Event::Started);
    let mut renewals = vec![row(&store).await.renewals];
    store.create(epoch, &[run]).await.unwrap();
    renewals.push(row(&store).await.renewals);
    store.apply(epoch, &[started]).await.unwrap();
    renewals.push(row(&store).await.renewals);
    store.renew(epoch).await.unwrap();
    renewals.push(row(&store).await.renewals);
    assert!(renewals.is_sorted_by(|a, b| a < b), "{renewals:?}");
    // Who saw the row before it was renewed does not take over.
    let seen = LeaderRow {
        renewals: renewals[2],
        ..row(&store).await
    };
    assert_eq!(store.campaign(&seen, "b", "").await.unwrap(), None);
}
