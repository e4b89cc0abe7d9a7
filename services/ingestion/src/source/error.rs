//! Why no source was found, and where it was looked for.

use kycc_runtime::TaskError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error(
        "there is no {path}; source_uri, source_files and labels_uri name files that the fleet's machine sees"
    )]
    NotFound { path: String },
    #[error(
        "batch {batch} has no input: neither the document {document} nor the folder {folder} is there; put one there, or \
         name another with source_uri"
    )]
    NothingLanded {
        batch: String,
        document: String,
        folder: String,
    },
    #[error(
        "{path} lies outside the folders that inputs may come from ({roots}); move it there, or add its folder to \
         allowed_roots"
    )]
    OutsideRoots { path: String, roots: String },
    #[error("cannot make a path of {uri:?}; write an absolute path or a file:// URI")]
    BadUri { uri: String },
    #[error("{path} is not a regular file")]
    NotAFile { path: String },
    #[error("cannot read {path}")]
    Unreadable {
        path: String,
        source: std::io::Error,
    },
    #[error(
        "{path} is not a batch document (.json) or a folder; single tables are given with source_files, \
         such as {{\"parties\": \"…\"}}"
    )]
    NotADocument { path: String },
    #[error(
        "the folder {folder} has no {batch}_parties.ndjson, .csv or .parquet, and no {batch}_profiles.json"
    )]
    NoParties { folder: String, batch: String },
    #[error(
        "source_files names the table {name:?}; there are parties, accounts, transactions, relationships"
    )]
    UnknownTable { name: String },
    #[error(
        "{path} cannot be read as {table}: its name must end in .ndjson, .csv, .parquet or .json"
    )]
    UnknownFormat { path: String, table: &'static str },
    #[error("source_uri and source_files are both given; leave one out")]
    TwoSources,
}

impl SourceError {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } | Self::NothingLanded { .. } | Self::NoParties { .. } => {
                "SOURCE_NOT_FOUND"
            }
            Self::OutsideRoots { .. } => "SOURCE_NOT_ALLOWED",
            Self::Unreadable { .. } | Self::NotAFile { .. } => "SOURCE_UNREADABLE",
            Self::BadUri { .. }
            | Self::NotADocument { .. }
            | Self::UnknownTable { .. }
            | Self::UnknownFormat { .. }
            | Self::TwoSources => "SOURCE_INVALID",
        }
    }

    /// The key of the config that it is about.
    pub(crate) fn field(&self) -> &'static str {
        "source_uri"
    }
}

impl From<SourceError> for TaskError {
    fn from(error: SourceError) -> Self {
        let reason = error.reason();
        let message = error.to_string();
        let failed = TaskError::fatal(reason, message);
        match error {
            SourceError::Unreadable { source, .. } => failed.with_source(source),
            _ => failed,
        }
    }
}
