//! W3C trace context. A `traceparent` is what travels; inside the process the span carries it.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// A new trace, sampled, with fresh ids.
#[must_use]
pub fn new_root() -> String {
    let ids = RandomIdGenerator::default();
    traceparent(&ids.new_trace_id(), &ids.new_span_id(), true)
}

/// A fresh span id in the trace of `parent`; a new root when `parent` is not a trace context.
#[must_use]
pub fn child_of(parent: &str) -> String {
    match parse(parent) {
        Some(context) => traceparent(
            &context.trace_id(),
            &RandomIdGenerator::default().new_span_id(),
            context.is_sampled(),
        ),
        None => new_root(),
    }
}

/// The context of the current span; a new root where there is none, so that what is started is always traceable.
#[must_use]
pub fn current_traceparent() -> String {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() {
        traceparent(&span.trace_id(), &span.span_id(), span.is_sampled())
    } else {
        new_root()
    }
}

/// The trace id of the current span, in hex; empty where there is none.
#[must_use]
pub fn current_trace_id() -> String {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() {
        span.trace_id().to_string()
    } else {
        String::new()
    }
}

/// The trace id of a traceparent, in hex.
#[must_use]
pub fn trace_id_of(traceparent: &str) -> Option<String> {
    Some(parse(traceparent)?.trace_id().to_string())
}

/// Makes `span` a child of what `traceparent` names. Something else than a trace context is ignored, since it comes from
/// outside; so is a span that was entered already.
pub fn continue_from(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        let context = Context::new().with_remote_span_context(parent);
        // Fails only where no subscriber keeps spans; then there is nothing to connect.
        let _ = span.set_parent(context);
    }
}

/// Writes the context of `span` into headers; leaves them alone where there is none.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&span.context(), &mut Headers(headers));
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Map(&carrier));
    let span = context.span().span_context().clone();
    span.is_valid().then_some(span)
}

fn traceparent(trace_id: &TraceId, span_id: &SpanId, sampled: bool) -> String {
    let flags = if sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    let span = SpanContext::new(*trace_id, *span_id, flags, true, TraceState::default());
    let context = Context::new().with_remote_span_context(span);
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove(TRACEPARENT).unwrap_or_default()
}

struct Map<'a>(&'a HashMap<String, String>);

impl Extractor for Map<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(key.as_bytes()),
            HeaderValue::from_str(&value),
        ) && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_keeps_the_trace_and_changes_the_span() {
        let root = new_root();
        let child = child_of(&root);
        assert_eq!(trace_id_of(&root), trace_id_of(&child));
        assert_ne!(root, child);
        assert_ne!(trace_id_of(&new_root()), trace_id_of(&root));
    }

    #[test]
    fn a_root_has_the_shape_that_w3c_prescribes() {
        let root = new_root();
        let parts: Vec<&str> = root.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [2, 32, 16, 2], "{root}");
        assert_eq!((parts[0], parts[3]), ("00", "01"));
    }

    #[test]
    fn what_is_no_context_begins_a_new_trace() {
        for bad in ["", "00-0-0-01", "garbage"] {
            assert_eq!(trace_id_of(bad), None);
            assert!(trace_id_of(&child_of(bad)).is_some());
        }
    }
}
