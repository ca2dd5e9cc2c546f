//! What browsers and curl speak, on the same port: gRPC-Web, and the Connect protocol's unary calls, in JSON or not.
//!
//! All of it becomes a gRPC call before the edge sees it, so that whatever holds for calls holds here too.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{Buf as _, Bytes};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::Full;
use prost::Message as _;
use serde_json::{Map, Value, json};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, Service as _, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::edge::{Edge, Origin};
use super::frame::HEADER_BYTES;
use super::service;
use super::status::{self, NEXT_SEQUENCE, Reason};

/// Time for which a browser need not ask again what is allowed.
const PREFLIGHT_AGE: Duration = Duration::from_secs(7_200);

/// The body of this call's request is its one message, without a frame.
#[derive(Clone, Copy, Debug)]
pub struct Unwrapped {
    /// Whether messages are JSON.
    pub json: bool,
}

/// The front of one connection: every request comes here first.
#[derive(Clone, Debug)]
pub struct Front {
    edge: Edge,
    origin: Origin,
    pages: Arc<Pages>,
}

/// Whose pages may call, and by what name.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Origins; `*` is all.
    origins: Vec<String>,
    /// Whether only this machine is listened to, so that another name is a page's trick.
    loopback: bool,
}

impl Pages {
    /// Pages of these origins, where the server listens on this address.
    #[must_use]
    pub fn new(origins: &[String], address: SocketAddr) -> Self {
        Self { origins: origins.to_vec(), loopback: address.ip().is_loopback() }
    }

    /// Why a request is none of this server's, if it is not.
    fn foreign<B>(&self, request: &Request<B>) -> Option<&'static str> {
        let host = request.uri().authority().map(Authority::as_str);
        let host = host.or_else(|| request.headers().get(HOST)?.to_str().ok()).unwrap_or_default();
        let origin = request.headers().get(ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
        // A library of gRPC may say what it likes, and no page can speak as it does.
        let native = content_type(request).starts_with(b"application/grpc") && !content_type(request).starts_with(b"application/grpc-web");
        if self.loopback && (!native || origin.is_some()) && !is_this_machine(host) {
            return Some("the request is for another host than this machine");
        }
        let same = |origin: &str| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host));
        let allowed = |origin: &str| self.origins.iter().any(|known| known == "*" || known == origin) || same(origin);
        origin.is_some_and(|origin| !allowed(origin)).then_some("pages of this origin may not call")
    }
}

/// Whether a host, with or without a port, is a name of the machine that asks.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn content_type<B>(request: &Request<B>) -> &[u8] {
    request.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes)
}

impl Front {
    /// The front before this edge.
    #[must_use]
    pub const fn new(edge: Edge, origin: Origin, pages: Arc<Pages>) -> Self {
        Self { edge, origin, pages }
    }

    /// Answers one request.
    pub async fn answer(self, request: Request<Body>, cors: Option<CorsLayer>) -> Response<Body> {
        if let Some(foreign) = self.pages.foreign(&request) {
            let status = status::of(Reason::ForeignOrigin, foreign);
            let refused = self.edge.refuse(&request, &self.origin, &status);
            let grpc = content_type(&request).starts_with(b"application/grpc");
            return if grpc { refused } else { in_json(&status) };
        }
        let Some(cors) = cors else { return self.dispatch(request).await };
        let dispatch = service_fn(|request| {
            let front = self.clone();
            async move { Ok::<_, Infallible>(front.dispatch(request).await) }
        });
        cors.layer(dispatch).call(request).await.unwrap_or_else(|never| match never {})
    }

    async fn dispatch(self, request: Request<Body>) -> Response<Body> {
        let kind = content_type(&request);
        if kind.starts_with(b"application/grpc-web") {
            let grpc = service_fn(|request| {
                let Self { edge, origin, .. } = self.clone();
                async move { Ok::<_, Infallible>(edge.answer(request, origin).await) }
            });
            GrpcWebLayer::new().layer(grpc).call(request).await.unwrap_or_else(|never| match never {})
        } else if let Some(codec) = Codec::of(kind)
            && request.method() == Method::POST
        {
            self.connect(codec, request).await
        } else {
            self.edge.answer(request, self.origin).await
        }
    }

    /// A unary call as the Connect protocol has it.
    async fn connect(self, codec: Codec, request: Request<Body>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        if parts.uri.path() != service::UNARY {
            return in_json(&status::of(Reason::UnknownMethod, "by the Connect protocol and in JSON there is ExtractReport alone"));
        }
        if parts.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return in_json(&status::of(Reason::UnknownEncoding, "a request that is no gRPC is not compressed"));
        }
        if let Some(timeout) = parts.headers.get("connect-timeout-ms") {
            // What is no timeout there is none here either, and is refused as such.
            let timeout = timeout.to_str().ok().and_then(in_grpc).unwrap_or(HeaderValue::from_static("malformed"));
            parts.headers.insert("grpc-timeout", timeout);
        }
        for name in [CONTENT_LENGTH, ACCEPT_ENCODING] {
            parts.headers.remove(name);
        }
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        parts.extensions.insert(Unwrapped { json: codec == Codec::Json });
        let (parts, body) = self.edge.answer(Request::from_parts(parts, body), self.origin).await.into_parts();
        match Status::from_header_map(&parts.headers) {
            Some(status) if status.code() != Code::Ok => in_json(&status),
            _ => {
                let mut response = Response::new(Body::new(Unframed { body, header: HEADER_BYTES }));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(codec.content_type()));
                response
            }
        }
    }
}

/// A timeout of the Connect protocol, which has up to ten digits of milliseconds, as gRPC has it, with up to eight.
fn in_grpc(milliseconds: &str) -> Option<HeaderValue> {
    let digits = (1..=10).contains(&milliseconds.len()) && milliseconds.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.then(|| milliseconds.parse().ok())??;
    let text = if number <= 99_999_999 { format!("{number}m") } else { format!("{}S", number.div_ceil(1_000)) };
    text.parse().ok()
}

/// The body of an answer in the frame of gRPC, without the frame. It is not collected: what is not taken stays where it is
/// counted.
struct Unframed {
    body: Body,
    /// Bytes of the frame's header that are still to come.
    header: usize,
}

impl http_body::Body for Unframed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                ended => return Poll::Ready(ended),
            };
            match frame.into_data() {
                Ok(mut data) => {
                    let header = self.header.min(data.len());
                    data.advance(header);
                    self.header -= header;
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                // An answer that has begun can only be broken off.
                Err(frame) => match frame.trailers_ref().and_then(Status::from_header_map) {
                    Some(status) if status.code() != Code::Ok => return Poll::Ready(Some(Err(status))),
                    _ => return Poll::Ready(None),
                },
            }
        }
    }
}

/// How a message of the Connect protocol is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Json,
    Proto,
}

impl Codec {
    /// By the content type. None of these can be sent by another site's page that has not been asked about first.
    fn of(kind: &[u8]) -> Option<Self> {
        match kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii() {
            b"application/json" => Some(Self::Json),
            b"application/proto" => Some(Self::Proto),
            _ => None,
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Proto => "application/proto",
        }
    }
}

/// Which pages of other origins may call, if any.
#[must_use]
pub fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origin = match origins {
        [] => return None,
        [any] if any == "*" => AllowOrigin::any(),
        listed => AllowOrigin::list(listed.iter().filter_map(|origin| origin.parse().ok())),
    };
    let names = |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>();
    let asked =
        ["authorization", "content-type", "connect-protocol-version", "connect-timeout-ms", "grpc-timeout", "x-grpc-web", "x-user-agent"];
    let told = ["grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-retry-pushback-ms", "retry-after", NEXT_SEQUENCE];
    let layer = CorsLayer::new().allow_origin(origin).allow_methods([Method::POST]).max_age(PREFLIGHT_AGE);
    Some(layer.allow_headers(names(&asked)).expose_headers(names(&told)))
}

fn respond(status: StatusCode, codec: Codec, message: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(message)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(codec.content_type()));
    response
}

/// The code's name in JSON, and the status of HTTP that goes with it.
const fn code(code: Code) -> (&'static str, u16) {
    match code {
        Code::Ok => ("ok", 200),
        Code::Cancelled => ("canceled", 499),
        Code::Unknown => ("unknown", 500),
        Code::InvalidArgument => ("invalid_argument", 400),
        Code::DeadlineExceeded => ("deadline_exceeded", 504),
        Code::NotFound => ("not_found", 404),
        Code::AlreadyExists => ("already_exists", 409),
        Code::PermissionDenied => ("permission_denied", 403),
        Code::ResourceExhausted => ("resource_exhausted", 429),
        Code::FailedPrecondition => ("failed_precondition", 400),
        Code::Aborted => ("aborted", 409),
        Code::OutOfRange => ("out_of_range", 400),
        Code::Unimplemented => ("unimplemented", 501),
        Code::Internal => ("internal", 500),
        Code::Unavailable => ("unavailable", 503),
        Code::DataLoss => ("data_loss", 500),
        Code::Unauthenticated => ("unauthenticated", 401),
    }
}

/// An error, with its details both as they are on the wire and for a person.
fn in_json(status: &Status) -> Response<Body> {
    let (name, http) = code(status.code());
    let known = status.get_error_details();
    let details: Vec<_> = tonic_types::pb::Status::decode(status.details()).unwrap_or_default().details;
    let details = details.iter().map(|any| {
        let kind = any.type_url.rsplit('/').next().unwrap_or_default();
        let mut detail =
            Map::from_iter([("type".to_owned(), kind.into()), ("value".to_owned(), STANDARD_NO_PAD.encode(&any.value).into())]);
        detail.extend(readable(kind, &known).map(|value| ("debug".to_owned(), value)));
        Value::Object(detail)
    });
    let body = json!({"code": name, "message": status.message(), "details": details.collect::<Vec<_>>()});
    let mut response =
        respond(StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Codec::Json, body.to_string().into());
    if let Some(wait) = known.retry_info().and_then(|info| info.retry_delay) {
        response.headers_mut().insert(RETRY_AFTER, wait.as_secs().max(1).into());
    }
    response
}

fn readable(kind: &str, details: &ErrorDetails) -> Option<Value> {
    match kind {
        "google.rpc.ErrorInfo" => {
            let info = details.error_info()?;
            Some(json!({"reason": info.reason, "domain": info.domain, "metadata": info.metadata}))
        }
        "google.rpc.BadRequest" => {
            let violations = &details.bad_request()?.field_violations;
            let violations: Vec<_> = violations.iter().map(|v| json!({"field": v.field, "description": v.description})).collect();
            Some(json!({"fieldViolations": violations}))
        }
        "google.rpc.RetryInfo" => {
            let wait = details.retry_info()?.retry_delay?;
            Some(json!({"retryDelay": format!("{}.{:03}s", wait.as_secs(), wait.subsec_millis())}))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f12_pages_of_foreign_origins_and_names_of_other_hosts_are_told_from_callers() {
        let foreign = |address: &str, origins: &[&str], host: &str, origin: Option<&str>, kind: &str| {
            let origins: Vec<_> = origins.iter().map(|&origin| origin.to_owned()).collect();
            let pages = Pages::new(&origins, address.parse().unwrap());
            let request = Request::post("/").header(HOST, host).header(CONTENT_TYPE, kind);
            let request =
                origin.map_or_else(|| Request::post("/").header(HOST, host).header(CONTENT_TYPE, kind), |o| request.header(ORIGIN, o));
            pages.foreign(&request.body(()).unwrap()).is_some()
        };
        let (here, there, json, grpc) = ("127.0.0.1:50051", "0.0.0.0:50051", "application/json", "application/grpc");
        for (refused, address, origins, host, origin, kind) in [
            (false, here, &[][..], "localhost:50051", None, json),
            (false, here, &[], "[::1]:50051", None, json),
            (true, here, &[], "evil.test:50051", None, json),
            (true, here, &[], "evil.test:50051", Some("http://evil.test:50051"), grpc),
            (false, here, &[], "name-of-a-service", None, grpc),
            (true, here, &[], "127.0.0.1:50051", Some("https://evil.test"), json),
            (true, here, &[], "127.0.0.1:50051", Some("null"), json),
            (false, here, &["https://a.test"], "127.0.0.1:50051", Some("https://a.test"), json),
            (false, here, &["*"], "127.0.0.1:50051", Some("https://a.test"), json),
            (false, there, &[], "bank.test", None, json),
            (false, there, &[], "bank.test", Some("https://bank.test"), json),
            (true, there, &[], "bank.test", Some("https://evil.test"), "application/grpc-web"),
        ] {
            assert_eq!(foreign(address, origins, host, origin, kind), refused, "{address} {host} {origin:?} {kind}");
        }
    }

    #[test]
    fn timeouts_of_the_connect_protocol_have_up_to_ten_digits() {
        for (given, wanted) in [
            ("0", Some("0m")),
            ("99999999", Some("99999999m")),
            ("9999999999", Some("10000000S")),
            ("12345678901", None),
            ("1s", None),
            ("", None),
        ] {
            assert_eq!(in_grpc(given), wanted.map(HeaderValue::from_static), "{given}");
        }
    }

    #[test]
    fn the_connect_protocol_is_told_from_all_else() {
        for (kind, codec) in [
            ("application/json", Some(Codec::Json)),
            ("application/json; charset=utf-8", Some(Codec::Json)),
            ("application/x-www-form-urlencoded", None),
            ("text/plain", None),
            ("application/proto", Some(Codec::Proto)),
            ("application/jsonp", None),
            ("application/grpc", None),
            ("", None),
        ] {
            assert_eq!(Codec::of(kind.as_bytes()), codec, "{kind}");
        }
    }
}
