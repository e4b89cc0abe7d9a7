//! Scores and features as callers of a whole fleet see them: every read against every other, pages, streams and feeds across
//! batches, rescoring and restarts.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on ends where it stands"
)]

#[path = "scores/features.rs"]
mod features;
#[path = "scores/feed.rs"]
mod feed;
#[path = "scores/place.rs"]
mod place;
#[path = "scores/reads.rs"]
mod reads;
#[path = "scores/time.rs"]
mod time;
