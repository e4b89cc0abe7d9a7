//! `WatchScores`: what every publication of scores changed, for ever, from wherever the caller left off.

use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use kycc_lake::datasets::SCORES;
use kycc_proto::scoring::v1::{
    ScoreChange, ScoreChangeSummary, WatchScoresRequest, WatchScoresResponse,
};
use kycc_rpc::{ApiError, ClientError, page_token, read_page_token, timestamp};
use kycc_runtime::Logged;
use tokio::sync::watch;
use tonic::Status;

use super::light_rows::LightRows;
use super::off_thread::off_thread;
use super::published::{BatchScores, PublishedScores, output};
use crate::core::moved::{Outcomes as _, Pair, Totals, changed};

const CHUNK: usize = 500;
/// How long a watch that begins waits for the orchestrator's feed.
const PATIENCE: Duration = Duration::from_secs(10);
const NOT_THERE: &str = "VERSION_NOT_FOUND";

/// Everything up to a position was sent, and of the publication after it everything up to a party.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Token {
    done: u64,
    /// A publication that was sent in part, and the last party of it.
    part: Option<(u64, String)>,
}

impl Token {
    fn text(&self) -> String {
        match &self.part {
            None => page_token(&self.done.to_string()),
            Some((position, party)) => page_token(&format!("{} {position} {party}", self.done)),
        }
    }

    fn read(text: &str) -> Result<Option<Self>, ApiError> {
        let refused = || ApiError::invalid("resume_token", "is not a token of this feed");
        let Some(cursor) = read_page_token(text).map_err(|_| refused())? else {
            return Ok(None);
        };
        let mut parts = cursor.splitn(3, ' ');
        let mut number = || parts.next().map(str::parse::<u64>);
        let (done, position) = (number(), number());
        match (done, position, parts.next()) {
            (Some(Ok(done)), None, None) => Ok(Some(Self { done, part: None })),
            (Some(Ok(done)), Some(Ok(position)), Some(party)) => Ok(Some(Self {
                done,
                part: Some((position, party.to_owned())),
            })),
            _ => Err(refused()),
        }
    }
}

struct Filter {
    batch: String,
    band_changes_only: bool,
    min_change: i32,
}

/// A publication beside what it is compared with.
struct Compared {
    position: u64,
    scores: Arc<BatchScores>,
    create_time: Option<prost_types::Timestamp>,
    /// The batch and rows of the version before.
    base: Option<(String, Arc<LightRows>)>,
    rows: Option<Arc<LightRows>>,
    /// Not yet sent, in party order.
    pairs: std::vec::IntoIter<Pair>,
    summary: ScoreChangeSummary,
}

struct Watcher {
    published: Arc<PublishedScores>,
    filter: Filter,
    heard: watch::Receiver<u64>,
    token: Token,
    current: Option<Compared>,
    /// The first message was sent.
    begun: bool,
    failed: bool,
}

pub(super) async fn begin(
    published: Arc<PublishedScores>,
    request: WatchScoresRequest,
) -> Result<impl Stream<Item = Result<WatchScoresResponse, Status>> + Send + use<>, Status> {
    if request.min_change < 0 {
        return Err(ApiError::invalid("min_change", "must not be negative").into());
    }
    let token = Token::read(&request.resume_token)?;
    if token.is_some() && request.from_beginning {
        let text = "must not be set beside a token, which says where to begin";
        return Err(ApiError::invalid("from_beginning", text).into());
    }
    let now = now(&published).await?;
    let token = token.unwrap_or(Token {
        done: if request.from_beginning { 0 } else { now },
        part: None,
    });
    let watcher = Watcher {
        heard: published.feed.heard(),
        published,
        filter: Filter {
            batch: request.batch_id,
            band_changes_only: request.band_changes_only,
            min_change: request.min_change,
        },
        token,
        current: None,
        begun: false,
        failed: false,
    };
    Ok(futures::stream::unfold(watcher, |mut watcher| async move {
        if watcher.failed {
            return None;
        }
        let answer = watcher.next().await;
        watcher.failed = answer.is_err();
        Some((answer, watcher))
    }))
}

/// Where the log of publications ends.
async fn now(published: &PublishedScores) -> Result<u64, Status> {
    let mut heard = published.feed.heard();
    let known = async {
        loop {
            heard.mark_unchanged();
            if let Some(position) = published.feed.position() {
                return position;
            }
            // The sender lives as long as the feed, which is held here.
            let _ = tokio::time::timeout(Duration::from_millis(100), heard.changed()).await;
        }
    };
    tokio::time::timeout(PATIENCE, known).await.map_err(|_| {
        let message = "the orchestrator does not tell what is published; watch again in a moment";
        ApiError::unavailable("FEED_UNAVAILABLE", message).into()
    })
}

impl Watcher {
    async fn next(&mut self) -> Result<WatchScoresResponse, Status> {
        if !self.begun {
            self.begun = true;
            return Ok(WatchScoresResponse {
                resume_token: self.token.text(),
                ..WatchScoresResponse::default()
            });
        }
        loop {
            if let Some(current) = &mut self.current {
                let (message, ended) = current.message(&mut self.token);
                if ended {
                    self.current = None;
                }
                return Ok(message);
            }
            self.heard.mark_unchanged();
            match self.published.feed.after(self.token.done) {
                Some(logged) => self.take(&logged).await?,
                None => {
                    let stopped = self.published.feed.stopped();
                    tokio::select! {
                        () = stopped.cancelled() => return Err(stopping()),
                        _ = self.heard.changed() => {}
                    }
                }
            }
        }
    }

    /// Compares a publication with the one before, or passes it over.
    async fn take(&mut self, logged: &Logged) -> Result<(), Status> {
        let publication = &logged.publication;
        let wanted = &self.filter.batch;
        if wanted.is_empty() || *wanted == publication.made.batch_id {
            self.current = self.compared(logged).await?;
        }
        if self.current.is_none() {
            self.token = Token {
                done: publication.position,
                part: None,
            };
        }
        Ok(())
    }

    async fn compared(&self, logged: &Logged) -> Result<Option<Compared>, Status> {
        let made = &logged.publication.made;
        let scores = match self.published.scores(made).await {
            Ok(Some(scores)) => scores,
            Ok(None) => return Ok(None),
            Err(status) if gone(&status) => return Ok(None),
            Err(status) => return Err(status),
        };
        let before = logged.replaced.as_ref().or(logged.before.as_ref());
        let base = match before {
            Some(before) => output(&before.made, &SCORES)?,
            None => None,
        };
        let mut compared = Compared {
            position: logged.publication.position,
            create_time: made.create_time,
            base: None,
            rows: None,
            pairs: Vec::new().into_iter(),
            summary: ScoreChangeSummary::default(),
            scores,
        };
        let Some(base) = base else {
            let parties = compared.scores.metadata.get("parties_scored");
            compared.summary.parties = parties.and_then(serde_json::Value::as_u64).unwrap_or(0);
            compared.summary.not_compared = "FIRST_BATCH".to_owned();
            return Ok(Some(compared));
        };
        let old = self.published.light_rows(&base).await;
        let new = self.published.light_rows(&compared.scores.version).await;
        let (old, new) = match (old, new) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(status), _) | (_, Err(status)) if gone(&status) => {
                compared.summary.not_compared = "VERSION_GONE".to_owned();
                return Ok(Some(compared));
            }
            (Err(status), _) | (_, Err(status)) => return Err(status),
        };
        let (rows, others) = (Arc::clone(&new), Arc::clone(&old));
        let (pairs, totals) = off_thread(move |_| Ok(changed(&*others, &*rows))).await?;
        compared.summary = summary(&new, totals);
        let part = self.token.part.as_ref();
        let sent = part.filter(|(position, _)| *position == compared.position);
        let unsent =
            |pair: &Pair| sent.is_none_or(|(_, party)| new.party(newer(*pair)) > party.as_str());
        let filter = &self.filter;
        let pairs = pairs.into_iter();
        let pairs: Vec<_> = pairs
            .filter(|pair| unsent(pair) && filter.keeps(*pair, &old, &new))
            .collect();
        compared.pairs = pairs.into_iter();
        compared.rows = Some(new);
        compared.base = Some((base.batch.to_string(), old));
        Ok(Some(compared))
    }
}

fn stopping() -> Status {
    let message = "the service is stopping; watch again with the last token";
    ApiError::unavailable("STOPPING", message).into()
}

/// Of the lake, for a version that retention has removed.
fn gone(status: &Status) -> bool {
    ClientError::from(status.clone()).reason() == NOT_THERE
}

fn summary(new: &LightRows, totals: Totals) -> ScoreChangeSummary {
    ScoreChangeSummary {
        parties: new.parties() as u64,
        changed_scores: totals.changed_scores,
        changed_bands: totals.changed_bands,
        appeared: totals.appeared,
        disappeared: totals.disappeared,
        not_compared: String::new(),
    }
}

/// Row of a party in the newer version; changes are of parties that it holds.
fn newer(pair: Pair) -> usize {
    match pair {
        Pair::Both { new, .. } | Pair::Appeared { new } => new,
        Pair::Disappeared { old } => old,
    }
}

impl Filter {
    fn keeps(&self, pair: Pair, old: &LightRows, new: &LightRows) -> bool {
        let Pair::Both { old: at, new: to } = pair else {
            return true;
        };
        if old.band(at) != new.band(to) {
            return true;
        }
        let change = (new.final_score(to) - old.final_score(at)).abs();
        !self.band_changes_only && change >= self.min_change
    }
}

impl Compared {
    /// The next message, and whether it is the last of this publication.
    fn message(&mut self, token: &mut Token) -> (WatchScoresResponse, bool) {
        let mut changes = Vec::new();
        let mut last = None;
        if let (Some((_, old)), Some(new)) = (&self.base, &self.rows) {
            for pair in self.pairs.by_ref().take(CHUNK) {
                let to = newer(pair);
                let at = match pair {
                    Pair::Both { old, .. } => Some(old),
                    _ => None,
                };
                last = Some(new.party(to));
                changes.push(ScoreChange {
                    party_id: new.party(to).to_owned(),
                    previous_final_score: at.map(|at| old.final_score(at)),
                    previous_band: at.map_or_else(String::new, |at| old.band(at).to_owned()),
                    final_score: new.final_score(to),
                    band: new.band(to).to_owned(),
                });
            }
        }
        let ended = self.pairs.as_slice().is_empty();
        *token = match last {
            Some(party) if !ended => Token {
                done: token.done,
                part: Some((self.position, party.to_owned())),
            },
            _ => Token {
                done: self.position,
                part: None,
            },
        };
        let base = self.base.as_ref();
        let message = WatchScoresResponse {
            resume_token: token.text(),
            batch_id: self.scores.batch.clone(),
            base_batch_id: base.map_or_else(String::new, |(batch, _)| batch.clone()),
            scorecard_version: self.scores.card.version().to_owned(),
            as_of_time: self.scores.as_of().map(timestamp),
            create_time: self.create_time,
            changes,
            summary: ended.then(|| self.summary.clone()),
        };
        (message, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_position_and_party() {
        let whole = Token {
            done: 7,
            part: None,
        };
        let part = |party: &str| Token {
            done: 7,
            part: Some((9, party.to_owned())),
        };
        for token in [whole, part("P-1"), part("with two blanks"), part("'; --")] {
            assert_eq!(Token::read(&token.text()).unwrap(), Some(token));
        }
        assert_eq!(Token::read("").unwrap(), None);
    }

    #[test]
    fn a_token_of_something_else_is_refused_by_its_field() {
        for text in [
            "x",
            &page_token("P-1"),
            &page_token("7 x P"),
            &page_token("7 9"),
            &page_token("-1"),
        ] {
            let error = Token::read(text).unwrap_err().to_string();
            assert!(error.starts_with("resume_token: "), "{error}");
        }
    }
}
