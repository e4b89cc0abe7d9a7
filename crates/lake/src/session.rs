//! The one place that makes DataFusion sessions: bounded in memory, spilling to disk, reading versions as tables.
//!
//! Results must not depend on threads: sum DECIMALs only, and end every query in ORDER BY over a unique key.

mod files;

use self::files::NamedFiles;
use crate::error::LakeError;
use crate::lake::Lake;
use crate::spec::Kind;
use crate::version::VersionId;
use crate::{datasets, paths};
use arrow::array::RecordBatch;
use datafusion::common::ParamValues;
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext, col, lit};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use url::Url;

use crate::scan::RecordBatchStream;

/// Where the lake's objects are, to DataFusion.
const STORE: &str = "kycc-lake://lake";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    pub threads: usize,
    pub memory_bytes: usize,
}

/// A session over one lake. `ctx` is open for what has no method here (own tables of batches, functions).
#[derive(Clone)]
pub struct Session {
    pub ctx: SessionContext,
    lake: Lake,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("lake", &self.lake)
            .finish_non_exhaustive()
    }
}

impl Lake {
    pub fn session(&self, limits: SessionLimits) -> Result<Session, LakeError> {
        let pool = TrackConsumersPool::new(
            FairSpillPool::new(limits.memory_bytes),
            NonZeroUsize::new(3).expect("three is not zero"),
        );
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_temp_file_path(self.spill.to_path_buf())
            .build_arc()
            .map_err(|source| LakeError::Query {
                operation: "prepare the spill folder",
                name: self.spill.display().to_string(),
                source,
            })?;
        let store = Url::parse(STORE).expect("the constant is a URL");
        environment.register_object_store(&store, Arc::new(NamedFiles(Arc::clone(&self.store))));
        let mut config = SessionConfig::new()
            .with_target_partitions(limits.threads.max(1))
            .with_information_schema(false);
        // Strings stay Utf8, as the datasets have them, instead of turning into views and back.
        config
            .options_mut()
            .execution
            .parquet
            .schema_force_view_types = false;
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        Ok(Session {
            ctx: SessionContext::new_with_config_rt(config, environment),
            lake: self.clone(),
        })
    }
}

impl Session {
    /// Makes a version queryable as `table`; with `ordinals`, only the rows of those parties.
    pub async fn register(
        &self,
        table: &str,
        id: &VersionId,
        ordinals: Option<Range<u32>>,
    ) -> Result<(), LakeError> {
        let spec = datasets::dataset(id.dataset.as_str())?;
        let path = paths::version(id).to_string();
        if spec.kind == Kind::Document {
            return Err(LakeError::WrongKind {
                operation: "query",
                path,
                is: "document",
            });
        }
        let manifest = self.lake.existing(id).await?;
        let mut files = Vec::with_capacity(manifest.files.len());
        for file in &manifest.files {
            let object = paths::file(id, &file.path);
            self.lake.check_length(&object, file.bytes).await?;
            files.push(object);
        }
        let failed = |source| LakeError::Query {
            operation: "register",
            name: path.clone(),
            source,
        };
        let provider = if files.is_empty() {
            let none = RecordBatch::new_empty(spec.schema());
            let empty = MemTable::try_new(spec.schema(), vec![vec![none]]).map_err(failed)?;
            self.ctx.read_table(Arc::new(empty))
        } else {
            let table = listing(&files, spec.schema()).map_err(failed)?;
            self.ctx.read_table(Arc::new(table))
        };
        let mut rows = provider.map_err(failed)?;
        if let Some(range) = ordinals {
            let column = spec.ordinal.ok_or_else(|| LakeError::UnknownColumn {
                path: path.clone(),
                column: "party_ord".into(),
                known: crate::scan::names(&spec.schema()),
            })?;
            let within = col(column)
                .gt_eq(lit(range.start))
                .and(col(column).lt(lit(range.end)));
            rows = rows.filter(within).map_err(failed)?;
        }
        self.ctx
            .register_table(table, rows.into_view())
            .map(drop)
            .map_err(failed)
    }

    /// Plans the text of one `.sql` file, a single query with `$name` parameters. `name` is for errors: the file's name.
    pub async fn sql_file(
        &self,
        name: &'static str,
        sql: &'static str,
        params: impl Into<ParamValues>,
    ) -> Result<DataFrame, LakeError> {
        let only_queries = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let plan = async {
            self.ctx
                .sql_with_options(sql, only_queries)
                .await?
                .with_param_values(params)
        };
        plan.await.map_err(query_failed("plan", name))
    }

    /// Runs it; rows come in the order of its ORDER BY.
    pub async fn sql_stream(
        &self,
        name: &'static str,
        sql: &'static str,
        params: impl Into<ParamValues>,
    ) -> Result<RecordBatchStream, LakeError> {
        let plan = self.sql_file(name, sql, params).await?;
        let rows = plan
            .execute_stream()
            .await
            .map_err(query_failed("run", name))?;
        Ok(rows.map_err(query_failed("run", name)).boxed())
    }
}

fn listing(
    files: &[Path],
    schema: arrow::datatypes::SchemaRef,
) -> Result<ListingTable, DataFusionError> {
    let urls = files
        .iter()
        .map(|file| ListingTableUrl::parse(format!("{STORE}/{file}")));
    let urls = urls.collect::<Result<Vec<_>, _>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default()));
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(schema);
    ListingTable::try_new(config)
}

fn query_failed(
    operation: &'static str,
    name: &'static str,
) -> impl Fn(DataFusionError) -> LakeError {
    move |source| LakeError::Query {
        operation,
        name: name.to_owned(),
        source,
    }
}
