//! Versions in the state store: entered once, never edited, exactly one of them active; and the log of what people did
//! to them, written in the same transaction as the change itself.

mod audit;
mod read;
mod rows;
mod rule_sets;
mod sql;
mod write;

use async_trait::async_trait;
use kycc_audit::{Entry, Span, Verified};
use kycc_store::{Migration, StoreError};

use crate::core::life::{Refusal, Request};
use crate::core::rule_sets::RuleRefusal;
use crate::core::version::Version;
pub(crate) use rule_sets::RuleStore;

pub(crate) const MIGRATIONS: [Migration; 4] = [
    Migration {
        version: 1,
        name: "versions",
        sql: include_str!("../migrations/001_versions.sql"),
    },
    Migration {
        version: 2,
        name: "life",
        sql: include_str!("../migrations/002_life.sql"),
    },
    Migration {
        version: 3,
        name: "audit of the fleet",
        sql: include_str!("../migrations/003_audit_of_the_fleet.sql"),
    },
    Migration {
        version: 4,
        name: "rule sets",
        sql: include_str!("../migrations/004_rule_sets.sql"),
    },
];

/// Which version a change means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A version, or a hash that starts so.
    Named(String),
    /// The one that was active before the present one.
    Before,
    /// The one in the shadow of the active one.
    Shadowing,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no scorecard version {name:?}")]
    NotFound { name: String },
    #[error("{0}")]
    Refused(#[source] Refusal),
    #[error("there is no rule set {version}")]
    RulesNotFound { version: i64 },
    #[error("{0}")]
    RulesRefused(#[source] RuleRefusal),
    #[error(
        "the audit log ends at entry {head}, but the versions stand by entry {newest}: it was changed behind the \
         service's back, so nothing is added to it; see `kycc audit verify scorecards`, then restore the state store \
         from a backup"
    )]
    Unaccounted { head: i64, newest: i64 },
    /// Another process changed the same rows at the same moment; nothing was changed here.
    #[error("the versions were changed at the same moment")]
    Overtaken,
    #[error("the change could not be written")]
    Store(#[source] StoreError),
}

#[async_trait]
pub(crate) trait VersionStore: Send + Sync {
    /// Enters a version unless one with that content is there; returns the name of the one that stands.
    /// `model_card` is JSON.
    async fn enter(
        &self,
        version: &Version,
        model_card: Option<&str>,
    ) -> Result<String, ChangeError>;

    /// Enters `first` if there is no version and no log at all.
    async fn open(&self, first: &Version) -> Result<(), ChangeError>;

    /// By version or by a hash that starts so.
    async fn get(&self, name: &str) -> Result<Option<Version>, StoreError>;

    async fn active(&self) -> Result<Option<Version>, StoreError>;

    /// The one that scores beside the active one.
    async fn shadow(&self) -> Result<Option<Version>, StoreError>;

    /// JSON of a version's model card; `None` where it came without one.
    async fn model_card(&self, version: &str) -> Result<Option<String>, StoreError>;

    /// At most `limit` versions that come after `after` (created at, version), newest first.
    async fn list(
        &self,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<Version>, StoreError>;

    /// In one transaction: looks at what stands, decides, changes the versions and appends to the log. The version as it
    /// stands then; `None` where none was in the shadow.
    async fn change(
        &self,
        target: &Target,
        request: &Request,
    ) -> Result<Option<Version>, ChangeError>;
}

/// What the audit log says of versions.
#[async_trait]
pub(crate) trait LogStore: Send + Sync {
    /// At most `limit` entries after the one numbered `after`, oldest first; `version` empty: about anything.
    async fn entries(
        &self,
        version: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Works a span of the chain out anew and, where it ends with the chain, holds every version against it, on one state
    /// of the store.
    async fn verify_span(&self, span: &Span<'_>) -> Result<Verified, StoreError>;
}

#[cfg(test)]
mod tests;
