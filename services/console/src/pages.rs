//! The pages, by noun.

mod assets;
mod batches;
mod runs;
mod scorecards;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use tonic::transport::Channel;

/// Every route of the console, answered through `channel`.
pub(crate) fn router(channel: Channel) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/runs") }))
        .route("/healthz", get(|| async { "ok" }))
        .route("/runs", get(runs::list))
        .route("/runs/{run}", get(runs::show))
        .route("/jobs", get(assets::jobs))
        .route("/assets", get(assets::list))
        .route("/assets/{asset}", get(assets::show))
        .route("/batches", get(batches::list))
        .route("/scorecards", get(scorecards::list))
        .route("/scorecards/{version}", get(scorecards::show))
        .with_state(channel)
}
