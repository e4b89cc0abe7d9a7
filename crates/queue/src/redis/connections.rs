//! Connections to the server: one that all short commands share, and one of its own for each reader that waits, because
//! what waits on a shared connection holds up everything behind it.
//!
//! There is no reconnecting in the background: a connection that failed is let go, and the next call opens another. Who
//! calls hears of a server that is down at once, and paces itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, ScriptInvocation};
use tokio::time::timeout;

use super::failure::Failure;

/// How long a server may take to answer what does not wait, and to accept a connection.
pub(super) const ANSWER: Duration = Duration::from_secs(3);

/// Readers that are kept open while nobody waits.
const IDLE_READERS: usize = 64;

/// No Debug: the client knows the password.
pub(super) struct Connections {
    client: Client,
    shared: tokio::sync::Mutex<Option<Shared>>,
    idle: Mutex<Vec<Reader>>,
}

/// Compared by address: only who used the connection that failed lets it go.
#[derive(Debug, Clone)]
struct Shared(Arc<MultiplexedConnection>);

/// A connection that may wait.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: MultiplexedConnection,
    /// The server's name for it, by which its waiting is ended from outside.
    pub(super) client_id: i64,
}

/// Something to ask that can be asked again on another connection.
pub(super) enum Question<'a> {
    Command(Cmd),
    Script(ScriptInvocation<'a>),
}

impl Connections {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            shared: tokio::sync::Mutex::default(),
            idle: Mutex::default(),
        }
    }

    /// A short command. One that meets a closed connection is sent once more on a new one: all of them may be repeated.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        question: Question<'_>,
    ) -> Result<T, Failure> {
        let (shared, fresh) = self.shared().await?;
        let first = self.ask_on(&shared, &question).await;
        match first {
            Err(failure) if failure.is_closed_connection() && !fresh => {
                let (shared, _) = self.shared().await?;
                self.ask_on(&shared, &question).await
            }
            answered => answered,
        }
    }

    async fn ask_on<T: FromRedisValue>(
        &self,
        shared: &Shared,
        question: &Question<'_>,
    ) -> Result<T, Failure> {
        let mut connection = MultiplexedConnection::clone(&shared.0);
        let asked = async {
            match question {
                Question::Command(command) => command.query_async(&mut connection).await,
                Question::Script(script) => script.invoke_async(&mut connection).await,
            }
        };
        let answered = match timeout(ANSWER, asked).await {
            Ok(answered) => answered.map_err(Failure::of),
            Err(_) => Err(Failure::NoAnswer(None)),
        };
        if answered.as_ref().is_err_and(Failure::spoils_the_connection) {
            self.let_go(shared).await;
        }
        answered
    }

    /// The shared connection, and whether it was opened for this call.
    async fn shared(&self) -> Result<(Shared, bool), Failure> {
        let mut shared = self.shared.lock().await;
        if let Some(open) = &*shared {
            return Ok((open.clone(), false));
        }
        let opened = Shared(Arc::new(self.open().await?));
        *shared = Some(opened.clone());
        Ok((opened, true))
    }

    async fn let_go(&self, failed: &Shared) {
        let mut shared = self.shared.lock().await;
        if shared
            .as_ref()
            .is_some_and(|open| Arc::ptr_eq(&open.0, &failed.0))
        {
            *shared = None;
        }
        drop(shared);
        self.let_readers_go();
    }

    async fn open(&self) -> Result<MultiplexedConnection, Failure> {
        // The client's own timeout of half a second would end every wait; time is kept by who asks.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(None);
        let opening = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        match timeout(ANSWER, opening).await {
            Ok(opened) => opened.map_err(Failure::Connect),
            Err(elapsed) => {
                let elapsed = std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed);
                Err(Failure::Connect(elapsed.into()))
            }
        }
    }

    pub(super) async fn reader(&self) -> Result<Reader, Failure> {
        let idle = self.idle().pop();
        if let Some(reader) = idle {
            return Ok(reader);
        }
        let mut connection = self.open().await?;
        let mut name = redis::cmd("CLIENT");
        name.arg("ID");
        match timeout(ANSWER, name.query_async(&mut connection)).await {
            Ok(Ok(client_id)) => Ok(Reader {
                connection,
                client_id,
            }),
            Ok(Err(error)) => Err(Failure::Connect(error)),
            Err(_) => Err(Failure::NoAnswer(None)),
        }
    }

    /// For a reader that waits for nothing.
    pub(super) fn give_back(&self, reader: Reader) {
        let mut idle = self.idle();
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
    }

    /// After a failure: those that are idle have most likely failed with it.
    pub(super) fn let_readers_go(&self) {
        self.idle().clear();
    }

    /// What a reader's waiting can be ended with.
    pub(super) async fn unblocker(&self) -> Result<Unblocker, Failure> {
        let (shared, _) = self.shared().await?;
        Ok(Unblocker(MultiplexedConnection::clone(&shared.0)))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a reader's waiting from a place that cannot wait itself.
#[derive(Debug)]
pub(super) struct Unblocker(MultiplexedConnection);

impl Unblocker {
    /// The command stands in the shared connection's line when this returns, before everything that this process asks
    /// after it. Where that connection has failed nothing is sent, and the reader waits for the rest of its slice.
    pub(super) fn unblock(self, client_id: i64) {
        let Self(mut connection) = self;
        let mut unblock = redis::cmd("CLIENT");
        // Without an answer: the client drops what is not sent yet when nobody waits for its answer any more.
        unblock.arg("UNBLOCK").arg(client_id).set_no_response(true);
        let sent = async move { unblock.query_async::<()>(&mut connection).await };
        let mut sent = std::pin::pin!(tokio::task::unconstrained(sent));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = sent.as_mut().poll(&mut context);
    }
}
