//! Writes versions, each change with its entry in the log, for every database. Every method belongs to a transaction of
//! the caller.

use kycc_audit::AppendAudit as _;
use kycc_store::StoreError;

use super::ChangeError;
use crate::core::audit::{Action, Deed, Details, SERVICE};
use crate::core::record::Record;
use crate::core::standing::Standing;
use crate::core::version::Version;

/// Implemented by the connection of every database.
pub(super) trait WriteVersions {
    /// Refuses to go on where the log does not account for the versions: its last entry must be the last that any version
    /// stands by. Nothing that was removed or put in behind its back is ever sealed by what comes after.
    async fn check_accounts(&mut self) -> Result<(), ChangeError>;
    /// Enters the version, and that it was, unless its content is there.
    async fn insert(
        &mut self,
        version: &Version,
        model_card: Option<&str>,
    ) -> Result<(), StoreError>;
    /// Puts into the log that a version stands as it does.
    async fn log_entering(
        &mut self,
        version: &Version,
        record: String,
        reason: String,
    ) -> Result<(), StoreError>;
    /// Writes how a version stands now; says whether it stood at revision `before` until then.
    async fn put(
        &mut self,
        version: &str,
        before: i64,
        standing: &Standing,
    ) -> Result<bool, StoreError>;
}

/// Why a version was entered.
fn origin(version: &Version) -> String {
    match (&version.model_id, &version.standing.note) {
        (Some(model), _) => format!("refined from model {model}"),
        (None, Some(note)) => note.clone(),
        (None, None) => "entered".into(),
    }
}

fn json(value: Result<String, serde_json::Error>) -> Result<String, StoreError> {
    value
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))
        .map_err(StoreError::during("write a scorecard as JSON"))
}

kycc_store::for_each_driver! {
    impl WriteVersions for driver::Connection {
        async fn check_accounts(&mut self) -> Result<(), ChangeError> {
            // One statement, so that all three are of one moment.
            let (head, newest, unlogged): (i64, i64, i64) = sqlx::query_as(
                "SELECT (SELECT COALESCE(MAX(sequence), 0) FROM audit_entries WHERE service = 'scorecards'),
                    (SELECT COALESCE(MAX(revision), 0) FROM
                        (SELECT revision FROM scorecards_versions UNION ALL SELECT revision FROM scorecards_rule_sets) AS stands),
                    (SELECT COUNT(*) FROM scorecards_versions WHERE revision < 1)",
            )
            .fetch_one(self)
            .await
            .map_err(StoreError::during("hold the versions against the audit log"))
            .map_err(ChangeError::Store)?;
            if head == newest && unlogged == 0 {
                Ok(())
            } else {
                Err(ChangeError::Unaccounted { head, newest })
            }
        }

        async fn insert(&mut self, version: &Version, model_card: Option<&str>) -> Result<(), StoreError> {
            let card = json(serde_json::to_string(&version.card))?;
            let gates = version.gates.as_ref().map(|gates| json(serde_json::to_string(gates))).transpose()?;
            let standing = &version.standing;
            let notes = json(serde_json::to_string(&standing.gate_notes))?;
            let entered = sqlx::query(
                "INSERT INTO scorecards_versions (version, hash, status, card, gates, model_card, missing_link, author,
                    approver, note, gate_notes, self_approved, shadow, parent, model_id, run_id, blend, created_at,
                    activated_at, revision)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0)
                 ON CONFLICT (hash) DO NOTHING",
            )
            .bind(version.name())
            .bind(version.card.hash().to_string())
            .bind(standing.status.as_str())
            .bind(&card)
            .bind(&gates)
            .bind(model_card)
            .bind(&version.missing_link)
            .bind(&version.author)
            .bind(&standing.approver)
            .bind(&standing.note)
            .bind(notes)
            .bind(i64::from(standing.self_approved))
            .bind(i64::from(standing.shadow))
            .bind(&version.parent)
            .bind(&version.model_id)
            .bind(&version.run_id)
            .bind(version.blend)
            .bind(version.created_at_micros)
            .bind(standing.activated_at_micros)
            .execute(&mut *self)
            .await
            .map_err(StoreError::during("enter a scorecard version"))?;
            if entered.rows_affected() == 0 {
                return Ok(());
            }
            let record = Record {
                version: version.name(),
                card: &card,
                gates: gates.as_deref(),
                model_card,
                missing_link: version.missing_link.as_deref(),
                author: &version.author,
                parent: version.parent.as_deref(),
                model_id: version.model_id.as_deref(),
                run_id: version.run_id.as_deref(),
                blend: version.blend,
                created_at: version.created_at_micros,
            };
            self.log_entering(version, record.hash(), origin(version)).await
        }

        async fn log_entering(&mut self, version: &Version, record: String, reason: String) -> Result<(), StoreError> {
            let deed = Deed {
                at_micros: version.created_at_micros,
                principal: version.author.clone(),
                action: Action::Enter,
                version: version.name().to_owned(),
                reason,
                details: Details {
                    card_hash: version.card.hash().to_string(),
                    run_id: version.run_id.clone(),
                    standing: Some(version.standing.clone()),
                    record: Some(record),
                    ..Details::default()
                },
                request_id: String::new(),
                trace_id: kycc_telemetry::current_trace_id(),
            };
            let entries = self.append_audit(SERVICE, &[deed.entry()]).await?;
            let revision = entries.first().map_or(0, |entry| entry.sequence);
            let standing = Standing { revision, ..version.standing.clone() };
            self.put(version.name(), version.standing.revision, &standing).await?;
            Ok(())
        }

        async fn put(&mut self, version: &str, before: i64, standing: &Standing) -> Result<bool, StoreError> {
            let notes = json(serde_json::to_string(&standing.gate_notes))?;
            let written = sqlx::query(
                "UPDATE scorecards_versions
                 SET status = $3, approver = $4, note = $5, gate_notes = $6, self_approved = $7, shadow = $8,
                    activated_at = $9, revision = $10
                 WHERE version = $1 AND revision = $2",
            )
            .bind(version)
            .bind(before)
            .bind(standing.status.as_str())
            .bind(&standing.approver)
            .bind(&standing.note)
            .bind(notes)
            .bind(i64::from(standing.self_approved))
            .bind(i64::from(standing.shadow))
            .bind(standing.activated_at_micros)
            .bind(standing.revision)
            .execute(self)
            .await
            .map_err(StoreError::during("change a scorecard version"))?;
            Ok(written.rows_affected() == 1)
        }
    }
}
