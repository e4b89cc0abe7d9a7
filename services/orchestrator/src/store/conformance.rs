//! What every run store promises, as one suite. Each promise is a test of its own for each implementation.

mod audit;
mod dead_letters;
mod events;
mod leader;
mod publications;
mod retention;

use std::sync::Arc;

use kycc_audit::Deed;
use kycc_domain::ids::{AssetKey, BatchId, RunId};
use serde_json::json;

pub(crate) use dead_letters::dead_letters_are_listed_newest_first_and_each_is_replayed_once;
pub(crate) use events::{
    event_numbers_have_no_gaps_also_when_written_at_once,
    who_follows_the_feed_while_it_is_written_misses_nothing,
};
pub(crate) use leader::{
    a_deposed_leader_writes_nothing, a_seat_that_was_given_up_is_empty_and_its_epoch_is_over,
    of_two_candidates_exactly_one_wins, whatever_a_leader_writes_renews_its_lease,
};
pub(crate) use publications::{
    a_version_that_is_current_again_is_published_again_and_only_then,
    positions_never_begin_anew_when_old_publications_are_removed,
    publications_are_read_on_from_any_position,
};
pub(crate) use retention::{
    old_runs_go_with_what_was_written_of_them_and_current_materializations_stay,
    what_is_referenced_is_kept_current_or_not_yet_sure,
};

use super::{
    Change, Created, Epoch, Logged, Move, NewMaterialization, NewRun, RunFacts, RunFilter,
    RunStore, RunStoreError, VersionOf,
};
use crate::core::{
    Command, Event, EventKind, Level, LogEntry, Metadata, PlannedStep, Resolution, RunState,
    RunStatus, TaskStatus, Version, advance, launch,
};

macro_rules! run_store_conformance {
    ([$($promise:ident),+ $(,)?]) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $promise() {
                    kycc_testkit::stores::on_sqlite("orchestrator", crate::store::MIGRATIONS, |store| {
                        super::$promise(std::sync::Arc::new(store))
                    })
                    .await;
                }
            )+
        }
        mod on_postgres {
            $(
                #[tokio::test]
                async fn $promise() {
                    kycc_testkit::stores::on_postgres("orchestrator", crate::store::MIGRATIONS, |store| {
                        super::$promise(std::sync::Arc::new(store))
                    })
                    .await;
                }
            )+
        }
    };
}

run_store_conformance!([
    a_run_reads_back_as_it_was_written,
    the_same_request_makes_the_same_run,
    a_request_id_used_for_something_else_is_a_conflict,
    every_state_of_a_run_reads_back_equal,
    a_change_from_a_state_that_is_gone_is_stale_and_changes_nothing,
    event_numbers_have_no_gaps_also_when_written_at_once,
    who_follows_the_feed_while_it_is_written_misses_nothing,
    runs_are_listed_newest_first_page_by_page_and_filtered,
    only_runs_that_have_not_ended_are_live,
    materializations_are_found_by_key_and_the_last_used_is_current,
    dead_letters_are_listed_newest_first_and_each_is_replayed_once,
    old_runs_go_with_what_was_written_of_them_and_current_materializations_stay,
    what_is_referenced_is_kept_current_or_not_yet_sure,
    publications_are_read_on_from_any_position,
    a_version_that_is_current_again_is_published_again_and_only_then,
    positions_never_begin_anew_when_old_publications_are_removed,
    many_runs_are_written_at_once_and_each_request_id_counts_once,
    of_two_candidates_exactly_one_wins,
    a_deposed_leader_writes_nothing,
    a_seat_that_was_given_up_is_empty_and_its_epoch_is_over,
    whatever_a_leader_writes_renews_its_lease,
]);

pub(crate) fn new_run(run_id: &str, request_id: &str) -> NewRun {
    let step = |name: &str, upstream: Vec<usize>| PlannedStep {
        asset: name.parse().unwrap(),
        upstream,
        datasets: vec![name.parse().unwrap()],
        max_attempts: 3,
        max_deliveries: 3,
        carried: None,
    };
    let run_id_text = run_id;
    let run_id: RunId = run_id.parse().unwrap();
    let (state, commands) = launch(
        run_id.clone(),
        vec![step("first", vec![]), step("second", vec![0])],
    );
    NewRun {
        facts: RunFacts {
            run_id,
            job: "job_a".to_owned(),
            batch: "B1".parse().unwrap(),
            config: json!({"ops": {"first": {"config": {"x": 0.1}}}}),
            tags: [("team".to_owned(), "risk".to_owned())].into(),
            inputs: [("features".to_owned(), "file:///f.csv".to_owned())].into(),
            principal: "ann".to_owned(),
            definitions_hash: "d1".to_owned(),
            parent: Some("parent".parse().unwrap()),
            traceparent: "00-1-2-01".to_owned(),
            priority: -2,
            created_at: 1_000,
        },
        state,
        log: log_of(&commands),
        request_id: request_id.to_owned(),
        fingerprint: "f1".to_owned(),
        definitions: "{}".to_owned(),
        replays: None,
        audit: deed("launch", run_id_text, request_id),
    }
}

/// By ann.
pub(crate) fn deed(action: &str, run_id: &str, request_id: &str) -> Deed {
    Deed {
        at_micros: 1_000,
        principal: "ann".to_owned(),
        action: action.to_owned(),
        subject: kycc_audit::Subject::new("run", run_id),
        reason: String::new(),
        details: json!({}),
        request_id: request_id.to_owned(),
        trace_id: String::new(),
    }
}

/// The epoch in force; the test takes the seat when it is empty.
async fn epoch(store: &Arc<dyn RunStore>) -> Epoch {
    let row = store.leader().await.unwrap();
    if row.holder.is_empty() {
        return store.campaign(&row, "test", "").await.unwrap().unwrap();
    }
    row.epoch
}

async fn create(store: &Arc<dyn RunStore>, new: &NewRun) -> Created {
    let epoch = epoch(store).await;
    let created = store.create(epoch, std::slice::from_ref(new)).await;
    created.unwrap().remove(0)
}

async fn apply(store: &Arc<dyn RunStore>, changes: &[Change]) -> Result<Vec<u64>, RunStoreError> {
    let applied = store.apply(epoch(store).await, changes).await?;
    Ok(applied.last_events)
}

fn log_of(commands: &[Command]) -> Vec<LogEntry> {
    commands
        .iter()
        .filter_map(|command| match command {
            Command::Emit(entry) => Some(entry.clone()),
            _ => None,
        })
        .collect()
}

fn version(dataset: &str) -> Version {
    Version {
        dataset: dataset.parse().unwrap(),
        batch: "B1".parse().unwrap(),
        key: "k1".to_owned(),
        digest: "0f".to_owned(),
        rows: 3,
        bytes: 30,
        files: 1,
    }
}

fn nothing(run_id: &str) -> Change {
    Change {
        run_id: run_id.parse().unwrap(),
        batch: "B1".parse().unwrap(),
        at: 2_000,
        moved: None,
        log: Vec::new(),
        materialized: Vec::new(),
        reused: Vec::new(),
        attempts_ended: Vec::new(),
        dead_letters: Vec::new(),
        audit: Vec::new(),
    }
}

fn change(before: &RunState, event: Event) -> (Change, RunState) {
    let (after, commands) = advance(before, event).unwrap();
    let logged = log_of(&commands)
        .into_iter()
        .map(|entry| Logged { at: 2_000, entry })
        .collect();
    let moved = Move {
        before: before.clone(),
        after: after.clone(),
    };
    let change = Change {
        moved: Some(moved),
        log: logged,
        ..nothing(before.run_id.as_str())
    };
    (change, after)
}

fn line(text: &str) -> Logged {
    Logged {
        at: 5,
        entry: LogEntry::of_run(EventKind::Log, Level::Info, text),
    }
}

fn asset(name: &str) -> AssetKey {
    name.parse().unwrap()
}

pub(crate) async fn a_run_reads_back_as_it_was_written(store: Arc<dyn RunStore>) {
    let new = new_run("r1", "q1");
    assert_eq!(create(&store, &new).await, Created::New);
    let read = store.run(&new.facts.run_id).await.unwrap().unwrap();
    assert_eq!(*read.facts, new.facts);
    assert_eq!(read.state, new.state);
    assert_eq!(read.last_sequence, 1);
    let events = store.events(&new.facts.run_id, 0, 10).await.unwrap();
    assert_eq!(events[0].kind, EventKind::RunQueued);
    assert_eq!(
        store.definitions("d1").await.unwrap().as_deref(),
        Some("{}")
    );
    assert_eq!(store.run(&"r2".parse().unwrap()).await.unwrap(), None);
}

pub(crate) async fn the_same_request_makes_the_same_run(store: Arc<dyn RunStore>) {
    create(&store, &new_run("r1", "q1")).await;
    let again = create(&store, &new_run("r2", "q1")).await;
    assert_eq!(again, Created::Before("r1".parse().unwrap()));
    assert_eq!(store.run(&"r2".parse().unwrap()).await.unwrap(), None);
    let without_id = create(&store, &new_run("r3", "")).await;
    assert_eq!(without_id, Created::New);
}

pub(crate) async fn a_request_id_used_for_something_else_is_a_conflict(store: Arc<dyn RunStore>) {
    create(&store, &new_run("r1", "q1")).await;
    let mut other = new_run("r2", "q1");
    other.fingerprint = "f2".to_owned();
    let answer = create(&store, &other).await;
    assert_eq!(answer, Created::Conflict("r1".parse().unwrap()));
}

pub(crate) async fn many_runs_are_written_at_once_and_each_request_id_counts_once(
    store: Arc<dyn RunStore>,
) {
    create(&store, &new_run("r0", "q0")).await;
    let mut other = new_run("r4", "q1");
    other.fingerprint = "f2".to_owned();
    let asked = [
        new_run("r1", "q1"),
        new_run("r2", "q1"),
        new_run("r3", "q0"),
        other,
        new_run("r5", ""),
        new_run("r6", ""),
    ];
    let answers = store.create(epoch(&store).await, &asked).await.unwrap();
    let (r0, r1) = ("r0".parse().unwrap(), "r1".parse().unwrap());
    let expected = [
        Created::New,
        Created::Before(RunId::clone(&r1)),
        Created::Before(r0),
        Created::Conflict(r1),
        Created::New,
        Created::New,
    ];
    assert_eq!(answers, expected);
    let mut live = store.live_run_ids().await.unwrap();
    live.sort();
    let live: Vec<&str> = live.iter().map(RunId::as_str).collect();
    assert_eq!(live, ["r0", "r1", "r5", "r6"]);
    let read = store.run(&"r6".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((read.state.steps.len(), read.last_sequence), (2, 1));
}

pub(crate) async fn every_state_of_a_run_reads_back_equal(store: Arc<dyn RunStore>) {
    let new = new_run("r1", "");
    create(&store, &new).await;
    let resolved = |name: &str, shards| Event::StepResolved {
        asset: asset(name),
        resolution: Resolution {
            key: "k1".to_owned(),
            inputs: vec![version("first")],
            sources: Vec::new(),
            shards,
        },
        memo: None,
    };
    let succeeded = |task: &str, attempt| Event::TaskSucceeded {
        task: task.parse().unwrap(),
        attempt,
        outputs: vec![version("first"), version("second")],
        metadata: [("rows".to_owned(), json!(7))].into_iter().collect(),
        reused: false,
    };
    let script = [
        Event::Started,
        resolved("first", 2),
        Event::LeaseExpired {
            task: "r1.0.1".parse().unwrap(),
            attempt: 1,
        },
        succeeded("r1.0.0", 1),
        succeeded("r1.0.1", 2),
        resolved("second", 1),
        succeeded("r1.1.0", 1),
    ];
    let mut state = new.state;
    for event in script {
        let (change, after) = change(&state, event);
        apply(&store, &[change]).await.unwrap();
        state = after;
        let read = store.run(&state.run_id).await.unwrap().unwrap();
        assert_eq!(read.state, state);
    }
    assert_eq!(state.status, RunStatus::Success);
    let read = store.run(&state.run_id).await.unwrap().unwrap();
    assert_eq!(read.times.ended_at, Some(2_000));
    assert_eq!(read.step_times[1].started_at, Some(2_000));
}

pub(crate) async fn a_change_from_a_state_that_is_gone_is_stale_and_changes_nothing(
    store: Arc<dyn RunStore>,
) {
    let new = new_run("r1", "");
    create(&store, &new).await;
    let (first, state) = change(&new.state, Event::Started);
    apply(&store, std::slice::from_ref(&first)).await.unwrap();
    create(&store, &new_run("r2", "")).await;
    let mut unrelated = nothing("r2");
    unrelated.log.push(line("lost with the rest"));
    let error = apply(&store, &[unrelated, first]).await.unwrap_err();
    assert!(matches!(error, RunStoreError::Stale { .. }), "{error}");
    assert_eq!(error.effect(), kycc_store::Effect::NotApplied);
    let read = store.run(&state.run_id).await.unwrap().unwrap();
    assert_eq!((read.state, read.last_sequence), (state.clone(), 2));
    let untouched = store.run(&"r2".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(untouched.last_sequence, 1);

    let (dispatch, running) = change(
        &state,
        Event::StepResolved {
            asset: asset("first"),
            resolution: Resolution {
                key: "k1".to_owned(),
                inputs: Vec::new(),
                sources: Vec::new(),
                shards: 1,
            },
            memo: None,
        },
    );
    apply(&store, &[dispatch]).await.unwrap();
    let expired = || Event::LeaseExpired {
        task: "r1.0.0".parse().unwrap(),
        attempt: 1,
    };
    let (mine, after) = change(&running, expired());
    apply(&store, std::slice::from_ref(&mine)).await.unwrap();
    assert_eq!(after.steps[0].tasks[0].status, TaskStatus::Dispatched);
    let error = apply(&store, &[mine]).await.unwrap_err();
    assert!(matches!(error, RunStoreError::Stale { .. }), "{error}");
}

pub(crate) async fn runs_are_listed_newest_first_page_by_page_and_filtered(
    store: Arc<dyn RunStore>,
) {
    for n in 1..=5 {
        let mut new = new_run(&format!("r{n}"), "");
        if n == 3 {
            new.facts.job = "job_b".to_owned();
            new.facts.batch = "B2".parse().unwrap();
        }
        create(&store, &new).await;
    }
    let ids = |runs: Vec<super::StoredRun>| -> Vec<String> {
        runs.into_iter()
            .map(|run| run.state.run_id.into_string())
            .collect()
    };
    let all = RunFilter::default();
    let page = store.runs(&all, None, 2).await.unwrap();
    assert_eq!(page[0].state.steps.len(), 2);
    assert_eq!(ids(page), ["r5", "r4"]);
    let before = "r4".parse().unwrap();
    assert_eq!(
        ids(store.runs(&all, Some(&before), 9).await.unwrap()),
        ["r3", "r2", "r1"]
    );
    let filtered = |job: &str, batch: &str, status| RunFilter {
        job: job.to_owned(),
        batch: batch.to_owned(),
        status,
    };
    let b = store
        .runs(&filtered("job_b", "", None), None, 9)
        .await
        .unwrap();
    assert_eq!(ids(b), ["r3"]);
    let b1 = store
        .runs(&filtered("", "B1", Some(RunStatus::Queued)), None, 9)
        .await
        .unwrap();
    assert_eq!(b1.len(), 4);
    let ended = filtered("", "", Some(RunStatus::Success));
    assert_eq!(store.runs(&ended, None, 9).await.unwrap(), []);
}

pub(crate) async fn only_runs_that_have_not_ended_are_live(store: Arc<dyn RunStore>) {
    let (one, two) = (new_run("r1", ""), new_run("r2", ""));
    create(&store, &one).await;
    create(&store, &two).await;
    let (canceled, _) = change(&one.state, Event::CancelRequested { by: "me".into() });
    apply(&store, &[canceled]).await.unwrap();
    let live = store.live_runs().await.unwrap();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].state, two.state);
    assert_eq!(store.live_run_ids().await.unwrap(), [two.facts.run_id]);
}

pub(crate) async fn materializations_are_found_by_key_and_the_last_used_is_current(
    store: Arc<dyn RunStore>,
) {
    create(&store, &new_run("r1", "")).await;
    create(&store, &new_run("r2", "")).await;
    let made = |run_id: &str, id: &str, key: &str| Change {
        materialized: vec![NewMaterialization {
            id: id.to_owned(),
            asset: asset("first"),
            key: key.to_owned(),
            inputs: Vec::new(),
            outputs: vec![version("first")],
            metadata: Metadata::new(),
        }],
        ..nothing(run_id)
    };
    apply(&store, &[made("r1", "m1", "k1"), made("r2", "m2", "k2")])
        .await
        .unwrap();
    let batch = "B1".parse().unwrap();
    let key_of = |found: &[super::StoredMaterialization]| found[0].key.clone();
    let first = asset("first");
    let current = store.current(&first, Some(&batch)).await.unwrap();
    assert_eq!(key_of(&current), "k2");
    let mut back = nothing("r1");
    back.reused.push((first.clone(), "k1".to_owned()));
    apply(&store, &[back]).await.unwrap();
    let current = store.current(&first, None).await.unwrap();
    assert_eq!((current.len(), key_of(&current)), (1, "k1".to_owned()));
    assert_eq!(current[0].outputs, [version("first")]);
    let wanted = ["k2", "k3", "k1", "k2"].map(|key| VersionOf {
        asset: first.clone(),
        batch: BatchId::clone(&batch),
        key: key.to_owned(),
    });
    let found = store.find_materializations(&wanted).await.unwrap();
    let ids: Vec<_> = found
        .into_iter()
        .map(|made| made.map(|made| made.id))
        .collect();
    let of = |id: &str| Some(id.to_owned());
    assert_eq!(ids, [of("m2"), None, of("m1"), of("m2")]);
    let page = store.materializations(&first, None, None, 1).await.unwrap();
    assert_eq!(key_of(&page), "k2");
    let rest = store
        .materializations(&first, Some(&batch), Some("m2"), 9)
        .await
        .unwrap();
    assert_eq!((rest.len(), key_of(&rest)), (1, "k1".to_owned()));
}
