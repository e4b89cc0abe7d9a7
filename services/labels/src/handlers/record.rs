//! `RecordOutcomes`: outcomes come in as a stream, each message is recorded whole or not at all, bad outcomes are reported
//! by their index. What is held in memory is one message and the errors.

use kycc_domain::labels::OutcomeKind;
use kycc_proto::labels::v1 as wire;
use kycc_proto::labels::v1::{OutcomeError, RecordOutcomesRequest, RecordOutcomesResponse};
use kycc_rpc::ApiError;
use kycc_runtime::store_error;

use crate::core::outcome::{Fault, Outcome};
use crate::store::{OutcomeStore, Recording};

/// Errors reported in one answer; a feed that has more is broken in one way.
const MAX_ERRORS: usize = 1_000;
const MAX_SOURCE_BYTES: usize = 256;

/// Takes the messages of one stream.
pub(super) struct Recorder<'a> {
    store: &'a dyn OutcomeStore,
    recorded_by: &'a str,
    /// Position of the next outcome in the whole stream.
    index: u64,
    answer: RecordOutcomesResponse,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(store: &'a dyn OutcomeStore, recorded_by: &'a str) -> Self {
        Self {
            store,
            recorded_by,
            index: 0,
            answer: RecordOutcomesResponse::default(),
        }
    }

    /// Records the good outcomes of a message in one transaction. Sending it again adds nothing.
    pub(super) async fn take(
        &mut self,
        message: RecordOutcomesRequest,
        now_micros: i64,
    ) -> Result<(), ApiError> {
        if message.source.trim().is_empty()
            || message.source.len() > MAX_SOURCE_BYTES
            || message.source.contains(char::is_control)
        {
            let wanted = format!(
                "must say where the outcomes come from, in at most {MAX_SOURCE_BYTES} bytes without control characters"
            );
            return Err(ApiError::invalid("source", wanted));
        }
        let mut good = Vec::with_capacity(message.outcomes.len());
        for outcome in message.outcomes {
            match from_wire(outcome).and_then(|outcome| outcome.check(now_micros)) {
                Ok(outcome) => good.push(outcome),
                Err(fault) => self.refuse(fault)?,
            }
            self.index += 1;
        }
        let recording = Recording {
            source: &message.source,
            recorded_by: self.recorded_by,
            recorded_at_micros: now_micros,
        };
        let recorded = self
            .store
            .append(&good, recording)
            .await
            .map_err(|error| store_error(&error))?;
        self.answer.recorded += recorded;
        self.answer.duplicates += good.len() as u64 - recorded;
        Ok(())
    }

    fn refuse(&mut self, fault: Fault) -> Result<(), ApiError> {
        if let Some(first) = self.answer.errors.first()
            && self.answer.errors.len() == MAX_ERRORS
        {
            let told = format!(
                "more than {MAX_ERRORS} outcomes of the stream are wrong, the first is outcome {}: {} {}; the \
                 messages before this one are recorded, {} new outcomes, and sending them again is harmless",
                first.index, first.field, first.message, self.answer.recorded
            );
            return Err(ApiError::precondition("TOO_MANY_ERRORS", told));
        }
        self.answer.errors.push(OutcomeError {
            index: self.index,
            field: fault.field.into(),
            message: fault.message,
        });
        Ok(())
    }

    pub(super) fn answer(self) -> RecordOutcomesResponse {
        self.answer
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

pub(super) fn kind_to_wire(kind: OutcomeKind) -> wire::OutcomeKind {
    match kind {
        OutcomeKind::LatePayment => wire::OutcomeKind::LatePayment,
        OutcomeKind::WriteOff => wire::OutcomeKind::WriteOff,
        OutcomeKind::Collections => wire::OutcomeKind::Collections,
        OutcomeKind::Insolvency => wire::OutcomeKind::Insolvency,
        OutcomeKind::Restructuring => wire::OutcomeKind::Restructuring,
        OutcomeKind::Paid => wire::OutcomeKind::Paid,
    }
}

#[cfg(test)]
mod tests;
