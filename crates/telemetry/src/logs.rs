//! The subscriber of a process: log lines on stderr, and spans with real trace ids.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error(
        "KYCC_LOG={filter:?} is no log filter; expected something like info or warn,kycc_orchestrator=debug"
    )]
    Filter {
        filter: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    #[error("logging was set up already in this process")]
    Twice {
        #[source]
        source: tracing_subscriber::util::TryInitError,
    },
}

/// Keeps spans flowing; [`Telemetry::shutdown`] flushes them at the end of the process.
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

/// Sets up logging for the whole process. `filter` is the value of `KYCC_LOG`, or `info`.
pub fn init(filter: &str, format: Format) -> Result<Telemetry, InitError> {
    let env_filter = EnvFilter::try_new(filter).map_err(|source| InitError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Text => lines
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .with_filter(env_filter)
            .boxed(),
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_filter(env_filter)
            .boxed(),
    };
    let provider = provider();
    // A filter of their own: a quiet log must not tear the trace between processes.
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("kycc"))
        .with_filter(LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(lines)
        .with(spans)
        .try_init()
        .map_err(|source| InitError::Twice { source })?;
    Ok(Telemetry { provider })
}

impl Telemetry {
    /// Sends out what is still buffered. The last thing that a process does.
    pub fn shutdown(self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "spans were lost at shutdown");
        }
    }
}

/// Without an exporter, spans have real ids and go nowhere. This is the one place where an exporter is added.
fn provider() -> SdkTracerProvider {
    SdkTracerProvider::builder().build()
}
