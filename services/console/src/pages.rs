//! The pages, by noun.

mod assets;
mod batches;
mod runs;
mod scorecards;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::html;
use tonic::transport::Channel;

use crate::layout::page;

/// What a browser may do with every page. Styles stand within the pages; there is nothing else to load.
const HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Paths name parties and runs.
    (header::REFERRER_POLICY, "no-referrer"),
];

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
        .fallback(nothing_there)
        .layer(map_response(with_headers))
        .with_state(channel)
}

async fn nothing_there(uri: Uri) -> Response {
    let body = html! {
        p.refused { "There is no page " (uri.path()) "." }
        p { a href="/runs" { "Back to the runs" } }
    };
    let body = page("", "No such page", None, body);
    (StatusCode::NOT_FOUND, body).into_response()
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use kycc_rpc::{ChannelOptions, connect_lazy};
    use tower::ServiceExt as _;

    async fn answer(path: &str) -> Response {
        // Nobody listens there, and these pages ask nobody.
        let channel = connect_lazy("http://127.0.0.1:1", &ChannelOptions::default()).unwrap();
        let request = Request::get(path).body(Body::empty()).unwrap();
        router(channel).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_path_that_leads_nowhere_gets_a_page_that_says_so() {
        let response = answer("/%3Cb%3E").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains("There is no page"), "{body}");
    }

    #[tokio::test]
    async fn every_answer_limits_what_a_browser_may_do_with_it() {
        for path in ["/", "/healthz", "/nowhere"] {
            let response = answer(path).await;
            for (name, value) in HEADERS {
                assert_eq!(response.headers()[&name], value, "{path} {name}");
            }
        }
    }
}
