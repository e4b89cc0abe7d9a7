//! `StreamScores`: one version of a batch from a party on, a chunk whenever the caller takes one.

use futures::Stream;
use kycc_domain::ids::BatchId;
use kycc_lake::datasets::SCORES;
use kycc_proto::scoring::v1::{StreamScoresRequest, StreamScoresResponse};
use kycc_rpc::{ApiError, ClientError, page_size, page_token, read_page_token};
use tonic::Status;

use super::lookups::Snapshot;
use super::mask::Mask;
use super::published::PublishedScores;

const DEFAULT_CHUNK: usize = 200;
const MAX_CHUNK: usize = 500;
/// Of the lake, for a version that is not there.
const NOT_THERE: &str = "VERSION_NOT_FOUND";

/// The snapshot and the last party of it that was sent.
#[derive(Debug, PartialEq, Eq)]
struct Token {
    batch: String,
    key: String,
    party: String,
}

impl Token {
    fn text(&self) -> String {
        let Self { batch, key, party } = self;
        page_token(&format!("stream {batch} {key} {party}"))
    }

    fn read(text: &str) -> Result<Option<Self>, ApiError> {
        let refused = || ApiError::invalid("resume_token", "is not a token of this stream");
        let Some(cursor) = read_page_token(text).map_err(|_| refused())? else {
            return Ok(None);
        };
        // Neither batch ids nor keys have blanks.
        let cursor = cursor.strip_prefix("stream ").ok_or_else(refused)?;
        let mut parts = cursor.splitn(3, ' ').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(batch), Some(key), Some(party)) => Ok(Some(Self { batch, key, party })),
            _ => Err(refused()),
        }
    }
}

pub(super) async fn begin(
    published: &PublishedScores,
    request: StreamScoresRequest,
) -> Result<impl Stream<Item = Result<StreamScoresResponse, Status>> + Send + use<>, Status> {
    let chunk = page_size(request.chunk_size, DEFAULT_CHUNK, MAX_CHUNK)
        .map_err(|_| ApiError::invalid("chunk_size", "must not be negative"))?;
    let mask = Mask::read(request.read_mask.as_ref(), Mask::LISTED)?;
    let token = Token::read(&request.resume_token)?;
    let snapshot = match &token {
        None => {
            let scores = published.current(&request.batch_id).await?;
            Snapshot::open(published, scores, mask).await?
        }
        Some(token) => {
            if !request.batch_id.is_empty() && request.batch_id != token.batch {
                let text = format!("is not {}, which the token is of", token.batch);
                return Err(ApiError::invalid("batch_id", text).into());
            }
            again(published, token, mask).await?
        }
    };
    let next = token.map_or(0, |token| snapshot.table.first_after(&token.party));
    Ok(futures::stream::unfold(
        (snapshot, next),
        move |(snapshot, next)| async move {
            let end = (next + chunk).min(snapshot.parties());
            let last = end.checked_sub(1).filter(|_| next < end)?;
            let token = Token {
                batch: snapshot.scores.batch.clone(),
                key: snapshot.scores.version.key.clone(),
                party: snapshot.table.party(last).to_owned(),
            };
            let message = StreamScoresResponse {
                scores: (next..end).map(|at| snapshot.score(at)).collect(),
                resume_token: token.text(),
                total_size: snapshot.parties() as u64,
            };
            Some((Ok(message), (snapshot, end)))
        },
    ))
}

/// The version of the token, whether it is still current or not.
async fn again(published: &PublishedScores, token: &Token, mask: Mask) -> Result<Snapshot, Status> {
    let refused = || ApiError::invalid("resume_token", "is not a token of this stream");
    let batch = BatchId::new(&token.batch).map_err(|_| refused())?;
    let of_a_key = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if token.key.is_empty() || !token.key.bytes().all(of_a_key) {
        return Err(refused().into());
    }
    let version = SCORES.version(batch, &token.key);
    let opened = async {
        let scores = published.of_version(&version).await?;
        Snapshot::open(published, scores, mask).await
    };
    opened.await.map_err(|status| {
        if ClientError::from(status.clone()).reason() != NOT_THERE {
            return status;
        }
        let message = format!(
            "the version of batch {} that this stream began with was removed; begin it anew",
            token.batch
        );
        ApiError::precondition("SNAPSHOT_GONE", message).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_snapshot_and_party() {
        for party in ["P-1", "with blanks  in it", "'; DROP"] {
            let token = Token {
                batch: "B1".to_owned(),
                key: "k".to_owned(),
                party: party.to_owned(),
            };
            assert_eq!(Token::read(&token.text()).unwrap(), Some(token));
        }
        assert_eq!(Token::read("").unwrap(), None);
        for text in ["x", &page_token("stream B1 k")] {
            let error = Token::read(text).unwrap_err().to_string();
            assert!(error.starts_with("resume_token: "), "{error}");
        }
    }
}
