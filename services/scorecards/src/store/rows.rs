//! Rows of the table, read back.

use std::error::Error;

use crate::core::record::Record;
use crate::core::standing::Standing;
use crate::core::verify::Row;
use crate::core::version::{Status, Version};

pub(super) const VERSION_COLUMNS: &str = "card, status, gates, missing_link, author, approver, note, gate_notes, \
    self_approved, shadow, parent, model_id, run_id, blend, created_at, activated_at, revision";

/// Everything, for verification.
pub(super) const ROW_COLUMNS: &str = "version, hash, model_card, card, status, gates, missing_link, author, approver, \
    note, gate_notes, self_approved, shadow, parent, model_id, run_id, blend, created_at, activated_at, revision";

/// Implemented by the rows of every database.
pub(super) trait ReadRow {
    fn version(&self) -> Result<Version, sqlx::Error>;
    fn row(&self) -> Result<Row, sqlx::Error>;
}

fn unreadable(column: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: source.into(),
    }
}

fn status(text: &str) -> Result<Status, sqlx::Error> {
    Status::named(text)
        .ok_or_else(|| unreadable("status", format!("{text:?} is no status of a scorecard")))
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    impl ReadRow for driver::Row {
        fn version(&self) -> Result<Version, sqlx::Error> {
            let card: String = self.try_get("card")?;
            let gates: Option<String> = self.try_get("gates")?;
            let notes: String = self.try_get("gate_notes")?;
            let gates = gates.map(|gates| serde_json::from_str(&gates)).transpose();
            Ok(Version {
                card: serde_json::from_str(&card).map_err(|error| unreadable("card", error))?,
                gates: gates.map_err(|error| unreadable("gates", error))?,
                missing_link: self.try_get("missing_link")?,
                author: self.try_get("author")?,
                parent: self.try_get("parent")?,
                model_id: self.try_get("model_id")?,
                run_id: self.try_get("run_id")?,
                blend: self.try_get("blend")?,
                created_at_micros: self.try_get("created_at")?,
                standing: Standing {
                    status: status(self.try_get("status")?)?,
                    approver: self.try_get("approver")?,
                    note: self.try_get("note")?,
                    gate_notes: serde_json::from_str(&notes).map_err(|error| unreadable("gate_notes", error))?,
                    self_approved: self.try_get::<i64, _>("self_approved")? != 0,
                    shadow: self.try_get::<i64, _>("shadow")? != 0,
                    activated_at_micros: self.try_get("activated_at")?,
                    revision: self.try_get("revision")?,
                },
            })
        }

        fn row(&self) -> Result<Row, sqlx::Error> {
            let record = Record {
                version: self.try_get("version")?,
                card: self.try_get("card")?,
                gates: self.try_get("gates")?,
                model_card: self.try_get("model_card")?,
                missing_link: self.try_get("missing_link")?,
                author: self.try_get("author")?,
                parent: self.try_get("parent")?,
                model_id: self.try_get("model_id")?,
                run_id: self.try_get("run_id")?,
                blend: self.try_get("blend")?,
                created_at: self.try_get("created_at")?,
            };
            Ok(Row {
                name: record.version.to_owned(),
                version: self.version()?,
                hash: self.try_get("hash")?,
                record: record.hash(),
            })
        }
    }
}
