use super::*;
use kycc_domain::card::{Provenance, Scorecard};
use kycc_domain::expert::expert_card;
use kycc_store::Store;

async fn store() -> Store {
    let store = Store::open("sqlite::memory:").await.unwrap();
    store.migrate("scorecards", &MIGRATIONS).await.unwrap();
    store
        .seed(&version("1.0", 1.0, Status::Active, 1))
        .await
        .unwrap();
    store
}

/// The expert card with its first weight multiplied, so that contents differ.
fn version(name: &str, factor: f64, status: Status, created_at_micros: i64) -> Version {
    let mut content = expert_card().content().clone();
    content.factors[0].weight *= factor;
    Version {
        card: Scorecard::new(name, content, Provenance::default()).unwrap(),
        status,
        gates: None,
        author: "ann".into(),
        approver: None,
        note: None,
        self_approved: false,
        parent: None,
        model_id: None,
        run_id: None,
        blend: 0.0,
        created_at_micros,
        activated_at_micros: None,
    }
}

fn activation(version: &str) -> Activation<'_> {
    Activation {
        version,
        approver: "bob",
        note: "better",
        self_approved: false,
        at_micros: 7,
    }
}

#[tokio::test]
async fn a_content_is_entered_once_under_its_first_name() {
    let store = store().await;
    assert_eq!(
        store
            .enter(&version("1.0-a", 2.0, Status::Gated, 2))
            .await
            .unwrap(),
        "1.0-a"
    );
    assert_eq!(
        store
            .enter(&version("1.0-b", 2.0, Status::Failed, 3))
            .await
            .unwrap(),
        "1.0-a"
    );
    assert_eq!(store.list(None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn seeding_never_touches_a_store_that_has_versions() {
    let store = store().await;
    store
        .seed(&version("9.0", 3.0, Status::Active, 9))
        .await
        .unwrap();
    assert_eq!(store.active().await.unwrap().unwrap().card.version(), "1.0");
}

#[tokio::test]
async fn activating_retires_the_one_before_and_leaves_exactly_one() {
    let store = store().await;
    store
        .enter(&version("1.0-a", 2.0, Status::Gated, 2))
        .await
        .unwrap();
    store.activate(activation("1.0-a")).await.unwrap();
    let active = store.active().await.unwrap().unwrap();
    assert_eq!(
        (active.card.version(), active.approver.as_deref()),
        ("1.0-a", Some("bob"))
    );
    assert_eq!(active.activated_at_micros, Some(7));
    let before = store.get("1.0").await.unwrap().unwrap();
    assert_eq!(before.status, Status::Retired);
    store.activate(activation("1.0")).await.unwrap();
    let all = store.list(None, 10).await.unwrap();
    assert_eq!(
        all.iter()
            .filter(|version| version.status == Status::Active)
            .count(),
        1
    );
}

#[tokio::test]
async fn the_database_itself_refuses_a_second_active_version() {
    let store = store().await;
    let refused = store
        .enter(&version("2.0", 2.0, Status::Active, 2))
        .await
        .unwrap_err();
    assert!(refused.is_unique_violation(), "{refused:?}");
}

#[tokio::test]
async fn versions_are_found_by_name_and_by_the_start_of_their_hash() {
    let store = store().await;
    let hash = expert_card().hash().to_string();
    assert_eq!(
        store.get(&hash[..8]).await.unwrap().unwrap().card.version(),
        "1.0"
    );
    assert!(store.get("no-such").await.unwrap().is_none());
}
