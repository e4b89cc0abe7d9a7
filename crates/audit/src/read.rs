//! Entries listed and chains verified, for every database.

use async_trait::async_trait;
use kycc_store::StoreError;
use sqlx::AssertSqlSafe;

use crate::{Break, Chain, Entry, Filter, Head, Order, Position};

/// Rows in memory at once.
const PAGE: u32 = 500;

const COLUMNS: &str = "service, sequence, created_at, principal, action, subject, reason, details, request_id, trace_id, \
    previous_hash, hash";

/// What of a chain is to be worked out anew.
#[derive(Debug, Clone)]
pub struct Span<'a> {
    pub service: &'a str,
    /// An entry that is trusted, or the beginning.
    pub from: Head,
    /// A hash that people kept; empty: none.
    pub known: &'a str,
    /// Whether it was among the entries up to `from`.
    pub found: bool,
    /// Most entries to look at.
    pub limit: u64,
}

/// What verification of a span found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Of the whole chain, also of what this span does not cover.
    pub entries: i64,
    /// The last entry that fitted.
    pub head: Head,
    /// Whether the known hash is among the entries so far.
    pub found: bool,
    /// Whether the chain ends there.
    pub complete: bool,
    pub broken: Option<Break>,
}

/// A chain, as far as its last entry tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainSummary {
    pub service: String,
    pub entries: i64,
    pub head: Head,
    /// Microseconds UTC, of the last entry.
    pub newest_micros: i64,
}

/// Reads inside a transaction or outside; implemented by the connection of every database.
pub trait ReadAudit {
    fn audit_head(
        &mut self,
        service: &str,
    ) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// At most `limit` entries of one chain after the one numbered `after`, oldest first; `subject` empty: about anything.
    fn audit_chain(
        &mut self,
        service: &str,
        subject: &str,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;

    /// The first entry that a request made in a chain.
    fn audit_made_by(
        &mut self,
        service: &str,
        request_id: &str,
    ) -> impl Future<Output = Result<Option<Entry>, StoreError>> + Send;

    fn audit_count(
        &mut self,
        service: &str,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// Works a span of a chain out anew, a page at a time. On a snapshot, changes meanwhile look like none.
    fn verify_audit(
        &mut self,
        span: &Span<'_>,
    ) -> impl Future<Output = Result<Verified, StoreError>> + Send;
}

#[async_trait]
pub trait AuditStore: Send + Sync {
    /// At most `limit` entries of all chains that match, after `after` in that order.
    async fn audit_entries(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Every chain, by the name of its service.
    async fn audit_chains(&self) -> Result<Vec<ChainSummary>, StoreError>;

    /// As [`ReadAudit::verify_audit`], on one state of the store.
    async fn verify_audit_span(&self, span: &Span<'_>) -> Result<Verified, StoreError>;
}

/// Implemented by the rows of every database.
trait ReadEntry {
    fn entry(&self) -> Result<Entry, sqlx::Error>;
}

/// A value of another kind than its column: nobody but a stranger wrote it.
pub fn is_unreadable(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Query {
            source: sqlx::Error::ColumnDecode { .. },
            ..
        }
    )
}

fn list_sql(order: Order) -> String {
    let (than, way) = match order {
        Order::OldestFirst => (">", "ASC"),
        Order::NewestFirst => ("<", "DESC"),
    };
    format!(
        "SELECT {COLUMNS} FROM audit_entries \
         WHERE ($1 = '' OR service = $1) AND ($2 = '' OR subject = $2 OR ($3 = 1 AND substr(subject, 1, length($2)) = $2)) \
            AND ($4 = '' OR principal = $4) AND ($5 = '' OR action = $5) AND ($6 = '' OR request_id = $6) \
            AND created_at >= $7 AND created_at < $8 \
            AND ($9 = 0 OR (created_at, service, sequence) {than} ($10, $11, $12)) \
         ORDER BY created_at {way}, service {way}, sequence {way} LIMIT $13"
    )
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    impl ReadEntry for driver::Row {
        fn entry(&self) -> Result<Entry, sqlx::Error> {
            Ok(Entry {
                service: self.try_get("service")?,
                sequence: self.try_get("sequence")?,
                at_micros: self.try_get("created_at")?,
                principal: self.try_get("principal")?,
                action: self.try_get("action")?,
                subject: self.try_get("subject")?,
                reason: self.try_get("reason")?,
                details: self.try_get("details")?,
                request_id: self.try_get("request_id")?,
                trace_id: self.try_get("trace_id")?,
                previous_hash: self.try_get("previous_hash")?,
                hash: self.try_get("hash")?,
            })
        }
    }

    impl ReadAudit for driver::Connection {
        async fn audit_head(&mut self, service: &str) -> Result<Head, StoreError> {
            let last: Option<(i64, String)> = sqlx::query_as(
                "SELECT sequence, hash FROM audit_entries WHERE service = $1 ORDER BY sequence DESC LIMIT 1",
            )
            .bind(service)
            .fetch_optional(self)
            .await
            .map_err(StoreError::during("read the head of the audit log"))?;
            Ok(last.map_or_else(Head::genesis, |(sequence, hash)| Head { sequence, hash }))
        }

        async fn audit_chain(&mut self, service: &str, subject: &str, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
            let sql = format!(
                "SELECT {COLUMNS} FROM audit_entries WHERE service = $1 AND sequence > $2 AND ($3 = '' OR subject = $3) \
                 ORDER BY sequence LIMIT $4"
            );
            let rows = sqlx::query(AssertSqlSafe(sql))
                .bind(service)
                .bind(after)
                .bind(subject)
                .bind(i64::from(limit))
                .fetch_all(self)
                .await
                .map_err(StoreError::during("read the audit log"))?;
            let entries = rows.iter().map(ReadEntry::entry).collect::<Result<_, _>>();
            entries.map_err(StoreError::during("read the audit log"))
        }

        async fn audit_made_by(&mut self, service: &str, request_id: &str) -> Result<Option<Entry>, StoreError> {
            let sql = format!(
                "SELECT {COLUMNS} FROM audit_entries WHERE service = $1 AND request_id = $2 ORDER BY sequence LIMIT 1"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(service)
                .bind(request_id)
                .fetch_optional(self)
                .await
                .and_then(|row| row.map(|row| row.entry()).transpose())
                .map_err(StoreError::during("look a request up in the audit log"))
        }

        async fn audit_count(&mut self, service: &str) -> Result<i64, StoreError> {
            sqlx::query_scalar("SELECT COUNT(*) FROM audit_entries WHERE service = $1")
                .bind(service)
                .fetch_one(self)
                .await
                .map_err(StoreError::during("count the audit log"))
        }

        async fn verify_audit(&mut self, span: &Span<'_>) -> Result<Verified, StoreError> {
            let entries = self.audit_count(span.service).await?;
            let mut chain = Chain::new(span.service, span.from.clone(), span.known, span.found);
            let mut left = span.limit;
            let outcome = loop {
                let wanted = u32::try_from(left).unwrap_or(u32::MAX).min(PAGE);
                if wanted == 0 {
                    break Ok(false);
                }
                let last = chain.head().sequence;
                let page = match self.audit_chain(span.service, "", last, wanted).await {
                    Ok(page) => page,
                    Err(error) if is_unreadable(&error) => {
                        let message = format!("an entry after entry {last} is not readable");
                        break Err(Break::new(last + 1, message));
                    }
                    Err(error) => return Err(error),
                };
                if let Some(broken) = page.iter().find_map(|entry| chain.follow(entry).err()) {
                    break Err(broken);
                }
                if page.is_empty() {
                    break chain.end(entries).map(|()| true);
                }
                left -= page.len() as u64;
            };
            Ok(Verified {
                entries,
                head: chain.head().clone(),
                found: chain.found(),
                complete: matches!(outcome, Ok(true)),
                broken: outcome.err(),
            })
        }
    }

    #[async_trait]
    impl AuditStore for driver::Store {
        async fn audit_entries(&self, filter: &Filter, order: Order, after: Option<&Position>, limit: u32) -> Result<Vec<Entry>, StoreError> {
            let rows = sqlx::query(AssertSqlSafe(list_sql(order)))
                .bind(&filter.service)
                .bind(&filter.subject)
                .bind(i64::from(filter.subject.ends_with('/')))
                .bind(&filter.principal)
                .bind(&filter.action)
                .bind(&filter.request_id)
                .bind(filter.from_micros.unwrap_or(i64::MIN))
                .bind(filter.until_micros.unwrap_or(i64::MAX))
                .bind(i64::from(after.is_some()))
                .bind(after.map_or(0, |after| after.at_micros))
                .bind(after.map_or("", |after| after.service.as_str()))
                .bind(after.map_or(0, |after| after.sequence))
                .bind(i64::from(limit))
                .fetch_all(self.read())
                .await
                .map_err(StoreError::during("list the audit log"))?;
            let entries = rows.iter().map(ReadEntry::entry).collect::<Result<_, _>>();
            entries.map_err(StoreError::during("list the audit log"))
        }

        async fn audit_chains(&self) -> Result<Vec<ChainSummary>, StoreError> {
            let rows: Vec<(String, i64, i64, i64, String)> = sqlx::query_as(
                "SELECT e.service, n.entries, e.sequence, e.created_at, e.hash FROM audit_entries e JOIN \
                    (SELECT service, COUNT(*) AS entries, MAX(sequence) AS newest FROM audit_entries GROUP BY service) n \
                    ON n.service = e.service AND n.newest = e.sequence ORDER BY e.service",
            )
            .fetch_all(self.read())
            .await
            .map_err(StoreError::during("list the chains of the audit log"))?;
            let summary = |(service, entries, sequence, newest_micros, hash)| ChainSummary {
                service,
                entries,
                head: Head { sequence, hash },
                newest_micros,
            };
            Ok(rows.into_iter().map(summary).collect())
        }

        async fn verify_audit_span(&self, span: &Span<'_>) -> Result<Verified, StoreError> {
            let mut tx = self.snapshot().await?;
            tx.verify_audit(span).await
        }
    }
}
