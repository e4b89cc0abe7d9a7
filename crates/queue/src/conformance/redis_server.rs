//! Redis for tests: a namespace of one's own on a shared server, or a server of one's own that may be stopped and emptied.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{RedisOptions, RedisQueue};

const PATIENCE: Duration = Duration::from_secs(20);

/// On the server that `TEST_REDIS_URL` names; its keys are removed when it is dropped.
#[derive(Debug)]
pub struct Namespace {
    url: String,
    name: String,
}

impl Namespace {
    /// # Panics
    /// Without a server.
    #[must_use]
    pub fn new() -> Self {
        let url = std::env::var("TEST_REDIS_URL").expect(
            "TEST_REDIS_URL names no server for tests: run `make test`, or start one with `scripts/servers.sh start DIR` \
             and read DIR/env",
        );
        Self {
            url,
            name: format!("test-{}", Uuid::new_v4().simple()),
        }
    }

    /// With the namespace, as a fleet's config would name it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}?namespace={}", self.url, self.name)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn queue(&self) -> RedisQueue {
        self.queue_with(RedisOptions::default())
    }

    #[must_use]
    pub fn queue_with(&self, options: RedisOptions) -> RedisQueue {
        RedisQueue::open(&self.url(), options).expect("the url of the server for tests is one")
    }

    /// A raw command.
    pub fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        ask(&mut connection(&self.url), command)
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let Ok(client) = redis::Client::open(self.url.as_str()) else {
            return;
        };
        let Ok(mut connection) = client.get_connection() else {
            return;
        };
        let pattern = format!("kycc:v1:{{{}*", self.name);
        let keys: redis::RedisResult<Vec<String>> =
            redis::cmd("KEYS").arg(pattern).query(&mut connection);
        for key in keys.unwrap_or_default() {
            let _ = redis::cmd("UNLINK").arg(key).exec(&mut connection);
        }
    }
}

/// Its own process, port and data, each append on disk before it is answered. Killed when it is dropped.
#[derive(Debug)]
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl RedisServer {
    /// # Panics
    /// Where `redis-server` is missing or does not start.
    #[must_use]
    pub fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let mut server = Self {
            folder: TempDir::new().expect("a folder for the server's data"),
            port: free.expect("a free port").port(),
            process: None,
        };
        server.start_again();
        server
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A queue of its own connections, as another process would have it.
    #[must_use]
    pub fn queue(&self) -> RedisQueue {
        RedisQueue::open(&self.url(), RedisOptions::default()).expect("the server's url is one")
    }

    /// After [`kill`](Self::kill), on the same port with the same data.
    pub fn start_again(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--save", "", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(process.expect(
            "redis-server starts; where it is missing, `scripts/setup.sh test` installs it",
        ));
        let deadline = Instant::now() + PATIENCE;
        while !self.answers() {
            assert!(Instant::now() < deadline, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> bool {
        let reached = TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        reached && {
            let client = redis::Client::open(self.url()).expect("the server's url is one");
            let connection = client.get_connection();
            connection.is_ok_and(|mut open| redis::cmd("PING").exec(&mut open).is_ok())
        }
    }

    /// At once, like a machine that fails.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let ended = process.kill().and_then(|()| process.wait());
            ended.expect("the server's own process can be killed");
        }
    }

    /// It keeps its connections and answers nobody.
    pub fn freeze(&self) {
        self.signal("-STOP").expect("the server can be stopped");
    }

    pub fn thaw(&self) {
        self.signal("-CONT").expect("the server can be continued");
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let process = self.process.as_ref().map_or(0, Child::id);
        let status = Command::new("kill")
            .args([signal, &process.to_string()])
            .status()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other("kill refused"))
    }

    /// Everything is gone, streams and groups too.
    pub fn flush(&self) {
        self.ask::<()>(&["FLUSHALL"]);
    }

    /// A raw command.
    pub fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        ask(&mut connection(&self.url()), command)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn connection(url: &str) -> Connection {
    let client = redis::Client::open(url).expect("the url of a server for tests is one");
    client
        .get_connection()
        .expect("the server for tests answers")
}

fn ask<T: FromRedisValue>(connection: &mut Connection, command: &[&str]) -> T {
    let asked = redis::cmd(command[0]).arg(&command[1..]).query(connection);
    asked.expect("a raw command of a test is one")
}
