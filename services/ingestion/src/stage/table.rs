//! Staged rows as a table of SQL, read from their segments as the query asks for them; numbers of ids become ordinals
//! of parties on the way.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;

use super::Reference;
use super::spool::Staged;

/// Ordinal of a number that is not a party's.
pub(crate) const NO_PARTY: u32 = u32::MAX;

/// Ordinals by the number of an id.
pub(crate) type Ordinals = Arc<Vec<u32>>;

pub(crate) fn provider(
    staged: &Staged,
    references: &'static [Reference],
    ordinals: &Ordinals,
    partitions: usize,
) -> Result<StreamingTable, DataFusionError> {
    let mut fields = staged.schema.fields().to_vec();
    for reference in references {
        fields.push(Arc::new(Field::new(
            reference.ordinal,
            DataType::UInt32,
            true,
        )));
    }
    let schema = Arc::new(Schema::new(fields));
    let partitions = (0..partitions.max(1)).map(|index| {
        let segments = staged
            .segments
            .iter()
            .skip(index)
            .step_by(partitions.max(1));
        Arc::new(Part {
            schema: Arc::clone(&schema),
            segments: segments.cloned().collect(),
            references,
            ordinals: Arc::clone(ordinals),
        }) as Arc<dyn PartitionStream>
    });
    StreamingTable::try_new(Arc::clone(&schema), partitions.collect())
}

struct Part {
    schema: SchemaRef,
    segments: Vec<PathBuf>,
    references: &'static [Reference],
    ordinals: Ordinals,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part")
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let segments = self.segments.clone().into_iter();
        let (schema, references) = (Arc::clone(&self.schema), self.references);
        let ordinals = Arc::clone(&self.ordinals);
        let batches = segments.flat_map(open).map(move |batch| {
            let batch = resolve(&batch?, &schema, references, &ordinals)?;
            Ok::<_, DataFusionError>(batch)
        });
        let schema = Arc::clone(&self.schema);
        Box::pin(RecordBatchStreamAdapter::new(
            schema,
            futures::stream::iter(batches),
        ))
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// The batches of one segment; one error where it cannot be opened.
fn open(path: PathBuf) -> Batches {
    let reader = File::open(&path)
        .map_err(ArrowError::from)
        .and_then(|file| StreamReader::try_new(BufReader::new(file), None));
    match reader {
        Ok(reader) => Box::new(reader),
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

fn resolve(
    batch: &RecordBatch,
    schema: &SchemaRef,
    references: &[Reference],
    ordinals: &[u32],
) -> Result<RecordBatch, ArrowError> {
    let mut columns = batch.columns().to_vec();
    for reference in references {
        let seen = batch
            .column_by_name(reference.seen)
            .expect("every reference of a table is staged")
            .as_primitive::<UInt32Type>();
        let found = seen.iter().map(|number| {
            let ordinal = ordinals.get(number? as usize).copied();
            ordinal.filter(|ordinal| *ordinal != NO_PARTY)
        });
        let found: UInt32Array = found.collect();
        columns.push(Arc::new(found) as ArrayRef);
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
}
