//! Every version's row against what the audit log says of it.
//!
//! An entry that was changed, removed, moved or put in breaks the chain where it lies. Whoever rewrites the whole chain
//! from there on also has to make every row agree, and even then the head's hash is another one than people kept.

use kycc_audit::{Break, Entry};

use super::audit::OfVersion as _;
use super::standing::Standing;
use super::version::{Status, Version};

/// A version's row, with what is worked out from it anew.
#[derive(Debug)]
pub(crate) struct Row {
    /// As the row says; the card in it says its own.
    pub(crate) name: String,
    pub(crate) version: Version,
    /// As the row says.
    pub(crate) hash: String,
    /// Of all that never changes, from the row's own texts.
    pub(crate) record: String,
}

/// What the log says of one version.
#[derive(Debug, Default)]
pub(crate) struct History {
    standing: Option<Standing>,
    card_hash: String,
    record: Option<String>,
}

impl History {
    pub(crate) fn follow(&mut self, entry: &Entry) -> Result<(), Break> {
        let broken = |message: String| Break::new(entry.sequence, message);
        let standing = Standing::after(self.standing.as_ref(), entry)
            .map_err(|error| broken(format!("entry {} cannot be: {error}", entry.sequence)))?;
        let details = entry.details();
        let card_hash = details.as_ref().map(|details| details.card_hash.clone());
        let card_hash = card_hash.unwrap_or_default();
        if self.standing.is_none() {
            self.card_hash = card_hash;
            self.record = details.and_then(|details| details.record);
        } else if self.card_hash != card_hash {
            return Err(broken(format!(
                "entry {} names another card than version {} was entered with",
                entry.sequence,
                entry.version()
            )));
        }
        self.standing = Some(standing);
        Ok(())
    }

    /// Sequence of the last entry about it; 0 before the first.
    pub(crate) fn last(&self) -> i64 {
        self.standing
            .as_ref()
            .map_or(0, |standing| standing.revision)
    }

    /// Whether the row stands as the log says.
    pub(crate) fn agrees(&self, row: &Row) -> Result<(), Break> {
        let name = &row.name;
        let Some(standing) = &self.standing else {
            return Err(Break::new(
                0,
                format!("version {name} is not in the log: it was entered behind its back"),
            ));
        };
        let broken = |what: &str| {
            let message = format!(
                "version {name} was changed behind the log's back: {what} is not what entry {} left",
                standing.revision
            );
            Err(Break::new(standing.revision, message))
        };
        if row.version.card.hash().as_str() != self.card_hash || row.hash != self.card_hash {
            return broken("its card");
        }
        if self.record.as_ref() != Some(&row.record) {
            return broken("what it was entered with (card, gates, author, model, run or times)");
        }
        match row.version.standing.difference(standing) {
            Some(column) => broken(&format!("its {column}")),
            None => Ok(()),
        }
    }
}

/// Counts over all rows, once each agrees with the log.
#[derive(Debug, Default)]
pub(crate) struct Census {
    rows: u64,
    active: u64,
    shadows: u64,
}

impl Census {
    pub(crate) fn count(&mut self, version: &Version) {
        self.rows += 1;
        self.active += u64::from(version.status() == Status::Active);
        self.shadows += u64::from(version.standing.shadow);
    }

    pub(crate) fn end(&self) -> Result<(), Break> {
        if self.rows > 0 && self.active != 1 {
            let active = self.active;
            return Err(Break::new(
                0,
                format!("{active} versions are active, not one"),
            ));
        }
        if self.shadows > 1 {
            let shadows = self.shadows;
            return Err(Break::new(
                0,
                format!("{shadows} versions score in the shadow, not one at most"),
            ));
        }
        Ok(())
    }
}
