//! Takes one file of a user's (Parquet, CSV or NDJSON) as a version of any table: columns by name, cast to the schema,
//! sorted. For running one asset on data of one's own; a batch comes in through the ingestion service.

mod columns;
mod read;

use crate::error::{ImportProblem, LakeError};
use crate::lake::Lake;
use crate::manifest::Published;
use crate::metadata::Metadata;
use crate::paths;
use crate::shard::Shard;
use crate::spec::{DatasetSpec, Kind};
use crate::version::VersionId;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::datatypes::UInt32Type;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

impl Lake {
    /// Publishes the file's rows as version `id`, held in memory meanwhile. A table with one row per party may come
    /// without `party_ord`: it is then sorted by `party_id` and numbered.
    pub async fn import_table(
        &self,
        spec: &'static DatasetSpec,
        id: &VersionId,
        path: &Path,
        attempt: Uuid,
    ) -> Result<Published, LakeError> {
        if spec.kind == Kind::Document {
            return Err(LakeError::WrongKind {
                operation: "import a table as",
                path: paths::version(id).to_string(),
                is: "document",
            });
        }
        let refuse = |problem| LakeError::Import {
            path: path.display().to_string(),
            problem,
        };
        let bytes = std::fs::read(path).map_err(|source| LakeError::OpenFile {
            path: path.display().to_string(),
            source,
        })?;
        let found = read::read(path, bytes, spec).map_err(refuse)?;
        let rows = table(spec, &found).map_err(refuse)?;
        let mut writer = self.writer(spec, id.clone(), Shard::WHOLE, attempt);
        writer.write(&rows).await?;
        writer.finish(Metadata::new(), |metadata| metadata).await
    }
}

fn table(spec: &'static DatasetSpec, found: &RecordBatch) -> Result<RecordBatch, ImportProblem> {
    let schema = spec.schema();
    let numbered = spec.per_party && found.column_by_name("party_ord").is_none();
    columns::check_names(spec, found.schema_ref(), numbered)?;
    let mut cast = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let column: ArrayRef = if numbered && field.name() == "party_ord" {
            Arc::new(UInt32Array::from(vec![0; found.num_rows()]))
        } else {
            columns::cast(field, found)?
        };
        cast.push(column);
    }
    let rows = RecordBatch::try_new(schema, cast).expect("columns were cast to the schema");
    let rows = sort(&rows, if numbered { &["party_id"] } else { spec.order });
    match (numbered, spec.per_party) {
        (true, _) => number(&rows),
        (false, true) => check_numbers(rows),
        (false, false) => Ok(rows),
    }
}

/// Strings by their bytes, as everywhere in the lake.
fn sort(rows: &RecordBatch, by: &[&str]) -> RecordBatch {
    if by.is_empty() {
        return rows.clone();
    }
    let key = |name: &&str| SortColumn {
        values: Arc::clone(
            rows.column_by_name(name)
                .expect("order columns are in the schema"),
        ),
        options: None,
    };
    let keys: Vec<_> = by.iter().map(key).collect();
    let order = lexsort_to_indices(&keys, None).expect("order columns are of sortable types");
    take_record_batch(rows, &order).expect("indices are of these rows")
}

fn number(rows: &RecordBatch) -> Result<RecordBatch, ImportProblem> {
    unique_parties(rows)?;
    let mut columns = rows.columns().to_vec();
    let at = rows
        .schema_ref()
        .index_of("party_ord")
        .expect("tables per party have ordinals");
    columns[at] = Arc::new(UInt32Array::from_iter_values((0..).take(rows.num_rows())));
    Ok(RecordBatch::try_new(rows.schema(), columns).expect("only values were replaced"))
}

fn check_numbers(rows: RecordBatch) -> Result<RecordBatch, ImportProblem> {
    let ordinals = rows
        .column_by_name("party_ord")
        .expect("tables per party have ordinals");
    for (expected, &found) in (0..).zip(ordinals.as_primitive::<UInt32Type>().values()) {
        if expected != found {
            return Err(ImportProblem::Ordinals { expected, found });
        }
    }
    unique_parties(&sort(&rows, &["party_id"]))?;
    Ok(rows)
}

/// `rows` are sorted by party.
fn unique_parties(rows: &RecordBatch) -> Result<(), ImportProblem> {
    let parties = rows
        .column_by_name("party_id")
        .expect("tables per party have parties");
    let parties = parties.as_string::<i32>();
    match (1..parties.len()).find(|row| parties.value(*row) == parties.value(row - 1)) {
        None => Ok(()),
        Some(row) => Err(ImportProblem::DuplicateParty {
            party: parties.value(row).to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
