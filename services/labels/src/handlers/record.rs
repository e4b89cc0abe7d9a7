//! The gRPC service: outcomes come in as a stream, bad ones are reported by their index.

use std::sync::Arc;

use kycc_domain::labels::OutcomeKind;
use kycc_proto::labels::v1 as wire;
use kycc_proto::labels::v1::label_service_server::LabelService;
use kycc_proto::labels::v1::{OutcomeError, RecordOutcomesRequest, RecordOutcomesResponse};
use kycc_rpc::{ApiError, principal};
use kycc_runtime::Clock;
use tonic::{Request, Response, Status, Streaming};

use crate::core::outcome::{Fault, Outcome};
use crate::store::{OutcomeStore, Recording};

/// Errors reported in one answer; a feed that has more is broken in one way.
const MAX_ERRORS: usize = 1_000;
const MAX_SOURCE_BYTES: usize = 256;

pub(crate) struct Labels {
    pub(crate) store: Arc<dyn OutcomeStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl LabelService for Labels {
    async fn record_outcomes(
        &self,
        request: Request<Streaming<RecordOutcomesRequest>>,
    ) -> Result<Response<RecordOutcomesResponse>, Status> {
        let recorded_by = principal(&request).to_string();
        let mut stream = request.into_inner();
        let mut answer = RecordOutcomesResponse::default();
        let mut index = 0;
        while let Some(message) = stream.message().await? {
            if message.source.trim().is_empty() || message.source.len() > MAX_SOURCE_BYTES {
                let wanted = format!(
                    "must say where the outcomes come from, in at most {MAX_SOURCE_BYTES} bytes"
                );
                return Err(ApiError::invalid("source", wanted).into());
            }
            let now = self.clock.now().timestamp_micros();
            let mut good = Vec::with_capacity(message.outcomes.len());
            for outcome in message.outcomes {
                match from_wire(outcome).and_then(|outcome| outcome.check(now)) {
                    Ok(outcome) => good.push(outcome),
                    Err(fault) if answer.errors.len() < MAX_ERRORS => {
                        answer.errors.push(OutcomeError {
                            index,
                            field: fault.field.into(),
                            message: fault.message,
                        })
                    }
                    Err(_) => {
                        let told = format!(
                            "more than {MAX_ERRORS} outcomes of the stream are wrong; the first: {:?}",
                            answer.errors[0]
                        );
                        return Err(ApiError::precondition("TOO_MANY_ERRORS", told).into());
                    }
                }
                index += 1;
            }
            let recording = Recording {
                source: &message.source,
                recorded_by: &recorded_by,
                recorded_at_micros: now,
            };
            let recorded = self
                .store
                .append(&good, recording)
                .await
                .map_err(|error| ApiError::internal(&error))?;
            answer.recorded += recorded;
            answer.duplicates += good.len() as u64 - recorded;
        }
        Ok(Response::new(answer))
    }
}

fn from_wire(outcome: wire::Outcome) -> Result<Outcome, Fault> {
    let fault = |field, message: &str| Fault {
        field,
        message: message.into(),
    };
    let kind = match outcome.kind() {
        wire::OutcomeKind::LatePayment => OutcomeKind::LatePayment,
        wire::OutcomeKind::WriteOff => OutcomeKind::WriteOff,
        wire::OutcomeKind::Collections => OutcomeKind::Collections,
        wire::OutcomeKind::Insolvency => OutcomeKind::Insolvency,
        wire::OutcomeKind::Restructuring => OutcomeKind::Restructuring,
        wire::OutcomeKind::Paid => OutcomeKind::Paid,
        wire::OutcomeKind::Unspecified => return Err(fault("kind", "must be a kind of outcome")),
    };
    let at = outcome
        .occurred_time
        .ok_or_else(|| fault("occurred_time", "is missing"))?;
    let at = u32::try_from(at.nanos)
        .ok()
        .and_then(|nanos| chrono::DateTime::from_timestamp(at.seconds, nanos));
    let at = at.ok_or_else(|| fault("occurred_time", "is no time"))?;
    Ok(Outcome {
        party_id: outcome.party_id,
        kind,
        days_past_due: outcome.days_past_due,
        occurred_at_micros: at.timestamp_micros(),
    })
}
