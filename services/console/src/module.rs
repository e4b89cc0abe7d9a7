//! Assembles the service: a listener, bound before anything runs, and a server on it.

use async_trait::async_trait;
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use tokio::net::TcpListener;

use crate::pages::router;

/// The console.
pub fn module() -> Box<dyn Module> {
    Box::new(ConsoleModule)
}

struct ConsoleModule;

#[async_trait]
impl Module for ConsoleModule {
    fn name(&self) -> &'static str {
        "console"
    }

    fn lane(&self) -> Option<&'static str> {
        None
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let Some(addr) = cx.config.console_addr else {
            return Ok(Service::builder().build());
        };
        let listener = TcpListener::bind(addr).await.map_err(|error| {
            BuildError::new(format!(
                "the console cannot listen on {addr}; free the port or choose another with --console-addr"
            ))
            .with_source(error)
        })?;
        let router = router(cx.channel.clone());
        Ok(Service::builder()
            .background("console", move |stop| async move {
                let stopped = async move { stop.cancelled().await };
                axum::serve(listener, router)
                    .with_graceful_shutdown(stopped)
                    .await
            })
            .build())
    }
}
