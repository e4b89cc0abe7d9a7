//! What a run store promises about dead letters.

use std::sync::Arc;

use super::{Change, Created, RunStore, apply, asset, create, new_run, nothing};
use crate::store::{DeadLetter, LetterFilter};

fn letter(id: &str, run_id: &str) -> DeadLetter {
    DeadLetter {
        id: id.to_owned(),
        task: format!("{run_id}.0.0").parse().unwrap(),
        run_id: run_id.parse().unwrap(),
        asset: asset("first"),
        lane: "a".to_owned(),
        deliveries: 3,
        last_error: "it kills".to_owned(),
        worker: "w1".to_owned(),
        message: vec![0, 255, 7],
        created_at: 9,
        replay: None,
    }
}

pub(crate) async fn dead_letters_are_listed_newest_first_and_each_is_replayed_once(
    store: Arc<dyn RunStore>,
) {
    for run in ["r1", "r2"] {
        create(&store, &new_run(run, "")).await;
    }
    let with = |id: &str, run: &str| Change {
        dead_letters: vec![letter(id, run)],
        audit: Vec::new(),
        ..nothing(run)
    };
    let changes = [with("d1", "r1"), with("d2", "r2"), with("d3", "r2")];
    apply(&store, &changes).await.unwrap();
    let read = store.dead_letter("d1").await.unwrap();
    assert_eq!(read, Some(letter("d1", "r1")));
    assert_eq!(store.dead_letter("d9").await.unwrap(), None);

    let replay = |run: &str, request: &str| {
        let mut new = new_run(run, request);
        new.replays = Some("d2".to_owned());
        new
    };
    let first = replay("r3", "q1");
    assert_eq!(create(&store, &first).await, Created::New);
    // The same request, whatever run it would have made, is that run; another request is told of it and writes nothing.
    let again = create(&store, &replay("r4", "q1")).await;
    assert_eq!(again, Created::Before("r3".parse().unwrap()));
    let other = create(&store, &replay("r5", "q2")).await;
    assert_eq!(other, Created::Replayed("r3".parse().unwrap()));
    assert_eq!(store.run(&"r5".parse().unwrap()).await.unwrap(), None);
    let replayed = store.dead_letter("d2").await.unwrap().unwrap();
    let by = replayed.replay.unwrap();
    let facts = &first.facts;
    assert_eq!((&by.run_id, &by.by), (&facts.run_id, &facts.principal));
    assert_eq!(by.at, facts.created_at);

    let ids = |letters: Vec<DeadLetter>| -> Vec<String> {
        letters.into_iter().map(|letter| letter.id).collect()
    };
    let filter = |run: &str, only_open| LetterFilter {
        run_id: run.to_owned(),
        only_open,
    };
    let all = store
        .dead_letters(&filter("", false), None, 2)
        .await
        .unwrap();
    assert_eq!(ids(all), ["d3", "d2"]);
    let rest = store
        .dead_letters(&filter("", false), Some("d2"), 9)
        .await
        .unwrap();
    assert_eq!(ids(rest), ["d1"]);
    let open = store
        .dead_letters(&filter("r2", true), None, 9)
        .await
        .unwrap();
    assert_eq!(ids(open), ["d3"]);
}
