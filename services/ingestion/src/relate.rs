//! From staged rows to the datasets of the lake, in SQL: what lies after the as-of is set aside first, then references
//! are checked, then duplicates dropped. Nothing is published here before everything has been checked.

mod error;
mod left_out;
mod queries;
mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{Schema, UInt32Type};
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use futures::TryStreamExt;
use kycc_lake::datasets::{ACCOUNTS, OUTCOMES, PARTIES, REJECTED, RELATIONSHIPS, TRANSACTIONS};
use kycc_lake::{DatasetSpec, LakeError, RecordBatchStream, Session};
use kycc_runtime::{TaskContext, TaskError, TaskWriter};

pub(crate) use self::error::RelateError;
use self::queries::Query;
use self::tables::Seen;
use crate::config::{CurrencyPolicy, IngestConfig};
use crate::core::table::Table;
use crate::stage::counts::TableCounts;
use crate::stage::ids::Ids;
use crate::stage::references;
use crate::stage::rejects::Rejects;
use crate::stage::spool::Staged;
use crate::stage::stager::Stage;
use crate::stage::table::{NO_PARTY, Ordinals, provider};

/// Everything that is ready to be published.
pub(crate) struct Related {
    pub(crate) writers: Vec<TaskWriter>,
    pub(crate) counts: TableCounts,
    /// The first records that were rejected, described.
    pub(crate) first_rejects: Vec<String>,
    pub(crate) currencies: BTreeSet<String>,
    pub(crate) unknown_party_types: u64,
    pub(crate) contradicted: Contradicted,
}

/// Outcomes that came several times, and not the same.
#[derive(Debug, Default)]
pub(crate) struct Contradicted {
    pub(crate) outcomes: u64,
    /// The first, in the order of parties: party and kind.
    pub(crate) first: Option<(String, String)>,
}

/// The tables of the batch after its parties, and the labels.
const AFTER_PARTIES: [Table; 4] = [
    Table::Accounts,
    Table::Transactions,
    Table::Relationships,
    Table::Outcomes,
];

pub(crate) async fn relate(
    cx: &TaskContext,
    session: &Session,
    stage: Stage,
    as_of: i64,
    config: &IngestConfig,
) -> Result<Related, TaskError> {
    let mut work = Relation {
        cx,
        session,
        tables: stage.tables,
        ids: stage.ids,
        rejects: stage.rejects,
        counts: stage.counts,
        ordinals: Ordinals::default(),
        params: vec![
            (
                "as_of",
                ScalarValue::TimestampMicrosecond(Some(as_of), Some("UTC".into())),
            ),
            ("batch", ScalarValue::Utf8(Some(cx.batch().to_string()))),
        ],
        as_of,
        seen: Seen::default(),
        contradicted: Contradicted::default(),
    };
    work.leave_out(Table::Parties).await?;
    let parties = work.parties().await?;
    for table in AFTER_PARTIES {
        work.leave_out(table).await?;
    }
    work.check_rejected_share(config.max_rejected_share)?;
    let mut writers = vec![parties];
    for table in AFTER_PARTIES {
        writers.push(work.accept(table).await?);
    }
    if config.currency_policy == CurrencyPolicy::Error && work.seen.currencies.len() > 1 {
        let currencies = work.seen.currencies.into_iter().collect();
        return Err(RelateError::SeveralCurrencies { currencies }.into());
    }
    work.rejected(writers).await
}

struct Relation<'a> {
    cx: &'a TaskContext,
    session: &'a Session,
    tables: std::collections::BTreeMap<Table, Staged>,
    ids: Ids,
    rejects: Rejects,
    counts: TableCounts,
    ordinals: Ordinals,
    params: Vec<(&'static str, ScalarValue)>,
    as_of: i64,
    seen: Seen,
    contradicted: Contradicted,
}

impl Relation<'_> {
    async fn run(&self, query: Query) -> Result<RecordBatchStream, TaskError> {
        self.cx.check_cancelled()?;
        Ok(self
            .session
            .sql_stream(query.name, query.text, self.params.clone())
            .await?)
    }

    /// Makes the staged rows of a table queryable, with the ordinals known by now.
    fn register(&self, table: Table) -> Result<(), TaskError> {
        let staged = self.tables.get(&table).expect("every table is staged");
        let rows = provider(staged, references(table), &self.ordinals, self.cx.threads());
        let name = queries::staged(table);
        rows.and_then(|rows| self.session.ctx.register_table(name, Arc::new(rows)))
            .map(drop)
            .map_err(|source| query_failed(name, source))
    }

    /// Parties in order; the place of each is its ordinal from here on.
    async fn parties(&mut self) -> Result<TaskWriter, TaskError> {
        self.superseded(Table::Parties).await?;
        let mut writer = self.cx.writer(&PARTIES);
        let mut rows = self.run(queries::accepted(Table::Parties)).await?;
        let mut ordinals = vec![NO_PARTY; self.ids.len()];
        let mut next = 0u32;
        while let Some(batch) = rows.try_next().await? {
            self.cx.check_cancelled()?;
            let numbers = batch.column(0).as_primitive::<UInt32Type>();
            let first = next;
            for number in numbers.values() {
                ordinals[*number as usize] = next;
                next += 1;
            }
            let ordinals = UInt32Array::from_iter_values(first..next);
            let batch = with_ordinals(&batch, ordinals);
            self.seen.look(Table::Parties, &batch);
            writer.write(&batch).await?;
        }
        self.ordinals = Arc::new(ordinals);
        let counts = self.counts.entry(Table::Parties).or_default();
        counts.accepted = u64::from(next);
        if next == 0 {
            let error = RelateError::NoParties {
                read: counts.read,
                rejected: counts.rejected,
                future: counts.future,
                first: self.rejects.first(),
            };
            return Err(error.into());
        }
        Ok(writer)
    }

    async fn accept(&mut self, table: Table) -> Result<TaskWriter, TaskError> {
        self.superseded(table).await?;
        if table == Table::Outcomes {
            self.contradicted().await?;
        }
        let mut writer = self.cx.writer(dataset(table));
        let mut rows = self.run(queries::accepted(table)).await?;
        let mut accepted = 0;
        while let Some(batch) = rows.try_next().await? {
            self.cx.check_cancelled()?;
            accepted += batch.num_rows() as u64;
            self.seen.look(table, &batch);
            writer.write(&batch).await?;
        }
        self.counts.entry(table).or_default().accepted = accepted;
        Ok(writer)
    }

    /// Makes a table of the records that a later one replaces. It is small, and known to be: the join with it then needs
    /// no shuffle.
    async fn superseded(&self, table: Table) -> Result<(), TaskError> {
        let query = queries::superseded(table);
        let plan = self
            .session
            .sql_file(query.name, query.text, self.params.clone())
            .await?;
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let failed = |source| query_failed(query.name, source);
        let rows = plan.collect().await.map_err(failed)?;
        let places = MemTable::try_new(schema, vec![rows]).map_err(failed)?;
        self.session
            .ctx
            .register_table(queries::superseded_name(table), Arc::new(places))
            .map(drop)
            .map_err(failed)
    }

    /// Finds outcomes of which the last stands although it is not what another said.
    async fn contradicted(&mut self) -> Result<(), TaskError> {
        let mut rows = self.run(queries::CONTRADICTED).await?;
        while let Some(batch) = rows.try_next().await? {
            let text = |column: usize| batch.column(column).as_string::<i32>().value(0).to_owned();
            if self.contradicted.first.is_none() && batch.num_rows() > 0 {
                self.contradicted.first = Some((text(0), text(1)));
            }
            self.contradicted.outcomes += batch.num_rows() as u64;
        }
        Ok(())
    }

    /// Of any table, no more than this share may be rejected.
    fn check_rejected_share(&self, most: f64) -> Result<(), TaskError> {
        let past: Vec<_> = self
            .counts
            .iter()
            .filter(|(_, counts)| counts.rejected as f64 > most * counts.read as f64)
            .map(|(table, counts)| format!("{} of {} {table}", counts.rejected, counts.read))
            .collect();
        if past.is_empty() {
            return Ok(());
        }
        let first = self.rejects.first();
        Err(RelateError::TooManyRejected { most, past, first }.into())
    }

    /// The last table: every record that was left out. Then all is ready.
    async fn rejected(self, mut writers: Vec<TaskWriter>) -> Result<Related, TaskError> {
        let first_rejects = self.rejects.first();
        let rejects = self.rejects.finish()?;
        let failed = |source| query_failed("staged_rejected", source);
        let rows = provider(&rejects, &[], &self.ordinals, self.cx.threads()).map_err(failed)?;
        self.session
            .ctx
            .register_table("staged_rejected", Arc::new(rows))
            .map_err(failed)?;
        let mut writer = self.cx.writer(&REJECTED);
        let query = queries::REJECTED;
        let mut rows = self
            .session
            .sql_stream(query.name, query.text, self.params)
            .await?;
        while let Some(batch) = rows.try_next().await? {
            writer.write(&batch).await?;
        }
        writers.push(writer);
        Ok(Related {
            writers,
            counts: self.counts,
            first_rejects,
            currencies: self.seen.currencies,
            unknown_party_types: self.seen.unknown_party_types,
            contradicted: self.contradicted,
        })
    }
}

fn dataset(table: Table) -> &'static DatasetSpec {
    match table {
        Table::Parties => &PARTIES,
        Table::Accounts => &ACCOUNTS,
        Table::Transactions => &TRANSACTIONS,
        Table::Relationships => &RELATIONSHIPS,
        Table::Outcomes => &OUTCOMES,
    }
}

/// The batch with its first column, numbers of ids, replaced by ordinals.
fn with_ordinals(batch: &RecordBatch, ordinals: UInt32Array) -> RecordBatch {
    let schema = PARTIES.schema();
    let mut fields = vec![schema.field(0).clone()];
    fields.extend(
        batch
            .schema_ref()
            .fields()
            .iter()
            .skip(1)
            .map(|field| field.as_ref().clone()),
    );
    let mut columns = batch.columns().to_vec();
    columns[0] = Arc::new(ordinals);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("one ordinal was made for each row")
}

fn query_failed(name: &'static str, source: datafusion::error::DataFusionError) -> TaskError {
    LakeError::Query {
        operation: "run",
        name: name.to_owned(),
        source,
    }
    .into()
}
