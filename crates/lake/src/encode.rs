//! Rows into the bytes of one Parquet file, the columns of a row group side by side.

use crate::spec::DatasetSpec;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

/// Small in this crate's own tests, so that they cross row groups and files with few rows.
pub(crate) const ROW_GROUP_ROWS: usize = if cfg!(test) { 4 * 1024 } else { 128 * 1024 };
pub(crate) const FILE_ROWS: usize = 8 * ROW_GROUP_ROWS;

pub(crate) struct FileEncoder {
    schema: SchemaRef,
    writer: SerializedFileWriter<Vec<u8>>,
    columns: ArrowRowGroupWriterFactory,
    row_groups: usize,
}

impl FileEncoder {
    pub(crate) fn new(spec: &DatasetSpec) -> Result<Self, ParquetError> {
        let schema = spec.schema();
        let writer = ArrowWriter::try_new(Vec::new(), spec.schema(), Some(properties(&schema)))?;
        let (writer, columns) = writer.into_serialized_writer()?;
        Ok(Self {
            schema,
            writer,
            columns,
            row_groups: 0,
        })
    }

    pub(crate) fn row_group(
        &mut self,
        batches: &[RecordBatch],
        threads: usize,
    ) -> Result<(), ParquetError> {
        let writers = self.columns.create_column_writers(self.row_groups)?;
        let encode = |(index, mut writer): (usize, ArrowColumnWriter)| {
            for batch in batches {
                // One leaf: no dataset has structs.
                for leaf in compute_leaves(self.schema.field(index), batch.column(index))? {
                    writer.write(&leaf)?;
                }
            }
            writer.close()
        };
        let chunks: Vec<ArrowColumnChunk> = if threads > 1 {
            writers
                .into_par_iter()
                .enumerate()
                .map(encode)
                .collect::<Result<_, _>>()?
        } else {
            writers
                .into_iter()
                .enumerate()
                .map(encode)
                .collect::<Result<_, _>>()?
        };
        let mut row_group = self.writer.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut row_group)?;
        }
        row_group.close()?;
        self.row_groups += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, ParquetError> {
        self.writer.into_inner()
    }
}

impl std::fmt::Debug for FileEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileEncoder")
            .field("row_groups", &self.row_groups)
            .finish_non_exhaustive()
    }
}

/// Dictionaries only for words that repeat: building one of ids or measurements costs more than it saves.
fn properties(schema: &SchemaRef) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_enabled(false);
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        properties = match field.data_type() {
            DataType::UInt32 => {
                properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
            }
            DataType::Utf8 if !field.name().ends_with("_id") => {
                properties.set_column_dictionary_enabled(column, true)
            }
            DataType::List(_) => {
                let item = ["list", "item"].map(str::to_owned);
                let path = [field.name().clone()]
                    .into_iter()
                    .chain(item)
                    .collect::<Vec<_>>();
                properties.set_column_dictionary_enabled(ColumnPath::new(path), true)
            }
            _ => properties,
        };
    }
    properties.build()
}
