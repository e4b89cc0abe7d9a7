//! The definitions in force, and how they are replaced.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use kycc_runtime::ModuleTable;

use super::check::unanswered_lanes;
use super::load::DefinitionsError;
use super::types::Definitions;

/// Holds the definitions that new runs start with. Reading them again never leaves none in force.
#[derive(Debug)]
pub(crate) struct Catalogue {
    path: Option<PathBuf>,
    parties_per_shard: Option<u64>,
    table: Arc<ModuleTable>,
    current: RwLock<Arc<Definitions>>,
}

impl Catalogue {
    /// From the file, or the embedded default. `parties_per_shard` is what the fleet's configuration puts over it; `table`
    /// is what the modules of the program offer, whichever of them this process serves.
    pub(crate) fn open(
        path: Option<PathBuf>,
        parties_per_shard: Option<u64>,
        table: Arc<ModuleTable>,
    ) -> Result<Self, DefinitionsError> {
        let first = read(path.as_deref(), parties_per_shard, &table)?;
        Ok(Self {
            path,
            parties_per_shard,
            table,
            current: RwLock::new(Arc::new(first)),
        })
    }

    pub(crate) fn current(&self) -> Arc<Definitions> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Whether anything changed. On an error the old definitions stay.
    pub(crate) fn reload(&self) -> Result<bool, DefinitionsError> {
        let fresh = read(self.path.as_deref(), self.parties_per_shard, &self.table)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **current != fresh;
        *current = Arc::new(fresh);
        Ok(changed)
    }
}

fn read(
    path: Option<&Path>,
    parties_per_shard: Option<u64>,
    table: &ModuleTable,
) -> Result<Definitions, DefinitionsError> {
    let mut definitions = Definitions::read(path, table)?;
    for warning in unanswered_lanes(&definitions, &table.lanes) {
        tracing::warn!("{warning}");
    }
    if let Some(parties) = parties_per_shard {
        definitions.sharding.parties_per_shard = parties.max(1);
    }
    Ok(definitions)
}

#[cfg(test)]
mod tests {
    use super::super::load::DEFAULT;
    use super::*;

    const SOURCES: [&str; 5] = [
        "active_rules",
        "active_scorecard",
        "batch_source",
        "recorded_outcomes",
        "shadow_scorecard",
    ];

    #[test]
    fn a_broken_file_leaves_the_old_definitions_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipeline.yaml");
        std::fs::write(&path, DEFAULT).unwrap();
        let table = Arc::new(ModuleTable {
            sources: SOURCES.into(),
            ..ModuleTable::default()
        });
        let catalogue = Catalogue::open(Some(path.clone()), None, table).unwrap();
        let before = catalogue.current().hash();
        assert!(!catalogue.reload().unwrap());
        std::fs::write(&path, "assets: 7").unwrap();
        assert!(catalogue.reload().is_err());
        assert_eq!(catalogue.current().hash(), before);
        let unknown = DEFAULT.replace("sources: [batch_source]", "sources: [batch_sauce]");
        std::fs::write(&path, unknown).unwrap();
        let error = catalogue.reload().unwrap_err().to_string();
        assert!(error.contains("did you mean batch_source?"), "{error}");
        assert_eq!(catalogue.current().hash(), before);
        let changed = DEFAULT.replace("max_concurrent_runs: 5", "max_concurrent_runs: 1");
        std::fs::write(&path, changed).unwrap();
        assert!(catalogue.reload().unwrap());
        assert_eq!(catalogue.current().run_queue.max_concurrent_runs, 1);
    }
}
