//! What is uploaded: a stream for each file of lines, or for each table of a document.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use kycc_proto::ingestion::v1::Table;
use serde::Deserialize;
use serde_json::value::RawValue;

const TABLES: [(Table, &str); 4] = [
    (Table::Parties, "parties"),
    (Table::Accounts, "accounts"),
    (Table::Transactions, "transactions"),
    (Table::Relationships, "relationships"),
];

pub(super) struct Source {
    pub(super) streams: Vec<Stream>,
    /// What the source says of itself.
    pub(super) generated_at: Option<DateTime<Utc>>,
    /// The same for the same unchanged files.
    pub(super) fingerprint: String,
}

#[derive(Clone)]
pub(super) struct Stream {
    /// Of the upload; the same each time.
    pub(super) id: String,
    pub(super) table: Table,
    /// What people know it by.
    pub(super) name: String,
    records: Records,
}

#[derive(Clone)]
enum Records {
    /// A file with a record on each line.
    Lines(PathBuf),
    /// Of a document, which was read whole.
    Read(Arc<Vec<Box<RawValue>>>),
}

impl Stream {
    /// Hands over records from `first` on, each as one line without its end, until `each` wants no more.
    pub(super) fn read(
        &self,
        first: u64,
        each: &mut dyn FnMut(&[u8]) -> bool,
    ) -> anyhow::Result<()> {
        let mut number = 0;
        let mut pass = |line: &[u8]| {
            number += 1;
            number <= first || each(line)
        };
        match &self.records {
            Records::Read(records) => {
                let mut line = Vec::new();
                for record in records.iter() {
                    line.clear();
                    // Outside of texts a line end is a blank; within them there is none.
                    let blank = |byte| {
                        if matches!(byte, b'\n' | b'\r') {
                            b' '
                        } else {
                            byte
                        }
                    };
                    line.extend(record.get().bytes().map(blank));
                    if !pass(&line) {
                        break;
                    }
                }
            }
            Records::Lines(path) => {
                let failed = || format!("cannot read {}", path.display());
                let mut reader = BufReader::with_capacity(
                    1 << 18,
                    std::fs::File::open(path).with_context(failed)?,
                );
                let mut line = Vec::new();
                while reader.read_until(b'\n', &mut line).with_context(failed)? > 0 {
                    let record = line.strip_suffix(b"\n").unwrap_or(&line);
                    if !record.trim_ascii().is_empty() && !pass(record) {
                        break;
                    }
                    line.clear();
                }
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Document {
    batch_id: Option<String>,
    generated_at: Option<String>,
    #[serde(default)]
    parties: Vec<Box<RawValue>>,
    #[serde(default)]
    accounts: Vec<Box<RawValue>>,
    #[serde(default)]
    transactions: Vec<Box<RawValue>>,
    #[serde(default)]
    relationships: Vec<Box<RawValue>>,
}

impl Source {
    pub(super) fn read(sources: &[PathBuf], batch: &str) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for source in sources {
            let source = source
                .canonicalize()
                .with_context(|| format!("{}: no such file or folder", source.display()))?;
            if source.is_dir() {
                files.extend(files_of(&source, batch)?);
            } else {
                files.push(source);
            }
        }
        let fingerprint = fingerprint(&files, batch)?;
        let mut read = Self {
            streams: Vec::new(),
            generated_at: None,
            fingerprint,
        };
        for file in files {
            read.add(&file, batch)?;
        }
        if read.streams.is_empty() {
            bail!(
                "there is nothing to upload for batch {batch}: name {batch}_parties.ndjson and its like"
            );
        }
        Ok(read)
    }

    fn add(&mut self, file: &Path, batch: &str) -> anyhow::Result<()> {
        let name = name_of(file);
        match file.extension().and_then(|end| end.to_str()) {
            Some("ndjson" | "jsonl") => {
                let rest = name.strip_prefix(&format!("{batch}_")).unwrap_or(&name);
                let table = TABLES.iter().find(|(_, table)| rest.starts_with(table));
                let Some((table, word)) = table else {
                    bail!(
                        "{name} does not say of which table it is; name it {batch}_parties.ndjson or its like"
                    );
                };
                self.push(*table, word, name, Records::Lines(file.to_owned()));
            }
            Some("json") => self.add_document(file, name, batch)?,
            _ => bail!(
                "{name} cannot be sent record by record; make NDJSON of it, or let the fleet read it with `kycc job execute \
                 -j ingest_job --file`"
            ),
        }
        Ok(())
    }

    /// A batch document, or the header of a folder.
    fn add_document(&mut self, file: &Path, name: String, batch: &str) -> anyhow::Result<()> {
        let text = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
        let document: Document = serde_json::from_slice(&text)
            .with_context(|| format!("{name} is no batch document"))?;
        if let Some(found) = document.batch_id.filter(|found| found != batch) {
            bail!("{name} is batch {found:?}, not {batch:?}; say --batch {found}");
        }
        if let Some(time) = document.generated_at {
            let time = DateTime::parse_from_rfc3339(&time)
                .with_context(|| format!("{name}: generated_at {time:?} is no time; give --as-of"));
            self.generated_at = Some(time?.to_utc());
        }
        let records = [
            document.parties,
            document.accounts,
            document.transactions,
            document.relationships,
        ];
        for ((table, word), records) in TABLES.into_iter().zip(records) {
            if !records.is_empty() {
                let name = format!("{name} {word}");
                self.push(table, word, name, Records::Read(Arc::new(records)));
            }
        }
        Ok(())
    }

    fn push(&mut self, table: Table, word: &str, name: String, records: Records) {
        let before = self.streams.iter().filter(|stream| stream.table == table);
        // Of records of one id the later one counts, and streams count in the order of their ids.
        let id = format!("{word}-{:04}", before.count());
        self.streams.push(Stream {
            id,
            table,
            name,
            records,
        });
    }
}

/// The files of a batch in a folder, tables in order, and its header.
fn files_of(folder: &Path, batch: &str) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || format!("cannot read the folder {}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(failed)? {
        paths.push(entry.with_context(failed)?.path());
    }
    paths.sort();
    let mut found = Vec::new();
    for (_, table) in TABLES {
        let start = format!("{batch}_{table}");
        let known = |path: &PathBuf| {
            let end = path.extension().and_then(|end| end.to_str());
            name_of(path).starts_with(&start) && matches!(end, Some("ndjson" | "csv" | "parquet"))
        };
        found.extend(paths.iter().filter(|path| known(path)).cloned());
    }
    if found.is_empty() {
        let document = folder.join(format!("{batch}_profiles.json"));
        found.extend(document.is_file().then_some(document));
        return Ok(found);
    }
    let header = folder.join(format!("{batch}_batch.json"));
    found.extend(header.is_file().then_some(header));
    Ok(found)
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// By names, sizes and times of change. Not a secret and not a proof: it only finds an upload of before.
fn fingerprint(files: &[PathBuf], batch: &str) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    batch.hash(&mut hasher);
    for file in files {
        let facts = file
            .metadata()
            .with_context(|| format!("cannot look at {}", file.display()))?;
        let changed = facts.modified().ok();
        let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        (file, facts.len(), changed).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(stream: &Stream, first: u64) -> Vec<String> {
        let mut lines = Vec::new();
        let read = stream.read(first, &mut |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            true
        });
        read.unwrap();
        lines
    }

    #[test]
    fn a_folder_is_a_stream_for_each_file_and_goes_on_where_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        put("B_parties.ndjson", "{\"a\": 1}\n\n{\"a\": 2}\r\n{\"a\": 3}");
        put("B_transactions_1.ndjson", "{}\n");
        put("B_transactions_2.ndjson", "{}\n");
        put("C_parties.ndjson", "{}\n");
        put(
            "B_batch.json",
            "{\"batch_id\": \"B\", \"generated_at\": \"2026-01-31T00:00:00Z\"}",
        );
        let source = Source::read(&[folder.path().to_owned()], "B").unwrap();
        let ids: Vec<_> = source
            .streams
            .iter()
            .map(|stream| stream.id.as_str())
            .collect();
        assert_eq!(
            ids,
            ["parties-0000", "transactions-0000", "transactions-0001"]
        );
        assert_eq!(source.generated_at.unwrap().timestamp(), 1_769_817_600);
        assert_eq!(lines(&source.streams[0], 1), ["{\"a\": 2}\r", "{\"a\": 3}"]);
        let again = Source::read(&[folder.path().to_owned()], "B").unwrap();
        assert_eq!(again.fingerprint, source.fingerprint);
        put("B_parties.ndjson", "{}");
        let changed = Source::read(&[folder.path().to_owned()], "B").unwrap();
        assert_ne!(changed.fingerprint, source.fingerprint);
    }

    #[test]
    fn records_of_a_document_become_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("B_profiles.json");
        std::fs::write(
            &file,
            "{\"batch_id\": \"B\", \"parties\": [{\n  \"a\": \"x\\ny\"\n}, {}]}",
        )
        .unwrap();
        let source = Source::read(&[file], "B").unwrap();
        assert_eq!(
            lines(&source.streams[0], 0),
            ["{   \"a\": \"x\\ny\" }", "{}"]
        );
        let other = Source::read(&[folder.path().to_owned()], "C");
        assert!(other.is_err());
    }

    #[test]
    fn what_is_not_made_of_lines_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        for (name, told) in [
            ("B_parties.csv", "make NDJSON"),
            ("x.ndjson", "of which table"),
        ] {
            let file = folder.path().join(name);
            std::fs::write(&file, "").unwrap();
            let Err(error) = Source::read(&[file], "B") else {
                panic!("{name} was taken");
            };
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}
