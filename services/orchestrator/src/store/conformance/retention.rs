//! What a run store promises about what is old.

use std::sync::Arc;

use kycc_domain::ids::RunId;
use kycc_lake::VersionId;

use super::{Change, RunStore, apply, asset, change, create, line, new_run, nothing, version};
use crate::core::{Event, Metadata, Resolution, RunState};
use crate::store::{NewMaterialization, Pruned, RunFilter};

/// Changes are written at 2,000 microseconds.
const SOON: i64 = 2_001;

async fn canceled(store: &Arc<dyn RunStore>, run: &str) {
    let new = new_run(run, &format!("request of {run}"));
    create(store, &new).await;
    let (ended, _) = change(&new.state, Event::CancelRequested { by: "me".into() });
    apply(store, &[ended]).await.unwrap();
}

async fn events(store: &Arc<dyn RunStore>, run: &str) -> usize {
    let run: RunId = run.parse().unwrap();
    store.events(&run, 0, 1_000).await.unwrap().len()
}

async fn made(store: &Arc<dyn RunStore>, run: &str, id: &str, key: &str) {
    let made = Change {
        materialized: vec![NewMaterialization {
            id: id.to_owned(),
            asset: asset("first"),
            key: key.to_owned(),
            inputs: Vec::new(),
            outputs: vec![crate::core::Version {
                key: key.to_owned(),
                ..version("first")
            }],
            metadata: Metadata::new(),
        }],
        ..nothing(run)
    };
    apply(store, &[made]).await.unwrap();
}

pub(crate) async fn old_runs_go_with_what_was_written_of_them_and_current_materializations_stay(
    store: Arc<dyn RunStore>,
) {
    for run in ["r1", "r2"] {
        canceled(&store, run).await;
    }
    create(&store, &new_run("live", "")).await;
    let lines = Change {
        log: (0..10).map(|n| line(&n.to_string())).collect(),
        ..nothing("r1")
    };
    apply(&store, &[lines]).await.unwrap();
    made(&store, "r1", "m1", "k1").await;
    made(&store, "r2", "m2", "k2").await;
    let (first, second) = (events(&store, "r1").await, events(&store, "r2").await);

    // Nothing is old yet.
    assert_eq!(store.count_old(2_000).await.unwrap(), Pruned::default());
    assert_eq!(store.prune_events(2_000, None, 9).await.unwrap(), None);
    let old = store.count_old(SOON).await.unwrap();
    let all = (first + second) as u64;
    assert_eq!(
        old,
        Pruned {
            runs: 2,
            events: all
        }
    );
    // A run that still has events stays.
    assert_eq!(store.prune_runs(SOON, 9).await.unwrap(), 0);

    let r1: RunId = "r1".parse().unwrap();
    let gone = store.prune_events(SOON, None, 9).await.unwrap();
    assert_eq!(gone, Some((r1.clone(), 9)));
    let rest = store.events(&r1, 0, 1_000).await.unwrap();
    assert_eq!((rest[0].sequence, rest.len()), (10, first - 9));
    let gone = store.prune_events(SOON, None, 9).await.unwrap();
    assert_eq!(gone, Some((r1.clone(), first as u64 - 9)));
    let (run, gone) = store
        .prune_events(SOON, Some(&r1), 9)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((run.as_str(), gone), ("r2", second as u64));
    assert_eq!(store.prune_events(SOON, Some(&run), 9).await.unwrap(), None);
    assert!(events(&store, "live").await > 0);

    assert_eq!(store.prune_materializations(9).await.unwrap(), 0);
    assert_eq!(store.prune_runs(SOON, 1).await.unwrap(), 1);
    assert_eq!(store.prune_runs(SOON, 9).await.unwrap(), 1);
    let left = store.runs(&RunFilter::default(), None, 9).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].state.run_id.as_str(), "live");
    assert_eq!(left[0].state.steps.len(), 2);
    // Its request id is free again, as if it had never been.
    let again = create(&store, &new_run("r3", "request of r1")).await;
    assert_eq!(again, crate::store::Created::New);
    // Both runs are gone; what the second made is current, what the first made is not.
    assert_eq!(store.prune_materializations(9).await.unwrap(), 1);
    let kept = store
        .materializations(&asset("first"), None, None, 9)
        .await
        .unwrap();
    assert_eq!((kept.len(), kept[0].id.as_str()), (1, "m2"));
}

pub(crate) async fn what_is_referenced_is_kept_current_or_not_yet_sure(store: Arc<dyn RunStore>) {
    let named = |dataset: &str, key: &str| VersionId {
        dataset: dataset.parse().unwrap(),
        batch: "B1".parse().unwrap(),
        key: key.to_owned(),
    };
    assert!(store.referenced().await.unwrap().is_empty());
    let new = new_run("r1", "");
    create(&store, &new).await;
    made(&store, "r1", "m1", "k1").await;
    made(&store, "r1", "m2", "k2").await;
    let mut state: RunState = new.state;
    let resolved = |name: &str, key: &str| Event::StepResolved {
        asset: asset(name),
        resolution: Resolution {
            key: key.to_owned(),
            inputs: vec![crate::core::Version {
                key: "read".to_owned(),
                ..version("elsewhere")
            }],
            sources: Vec::new(),
            shards: 1,
        },
        memo: None,
    };
    for event in [Event::Started, resolved("first", "written")] {
        let (step, after) = change(&state, event);
        apply(&store, &[step]).await.unwrap();
        state = after;
    }
    let mut found: Vec<_> = store.referenced().await.unwrap().into_iter().collect();
    found.sort();
    let mut expected = vec![
        named("elsewhere", "read"),
        named("first", "k1"),
        named("first", "k2"),
        // A worker is writing it.
        named("first", "written"),
    ];
    expected.sort();
    assert_eq!(found, expected);
}
