//! `kycc.audit.v1.AuditService`: the chains of every service, listed and verified.

use std::sync::Arc;

use kycc_audit::{AuditStore, Entry, Filter, Head, Order, Position, Span, Verified};
use kycc_proto::audit::v1::audit_service_server::AuditService;
use kycc_proto::audit::v1::{
    AuditChain, AuditEntry, ListAuditChainsRequest, ListAuditChainsResponse,
    ListAuditEntriesRequest, ListAuditEntriesResponse, VerifyAuditRequest, VerifyAuditResponse,
};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token, timestamp};
use kycc_runtime::store_error;
use tonic::{Request, Response, Status};

use crate::core::audit::SERVICE;
use crate::store::LogStore;

const ENTRIES: (usize, usize) = (50, 500);
const VERIFIED: (usize, usize) = (50_000, 200_000);
/// Characters of a hash.
const HASH: usize = 64;

pub(crate) struct Audit {
    pub(crate) log: Arc<dyn AuditStore>,
    /// Verifies this service's own chain, versions and all.
    pub(crate) versions: Arc<dyn LogStore>,
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_entries(
        &self,
        request: Request<ListAuditEntriesRequest>,
    ) -> Result<Response<ListAuditEntriesResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, ENTRIES.0, ENTRIES.1)?;
        let after = match read_page_token(&request.page_token)? {
            None => None,
            Some(cursor) => Some(Position::from_cursor(&cursor).ok_or_else(foreign_token)?),
        };
        let order = match request.newest_first {
            true => Order::NewestFirst,
            false => Order::OldestFirst,
        };
        let filter = filter(&request)?;
        let limit = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let found = self
            .log
            .audit_entries(&filter, order, after.as_ref(), limit)
            .await;
        let mut found = found.map_err(|error| store_error(&error))?;
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more).map(position);
        let next = last.map(|last| page_token(&last.to_cursor()));
        Ok(Response::new(ListAuditEntriesResponse {
            entries: found.into_iter().map(entry).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn list_audit_chains(
        &self,
        _: Request<ListAuditChainsRequest>,
    ) -> Result<Response<ListAuditChainsResponse>, Status> {
        let found = self.log.audit_chains().await;
        let found = found.map_err(|error| store_error(&error))?;
        let chain = |chain: kycc_audit::ChainSummary| AuditChain {
            service: chain.service,
            entries: chain.entries.unsigned_abs(),
            head_hash: chain.head.hash,
            newest_time: Some(timestamp(chain.newest_micros)),
        };
        Ok(Response::new(ListAuditChainsResponse {
            chains: found.into_iter().map(chain).collect(),
        }))
    }

    async fn verify_audit(
        &self,
        request: Request<VerifyAuditRequest>,
    ) -> Result<Response<VerifyAuditResponse>, Status> {
        let request = request.into_inner();
        if request.service.is_empty() {
            let wanted = "names the chain to verify; see ListAuditChains";
            return Err(ApiError::invalid("service", wanted).into());
        }
        let known = known_hash(&request.known_hash)?;
        let size = page_size(request.page_size, VERIFIED.0, VERIFIED.1)?;
        let (from, found) = match read_page_token(&request.page_token)? {
            None => (Head::genesis(), false),
            Some(cursor) => resumed(&cursor).ok_or_else(foreign_token)?,
        };
        let span = Span {
            service: &request.service,
            from,
            known: &known,
            found,
            limit: size as u64,
        };
        let verified = match request.service.as_str() {
            SERVICE => self.versions.verify_span(&span).await,
            _ => self.log.verify_audit_span(&span).await,
        };
        let verified = verified.map_err(|error| store_error(&error))?;
        Ok(Response::new(verification(verified)))
    }
}

fn foreign_token() -> ApiError {
    ApiError::invalid("page_token", "is not a token of this list")
}

fn filter(request: &ListAuditEntriesRequest) -> Result<Filter, ApiError> {
    let micros = |field: &'static str, at: Option<prost_types::Timestamp>| {
        let micros = at.map(|at| {
            let nanos = u32::try_from(at.nanos).ok()?;
            let at = chrono::DateTime::from_timestamp(at.seconds, nanos)?;
            Some(at.timestamp_micros())
        });
        match micros {
            None => Ok(None),
            Some(Some(micros)) => Ok(Some(micros)),
            Some(None) => Err(ApiError::invalid(field, "is no time")),
        }
    };
    let from_micros = micros("start_time", request.start_time)?;
    let until_micros = micros("end_time", request.end_time)?;
    if let (Some(from), Some(until)) = (from_micros, until_micros)
        && until <= from
    {
        return Err(ApiError::invalid("end_time", "must be after start_time"));
    }
    Ok(Filter {
        service: request.service.clone(),
        subject: request.subject.clone(),
        principal: request.principal.clone(),
        action: request.action.clone(),
        request_id: request.request_id.clone(),
        from_micros,
        until_micros,
    })
}

fn known_hash(given: &str) -> Result<String, ApiError> {
    let known = given.to_lowercase();
    let is_hash = known.len() == HASH && known.bytes().all(|byte| byte.is_ascii_hexdigit());
    if known.is_empty() || is_hash {
        return Ok(known);
    }
    let wanted = format!("takes a whole hash of {HASH} hex digits, or nothing");
    Err(ApiError::invalid("known_hash", wanted))
}

/// Sequence and hash of the last entry that fitted, and whether the known one was among those before.
fn resumed(cursor: &str) -> Option<(Head, bool)> {
    let mut parts = cursor.split(' ');
    let head = Head {
        sequence: parts.next()?.parse().ok()?,
        hash: parts.next()?.to_owned(),
    };
    Some((head, parts.next()? == "found"))
}

fn position(of: &Entry) -> Position {
    Position {
        at_micros: of.at_micros,
        service: of.service.clone(),
        sequence: of.sequence,
    }
}

fn entry(of: Entry) -> AuditEntry {
    AuditEntry {
        service: of.service,
        sequence: of.sequence.unsigned_abs(),
        create_time: Some(timestamp(of.at_micros)),
        principal: of.principal,
        action: of.action,
        subject: of.subject,
        reason: of.reason,
        details_json: of.details,
        request_id: of.request_id,
        trace_id: of.trace_id,
        previous_hash: of.previous_hash,
        hash: of.hash,
    }
}

fn verification(of: Verified) -> VerifyAuditResponse {
    let intact = of.broken.is_none();
    let found = if of.found { "found" } else { "sought" };
    let next = (intact && !of.complete)
        .then(|| page_token(&format!("{} {} {found}", of.head.sequence, of.head.hash)));
    let (broken_sequence, message) = of.broken.map_or((0, String::new()), |broken| {
        (broken.sequence.unsigned_abs(), broken.message)
    });
    VerifyAuditResponse {
        intact,
        entries: of.entries.unsigned_abs(),
        verified_sequence: of.head.sequence.unsigned_abs(),
        head_hash: of.head.hash,
        broken_sequence,
        message,
        next_page_token: next.unwrap_or_default(),
    }
}
