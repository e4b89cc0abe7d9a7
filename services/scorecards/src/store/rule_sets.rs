//! Versions of the decision rules in the state store, each change with its entry in the log, for every database.

use async_trait::async_trait;
use kycc_audit::{AppendAudit as _, Break, Entry, ReadAudit as _};
use kycc_domain::rules::{RuleSet, default_rules};
use kycc_store::{Repeat, StoreError, retry_transient};
use sqlx::AssertSqlSafe;

use super::ChangeError;
use super::sql::{AGGREGATE, failed};
use super::write::WriteVersions as _;
use crate::core::audit::SERVICE;
use crate::core::rule_sets::{
    Caller, PROPOSE, Proposal, RETIRE, RULES, RuleRefusal, RuleStanding, RuleStatus, RuleWish,
    StoredRules, subject,
};

const COLUMNS: &str = "version, hash, rules, author, reason, created_at, status, approver, self_approved, activated_at, \
    revision";
/// Entries about one version in memory at once; a life is far shorter.
const LIFE: u32 = 10_000;

#[async_trait]
pub(crate) trait RuleStore: Send + Sync {
    /// Enters the built-in rules, active, if there is no set yet.
    async fn open_rules(&self, at_micros: i64) -> Result<(), ChangeError>;

    /// Enters the next version; the one that this request made before.
    async fn propose_rules(&self, proposal: &Proposal) -> Result<StoredRules, ChangeError>;

    /// In one transaction: looks, decides, changes and appends to the log. The version as it stands then.
    async fn change_rules(
        &self,
        version: i64,
        wish: RuleWish,
        caller: &Caller,
    ) -> Result<StoredRules, ChangeError>;

    async fn rules(&self, version: i64) -> Result<Option<StoredRules>, StoreError>;

    async fn active_rules(&self) -> Result<Option<StoredRules>, StoreError>;

    /// At most `limit`, newest first, before that version.
    async fn list_rules(&self, before: i64, limit: u32) -> Result<Vec<StoredRules>, StoreError>;
}

/// Implemented by the connection of every database; belongs to a transaction of the caller.
pub(super) trait RuleRows {
    async fn rules_where(
        &mut self,
        rest: &'static str,
        number: i64,
        limit: u32,
    ) -> Result<Vec<StoredRules>, StoreError>;
    async fn enter_rules(
        &mut self,
        rules: StoredRules,
        caller: &Caller,
    ) -> Result<StoredRules, ChangeError>;
    async fn stand(
        &mut self,
        rules: &mut StoredRules,
        deed: kycc_audit::Deed,
    ) -> Result<(), ChangeError>;
    /// Every row against what the log says of it.
    async fn check_rules(&mut self) -> Result<Result<(), Break>, StoreError>;
}

fn refused(refusal: RuleRefusal) -> ChangeError {
    ChangeError::RulesRefused(refusal)
}

fn not_found(version: i64) -> ChangeError {
    ChangeError::RulesNotFound { version }
}

fn reused(caller: &Caller) -> ChangeError {
    refused(RuleRefusal::RequestReused {
        request_id: caller.request_id.clone(),
    })
}

/// The version that the entry is about, if it is of this action.
fn made(entry: &Entry, action: &str) -> Option<i64> {
    let version = entry.subject_of(RULES)?.parse().ok()?;
    (entry.action == action).then_some(version)
}

fn stored(
    version: i64,
    proposal: &Proposal,
    status: RuleStatus,
) -> Result<StoredRules, ChangeError> {
    let rules = serde_json::to_string(&proposal.rules)
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))
        .map_err(StoreError::during("write rules as JSON"))
        .map_err(ChangeError::Store)?;
    let caller = &proposal.caller;
    Ok(StoredRules {
        version,
        hash: proposal.hash.clone(),
        rules,
        author: caller.principal.clone(),
        reason: caller.reason.clone(),
        created_at_micros: caller.at_micros,
        standing: RuleStanding {
            status,
            approver: None,
            self_approved: false,
            activated_at_micros: (status == RuleStatus::Active).then_some(caller.at_micros),
            revision: 0,
        },
    })
}

fn built_in(at_micros: i64) -> Proposal {
    let rules = RuleSet::compile(&default_rules()).expect("the built-in rules compile");
    Proposal {
        rules: rules.rules().to_vec(),
        hash: rules.digest().to_string(),
        caller: Caller {
            principal: "kycc".into(),
            reason: "the built-in rules".into(),
            request_id: String::new(),
            trace_id: String::new(),
            at_micros,
        },
    }
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    #[async_trait]
    impl RuleStore for driver::Store {
        async fn open_rules(&self, at_micros: i64) -> Result<(), ChangeError> {
            retry_transient(Repeat::ByKey, || async move {
                let mut tx = self.begin_exclusive(AGGREGATE).await.map_err(failed)?;
                tx.check_accounts().await?;
                if tx.rules_where("WHERE version > $1 LIMIT $2", 0, 1).await.map_err(failed)?.is_empty() {
                    let first = built_in(at_micros);
                    tx.enter_rules(stored(1, &first, RuleStatus::Active)?, &first.caller).await?;
                }
                tx.commit().await.map_err(failed)
            })
            .await
        }

        async fn propose_rules(&self, proposal: &Proposal) -> Result<StoredRules, ChangeError> {
            let repeat = if proposal.caller.request_id.is_empty() { Repeat::NotApplied } else { Repeat::ByKey };
            retry_transient(repeat, || propose(self, proposal)).await
        }

        async fn change_rules(&self, version: i64, wish: RuleWish, caller: &Caller) -> Result<StoredRules, ChangeError> {
            let repeat = if caller.request_id.is_empty() { Repeat::NotApplied } else { Repeat::ByKey };
            retry_transient(repeat, || change(self, version, wish, caller)).await
        }

        async fn rules(&self, version: i64) -> Result<Option<StoredRules>, StoreError> {
            let mut connection = self.read().acquire().await.map_err(StoreError::during("read rules"))?;
            Ok(connection.rules_where("WHERE version = $1 LIMIT $2", version, 1).await?.pop())
        }

        async fn active_rules(&self) -> Result<Option<StoredRules>, StoreError> {
            let mut connection = self.read().acquire().await.map_err(StoreError::during("read rules"))?;
            Ok(connection.rules_where("WHERE status = 'active' AND version > $1 LIMIT $2", 0, 1).await?.pop())
        }

        async fn list_rules(&self, before: i64, limit: u32) -> Result<Vec<StoredRules>, StoreError> {
            let mut connection = self.read().acquire().await.map_err(StoreError::during("read rules"))?;
            connection.rules_where("WHERE version < $1 ORDER BY version DESC LIMIT $2", before, limit).await
        }
    }

    async fn propose(store: &driver::Store, proposal: &Proposal) -> Result<StoredRules, ChangeError> {
        let mut tx = store.begin_exclusive(AGGREGATE).await.map_err(failed)?;
        let caller = &proposal.caller;
        if !caller.request_id.is_empty()
            && let Some(entry) = tx.audit_made_by(SERVICE, &caller.request_id).await.map_err(failed)?
        {
            let version = made(&entry, PROPOSE).ok_or_else(|| reused(caller))?;
            let found = tx.rules_where("WHERE version = $1 LIMIT $2", version, 1).await.map_err(failed)?.pop();
            return found.filter(|found| found.hash == proposal.hash).ok_or_else(|| reused(caller));
        }
        tx.check_accounts().await?;
        caller.check_reason().map_err(refused)?;
        let newest = tx.rules_where("WHERE version > $1 ORDER BY version DESC LIMIT $2", 0, 1).await.map_err(failed)?;
        let version = newest.first().map_or(0, |newest| newest.version) + 1;
        let entered = tx.enter_rules(stored(version, proposal, RuleStatus::Draft)?, caller).await?;
        tx.commit().await.map_err(failed)?;
        Ok(entered)
    }

    async fn change(store: &driver::Store, version: i64, wish: RuleWish, caller: &Caller) -> Result<StoredRules, ChangeError> {
        let mut tx = store.begin_exclusive(AGGREGATE).await.map_err(failed)?;
        let found = tx.rules_where("WHERE version = $1 LIMIT $2", version, 1).await.map_err(failed)?.pop();
        if !caller.request_id.is_empty()
            && let Some(entry) = tx.audit_made_by(SERVICE, &caller.request_id).await.map_err(failed)?
        {
            let same = made(&entry, wish.action()) == Some(version);
            return found.filter(|_| same).ok_or_else(|| reused(caller));
        }
        tx.check_accounts().await?;
        caller.check_reason().map_err(refused)?;
        let mut rules = found.ok_or_else(|| not_found(version))?;
        if rules.is_so(wish) {
            return Ok(rules);
        }
        let details = rules.decide(wish, caller).map_err(refused)?;
        if wish == RuleWish::Activate {
            let active = tx.rules_where("WHERE status = 'active' AND version > $1 LIMIT $2", 0, 1).await.map_err(failed)?;
            for mut active in active {
                let other = serde_json::json!({"other_version": version});
                let retire = caller.deed(RETIRE, active.version, other);
                tx.stand(&mut active, retire).await?;
            }
        }
        let deed = kycc_audit::Deed {
            request_id: caller.request_id.clone(),
            ..caller.deed(wish.action(), version, details)
        };
        tx.stand(&mut rules, deed).await?;
        tx.commit().await.map_err(failed)?;
        Ok(rules)
    }

    impl RuleRows for driver::Connection {
        async fn rules_where(&mut self, rest: &'static str, number: i64, limit: u32) -> Result<Vec<StoredRules>, StoreError> {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM scorecards_rule_sets {rest}")))
                .bind(number)
                .bind(i64::from(limit))
                .fetch_all(self)
                .await
                .map_err(StoreError::during("read rules"))?;
            rows.iter().map(row).collect::<Result<_, _>>().map_err(StoreError::during("read rules"))
        }

        async fn enter_rules(&mut self, mut rules: StoredRules, caller: &Caller) -> Result<StoredRules, ChangeError> {
            let deed = kycc_audit::Deed {
                request_id: caller.request_id.clone(),
                ..caller.deed(PROPOSE, rules.version, rules.entered())
            };
            let entries = self.append_audit(SERVICE, &[deed]).await.map_err(failed)?;
            rules.standing.revision = entries.first().map_or(0, |entry| entry.sequence);
            sqlx::query(
                "INSERT INTO scorecards_rule_sets (version, hash, rules, author, reason, created_at, status, approver,
                    self_approved, activated_at, revision)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, 0, $8, $9)",
            )
            .bind(rules.version)
            .bind(&rules.hash)
            .bind(&rules.rules)
            .bind(&rules.author)
            .bind(&rules.reason)
            .bind(rules.created_at_micros)
            .bind(rules.standing.status.as_str())
            .bind(rules.standing.activated_at_micros)
            .bind(rules.standing.revision)
            .execute(self)
            .await
            .map_err(StoreError::during("enter rules"))
            .map_err(failed)?;
            Ok(rules)
        }

        async fn stand(&mut self, rules: &mut StoredRules, deed: kycc_audit::Deed) -> Result<(), ChangeError> {
            let entries = self.append_audit(SERVICE, &[deed]).await.map_err(failed)?;
            let after = entries.first().and_then(|entry| RuleStanding::after(Some(&rules.standing), entry));
            let after = after.ok_or(ChangeError::Overtaken)?;
            let written = sqlx::query(
                "UPDATE scorecards_rule_sets SET status = $3, approver = $4, self_approved = $5, activated_at = $6, revision = $7
                 WHERE version = $1 AND revision = $2",
            )
            .bind(rules.version)
            .bind(rules.standing.revision)
            .bind(after.status.as_str())
            .bind(&after.approver)
            .bind(i64::from(after.self_approved))
            .bind(after.activated_at_micros)
            .bind(after.revision)
            .execute(self)
            .await
            .map_err(StoreError::during("change rules"))
            .map_err(failed)?;
            if written.rows_affected() != 1 {
                return Err(ChangeError::Overtaken);
            }
            rules.standing = after;
            Ok(())
        }

        async fn check_rules(&mut self) -> Result<Result<(), Break>, StoreError> {
            let mut version = 0;
            loop {
                let next = self.rules_where("WHERE version > $1 ORDER BY version LIMIT $2", version, 1).await;
                let rules = match next {
                    Ok(mut found) => found.pop(),
                    Err(error) if kycc_audit::is_unreadable(&error) => {
                        return Ok(Err(Break::new(0, format!("the rule set after {version} cannot be read"))));
                    }
                    Err(error) => return Err(error),
                };
                let Some(rules) = rules else { break };
                version = rules.version;
                let entries = self.audit_chain(SERVICE, subject(version).as_str(), 0, LIFE).await?;
                let (mut standing, mut record) = (None, String::new());
                for entry in &entries {
                    if standing.is_none() {
                        let details: serde_json::Value = serde_json::from_str(&entry.details).unwrap_or_default();
                        record = details["record"].as_str().unwrap_or_default().to_owned();
                    }
                    standing = RuleStanding::after(standing.as_ref(), entry);
                    if standing.is_none() {
                        return Ok(Err(Break::new(entry.sequence, format!("entry {} about rule set {version} cannot be", entry.sequence))));
                    }
                }
                if standing.as_ref() != Some(&rules.standing) || record != rules.record() {
                    return Ok(Err(Break::new(
                        rules.standing.revision,
                        format!("rule set {version} was changed behind the log's back: it is not what its entries left"),
                    )));
                }
            }
            let orphan: Option<i64> = sqlx::query_scalar(
                "SELECT sequence FROM audit_entries AS entry
                 WHERE service = 'scorecards' AND substr(subject, 1, 6) = 'rules/' AND NOT EXISTS
                    (SELECT 1 FROM scorecards_rule_sets AS rules WHERE 'rules/' || CAST(rules.version AS TEXT) = entry.subject)
                 ORDER BY sequence LIMIT 1",
            )
            .fetch_optional(self)
            .await
            .map_err(StoreError::during("look for removed rules"))?;
            Ok(match orphan {
                None => Ok(()),
                Some(sequence) => {
                    Err(Break::new(sequence, format!("the rule set of entry {sequence} was removed behind the log's back")))
                }
            })
        }
    }

    fn row(row: &driver::Row) -> Result<StoredRules, sqlx::Error> {
        let status: String = row.try_get("status")?;
        let status = RuleStatus::named(&status).ok_or_else(|| sqlx::Error::ColumnDecode {
            index: "status".into(),
            source: format!("{status:?} is no status of a rule set").into(),
        })?;
        Ok(StoredRules {
            version: row.try_get("version")?,
            hash: row.try_get("hash")?,
            rules: row.try_get("rules")?,
            author: row.try_get("author")?,
            reason: row.try_get("reason")?,
            created_at_micros: row.try_get("created_at")?,
            standing: RuleStanding {
                status,
                approver: row.try_get("approver")?,
                self_approved: row.try_get::<i64, _>("self_approved")? != 0,
                activated_at_micros: row.try_get("activated_at")?,
                revision: row.try_get("revision")?,
            },
        })
    }
}
