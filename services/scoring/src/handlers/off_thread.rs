//! Computing for a caller, off the threads that serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kycc_rpc::ApiError;
use tonic::Status;

/// Runs `work` on a thread of its own. The flag that it is given is raised when the caller leaves; it looks now and then.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    let left = RaisedOnDrop(Arc::default());
    let seen = Arc::clone(&left.0);
    tokio::task::spawn_blocking(move || work(&seen))
        .await
        .map_err(|error| ApiError::internal(&error))?
}

/// A handler whose caller has left is dropped, and this with it.
struct RaisedOnDrop(Arc<AtomicBool>);

impl Drop for RaisedOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[tokio::test]
    async fn work_whose_caller_has_left_is_told_to_stop() {
        let (started, has_started) = mpsc::channel();
        let (ended, has_ended) = mpsc::channel();
        let work = off_thread(move |left| {
            started.send(()).unwrap();
            while !left.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
            Ok(())
        });
        let mut work = Box::pin(work);
        // Polled once, so that it starts; then dropped.
        assert!(
            tokio::time::timeout(Duration::from_millis(1), &mut work)
                .await
                .is_err()
        );
        has_started.recv_timeout(Duration::from_secs(60)).unwrap();
        drop(work);
        has_ended.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
