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
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame as BodyFrame;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Status, server::NamedService};

use super::access::Caller;
use super::budget::{Account, Hold};
use super::bulk::{BulkBody, Window};
use super::calls::{self, Place};
use super::compression::{ACCEPTED, Encoding};
use super::frame::{Frame, FrameReader, FrameWriter};
use super::pool::{Ask, Full, Lane, NotRun, Pool};
use super::record::Tally;
use super::status::{self, Reason};
use super::web::Unwrapped;
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
    /// Its place among the calls, held by all that runs for it.
    pub place: Arc<Place>,
    /// Where what is held for it is counted.
    pub account: Arc<Account>,
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
    max_report_bytes: usize,
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
            max_report_bytes: options.max_report_bytes,
            compress_from_bytes: options.compress_from_bytes,
            receive_timeout: options.receive_timeout,
            window: Window {
                bulletins: options.bulk_window,
                bytes: options.bulk_window_bytes,
                receive: options.receive_timeout,
                idle: options.stream_idle_timeout,
            },
        };
        Self { engine, pool, limits, metrics }
    }

    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Some(call) = parts.extensions.get::<Call>().cloned() else {
            return status::of(Reason::Other, "the call did not come by the edge").into_http();
        };
        let Ok(inflate) = Encoding::of_request(&parts.headers) else { return unknown_encoding() };
        let unwrapped = parts.extensions.get::<Unwrapped>().copied();
        let json = unwrapped.is_some_and(|unwrapped| unwrapped.json);
        let desk = self.desk(inflate, &parts.headers, Arc::clone(&call.tally), json);
        let encoding = desk.writer.encoding;
        match parts.uri.path() {
            UNARY => match self.unary(desk, &call, body, unwrapped.is_some()).await {
                Ok(answer) => respond(encoding, Body::new(Whole { answer, place: Some(Arc::clone(&call.place)) })),
                Err(status) => status.into_http(),
            },
            BULK => {
                let bulk = BulkBody::new(desk, self.pool, self.limits.window, call, body);
                respond(encoding, Body::new(bulk))
            }
            _ => status::of(Reason::UnknownMethod, "there is no such method").into_http(),
        }
    }

    async fn unary(&self, desk: Desk, call: &Call, body: Body, unwrapped: bool) -> Result<Answer, Status> {
        let reader = FrameReader::new(body, self.limits.max_message_bytes, &call.account).at_once();
        let mut reader = if unwrapped { reader.unwrapped() } else { reader };
        let (frame, mut hold) = self.message(&mut reader).await?;
        if !hold.set(desk.needed(&frame)) {
            return Err(status::memory_full());
        }
        let open = &call.place.open;
        let ask = Ask { lane: Lane::Unary, peer: open.peer, call: open.id, bytes: desk.expected(&frame), deadline: call.deadline };
        let busy = calls::busy(&call.place);
        let job = move || {
            desk.unary_step(frame, |bytes| hold.set(bytes)).map(move |outcome| {
                busy.is_ready();
                outcome.map(|answer| Answer::new(answer, hold))
            })
        };
        let full = |full: Full| status::overloaded(Reason::QueueFull, "the queue for the engine is full", full.retry_after);
        let ticket = self.pool.submit(ask, job).map_err(full)?;
        // What else the caller sends is looked at until there is an answer.
        let outcome = tokio::select! {
            biased;
            more = more(&mut reader) => return Err(more),
            outcome = ticket => outcome,
        };
        match outcome {
            Ok(outcome) => outcome.map_err(super::status::Refusal::into_status),
            Err(NotRun::GaveWay(room)) => Err(full(room)),
            Err(NotRun::Late) if call.deadline.is_some_and(|deadline| deadline <= Instant::now()) => Err(status::deadline_exceeded()),
            Err(NotRun::Late) => Err(status::draining()),
        }
    }

    /// The message of a unary call, and what is held for it.
    async fn message(&self, reader: &mut FrameReader) -> Result<(Frame, Hold), Status> {
        let first = tokio::time::timeout(self.limits.receive_timeout, poll_fn(|cx| reader.poll_frame(cx)));
        match first.await {
            Ok(Some(frame)) => frame.map(|frame| {
                let hold = reader.take_hold(&frame);
                (frame, hold)
            }),
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
            max_report_bytes: self.limits.max_report_bytes,
            most_cost: self.pool.budget().most_running(),
            most_held: self.pool.budget().most_for_one(),
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

/// What is wrong with a unary call of which more comes than its message; never, where nothing does.
async fn more(reader: &mut FrameReader) -> Status {
    match poll_fn(|cx| reader.poll_frame(cx)).await {
        None => std::future::pending().await,
        Some(Ok(_)) => status::of(Reason::BrokenFraming, "the call holds more than one message"),
        Some(Err(status)) => status,
    }
}

/// The most of an answer that HTTP/2 is handed at once.
const CHUNK_BYTES: usize = 16 << 10;

/// An answer, and what is held for it.
pub struct Answer {
    /// What of it is still here.
    pub rest: Bytes,
    /// Its bytes in the budget.
    pub hold: Hold,
}

impl Answer {
    /// An answer for which so much is held from now on as it is long.
    #[must_use]
    pub fn new(rest: Bytes, mut hold: Hold) -> Self {
        hold.settle(rest.len());
        Self { rest, hold }
    }

    /// The next of it for HTTP/2: no more than that asks for, so that the rest is still here when nobody takes it, and a copy,
    /// so that the rest can be let go then. It is counted until HTTP/2 has sent it.
    pub fn chunk(&mut self) -> Bytes {
        let part = self.rest.split_to(CHUNK_BYTES.min(self.rest.len()));
        self.hold.split(part.len()).around(Bytes::copy_from_slice(&part))
    }
}

/// The answer to a unary call, a part at a time, so that what is not taken is known to be unread.
struct Whole {
    answer: Answer,
    /// Until the end has been told.
    place: Option<Arc<Place>>,
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<BodyFrame<Bytes>, Status>>> {
        if !self.answer.rest.is_empty() {
            return Poll::Ready(Some(Ok(BodyFrame::data(self.answer.chunk()))));
        }
        let Some(place) = self.place.take() else { return Poll::Ready(None) };
        place.open.is_taken();
        let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
        Poll::Ready(Some(Ok(BodyFrame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.place.is_none()
    }
}

/// A body that only closes the call with `status`.
#[must_use]
pub fn closing_frame(status: &Status) -> BodyFrame<Bytes> {
    let mut trailers = HeaderMap::new();
    // Every status here is made in this crate, of characters a header can hold.
    let _ = status.add_header(&mut trailers);
    BodyFrame::trailers(trailers)
}
