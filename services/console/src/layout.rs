//! The frame around every page: navigation, style, and how an error looks.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kycc_rpc::ClientError;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

const NAVIGATION: [(&str, &str); 5] = [
    ("/runs", "Runs"),
    ("/jobs", "Jobs"),
    ("/assets", "Assets"),
    ("/batches", "Batches"),
    ("/scorecards", "Scorecards"),
];

/// A page of `section` (a path of the navigation). `refresh`: load again every so many seconds.
pub(crate) fn page(section: &str, title: &str, refresh: Option<u32>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = refresh { meta http-equiv="refresh" content=(seconds); }
                title { (title) " · kycc" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    a.brand href="/runs" { "kycc" }
                    nav {
                        @for (path, name) in NAVIGATION {
                            a href=(path) aria-current=[(path == section).then_some("page")] { (name) }
                        }
                    }
                }
                main {
                    h1 { (title) }
                    (body)
                }
            }
        }
    }
}

/// What the API refused, as a page: its text, its reason, and the status a browser expects.
#[derive(Debug)]
pub(crate) struct Refused(ClientError);

impl From<tonic::Status> for Refused {
    fn from(status: tonic::Status) -> Self {
        Self(ClientError::from(status))
    }
}

impl Refused {
    /// An answer that lacks what its contract promises.
    pub(crate) fn incomplete(what: &str) -> Self {
        Self::from(tonic::Status::internal(format!(
            "the answer holds no {what}"
        )))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.code() {
            tonic::Code::NotFound => StatusCode::NOT_FOUND,
            tonic::Code::InvalidArgument => StatusCode::BAD_REQUEST,
            tonic::Code::Unavailable | tonic::Code::DeadlineExceeded => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = html! { p.refused { (self.0.to_string()) } p { a href="/runs" { "Back to the runs" } } };
        (status, page("", "That did not work", None, body)).into_response()
    }
}
