//! Reads a version's rows, in their order: only the columns asked for, only the row groups that can hold the ordinals.

mod object;

use self::object::ObjectReader;
use crate::error::LakeError;
use crate::lake::Lake;
use crate::manifest::DataFile;
use crate::spec::{DatasetSpec, Kind};
use crate::version::VersionId;
use crate::{datasets, paths};
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{SchemaRef, UInt32Type};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::errors::ParquetError;
use std::ops::Range;
use std::sync::Arc;

const BATCH_ROWS: usize = 16 * 1024;

/// Rows in order; ends after the first error.
pub type RecordBatchStream = BoxStream<'static, Result<RecordBatch, LakeError>>;

/// What is read of every file.
#[derive(Clone)]
struct Want {
    lake: Lake,
    id: VersionId,
    spec: &'static DatasetSpec,
    /// In the order asked for.
    schema: SchemaRef,
    ordinals: Option<(Range<u32>, &'static str)>,
}

impl Lake {
    /// Streams rows in row order. `columns` come in the order given (default: all), `ordinals` keeps the rows of those
    /// parties (of their `from` side, for relationships).
    pub async fn scan(
        &self,
        id: &VersionId,
        columns: Option<&[&str]>,
        ordinals: Option<Range<u32>>,
    ) -> Result<RecordBatchStream, LakeError> {
        let want = self.want(id, columns, ordinals)?;
        let files = self.existing(id).await?.files;
        let files: Vec<_> = files
            .into_iter()
            .filter(|file| want.overlaps(file))
            .collect();
        let opened = stream::iter(files).then(move |file| want.clone().open(file));
        Ok(opened.try_flatten().boxed())
    }

    /// The same rows as one batch, of the projected schema even when there are none.
    pub async fn read(
        &self,
        id: &VersionId,
        columns: Option<&[&str]>,
        ordinals: Option<Range<u32>>,
    ) -> Result<RecordBatch, LakeError> {
        let schema = self.want(id, columns, None)?.schema;
        let batches: Vec<_> = self
            .scan(id, columns, ordinals)
            .await?
            .try_collect()
            .await?;
        concat_batches(&schema, &batches).map_err(|e| LakeError::Parquet {
            operation: "join batches of",
            path: paths::version(id).to_string(),
            source: e.into(),
        })
    }

    fn want(
        &self,
        id: &VersionId,
        columns: Option<&[&str]>,
        ordinals: Option<Range<u32>>,
    ) -> Result<Want, LakeError> {
        let spec = datasets::dataset(id.dataset.as_str())?;
        let path = paths::version(id).to_string();
        if spec.kind == Kind::Document {
            let operation = "read rows from";
            return Err(LakeError::WrongKind {
                operation,
                path,
                is: "document",
            });
        }
        let full = spec.schema();
        let unknown = |column: &str| LakeError::UnknownColumn {
            path: path.clone(),
            column: column.to_owned(),
            known: names(&full),
        };
        let schema = match columns {
            None => SchemaRef::clone(&full),
            Some(columns) => {
                let find = |name: &&str| full.index_of(name).map_err(|_| unknown(name));
                let indices = columns.iter().map(find).collect::<Result<Vec<_>, _>>()?;
                Arc::new(full.project(&indices).expect("indices are of this schema"))
            }
        };
        let ordinals = match ordinals {
            None => None,
            Some(range) => {
                let column = spec.ordinal.ok_or_else(|| unknown("party_ord"))?;
                Some((range, column))
            }
        };
        Ok(Want {
            lake: self.clone(),
            id: id.clone(),
            spec,
            schema,
            ordinals,
        })
    }
}

impl Want {
    fn overlaps(&self, file: &DataFile) -> bool {
        match (&self.ordinals, file.min_ordinal, file.max_ordinal) {
            (Some((range, _)), Some(min), Some(max)) => {
                !range.is_empty() && min < range.end && max >= range.start
            }
            _ => true,
        }
    }

    async fn open(self, file: DataFile) -> Result<RecordBatchStream, LakeError> {
        let path = paths::file(&self.id, &file.path);
        self.lake.check_length(&path, file.bytes).await?;
        let reader = ObjectReader {
            store: Arc::clone(&self.lake.store),
            path: path.clone(),
            bytes: file.bytes,
        };
        let mut builder = ParquetRecordBatchStreamBuilder::new(reader)
            .await
            .map_err(failed(&path))?
            .with_batch_size(BATCH_ROWS);
        let wanted = self.schema.fields().iter().map(|f| f.name().as_str());
        let wanted: Vec<_> = wanted
            .chain(self.ordinals.as_ref().map(|(_, c)| *c))
            .collect();
        let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
        if let Some(groups) = self.row_groups(&builder).map_err(failed(&path))? {
            builder = builder.with_row_groups(groups);
        }
        let rows = builder
            .with_projection(mask)
            .build()
            .map_err(failed(&path))?;
        Ok(rows
            .map_err(move |source| failed(&path)(source))
            .and_then(move |batch| std::future::ready(self.shape(&batch)))
            .try_filter(|batch| std::future::ready(batch.num_rows() > 0))
            .boxed())
    }

    /// The row groups whose ordinals overlap, where ordinals are asked for.
    fn row_groups(
        &self,
        file: &ParquetRecordBatchStreamBuilder<ObjectReader>,
    ) -> Result<Option<Vec<usize>>, ParquetError> {
        let Some((range, column)) = &self.ordinals else {
            return Ok(None);
        };
        let statistics =
            StatisticsConverter::try_new(column, file.schema(), file.parquet_schema())?;
        let groups = file.metadata().row_groups();
        let (min, max) = (
            statistics.row_group_mins(groups)?,
            statistics.row_group_maxes(groups)?,
        );
        let (min, max) = (
            min.as_primitive::<UInt32Type>(),
            max.as_primitive::<UInt32Type>(),
        );
        let overlap =
            |group: &usize| min.value(*group) < range.end && max.value(*group) >= range.start;
        Ok(Some((0..groups.len()).filter(overlap).collect()))
    }

    /// Cut to the ordinals and brought into the columns' order.
    fn shape(&self, batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let missing = |column: &str| LakeError::Corrupt {
            path: paths::version(&self.id).to_string(),
            problem: format!(
                "its files have no column {column:?} of dataset {}",
                self.spec.name
            ),
        };
        let mut batch = batch.clone();
        if let Some((range, column)) = &self.ordinals {
            let ordinals = batch
                .column_by_name(column)
                .ok_or_else(|| missing(column))?;
            let ordinals = ordinals.as_primitive::<UInt32Type>().values();
            let from = ordinals.partition_point(|ordinal| *ordinal < range.start);
            let to = ordinals.partition_point(|ordinal| *ordinal < range.end);
            batch = batch.slice(from, to.saturating_sub(from));
        }
        let column = |name: &String| {
            let found = batch.column_by_name(name).map(Arc::clone);
            found.ok_or_else(|| missing(name))
        };
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|field| column(field.name()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options =
            arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(SchemaRef::clone(&self.schema), columns, &options)
            .map_err(|e| LakeError::Corrupt {
                path: paths::version(&self.id).to_string(),
                problem: format!(
                    "its files do not have the schema of dataset {}: {e}",
                    self.spec.name
                ),
            })
    }
}

pub(crate) fn names(schema: &SchemaRef) -> String {
    let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    names.join(", ")
}

fn failed(path: &Path) -> impl Fn(ParquetError) -> LakeError + use<> {
    let path = path.clone();
    move |source| match source {
        // The store's, on the way to the bytes.
        ParquetError::External(cause) => match cause.downcast::<object_store::Error>() {
            Ok(source) => crate::files::failed("read", &path)(*source),
            Err(cause) => LakeError::Parquet {
                operation: "read",
                path: path.to_string(),
                source: ParquetError::External(cause),
            },
        },
        broken => LakeError::Damaged {
            path: path.to_string(),
            problem: format!("it cannot be decoded ({broken})"),
        },
    }
}
