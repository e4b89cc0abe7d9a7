//! What point lookups cost beside a bare server: requests a second and latencies of an echo, of GetScore and of
//! ScoreFeatures, closed loop, client and server in one process for all of them. Every answer is checked. Prints one JSON
//! object.
//!
//! `cargo run --release -p kycc-embed --example lookups`, with these in the environment if need be:
//! BENCH_SECONDS (5), BENCH_IN_FLIGHT (64), BENCH_CONNECTIONS (4), BENCH_PARTIES (2000), BENCH_TOKEN (a bearer token).
//!
//! Against a server in another process, such as one with authentication: BENCH_ADDR=host:port of a fleet that has scored
//! something, and BENCH_ECHO_ADDR of `lookups echo host:port`, started beside it.

#[path = "lookups/echo.rs"]
mod echo;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kycc_embed::{Fleet, FleetConfig};
use kycc_proto::scoring::v1::scoring_service_client::ScoringServiceClient;
use kycc_proto::scoring::v1::{GetScoreRequest, ListScoresRequest, Score, ScoreFeaturesRequest};
use prost_types::FieldMask;
use serde_json::{Value, json};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Bearer = Option<MetadataValue<Ascii>>;

/// How hard to try.
#[derive(Clone, Copy)]
struct Load {
    seconds: u64,
    in_flight: usize,
    connections: usize,
}

fn count(key: &str, default: usize) -> usize {
    let set = std::env::var(key).ok().and_then(|text| text.parse().ok());
    set.unwrap_or(default)
}

fn with<T>(bearer: &Bearer, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(bearer) = bearer {
        request
            .metadata_mut()
            .insert("authorization", bearer.clone());
    }
    request
}

async fn connect(address: &str, connections: usize) -> Result<Vec<Channel>, Error> {
    let mut channels = Vec::with_capacity(connections);
    for _ in 0..connections {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        channels.push(endpoint.tcp_nodelay(true).connect().await?);
    }
    Ok(channels)
}

/// Calls `call` with a running number, so many at a time, until the time is over; after a second to warm up.
async fn measure<F>(
    load: Load,
    channels: &[Channel],
    call: impl Fn(Channel, usize) -> F + Clone + Send + 'static,
) -> Result<Value, Error>
where
    F: Future<Output = Result<(), Error>> + Send,
{
    let number = Arc::new(AtomicUsize::new(0));
    let warm = Instant::now() + Duration::from_secs(1);
    let end = warm + Duration::from_secs(load.seconds);
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..load.in_flight {
        let channel = channels[caller % channels.len()].clone();
        let (call, number) = (call.clone(), Arc::clone(&number));
        callers.spawn(async move {
            let mut took = Vec::new();
            loop {
                let began = Instant::now();
                if began >= end {
                    return Ok::<_, Error>(took);
                }
                call(channel.clone(), number.fetch_add(1, Ordering::Relaxed)).await?;
                if began >= warm {
                    took.push(began.elapsed());
                }
            }
        });
    }
    let mut all = Vec::new();
    while let Some(took) = callers.join_next().await {
        all.extend(took??);
    }
    all.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let per_second = all.len() as f64 / load.seconds as f64;
    let at = |share: usize| {
        let index = (all.len() * share / 100).min(all.len().saturating_sub(1));
        all.get(index).map(|took| took.as_secs_f64() * 1e3)
    };
    Ok(json!({"per_second": per_second.round(), "p50_ms": at(50), "p99_ms": at(99)}))
}

/// A batch of that many parties, scored.
async fn scored(folder: &std::path::Path, parties: usize) -> Result<Fleet, Error> {
    let mut spec = kycc_synthetic::Spec::new("BENCH_001", parties as u64, 1);
    spec.transactions_per_party = 5.0;
    let written = kycc_synthetic::write(&spec, folder)?;
    let mut config = FleetConfig::embedded(folder.join("data"));
    config.allowed_roots.push(folder.to_owned());
    let fleet = Box::pin(Fleet::in_process(config)).await?;
    let ingest = json!({"batch_id": spec.batch_id, "source_uri": written.source});
    let config = json!({"ops": {"ingest_synthetic_batch": {"config": ingest}}});
    let run = Box::pin(fleet.execute_job("full_scoring_job", config)).await?;
    if !run.succeeded() {
        return Err(run.to_string().into());
    }
    Ok(fleet)
}

/// What is known of the newest batch: up to 10,000 parties.
async fn known(channel: &Channel, bearer: &Bearer) -> Result<Vec<Score>, Error> {
    let mut scoring = ScoringServiceClient::new(channel.clone());
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListScoresRequest {
            page_size: 1_000,
            page_token,
            ..ListScoresRequest::default()
        };
        let page = scoring
            .list_scores(with(bearer, request))
            .await?
            .into_inner();
        found.extend(page.scores);
        page_token = page.next_page_token;
        if page_token.is_empty() || found.len() >= 10_000 {
            return Ok(found);
        }
    }
}

/// The call for the party of that number; scattered, so that no cache is kind to it.
async fn get_score(
    channel: Channel,
    number: usize,
    known: Arc<Vec<Score>>,
    paths: &'static [&'static str],
    bearer: Bearer,
) -> Result<(), Error> {
    let wanted = &known[number.wrapping_mul(7_919) % known.len()];
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let request = GetScoreRequest {
        party_id: wanted.party_id.clone(),
        read_mask: Some(FieldMask { paths }),
        ..GetScoreRequest::default()
    };
    let answer = ScoringServiceClient::new(channel)
        .get_score(with(&bearer, request))
        .await?;
    let score = answer.into_inner().score.unwrap_or_default();
    if (&score.party_id, score.final_score) != (&wanted.party_id, wanted.final_score) {
        return Err(format!("expected {wanted:?}, got {score:?}").into());
    }
    Ok(())
}

fn what_if() -> ScoreFeaturesRequest {
    let given = [
        ("kyc_verified", 1.0),
        ("company_age_years", 7.0),
        ("network_size", 9.0),
    ];
    ScoreFeaturesRequest {
        features: given.map(|(name, value)| (name.to_owned(), value)).into(),
        ..ScoreFeaturesRequest::default()
    }
}

async fn score_features(channel: &Channel, bearer: &Bearer) -> Result<i32, Status> {
    let mut scoring = ScoringServiceClient::new(channel.clone());
    let answer = scoring.score_features(with(bearer, what_if())).await?;
    Ok(answer.into_inner().score.unwrap_or_default().final_score)
}

async fn compare(load: Load, echo: &str, fleet: &str, bearer: Bearer) -> Result<Value, Error> {
    let channels = connect(echo, load.connections).await?;
    let bare = measure(load, &channels, echo::call).await?;
    let channels = connect(fleet, load.connections).await?;
    let all = Arc::new(known(&channels[0], &bearer).await?);
    let lookup = |paths: &'static [&'static str]| {
        let (all, bearer) = (Arc::clone(&all), bearer.clone());
        move |channel, number| get_score(channel, number, Arc::clone(&all), paths, bearer.clone())
    };
    let whole = measure(load, &channels, lookup(&[])).await?;
    let few = lookup(&["party_id", "final_score", "band"]);
    let few = measure(load, &channels, few).await?;
    let expected = score_features(&channels[0], &bearer).await?;
    let scored = measure(load, &channels, move |channel, _| {
        let bearer = bearer.clone();
        async move {
            let found = score_features(&channel, &bearer).await?;
            if found == expected {
                Ok(())
            } else {
                Err(format!("expected {expected}, got {found}").into())
            }
        }
    })
    .await?;
    let rate = |of: &Value| of["per_second"].as_f64().unwrap_or(f64::NAN);
    let share = |of: &Value| (rate(of) / rate(&bare) * 1e3).round() / 1e3;
    Ok(json!({
        "in_flight": load.in_flight, "connections": load.connections, "parties": all.len(),
        "of_echo": {
            "get_score": share(&whole), "get_score_of_three_fields": share(&few), "score_features": share(&scored),
        },
        "echo": bare, "get_score": whole, "get_score_of_three_fields": few, "score_features": scored,
    }))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [mode, address] = arguments.as_slice()
        && mode == "echo"
    {
        return echo::serve(tokio::net::TcpListener::bind(address).await?).await;
    }
    let load = Load {
        seconds: count("BENCH_SECONDS", 5) as u64,
        in_flight: count("BENCH_IN_FLIGHT", 64),
        connections: count("BENCH_CONNECTIONS", 4).max(1),
    };
    let bearer = match std::env::var("BENCH_TOKEN") {
        Ok(token) => Some(format!("Bearer {token}").parse()?),
        Err(_) => None,
    };
    if let Ok(fleet) = std::env::var("BENCH_ADDR") {
        let echo = std::env::var("BENCH_ECHO_ADDR").map_err(|_| {
            "BENCH_ADDR wants BENCH_ECHO_ADDR beside it, of a server started by `lookups echo host:port`"
        })?;
        println!("{}", compare(load, &echo, &fleet, bearer).await?);
        return Ok(());
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let echo = listener.local_addr()?.to_string();
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(echo::serve(listener));
    let folder = tempfile::tempdir()?;
    let fleet = scored(folder.path(), count("BENCH_PARTIES", 2_000)).await?;
    let address = fleet.grpc_addr().to_string();
    let measured = compare(load, &echo, &address, bearer).await;
    fleet.shutdown().await;
    servers.shutdown().await;
    println!("{}", measured?);
    Ok(())
}
