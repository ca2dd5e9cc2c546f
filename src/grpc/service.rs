//! `jianbao.v1.ExtractReportService` over HTTP/2.
//!
//! The messages are read and written here, and not by generated code, for what
//! that code cannot do: skip one message that is too long and go on, inflate
//! within a bound, and keep decoding and encoding off the async threads.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame as BodyFrame;
use http_body_util::{BodyExt as _, Full};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Status, server::NamedService};

use super::access::Caller;
use super::bulk::{BulkBody, Window};
use super::compression::{ACCEPTED, Encoding};
use super::frame::{Frame, FrameReader, FrameWriter};
use super::pool::{Lane, Pool};
use super::record::Tally;
use super::status::{self, Reason};
use super::web::Json;
use super::work::Desk;
use super::{Extract, Options};
use crate::metrics::Metrics;

/// Full name of the service.
pub const SERVICE: &str = "jianbao.v1.ExtractReportService";
/// Path of the unary method.
pub const UNARY: &str = "/jianbao.v1.ExtractReportService/ExtractReport";
/// Path of the method of streams.
pub const BULK: &str = "/jianbao.v1.ExtractReportService/BulkExtractReports";

/// What the edge knows of a call and the service needs.
#[derive(Clone, Debug)]
pub struct Call {
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// Cancelled when streams of the connection are to end.
    pub draining: CancellationToken,
    /// Where its messages are counted.
    pub tally: Arc<Tally>,
    /// Whose call it is, where not everybody may call.
    pub caller: Option<Arc<Caller>>,
}

/// The service: an engine, a pool and the limits.
#[derive(Clone)]
pub struct ExtractReportService {
    engine: Arc<dyn Extract>,
    pool: Pool,
    limits: Limits,
    metrics: Arc<Metrics>,
}

#[derive(Clone, Copy)]
struct Limits {
    max_message_bytes: usize,
    max_text_bytes: usize,
    compress_from_bytes: usize,
    receive_timeout: Duration,
    window: Window,
}

impl NamedService for ExtractReportService {
    const NAME: &'static str = SERVICE;
}

impl ExtractReportService {
    /// The service over this engine and pool.
    #[must_use]
    pub fn new(engine: Arc<dyn Extract>, pool: Pool, options: &Options, metrics: Arc<Metrics>) -> Self {
        let limits = Limits {
            max_message_bytes: options.max_message_bytes,
            max_text_bytes: options.max_text_bytes,
            compress_from_bytes: options.compress_from_bytes,
            receive_timeout: options.receive_timeout,
            window: Window { bulletins: options.bulk_window, bytes: options.bulk_window_bytes },
        };
        Self { engine, pool, limits, metrics }
    }

    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let call = parts.extensions.get::<Call>().cloned();
        let call = call.unwrap_or_else(|| Call { deadline: None, draining: CancellationToken::new(), tally: Arc::default(), caller: None });
        let Ok(inflate) = Encoding::of_request(&parts.headers) else { return unknown_encoding() };
        let json = parts.extensions.get::<Json>().is_some();
        let desk = self.desk(inflate, &parts.headers, Arc::clone(&call.tally), json);
        let encoding = desk.writer.encoding;
        match parts.uri.path() {
            UNARY => match self.unary(desk, &call, body).await {
                Ok(bytes) => respond(encoding, Body::new(Full::new(bytes).with_trailers(ok_trailers()).map_err(never))),
                Err(status) => status.into_http(),
            },
            BULK => {
                let bulk = BulkBody::new(desk, self.pool, self.limits.window, &call, body);
                respond(encoding, Body::new(bulk))
            }
            _ => status::of(Reason::UnknownMethod, "there is no such method").into_http(),
        }
    }

    async fn unary(&self, desk: Desk, call: &Call, body: Body) -> Result<Bytes, Status> {
        let frame = self.only_message(body).await?;
        let room = self
            .pool
            .try_room(Lane::Unary, frame.held_bytes())
            .map_err(|full| status::overloaded(Reason::QueueFull, "the queue for the engine is full", full.retry_after))?;
        let ticket = self.pool.submit(room, call.deadline, move || desk.unary(frame));
        match ticket.await {
            Ok(outcome) => outcome.map_err(super::status::Refusal::into_status),
            Err(_) if call.deadline.is_some_and(|deadline| deadline <= Instant::now()) => Err(status::deadline_exceeded()),
            Err(_) => Err(status::draining()),
        }
    }

    async fn only_message(&self, body: Body) -> Result<Frame, Status> {
        let mut reader = FrameReader::new(body, self.limits.max_message_bytes);
        let first = tokio::time::timeout(self.limits.receive_timeout, poll_fn(|cx| reader.poll_frame(cx)));
        match first.await {
            Ok(Some(frame)) => frame,
            Ok(None) => Err(status::of(Reason::BrokenFraming, "the call holds no message")),
            Err(_) => Err(status::of(Reason::RequestTooSlow, "the message did not arrive in time")),
        }
    }

    fn desk(&self, inflate: Option<Encoding>, headers: &HeaderMap, tally: Arc<Tally>, json: bool) -> Desk {
        let encoding = Encoding::for_response(headers);
        Desk {
            engine: self.engine.for_call().unwrap_or_else(|| Arc::clone(&self.engine)),
            inflate,
            writer: FrameWriter { encoding, compress_from_bytes: self.limits.compress_from_bytes },
            max_message_bytes: self.limits.max_message_bytes,
            max_text_bytes: self.limits.max_text_bytes,
            metrics: Arc::clone(&self.metrics),
            tally,
            json,
        }
    }
}

impl tower_service::Service<Request<Body>> for ExtractReportService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

impl std::fmt::Debug for ExtractReportService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExtractReportService").finish_non_exhaustive()
    }
}

fn respond(encoding: Option<Encoding>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-accept-encoding", HeaderValue::from_static(ACCEPTED));
    if let Some(encoding) = encoding {
        headers.insert("grpc-encoding", HeaderValue::from_static(encoding.name()));
    }
    response
}

fn unknown_encoding() -> Response<Body> {
    let status = status::of(Reason::UnknownEncoding, "messages may be compressed with gzip or zstd, or not at all");
    let mut response: Response<Body> = status.into_http();
    response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(ACCEPTED));
    response
}

fn ok_trailers() -> std::future::Ready<Option<Result<HeaderMap, Infallible>>> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    std::future::ready(Some(Ok(trailers)))
}

fn never(error: Infallible) -> Status {
    match error {}
}

/// A body that only closes the call with `status`.
#[must_use]
pub fn closing_frame(status: &Status) -> BodyFrame<Bytes> {
    let mut trailers = HeaderMap::new();
    // Every status here is made in this crate, of characters a header can hold.
    let _ = status.add_header(&mut trailers);
    BodyFrame::trailers(trailers)
}
