//! What is noted of one call while it goes on, to be counted and logged when it ends.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{self, Span as _, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, Span};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::access::Denied;
use super::service::SERVICE;
use super::status::Reason;
use crate::metrics::{Method, Metrics};

/// Most bulletins of one call that the audit log names; it counts them all.
const NAMED: usize = 64;

const fn method(grpc_type: &'static str, grpc_service: &'static str, grpc_method: &'static str) -> Method {
    Method { grpc_type, grpc_service, grpc_method }
}

/// How the context of a trace comes, by W3C.
static PROPAGATOR: LazyLock<TraceContextPropagator> = LazyLock::new(TraceContextPropagator::new);

/// The methods that are served; a path that is none of them gets no label of its own.
const METHODS: &[Method] = &[
    method("unary", SERVICE, "ExtractReport"),
    method("bidi_stream", SERVICE, "BulkExtractReports"),
    method("unary", "grpc.health.v1.Health", "Check"),
    method("unary", "grpc.health.v1.Health", "List"),
    method("server_stream", "grpc.health.v1.Health", "Watch"),
    method("bidi_stream", "grpc.reflection.v1.ServerReflection", "ServerReflectionInfo"),
    method("bidi_stream", "grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo"),
];
const UNKNOWN: Method = method("unknown", "unknown", "unknown");

/// The method that a path names.
fn named(path: &str) -> Method {
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let known = |(service, name)| METHODS.iter().find(|method| method.grpc_service == service && method.grpc_method == name);
    parts.and_then(known).copied().unwrap_or(UNKNOWN)
}

/// The code's name, as gRPC's metrics write it.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

/// Whether a code is a fault of the server, as the conventions for spans have it.
const fn is_fault(code: Code) -> bool {
    matches!(code, Code::Unknown | Code::DeadlineExceeded | Code::Unimplemented | Code::Internal | Code::Unavailable | Code::DataLoss)
}

/// The span of a call, below that of its caller.
fn span(tracer: &SdkTracer, method: Method, peer: SocketAddr, caller: &Context) -> Span {
    let Method { grpc_service, grpc_method, .. } = method;
    let attributes = [
        KeyValue::new("rpc.system", "grpc"),
        KeyValue::new("rpc.service", grpc_service),
        KeyValue::new("rpc.method", grpc_method),
        KeyValue::new("network.peer.address", peer.ip().to_string()),
        KeyValue::new("network.peer.port", i64::from(peer.port())),
    ];
    let builder = tracer.span_builder(format!("{grpc_service}/{grpc_method}")).with_kind(SpanKind::Server);
    builder.with_attributes(attributes).start_with_context(tracer, caller)
}

/// The messages of one call, counted by the threads that read and write them.
#[derive(Debug, Default)]
pub struct Tally {
    received: AtomicU64,
    received_bytes: AtomicU64,
    sent: AtomicU64,
    sent_bytes: AtomicU64,
    ids: Mutex<Vec<String>>,
}

impl Tally {
    /// A request message of so many bytes.
    pub fn received(&self, bytes: u64) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.received_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bulletin in it.
    pub fn bulletin(&self, id: &str) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() < NAMED {
            ids.push(id.to_owned());
        }
    }

    /// A response message of so many bytes.
    pub fn sent(&self, bytes: usize) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// What all records have in common.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// Where calls are counted.
    pub metrics: Arc<Metrics>,
    /// Whether each call of the service is logged.
    pub audit: bool,
    /// What makes spans of calls, if they are traced.
    pub tracer: Option<SdkTracer>,
}

/// The headers of a call, as the propagation of traces reads them.
struct Carrier<'a>(&'a HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// The record of one call. It is closed when dropped; a call of which no status is known was cancelled by its caller.
#[derive(Debug)]
pub struct Record {
    recorder: Recorder,
    method: Method,
    peer: SocketAddr,
    caller: String,
    denied: &'static str,
    span: Option<Span>,
    /// The trace that the call is part of, if it is.
    trace: String,
    began: Instant,
    code: Code,
    /// Whether it was refused before it was known to be a call.
    no_call: bool,
    tally: Arc<Tally>,
}

impl Recorder {
    /// A call with this path and these headers began, from this address.
    #[must_use]
    pub fn begin(&self, path: &str, headers: &HeaderMap, peer: SocketAddr) -> Record {
        let method = named(path);
        self.metrics.call_began(method);
        let caller_context = PROPAGATOR.extract_with_context(&Context::new(), &Carrier(headers));
        let span = self.tracer.as_ref().map(|tracer| span(tracer, method, peer, &caller_context));
        let context = span.as_ref().map_or_else(|| caller_context.span().span_context().clone(), |span| span.span_context().clone());
        let trace = if context.is_valid() { context.trace_id().to_string() } else { String::new() };
        Record {
            recorder: self.clone(),
            method,
            peer,
            span,
            trace,
            caller: String::new(),
            denied: "",
            began: Instant::now(),
            code: Code::Cancelled,
            no_call: false,
            tally: Arc::default(),
        }
    }
}

impl Record {
    /// Where the call's messages are counted.
    #[must_use]
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// It is this caller's.
    pub fn called_by(&mut self, name: &str) {
        name.clone_into(&mut self.caller);
    }

    /// It was not let in, for a cause that the caller is not told.
    pub fn denied(&mut self, denied: Denied) {
        self.denied = match denied {
            Denied::Unauthenticated(cause) => cause,
            Denied::NotAllowed => "not_allowed",
        };
        self.recorder.metrics.denied(self.denied);
    }

    /// It was refused before it was known to be a call.
    pub const fn is_no_call(&mut self) {
        self.no_call = true;
    }

    /// The call ends so.
    pub fn ended(&mut self, status: &Status) {
        self.code = status.code();
        if self.code != Code::Ok {
            let details = status.get_error_details();
            let said = details.error_info().map_or("", |info| info.reason.as_str());
            let reason = Reason::ALL.iter().find(|reason| reason.name() == said);
            self.recorder.metrics.refused(reason.copied().unwrap_or(Reason::Other).name());
        }
    }

    /// The call ends as these headers or trailers say, if they do.
    pub fn heard(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.ended(&status);
        }
    }

    fn log(&self) {
        let Tally { received, received_bytes, sent, sent_bytes, ids } = &*self.tally;
        let ids = ids.lock().unwrap_or_else(PoisonError::into_inner);
        let named: Vec<_> = ids.iter().map(|id| format!("`{}`", id.escape_debug())).collect();
        tracing::info!(
            target: "audit",
            trace_id = self.trace,
            peer = %self.peer,
            caller = self.caller,
            denied = self.denied,
            method = self.method.grpc_method,
            code = code_name(self.code),
            bulletins = received.load(Ordering::Relaxed),
            bulletin_ids = named.join(" "),
            request_bytes = received_bytes.load(Ordering::Relaxed),
            responses = sent.load(Ordering::Relaxed),
            response_bytes = sent_bytes.load(Ordering::Relaxed),
            microseconds = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX),
            "call"
        );
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let metrics = &self.recorder.metrics;
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let Tally { received, received_bytes, sent, sent_bytes, .. } = &*self.tally;
        metrics.messages(self.method, (load(received), load(received_bytes)), (load(sent), load(sent_bytes)));
        metrics.call_ended(self.method, code_name(self.code), self.began.elapsed());
        if let Some(span) = &mut self.span {
            span.set_attribute(KeyValue::new("rpc.grpc.status_code", i64::from(i32::from(self.code))));
            span.set_attribute(KeyValue::new("jianbao.bulletins", i64::try_from(load(received)).unwrap_or(i64::MAX)));
            span.set_attribute(KeyValue::new("enduser.id", self.caller.clone()));
            if is_fault(self.code) {
                span.set_status(trace::Status::error(code_name(self.code)));
            }
            span.end();
        }
        if self.recorder.audit && (self.no_call || self.method.grpc_service == SERVICE) {
            self.log();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_served_has_a_label_of_its_own() {
        assert_eq!(named("/jianbao.v1.ExtractReportService/ExtractReport").grpc_method, "ExtractReport");
        for path in ["", "/", "ExtractReport", "/jianbao.v1.ExtractReportService/Other", "/a/b/c"] {
            assert_eq!(named(path), UNKNOWN, "{path}");
        }
    }
}
