//! The instant that a batch is computed for: the run's config, else what the batch says of itself. Never the clock, and
//! never guessed from rows.

use kycc_domain::ids::BatchId;
use kycc_runtime::TaskError;
use serde::Deserialize;

use crate::config::{IngestConfig, given};
use crate::core::fault::quoted;
use crate::core::time;
use crate::reader::document::Header;
use crate::reader::error::ReadError;
use crate::source::Source;
use crate::source::error::SourceError;

/// `<BATCH>_batch.json` of a folder.
#[derive(Debug, Deserialize)]
struct FolderHeader {
    batch_id: Option<String>,
    generated_at: Option<String>,
}

const EXPECTED: &str = "a time such as 2025-12-31T23:59:59Z";

/// Microseconds since 1970. Also refuses a source that says that it is another batch.
pub(crate) fn resolve(
    batch: &BatchId,
    config: &IngestConfig,
    source: &Source,
    header: &Header,
) -> Result<i64, TaskError> {
    let (file, header) = match &source.header {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| SourceError::Unreadable {
                path: path.display().to_string(),
                source,
            })?;
            (path.display().to_string(), folder_header(path, &text)?)
        }
        None => {
            let file = source
                .inputs
                .first()
                .map_or_else(String::new, |input| input.name.clone());
            (file, header.clone())
        }
    };
    if let Some(found) = header.batch_id.filter(|found| found != batch.as_str()) {
        return Err(ReadError::WrongBatch {
            file,
            found,
            expected: batch.to_string(),
        }
        .into());
    }
    if let Some(text) = given(&config.as_of) {
        return time::parse(text).map_err(|_| {
            let message = format!(
                "as_of in the run's config is {}; expected {EXPECTED}",
                quoted(text)
            );
            TaskError::fatal("AS_OF_INVALID", message)
        });
    }
    let Some(text) = header.generated_at else {
        let message = format!(
            "batch {batch} has no as-of time: give as_of in the config, or generated_at in the document (of a folder: in \
             {batch}_batch.json)"
        );
        return Err(TaskError::fatal("AS_OF_MISSING", message));
    };
    time::parse(&text).map_err(|_| {
        let found = quoted(&text);
        ReadError::BadHeader {
            file,
            field: "generated_at",
            found,
            expected: EXPECTED,
        }
        .into()
    })
}

fn folder_header(path: &std::path::Path, text: &str) -> Result<Header, TaskError> {
    let header: FolderHeader = serde_json::from_str(text).map_err(|error| {
        let message = format!(
            "{} is not {{\"batch_id\", \"generated_at\"}}: {error}",
            path.display()
        );
        TaskError::fatal("BAD_HEADER", message)
    })?;
    Ok(Header {
        batch_id: header.batch_id,
        generated_at: header.generated_at,
        ..Header::default()
    })
}
