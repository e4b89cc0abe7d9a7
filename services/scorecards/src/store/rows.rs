//! A row of `scorecards_versions`, read back.

use kycc_store::sqlite::Row as SqlRow;
use sqlx::Row;

use crate::core::version::{Status, Version};

pub(super) const COLUMNS: &str = "card, status, gates, author, approver, note, self_approved, parent, model_id, run_id, \
                                  blend, created_at, activated_at";

pub(super) fn version(row: &SqlRow) -> Result<Version, sqlx::Error> {
    let card: String = row.try_get("card")?;
    let gates: Option<String> = row.try_get("gates")?;
    let status: String = row.try_get("status")?;
    let unreadable = |column: &str, source: Box<dyn std::error::Error + Send + Sync>| {
        sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source,
        }
    };
    Ok(Version {
        card: serde_json::from_str(&card).map_err(|error| unreadable("card", error.into()))?,
        status: Status::named(&status).ok_or_else(|| {
            unreadable(
                "status",
                format!("{status:?} is no status of a scorecard").into(),
            )
        })?,
        gates: gates
            .map(|gates| serde_json::from_str(&gates))
            .transpose()
            .map_err(|error| unreadable("gates", error.into()))?,
        author: row.try_get("author")?,
        approver: row.try_get("approver")?,
        note: row.try_get("note")?,
        self_approved: row.try_get::<i64, _>("self_approved")? != 0,
        parent: row.try_get("parent")?,
        model_id: row.try_get("model_id")?,
        run_id: row.try_get("run_id")?,
        blend: row.try_get("blend")?,
        created_at_micros: row.try_get("created_at")?,
        activated_at_micros: row.try_get("activated_at")?,
    })
}
