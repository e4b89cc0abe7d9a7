//! What every registry of models promises.

use super::*;

kycc_testkit::on_every_store!(
    "training",
    &MIGRATIONS,
    [
        a_model_is_entered_once_and_never_changed,
        pages_go_from_newest_to_oldest_without_gaps,
        of_eight_who_enter_the_same_model_at_once_one_does_and_nobody_fails,
    ]
);

fn model(id: &str, at: i64) -> Registered {
    Registered {
        model_id: id.into(),
        document: "{}".into(),
        run_id: "r".into(),
        created_at_micros: at,
    }
}

async fn a_model_is_entered_once_and_never_changed<S: ModelStore>(store: S) {
    store.register(&model("m-1", 1)).await.unwrap();
    store.register(&model("m-1", 9)).await.unwrap();
    assert_eq!(store.get("m-1").await.unwrap(), Some(model("m-1", 1)));
    assert_eq!(store.get("m-2").await.unwrap(), None);
}

async fn pages_go_from_newest_to_oldest_without_gaps<S: ModelStore>(store: S) {
    for (id, at) in [("m-1", 1), ("m-2", 2), ("m-3", 2)] {
        store.register(&model(id, at)).await.unwrap();
    }
    let first = store.list(None, 2).await.unwrap();
    let ids: Vec<_> = first.iter().map(|model| model.model_id.as_str()).collect();
    assert_eq!(ids, ["m-3", "m-2"]);
    let rest = store.list(Some((2, "m-2".into())), 2).await.unwrap();
    assert_eq!(rest, [model("m-1", 1)]);
}

async fn of_eight_who_enter_the_same_model_at_once_one_does_and_nobody_fails<S>(store: S)
where
    S: ModelStore + Clone + 'static,
{
    let mut writers = tokio::task::JoinSet::new();
    for at in 0..8 {
        let store = store.clone();
        writers.spawn(async move { store.register(&model("m-1", at)).await });
    }
    for written in writers.join_all().await {
        written.unwrap();
    }
    assert_eq!(store.list(None, 9).await.unwrap().len(), 1);
}
