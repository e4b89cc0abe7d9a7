//! What every store of versions must do.

mod at_once;
mod life;
mod rules;
mod tamper;
mod tampering;

use super::*;
use crate::core::audit::{OfVersion as _, SERVICE};
use crate::core::life::Wish;
use crate::core::version::Status;
use crate::fixtures::{approve, approved, first, named, request, version};
use kycc_audit::Head;
use kycc_domain::expert::expert_card;
use tamper::Tamper;

kycc_testkit::on_every_store!(
    "scorecards",
    &MIGRATIONS,
    [
        a_content_is_entered_once_under_its_first_name,
        the_built_in_version_never_enters_a_store_that_has_versions,
        the_database_itself_refuses_a_second_active_version,
        the_database_itself_refuses_a_second_shadow,
        versions_are_found_by_name_and_by_the_start_of_their_hash,
        a_version_is_read_back_as_it_was_entered,
        pages_go_from_newest_to_oldest_and_of_the_log_from_oldest_to_newest,
    ]
);

/// What the service asks of a store, and what a stranger with its password could do.
trait AnyStore: VersionStore + LogStore + Tamper + Clone + 'static {
    /// The whole chain. `known`: a hash that must be in it, or empty.
    fn verify(&self, known: &str) -> impl Future<Output = Result<Verified, StoreError>> + Send {
        async move {
            self.verify_span(&Span {
                service: SERVICE,
                from: Head::genesis(),
                known,
                found: false,
                limit: u64::MAX,
            })
            .await
        }
    }
}

impl<S: VersionStore + LogStore + Tamper + Clone + 'static> AnyStore for S {}

/// With the built-in version alone.
async fn opened(store: &impl AnyStore) {
    store.open(&first()).await.unwrap();
}

async fn a_content_is_entered_once_under_its_first_name<S: AnyStore>(store: S) {
    opened(&store).await;
    let enter = async |name: &str, at| store.enter(&version(name, 2.0, at), None).await.unwrap();
    assert_eq!(enter("1.0-a", 2).await, "1.0-a");
    assert_eq!(enter("1.0-b", 3).await, "1.0-a");
    assert_eq!(store.list(None, 10).await.unwrap().len(), 2);
    let entries = store.entries("", 0, 10).await.unwrap();
    let entered: Vec<_> = entries.iter().map(|entry| entry.version()).collect();
    assert_eq!(entered, ["1.0", "1.0-a"]);
}

async fn the_built_in_version_never_enters_a_store_that_has_versions<S: AnyStore>(store: S) {
    opened(&store).await;
    store.open(&version("9.0", 3.0, 9)).await.unwrap();
    assert_eq!(store.active().await.unwrap().unwrap().name(), "1.0");
    assert_eq!(store.entries("", 0, 10).await.unwrap().len(), 1);
}

async fn the_database_itself_refuses_a_second_active_version<S: AnyStore>(store: S) {
    opened(&store).await;
    let mut second = version("2.0", 2.0, 2);
    second.standing.status = Status::Active;
    let refused = store.enter(&second, None).await.unwrap_err();
    assert!(matches!(refused, ChangeError::Overtaken), "{refused:?}");
}

async fn the_database_itself_refuses_a_second_shadow<S: AnyStore>(store: S) {
    opened(&store).await;
    for (name, factor) in [("2.0", 2.0), ("3.0", 3.0)] {
        let mut shadow = version(name, factor, 2);
        shadow.standing.shadow = true;
        let entered = store.enter(&shadow, None).await;
        assert_eq!(entered.is_ok(), name == "2.0", "{entered:?}");
    }
}

async fn versions_are_found_by_name_and_by_the_start_of_their_hash<S: AnyStore>(store: S) {
    opened(&store).await;
    let hash = expert_card().hash().to_string();
    assert_eq!(store.get(&hash[..8]).await.unwrap().unwrap().name(), "1.0");
    for no_name in ["no-such", "", &hash[..7]] {
        assert!(store.get(no_name).await.unwrap().is_none(), "{no_name:?}");
    }
}

async fn a_version_is_read_back_as_it_was_entered<S: AnyStore>(store: S) {
    opened(&store).await;
    let mut entered = version("1.0-a", 2.0, 2);
    entered.missing_link = Some("it does not fall".into());
    store.enter(&entered, Some("{}")).await.unwrap();
    let mut read = store.get("1.0-a").await.unwrap().unwrap();
    assert_eq!(read.standing.revision, 2);
    read.standing.revision = 0;
    assert_eq!(read, entered);
    assert_eq!(
        store.model_card("1.0-a").await.unwrap().as_deref(),
        Some("{}")
    );
    assert_eq!(store.model_card("1.0").await.unwrap(), None);
}

async fn pages_go_from_newest_to_oldest_and_of_the_log_from_oldest_to_newest<S: AnyStore>(
    store: S,
) {
    opened(&store).await;
    store.enter(&version("1.0-a", 2.0, 2), None).await.unwrap();
    store.enter(&version("1.0-b", 3.0, 2), None).await.unwrap();
    let page = store.list(None, 2).await.unwrap();
    let names: Vec<_> = page.iter().map(Version::name).collect();
    assert_eq!(names, ["1.0-b", "1.0-a"]);
    let rest = store.list(Some((2, "1.0-a".into())), 2).await.unwrap();
    assert_eq!(rest[0].name(), "1.0");
    let log = store.entries("", 1, 1).await.unwrap();
    assert_eq!((log[0].sequence, log[0].version()), (2, "1.0-a"));
    let of_one = store.entries("1.0-b", 0, 9).await.unwrap();
    assert_eq!(of_one.len(), 1);
}
