//! The version store on SQL, for every database.

use std::collections::HashMap;

use async_trait::async_trait;
use kycc_audit::{AppendAudit as _, Entry, ReadAudit as _};
use kycc_store::{Repeat, Retryable, StoreError, retry_transient};

use super::read::ReadVersions;
use super::write::WriteVersions;
use super::{ChangeError, Target, VersionStore};
use crate::core::audit::{Action, Deed, OfVersion as _, SERVICE, subject};
use crate::core::life::{Refusal, Request, Situation, check_reason, decide};
use crate::core::standing::Standing;
use crate::core::version::Version;

/// Whose writers run one at a time: each reads what stands, decides by it, and appends to one log.
pub(super) const AGGREGATE: &str = "scorecards";

/// Most versions that a refusal names.
const NAMED: u32 = 10;

pub(super) fn failed(error: StoreError) -> ChangeError {
    // A second active version, a second shadow or a taken place in the log: another process was first.
    if error.is_unique_violation() {
        ChangeError::Overtaken
    } else {
        ChangeError::Store(error)
    }
}

impl Retryable for ChangeError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Whether the entry that the request made once is of what it asks for now.
fn is_same(made: &Entry, target: &Target, named: Option<&Version>, request: &Request) -> bool {
    let of_target = match target {
        Target::Named(_) => named.is_some_and(|version| version.name() == made.version()),
        Target::Before | Target::Shadowing => true,
    };
    made.action == request.wish.action().as_str() && of_target
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    #[async_trait]
    impl VersionStore for driver::Store {
        async fn enter(&self, version: &Version, model_card: Option<&str>) -> Result<String, ChangeError> {
            // The content is its key.
            retry_transient(Repeat::ByKey, || enter(self, version, model_card)).await
        }

        async fn open(&self, first: &Version) -> Result<(), ChangeError> {
            retry_transient(Repeat::ByKey, || open(self, first)).await
        }

        async fn get(&self, name: &str) -> Result<Option<Version>, StoreError> {
            reader(self).await?.find(name).await
        }

        async fn active(&self) -> Result<Option<Version>, StoreError> {
            reader(self).await?.active().await
        }

        async fn shadow(&self) -> Result<Option<Version>, StoreError> {
            reader(self).await?.shadow().await
        }

        async fn model_card(&self, version: &str) -> Result<Option<String>, StoreError> {
            let row = sqlx::query("SELECT model_card FROM scorecards_versions WHERE version = $1")
                .bind(version)
                .fetch_optional(self.read())
                .await
                .and_then(|row| row.map_or(Ok(None), |row| row.try_get(0)));
            row.map_err(StoreError::during("read a model card"))
        }

        async fn list(&self, after: Option<(i64, String)>, limit: u32) -> Result<Vec<Version>, StoreError> {
            reader(self).await?.list(after, limit).await
        }

        async fn change(&self, target: &Target, request: &Request) -> Result<Option<Version>, ChangeError> {
            let repeat = if request.request_id.is_empty() { Repeat::NotApplied } else { Repeat::ByKey };
            retry_transient(repeat, || change(self, target, request)).await
        }
    }

    async fn enter(store: &driver::Store, version: &Version, model_card: Option<&str>) -> Result<String, ChangeError> {
        let mut tx = store.begin_exclusive(AGGREGATE).await.map_err(failed)?;
        tx.check_accounts().await?;
        tx.insert(version, model_card).await.map_err(failed)?;
        let name: String = sqlx::query("SELECT version FROM scorecards_versions WHERE hash = $1")
            .bind(version.card.hash().to_string())
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(StoreError::during("enter a scorecard version"))
            .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(name)
    }

    /// Of several processes that start on an empty store, the first enters the version and the others find it.
    async fn open(store: &driver::Store, first: &Version) -> Result<(), ChangeError> {
        let mut tx = store.begin_exclusive(AGGREGATE).await.map_err(failed)?;
        tx.check_accounts().await?;
        if tx.count().await.map_err(failed)? == 0 {
            tx.insert(first, None).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }

    async fn change(
        store: &driver::Store,
        target: &Target,
        request: &Request,
    ) -> Result<Option<Version>, ChangeError> {
        let mut tx = store.begin_exclusive(AGGREGATE).await.map_err(failed)?;
        let found = match target {
            Target::Named(name) => tx.find(name).await,
            Target::Before => tx.were_active(1).await.map(|mut versions| versions.pop()),
            Target::Shadowing => tx.shadow().await,
        }
        .map_err(failed)?;
        if !request.request_id.is_empty()
            && let Some(made) = tx.audit_made_by(SERVICE, &request.request_id).await.map_err(failed)?
        {
            if !is_same(&made, target, found.as_ref(), request) {
                let request_id = request.request_id.clone();
                return Err(ChangeError::Refused(Refusal::RequestReused { request_id }));
            }
            return tx.find(made.version()).await.map_err(failed);
        }
        tx.check_accounts().await?;
        check_reason(request).map_err(ChangeError::Refused)?;
        let version = match (found, target) {
            (Some(version), Target::Before) => {
                check_before(&mut tx).await?;
                version
            }
            (Some(version), _) => version,
            (None, Target::Named(name)) => return Err(ChangeError::NotFound { name: name.clone() }),
            (None, Target::Before) => return Err(ChangeError::Refused(Refusal::NoneBefore)),
            (None, Target::Shadowing) => return Ok(None),
        };
        let (active, shadow) = (tx.active().await.map_err(failed)?, tx.shadow().await.map_err(failed)?);
        let now = Situation { target: &version, active: active.as_ref(), shadow: shadow.as_ref() };
        let deeds = decide(now, request).map_err(ChangeError::Refused)?;
        let touched = [Some(&version), active.as_ref(), shadow.as_ref()];
        let touched = touched.into_iter().flatten().map(|version| (version.name(), version.standing.clone()));
        let mut standings: HashMap<&str, Standing> = touched.collect();
        for deed in &deeds {
            carry_out(&mut tx, &mut standings, deed).await?;
        }
        let changed = tx.find(version.name()).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(changed)
    }

    /// Appends the deed to the log, and makes its version stand as the log says then.
    async fn carry_out(
        tx: &mut driver::Connection,
        standings: &mut HashMap<&str, Standing>,
        deed: &Deed,
    ) -> Result<(), ChangeError> {
        let entries = tx.append_audit(SERVICE, &[deed.entry()]).await.map_err(failed)?;
        let entry = entries.first().ok_or(ChangeError::Overtaken)?;
        let before = standings.get_mut(deed.version.as_str());
        // What was decided on this state fits it; if not, nothing is written.
        let before = before.ok_or(ChangeError::Overtaken)?;
        let after = Standing::after(Some(before), entry).map_err(|_| ChangeError::Overtaken)?;
        if !tx.put(&deed.version, before.revision, &after).await.map_err(failed)? {
            return Err(ChangeError::Overtaken);
        }
        *before = after;
        Ok(())
    }

    /// Whoever rolled back means another version by "the one before" than the one that he left: he has to name it.
    async fn check_before(tx: &mut driver::Connection) -> Result<(), ChangeError> {
        let Some(active) = tx.active().await.map_err(failed)? else {
            return Ok(());
        };
        let about = subject(active.name());
        let last = tx.audit_chain(SERVICE, about.as_str(), active.standing.revision - 1, 1).await.map_err(failed)?;
        if last.first().is_none_or(|entry| entry.action != Action::RollBack.as_str()) {
            return Ok(());
        }
        let others = tx.were_active(NAMED).await.map_err(failed)?;
        let others: Vec<&str> = others.iter().map(Version::name).collect();
        Err(ChangeError::Refused(Refusal::RolledBack {
            active: active.name().to_owned(),
            others: others.join(", "),
        }))
    }

    async fn reader(store: &driver::Store) -> Result<sqlx::pool::PoolConnection<driver::Database>, StoreError> {
        store.read().acquire().await.map_err(StoreError::during("read scorecard versions"))
    }
}
