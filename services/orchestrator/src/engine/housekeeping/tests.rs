//! What goes, what stays, and when.

use kycc_runtime::{ModuleTable, SystemClock};

use super::*;
use crate::core::{Event, advance};
use crate::store::conformance::new_run;
use crate::store::{Change, LeaderStore as _, Move, RunFilter, RunStore};
use crate::testing::{FakeOutside, PIPELINE, open_store};

struct House {
    keeping: Housekeeping,
    outside: Arc<FakeOutside>,
    _folder: tempfile::TempDir,
}

/// Three runs that ended in 1970, and one that has not.
async fn house(settings: &str) -> House {
    let store = Arc::new(open_store().await);
    let seat = store.leader().await.unwrap();
    let epoch = store.campaign(&seat, "test", "").await.unwrap().unwrap();
    for run in ["r1", "r2", "r3", "live"] {
        let new = new_run(run, "");
        store
            .create(epoch, std::slice::from_ref(&new))
            .await
            .unwrap();
        let event = match run {
            "live" => Event::Started,
            _ => Event::CancelRequested { by: "me".into() },
        };
        let (after, _) = advance(&new.state, event).unwrap();
        let change = Change {
            run_id: new.facts.run_id.clone(),
            batch: new.facts.batch.clone(),
            at: 2_000,
            moved: Some(Move {
                before: new.state.clone(),
                after,
            }),
            log: Vec::new(),
            materialized: Vec::new(),
            reused: Vec::new(),
            attempts_ended: Vec::new(),
            dead_letters: Vec::new(),
            audit: Vec::new(),
        };
        store.apply(epoch, &[change]).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipeline.yaml");
    std::fs::write(&path, format!("{PIPELINE}{settings}\n")).unwrap();
    let table = ModuleTable {
        lanes: ["a", "b", "c"].into(),
        sources: ["file"].into(),
        ..ModuleTable::default()
    };
    let outside = Arc::new(FakeOutside::default());
    House {
        keeping: Housekeeping {
            store,
            outside: Arc::clone(&outside) as _,
            catalogue: Arc::new(Catalogue::open(Some(path), None, Arc::new(table)).unwrap()),
            clock: Arc::new(SystemClock),
            lease: Duration::from_secs(30),
        },
        outside,
        _folder: folder,
    }
}

async fn pruned(settings: &str) -> (Removed, Vec<(String, usize)>) {
    let house = house(settings).await;
    let mut removed = Removed::default();
    house.keeping.prune(&mut removed).await.unwrap();
    let store = &house.keeping.store;
    let mut left = Vec::new();
    for run in store.runs(&RunFilter::default(), None, 9).await.unwrap() {
        let run_id = &run.state.run_id;
        let events = store.events(run_id, 0, 9).await.unwrap().len();
        left.push((run_id.to_string(), events));
    }
    left.sort();
    (removed, left)
}

fn left(of: &[(&str, usize)]) -> Vec<(String, usize)> {
    let of = of.iter();
    of.map(|(run, events)| ((*run).to_owned(), *events))
        .collect()
}

#[tokio::test]
async fn everything_is_kept_unless_it_is_said_otherwise() {
    let (removed, kept) = pruned("").await;
    assert_eq!(removed, Removed::default());
    assert_eq!(kept, left(&[("live", 1), ("r1", 1), ("r2", 1), ("r3", 1)]));
}

#[tokio::test]
async fn events_go_before_their_runs_and_those_of_live_runs_never() {
    let (removed, kept) = pruned("retention: { events_days: 30 }").await;
    assert_eq!((removed.events, removed.runs), (3, 0));
    assert_eq!(kept, left(&[("live", 1), ("r1", 0), ("r2", 0), ("r3", 0)]));
}

#[tokio::test]
async fn ended_runs_go_with_their_events() {
    let (removed, kept) = pruned("retention: { runs_days: 30 }").await;
    assert_eq!((removed.events, removed.runs), (3, 3));
    assert_eq!(kept, left(&[("live", 1)]));
    // Younger than a century is not old.
    let (removed, kept) = pruned("retention: { runs_days: 36500 }").await;
    assert_eq!((removed, kept.len()), (Removed::default(), 4));
}

#[tokio::test]
async fn the_lakes_garbage_is_collected_with_a_grace_of_days_or_not_at_all() {
    const DAY: i64 = 24 * 3600 * 1_000_000;
    let mut removed = Removed::default();
    for (settings, days) in [("", 7), ("lake: { garbage_after_days: 2 }", 2)] {
        let house = house(settings).await;
        let before = SystemClock.now_micros();
        house.keeping.collect(&mut removed).await.unwrap();
        let after = SystemClock.now_micros();
        let (keep, older_than) = house.outside.collected.lock().unwrap().take().unwrap();
        assert_eq!(keep, house.keeping.store.referenced().await.unwrap());
        let grace = days * DAY;
        assert!((before - grace..=after - grace).contains(&older_than));
    }
    let never = house("lake: { garbage_after_days: 0 }").await;
    never.keeping.collect(&mut removed).await.unwrap();
    assert_eq!(*never.outside.collected.lock().unwrap(), None);
}
