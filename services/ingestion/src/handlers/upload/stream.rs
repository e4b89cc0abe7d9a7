//! `UploadRecords`: three stages with a place for one item between them, so that a block is received while the one before
//! is judged and the one before that is made durable. What is held is bounded; who sends faster waits.

use kycc_proto::ingestion::v1::upload_records_request::Message;
use kycc_proto::ingestion::v1::{
    RecordBlock, UploadRecordsRequest, UploadRecordsResponse, UploadStart,
};
use kycc_rpc::ApiError;
use kycc_runtime::{BoxError, OnFailure, store_error};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::block::{Judged, judge};
use super::part::{Finished, Pending};
use super::{Uploads, not_found, not_open, upload_id};
use crate::core::upload::{StreamId, UploadId, UploadState};
use crate::store::{Appended, Opened};

/// Answers that wait for a caller who is slow to read; then nothing more is taken from it.
const WAITING_ANSWERS: usize = 4;

pub(crate) type Answers = ReceiverStream<Result<UploadRecordsResponse, Status>>;
type Answer = Sender<Result<UploadRecordsResponse, Status>>;

impl Uploads {
    pub(crate) fn upload_records(
        &self,
        messages: Streaming<UploadRecordsRequest>,
    ) -> Result<Answers, ApiError> {
        let place = self.place()?;
        let (answers, receiver) = mpsc::channel(WAITING_ANSWERS);
        let uploads = self.clone();
        // A caller that leaves does not stop it in the middle of a part.
        self.spawner.spawn("upload", OnFailure::Log, async move {
            let served = Box::pin(uploads.serve(messages, &answers)).await;
            if let Err(status) = served {
                uploads.tell(&answers, Err(status)).await;
            }
            drop(place);
            Ok::<(), BoxError>(())
        });
        Ok(ReceiverStream::new(receiver))
    }

    async fn serve(
        &self,
        mut messages: Streaming<UploadRecordsRequest>,
        answers: &Answer,
    ) -> Result<(), Status> {
        let stopping = self.spawner.stopping();
        let start = tokio::select! {
            start = messages.message() => start?.and_then(|message| message.message),
            () = stopping.cancelled() => return Err(stopping_error().into()),
        };
        let Some(Message::Start(start)) = start else {
            let wanted = "must be the first message: it names the upload and the stream";
            return Err(ApiError::invalid("start", wanted).into());
        };
        let (upload, stream, next) = self.open(&start).await?;
        self.tell(answers, Ok(acknowledged(next))).await;
        let (received, to_judge) = mpsc::channel(1);
        let (judged, to_write) = mpsc::channel(1);
        let (receiving, judging, writing) = tokio::join!(
            Box::pin(self.receive(messages, received)),
            Box::pin(self.judge(to_judge, judged, next)),
            Box::pin(self.write(&upload, &stream, to_write, answers)),
        );
        // The stage furthest on knows the cause; those before it only saw that nobody takes their items.
        writing?;
        judging?;
        receiving
    }

    async fn open(&self, start: &UploadStart) -> Result<(UploadId, StreamId, u64), ApiError> {
        let upload = upload_id(&start.upload_id)?;
        let stream = StreamId::new(&start.stream_id)
            .map_err(|error| ApiError::invalid("stream_id", error.to_string()))?;
        let opened = self
            .store
            .open_stream(&upload, &stream, self.limits.bounds)
            .await
            .map_err(|error| store_error(&error))?;
        let next = match opened {
            Opened::At(next) => u64::try_from(next).unwrap_or(0),
            Opened::NotOpen => return Err(self.why_not_open(&upload).await),
            Opened::TooManyStreams => {
                let most = self.limits.bounds.streams;
                let message =
                    format!("upload {upload} has {most} streams, as many as an upload may");
                return Err(ApiError::exhausted("TOO_MANY_STREAMS", message));
            }
        };
        let there = upload.clone();
        self.on_disk(move |landed| landed.check(&there)).await?;
        Ok((upload, stream, next))
    }

    async fn why_not_open(&self, upload: &UploadId) -> ApiError {
        match self.store.get(upload).await {
            Ok(Some(found)) if found.state == UploadState::Open => ApiError::aborted(
                "STREAM_TAKEN",
                format!("upload {upload} was changed at the same moment; try again"),
            ),
            Ok(Some(found)) => not_open(upload, found.state),
            Ok(None) => not_found(upload),
            Err(error) => store_error(&error),
        }
    }

    /// First stage: takes messages until the caller ends, leaves, or this process is about to stop.
    async fn receive(
        &self,
        mut messages: Streaming<UploadRecordsRequest>,
        received: Sender<RecordBlock>,
    ) -> Result<(), Status> {
        let stopping = self.spawner.stopping();
        loop {
            let message = tokio::select! {
                () = stopping.cancelled() => return Err(stopping_error().into()),
                () = received.closed() => return Ok(()),
                message = messages.message() => message?,
            };
            let block = match message.map(|message| message.message) {
                None => return Ok(()),
                Some(Some(Message::Records(block))) => block,
                Some(Some(Message::Start(_))) => {
                    let told = "may only be the first message; another stream is another call";
                    return Err(ApiError::invalid("start", told).into());
                }
                Some(None) => {
                    return Err(ApiError::invalid("records", "must be in every message").into());
                }
            };
            if received.send(block).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Second stage: judges blocks and gathers them into parts.
    async fn judge(
        &self,
        mut blocks: Receiver<RecordBlock>,
        parts: Sender<Pending>,
        mut next: u64,
    ) -> Result<(), Status> {
        let mut pending: Option<Pending> = None;
        loop {
            let block = match &pending {
                None => tokio::select! {
                    block = blocks.recv() => block,
                    () = parts.closed() => None,
                },
                Some(_) => match timeout(self.limits.linger, blocks.recv()).await {
                    Ok(block) => block,
                    Err(_) => {
                        pass_on(&parts, &mut pending).await;
                        continue;
                    }
                },
            };
            let Some(block) = block else {
                break;
            };
            let judged = match judge_off_thread(block, next).await {
                Ok(judged) => judged,
                Err(error) => {
                    // What came before it is good.
                    pass_on(&parts, &mut pending).await;
                    return Err(error.into());
                }
            };
            if judged.records == 0 {
                continue;
            }
            if pending
                .as_ref()
                .is_some_and(|part| part.table() != judged.table)
            {
                pass_on(&parts, &mut pending).await;
            }
            let first = next;
            next += judged.records;
            match &mut pending {
                Some(part) => part.add(judged),
                None => pending = Some(Pending::new(first, judged)),
            }
            if pending
                .as_ref()
                .is_some_and(|part| part.bytes() >= self.limits.part_bytes)
            {
                pass_on(&parts, &mut pending).await;
            }
        }
        pass_on(&parts, &mut pending).await;
        Ok(())
    }

    /// Third stage: makes parts durable, one after the other, and acknowledges each.
    async fn write(
        &self,
        upload: &UploadId,
        stream: &StreamId,
        mut parts: Receiver<Pending>,
        answers: &Answer,
    ) -> Result<(), Status> {
        while let Some(part) = parts.recv().await {
            let finished = part.finish(stream, self.clock.new_id());
            let answer = self.make_durable(upload, finished).await?;
            self.tell(answers, Ok(answer)).await;
        }
        Ok(())
    }

    async fn make_durable(
        &self,
        upload: &UploadId,
        finished: Finished,
    ) -> Result<UploadRecordsResponse, ApiError> {
        let Finished { part, lines, .. } = finished;
        let (to, file) = (upload.clone(), part.file.clone());
        let written = self.on_disk(move |landed| landed.write(&to, &file, &lines));
        if let Err(error) = written.await {
            // An upload that was given up meanwhile has no folder any more.
            return Err(match self.why_not_open(upload).await {
                closed if closed.code() == Code::FailedPrecondition => closed,
                _ => error,
            });
        }
        let now = self.clock.now_micros();
        let appended = self
            .store
            .append(upload, &part, self.limits.bounds, now)
            .await
            // It may stand nevertheless; the file stays, and the next call is told the offset that holds.
            .map_err(|error| store_error(&error))?;
        if appended != Appended::Stands {
            let (of, file) = (upload.clone(), part.file.clone());
            self.on_disk(move |landed| {
                landed.discard(&of, &file);
                Ok(())
            })
            .await?;
        }
        let bounds = self.limits.bounds;
        match appended {
            Appended::Stands => Ok(UploadRecordsResponse {
                committed_offset: finished.committed_offset,
                errors: finished.errors,
                omitted_errors: finished.omitted_errors,
            }),
            Appended::NotOpen => Err(self.why_not_open(upload).await),
            Appended::Elsewhere => {
                let message = format!(
                    "another call sends stream {} of upload {upload}; end one of them, and begin again",
                    part.stream_id
                );
                Err(ApiError::aborted("STREAM_TAKEN", message))
            }
            Appended::TooManyParts => {
                let message = format!(
                    "upload {upload} is made of {} parts, as many as an upload may; send more records in a message, and \
                     those of one table after each other",
                    bounds.parts
                );
                Err(ApiError::exhausted("TOO_MANY_PARTS", message))
            }
            Appended::TooManyBytes => {
                let message = format!(
                    "upload {upload} would hold more than {} bytes; make several batches of it",
                    bounds.bytes
                );
                Err(ApiError::exhausted("UPLOAD_TOO_LARGE", message))
            }
        }
    }

    /// Waits for the caller to take the answer. One that left needs none, and one that does not read does not keep this
    /// process from stopping.
    async fn tell(&self, answers: &Answer, answer: Result<UploadRecordsResponse, Status>) {
        let stopping = self.spawner.stopping();
        tokio::select! {
            biased;
            _ = answers.send(answer) => {}
            () = stopping.cancelled() => {}
        }
    }
}

/// Where nobody takes it any more, the next stage has failed and says so.
async fn pass_on(parts: &Sender<Pending>, pending: &mut Option<Pending>) {
    if let Some(part) = pending.take() {
        let _ = parts.send(part).await;
    }
}

pub(crate) async fn judge_off_thread(block: RecordBlock, next: u64) -> Result<Judged, ApiError> {
    let judged = tokio::task::spawn_blocking(move || judge(block, next)).await;
    judged.map_err(|error| ApiError::internal(&error))?
}

fn acknowledged(committed_offset: u64) -> UploadRecordsResponse {
    UploadRecordsResponse {
        committed_offset,
        ..UploadRecordsResponse::default()
    }
}

fn stopping_error() -> ApiError {
    ApiError::unavailable(
        "STOPPING",
        "this process is about to stop; go on with another from the offset that was acknowledged last",
    )
}
