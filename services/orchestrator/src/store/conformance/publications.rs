//! The log of publications: complete, in order, and read on from any position.

use std::sync::Arc;

use super::{apply, asset, create, new_run, nothing, version};
use crate::core::Metadata;
use crate::store::{Change, NewMaterialization, RunStore};

fn made(run_id: &str, name: &str, id: &str, key: &str) -> Change {
    let mut metadata = Metadata::new();
    metadata.insert("rows".to_owned(), 7.into());
    Change {
        materialized: vec![NewMaterialization {
            inputs: Vec::new(),
            id: id.to_owned(),
            asset: asset(name),
            key: key.to_owned(),
            outputs: vec![version(name)],
            metadata,
        }],
        ..nothing(run_id)
    }
}

/// Position and materialization of the entries after a position.
async fn entries(store: &Arc<dyn RunStore>, name: &str, after: u64) -> Vec<(u64, String)> {
    let up_to = store.newest_position().await.unwrap();
    let found = store
        .publications(&asset(name), after, up_to, false, 9)
        .await;
    let found = found.unwrap().into_iter();
    found.map(|one| (one.position, one.made.id)).collect()
}

pub(crate) async fn publications_are_read_on_from_any_position(store: Arc<dyn RunStore>) {
    assert_eq!(store.newest_position().await.unwrap(), 0);
    create(&store, &new_run("r1", "")).await;
    create(&store, &new_run("r2", "")).await;
    let epoch = super::epoch(&store).await;
    let both = [
        made("r1", "first", "m1", "k1"),
        made("r2", "second", "m2", "k2"),
    ];
    let applied = store.apply(epoch, &both).await.unwrap();
    assert_eq!(applied.published, Some(2));
    let applied = store.apply(epoch, &[nothing("r1")]).await.unwrap();
    assert_eq!(applied.published, None);
    apply(&store, &[made("r1", "first", "m3", "k3")])
        .await
        .unwrap();
    let of = |position, id: &str| (position, id.to_owned());
    assert_eq!(
        entries(&store, "first", 0).await,
        [of(1, "m1"), of(3, "m3")]
    );
    assert_eq!(entries(&store, "first", 1).await, [of(3, "m3")]);
    assert_eq!(entries(&store, "second", 2).await, []);

    let first = asset("first");
    let up_to_two = store.publications(&first, 0, 2, true, 9).await.unwrap();
    assert_eq!(up_to_two.len(), 1);
    assert_eq!(up_to_two[0].made.metadata["rows"], 7);
    let without = store.publications(&first, 0, 9, false, 1).await.unwrap();
    assert_eq!((without.len(), without[0].made.metadata.len()), (1, 0));
    assert_eq!(without[0].made.outputs, [version("first")]);
}

pub(crate) async fn a_version_that_is_current_again_is_published_again_and_only_then(
    store: Arc<dyn RunStore>,
) {
    create(&store, &new_run("r1", "")).await;
    apply(&store, &[made("r1", "first", "m1", "k1")])
        .await
        .unwrap();
    let mut again = nothing("r1");
    again.reused.push((asset("first"), "k1".to_owned()));
    apply(&store, &[again.clone()]).await.unwrap();
    assert_eq!(
        store.newest_position().await.unwrap(),
        1,
        "it was current all along"
    );
    apply(&store, &[made("r1", "first", "m2", "k2")])
        .await
        .unwrap();
    apply(&store, &[again]).await.unwrap();
    let ids: Vec<_> = entries(&store, "first", 0)
        .await
        .into_iter()
        .map(|one| one.1)
        .collect();
    assert_eq!(ids, ["m1", "m2", "m1"]);
}

pub(crate) async fn positions_never_begin_anew_when_old_publications_are_removed(
    store: Arc<dyn RunStore>,
) {
    create(&store, &new_run("r1", "")).await;
    // As of a run that is long gone.
    let of_nobody = |id: &str| Change {
        materialized: made("r1", "first", id, id).materialized,
        ..nothing("r1")
    };
    apply(&store, &[of_nobody("m1")]).await.unwrap();
    apply(&store, &[of_nobody("m2")]).await.unwrap();
    let soon = i64::MAX;
    store.prune_events(soon, None, 1_000).await.unwrap();
    let mut state = new_run("r1", "").state;
    let canceled = crate::core::Event::CancelRequested {
        by: "ann".to_owned(),
    };
    let (change, after) = super::change(&state, canceled);
    apply(&store, &[change]).await.unwrap();
    state = after;
    assert!(state.status.is_terminal());
    store.prune_events(soon, None, 1_000).await.unwrap();
    assert_eq!(store.prune_runs(soon, 9).await.unwrap(), 1);
    assert_eq!(store.prune_materializations(9).await.unwrap(), 1);
    assert_eq!(entries(&store, "first", 0).await, [(2, "m2".to_owned())]);
    create(&store, &new_run("r2", "")).await;
    apply(&store, &[made("r2", "first", "m3", "k3")])
        .await
        .unwrap();
    assert_eq!(store.newest_position().await.unwrap(), 3);
}
