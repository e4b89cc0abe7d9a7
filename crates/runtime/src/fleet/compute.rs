//! The threads that compute, apart from those that answer calls and beat: a kernel that does not yield for seconds must
//! not make its worker look dead.

use tokio::runtime::{Builder, Handle, Runtime};

use super::StartError;

/// Query plans recurse deeply in unoptimised builds.
const STACK_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct ComputeThreads {
    /// Taken at the end.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl ComputeThreads {
    pub(super) fn start(threads: usize) -> Result<Self, StartError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("kycc-compute")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(|source| StartError::Compute { source })?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    pub(super) fn stop(self) {
        drop(self);
    }
}

impl Drop for ComputeThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for them would block the thread that drops, which may be one that answers calls.
            runtime.shutdown_background();
        }
    }
}
