//! Connections that mean no good, or nothing at all. The server goes on answering, and does not grow.

use std::net::SocketAddr;
use std::time::Duration;

use kycc_rpc::{Limits, RunningServer, ServerOptions, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::transport::Channel;

use crate::support::{Authority, look, observe, plain, serve, until};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const SOON: Duration = Duration::from_secs(20);

/// Everything that the process has in memory, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = status.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

async fn open(server: &RunningServer) -> TcpStream {
    TcpStream::connect(server.addr()).await.unwrap()
}

/// Whether the server has ended the connection; its own bytes before that count for nothing.
async fn ended(mut tcp: TcpStream) -> bool {
    let mut sink = Vec::new();
    tokio::time::timeout(SOON, tcp.read_to_end(&mut sink))
        .await
        .is_ok()
}

fn impatient() -> Limits {
    Limits {
        handshake_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

async fn with(limits: Limits) -> (RunningServer, Channel) {
    let server = serve(ServerOptions {
        limits,
        ..ServerOptions::default()
    })
    .await;
    let channel = plain(&server);
    (server, channel)
}

#[tokio::test]
async fn a_thousand_idle_connections_cost_little_and_end_when_their_time_is_up() {
    let (server, channel) = with(Limits {
        handshake_timeout: Duration::from_secs(3),
        ..Limits::default()
    })
    .await;
    look(&channel, &[]).await.unwrap();
    let before = resident();
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(open(&server).await);
    }
    look(&channel, &[]).await.unwrap();
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    for tcp in idle {
        assert!(ended(tcp).await);
    }
    look(&channel, &[]).await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_at_once_and_places_come_back() {
    let (server, _) = with(Limits {
        max_connections: 10,
        ..Limits::default()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut tcp = open(&server).await;
        tcp.write_all(PREFACE).await.unwrap();
        tcp.write_all(SETTINGS).await.unwrap();
        // It has been accepted once it is answered.
        tcp.read_exact(&mut [0; 9]).await.unwrap();
        held.push(tcp);
    }
    assert!(ended(open(&server).await).await);
    held.clear();
    until("there is place again", || async {
        look(&plain(&server), &[]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn bytes_that_mean_nothing_end_their_own_connection_alone() {
    let (server, channel) = with(impatient()).await;
    let mut noise: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |length: usize| -> Vec<u8> {
        let mut byte = || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise.to_le_bytes()[0]
        };
        (0..length).map(|_| byte()).collect()
    };
    for round in 0..50 {
        let mut tcp = open(&server).await;
        let mut bytes = random(16 + round * 97);
        if round % 2 == 0 {
            // A frame longer than any may be, so that nobody waits for the rest of it.
            bytes = [PREFACE, SETTINGS, &[0xff; 3], &bytes].concat();
        }
        let _ = tcp.write_all(&bytes).await;
        assert!(ended(tcp).await, "{round}");
    }
    for hello in [
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
        "P",
    ] {
        let mut tcp = open(&server).await;
        tcp.write_all(hello.as_bytes()).await.unwrap();
        assert!(ended(tcp).await, "{hello:?}");
    }
    look(&channel, &[]).await.unwrap();
}

#[tokio::test]
async fn handshakes_that_hang_keep_nobody_waiting() {
    let authority = Authority::new();
    let identity = authority.issue("server", "kycc.test");
    let server = serve(ServerOptions {
        tls: Some(ServerTls {
            cert_file: identity.cert_file.clone(),
            key_file: identity.key_file.clone(),
            client_ca_file: None,
            require_client_cert: false,
        }),
        limits: Limits {
            max_handshakes: 20,
            handshake_timeout: Duration::from_secs(2),
            ..Limits::default()
        },
        ..ServerOptions::default()
    })
    .await;
    let options = kycc_rpc::ChannelOptions {
        tls: Some(kycc_rpc::ClientTls {
            ca_file: Some(authority.ca_file.clone()),
            domain_name: Some("kycc.test".to_owned()),
            ..kycc_rpc::ClientTls::default()
        }),
        ..kycc_rpc::ChannelOptions::default()
    };
    let address = server.addr().to_string();
    let connect = || kycc_rpc::connect_lazy(&address, &options).unwrap();
    let mut silent = Vec::new();
    for _ in 0..19 {
        silent.push(open(&server).await);
    }
    // Beside those that hang.
    look(&connect(), &[]).await.unwrap();
    for _ in 0..100 {
        silent.push(open(&server).await);
    }
    // Those beyond the limit at once, the others when their time is up.
    for tcp in silent {
        assert!(ended(tcp).await);
    }
    look(&connect(), &[]).await.unwrap();
}

#[tokio::test]
async fn headers_and_messages_of_any_size_are_refused_and_not_kept() {
    let (_server, channel) = with(Limits::default()).await;
    let long = "x".repeat(12 * 1024);
    look(&channel, &[("tag", &long)]).await.unwrap();
    let before = resident();
    for _ in 0..20 {
        let huge = "x".repeat(256 * 1024);
        look(&channel, &[("tag", &huge)]).await.unwrap_err();
    }
    look(&channel, &[]).await.unwrap();
    let grown = resident().saturating_sub(before);
    assert!(grown < 128 << 20, "{grown} bytes");
}

/// Frames of HTTP/2 by hand.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A call of the mirror, in headers that need no table (HPACK literals without indexing).
fn headers(stream: u32) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/kycc.work.v1.SourceService/Observe"),
        (":authority", "x"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        block.push(0);
        block.push(u8::try_from(name.len()).unwrap());
        block.extend(name.as_bytes());
        block.push(u8::try_from(value.len()).unwrap());
        block.extend(value.as_bytes());
    }
    // END_HEADERS, and no END_STREAM: the call stays half open.
    frame(1, 4, stream, &block)
}

async fn half_open(addr: SocketAddr, streams: u32, announced: u32) -> TcpStream {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    let mut bytes = [PREFACE, SETTINGS].concat();
    for stream in (0..streams).map(|number| 2 * number + 1) {
        bytes.extend(headers(stream));
        // A message of so many bytes, of which none comes.
        let prefix = [&[0][..], &announced.to_be_bytes()].concat();
        bytes.extend(frame(0, 0, stream, &prefix));
    }
    tcp.write_all(&bytes).await.unwrap();
    tcp
}

#[tokio::test]
async fn calls_that_announce_more_than_there_is_room_for_are_turned_away() {
    const ROOM: usize = 8 << 20;
    let (server, channel) = with(Limits {
        max_message_bytes: ROOM,
        ..Limits::default()
    })
    .await;
    let before = resident();
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(half_open(server.addr(), 50, 3 << 20).await);
    }
    let big = observe_big(&channel);
    until("there is no room for a big message", || async {
        let error = big().await.err();
        error.is_some_and(|error| error.code() == Code::ResourceExhausted)
    })
    .await;
    // Small ones are not in the way.
    observe(&channel, &[]).await.unwrap();
    let grown = resident().saturating_sub(before);
    assert!(grown < 128 << 20, "{grown} bytes");
    held.clear();
    until("there is room again", || async { big().await.is_ok() }).await;
}

fn observe_big(
    channel: &Channel,
) -> impl Fn() -> futures::future::BoxFuture<'static, Result<(), kycc_rpc::ClientError>> {
    use futures::FutureExt;
    use kycc_proto::work::v1::ObserveRequest;
    use kycc_proto::work::v1::source_service_client::SourceServiceClient;
    let channel = channel.clone();
    move || {
        let mut client = SourceServiceClient::new(channel.clone());
        let request = ObserveRequest {
            source: "x".repeat(3 << 20),
            ..ObserveRequest::default()
        };
        async move { client.observe(request).await.map(drop).map_err(Into::into) }.boxed()
    }
}

#[tokio::test]
async fn a_flood_of_streams_that_are_taken_back_ends_its_connection() {
    let (server, channel) = with(Limits::default()).await;
    let mut tcp = TcpStream::connect(server.addr()).await.unwrap();
    let mut bytes = [PREFACE, SETTINGS].concat();
    for stream in (0..10_000u32).map(|number| 2 * number + 1) {
        bytes.extend(headers(stream));
        bytes.extend(frame(3, 0, stream, &8u32.to_be_bytes()));
    }
    // It may be over before everything is said.
    let _ = tcp.write_all(&bytes).await;
    assert!(ended(tcp).await);
    look(&channel, &[]).await.unwrap();
}
