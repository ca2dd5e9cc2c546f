//! What holds for every call, whichever service it is for: deadline, caps, drain, and errors that say why.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use opentelemetry_sdk::trace::SdkTracer;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower_service::Service;

use super::Options;
use super::access::{Allowed, Caller, CallersFile};
use super::budget::{Budget, Hold, Level};
use super::calls::{Calls, Open, Place};
use super::crowd::Peer;
use super::record::{Record, Recorder};
use super::service::{BULK, Call, closing_frame};
use super::status::{self, Reason};
use crate::renew::Renewable;

/// Health and reflection stay reachable when the server is full: they have places of their own.
const ALWAYS_OPEN: &[&str] = &[HEALTH, REFLECTION];
const HEALTH: &str = "/grpc.health.v1.Health/";
/// How the paths of reflection begin.
pub const REFLECTION: &str = "/grpc.reflection.";
/// Bytes of one stream that HTTP/2 may hold, each way.
pub const STREAM_BYTES: u32 = 128 << 10;
/// Longest life of a call of reflection.
const LONGEST_REFLECTION: Duration = Duration::from_secs(600);
/// Addresses and callers after which those of the past are forgotten.
const MOST_GROUPS: usize = 4_096;

/// The services behind what holds for every call.
#[derive(Clone, Debug)]
pub struct Edge {
    routes: Routes,
    calls: Arc<Calls>,
    /// Those of health and reflection.
    asides: Arc<Calls>,
    budget: Budget,
    /// What is held for each address and caller.
    groups: Arc<Groups>,
    /// The least that a call may hold.
    least: usize,
    receive_timeout: Duration,
    max_header_bytes: usize,
    /// Cancelled when calls still in flight are to be cut.
    expired: CancellationToken,
    recorder: Recorder,
    callers: Option<Arc<Renewable<CallersFile>>>,
}

/// Where a call comes from, as its connection knows it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The other end.
    pub peer: SocketAddr,
    /// The names in the certificate that it showed.
    pub certificate: Arc<[String]>,
    /// Cancelled when streams of the connection are to end.
    pub draining: CancellationToken,
    /// The calls of the connection.
    pub in_flight: Arc<InFlight>,
    /// Its number.
    pub connection: u64,
    /// What is held for it.
    pub level: Arc<Level>,
}

/// What is held for each address and each caller, for as long as one of their calls lives.
#[derive(Debug, Default)]
struct Groups(Mutex<HashMap<u64, Weak<Level>>>);

impl Groups {
    fn level(&self, group: u64) -> Arc<Level> {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(level) = groups.get(&group).and_then(Weak::upgrade) {
            return level;
        }
        if groups.len() >= MOST_GROUPS {
            groups.retain(|_, level| level.strong_count() > 0);
        }
        let level = Level::of_group();
        groups.insert(group, Arc::downgrade(&level));
        level
    }
}

/// A number for an address (of IPv6, its network, of which one host has all) or for a caller.
fn group(peer: SocketAddr, caller: Option<&Caller>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match (caller, peer.ip().to_canonical()) {
        (Some(caller), _) => caller.name.hash(&mut hasher),
        (None, IpAddr::V4(address)) => address.hash(&mut hasher),
        (None, IpAddr::V6(address)) => address.segments().get(..4).hash(&mut hasher),
    }
    hasher.finish()
}

/// Calls of one connection that are in flight.
#[derive(Debug, Default)]
pub struct InFlight {
    calls: AtomicUsize,
    changed: tokio::sync::Notify,
}

/// One call's place among those of its connection.
#[derive(Debug)]
struct Counted(Arc<InFlight>);

impl InFlight {
    fn enter(self: &Arc<Self>) -> Counted {
        self.calls.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
        Counted(Arc::clone(self))
    }

    fn is_idle(&self) -> bool {
        self.calls.load(Ordering::Acquire) == 0
    }

    /// Returns once the connection has had no call for this long.
    pub async fn idle_for(&self, time: Duration) {
        loop {
            let changed = self.changed.notified();
            if !self.is_idle() {
                changed.await;
                continue;
            }
            if tokio::time::timeout(time, changed).await.is_err() && self.is_idle() {
                return;
            }
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

impl Edge {
    /// The edge before these services.
    #[must_use]
    pub fn new(routes: Routes, options: &Options, budget: Budget, expired: CancellationToken, recorder: Recorder) -> Self {
        Self {
            routes: routes.prepare(),
            calls: Calls::new(options.max_calls),
            asides: Calls::new(options.max_watches),
            budget,
            groups: Arc::default(),
            least: options.max_message_bytes.saturating_mul(3),
            receive_timeout: options.receive_timeout,
            max_header_bytes: options.max_header_bytes as usize,
            expired,
            recorder,
            callers: None,
        }
    }

    /// Ends calls whose answers are not taken, again and again.
    pub async fn end_unread(self, unread: Duration, idle: Duration) {
        let mut tick = tokio::time::interval((unread / 8).clamp(Duration::from_millis(50), Duration::from_secs(1)));
        loop {
            tick.tick().await;
            self.calls.end_unread(unread, idle);
        }
    }

    /// Makes a span of each call.
    pub fn trace(&mut self, tracer: SdkTracer) {
        self.recorder.tracer = Some(tracer);
    }

    /// Lets only these call.
    pub fn only(&mut self, callers: Arc<Renewable<CallersFile>>) {
        self.callers = Some(callers);
    }

    /// Answers one call of a connection.
    pub async fn answer(mut self, mut request: Request<Body>, origin: Origin) -> Response<Body> {
        let counted = origin.in_flight.enter();
        if let Some(refusal) = no_grpc(&request) {
            drop(self.refuse(&request, &origin, &status::of(Reason::UnknownMethod, "the request is no gRPC")));
            let mut response = Response::new(Body::empty());
            *response.status_mut() = refusal;
            return response;
        }
        let mut record = self.recorder.begin(request.uri().path(), request.headers(), origin.peer);
        if header_bytes(request.headers()) > self.max_header_bytes {
            return refused(&mut record, status::of(Reason::MessageTooLarge, "the metadata of the call are longer than max-header-bytes"));
        }
        let Ok(deadline) = super::deadline::deadline(request.headers(), Instant::now()) else {
            let message = "grpc-timeout must be one to eight digits and one of H, M, S, m, u, n";
            return refused(&mut record, status::of(Reason::InvalidTimeout, message));
        };
        let path = request.uri().path().to_owned();
        let (caller, among_its_callers) = match self.admit(&path, request.headers(), &origin.certificate, &mut record) {
            Ok(admitted) => admitted,
            Err(status) => return refused(&mut record, status),
        };
        let peer = Peer { group: group(origin.peer, caller.as_deref()), connection: origin.connection };
        let aside = ALWAYS_OPEN.iter().any(|open| path.starts_with(open));
        let Some(place) = if aside { &self.asides } else { &self.calls }.enter(peer, among_its_callers) else {
            let message = "too many calls are in flight";
            return refused(&mut record, status::overloaded(Reason::TooManyCalls, message, Duration::from_millis(500)));
        };
        let gone = Gone(Arc::clone(&place));
        let levels = vec![Level::of_call(self.least), Arc::clone(&origin.level), self.groups.level(group(origin.peer, None))];
        let levels = levels.into_iter().chain(caller.as_ref().map(|_| self.groups.level(peer.group))).collect();
        let account = self.budget.account(levels);
        // What HTTP/2 may have taken in for a stream that is not read from; the message of a unary call always is.
        let mut buffered = account.nothing();
        if path == BULK && !buffered.set(STREAM_BYTES as usize) {
            return refused(&mut record, status::memory_full());
        }
        let tally = record.tally();
        request.extensions_mut().insert(Call {
            deadline,
            draining: origin.draining.clone(),
            tally,
            caller,
            place: Arc::clone(&place),
            account,
        });
        // The engine's streams end themselves, to say where to resume; reflection's do not.
        let cut = if path.starts_with(REFLECTION) { origin.draining } else { self.expired.clone() };
        let mut limit = Limit::new(aside_limit(&path, self.receive_timeout, deadline), &cut, Arc::clone(&place.open));
        let answer = tokio::select! {
            biased;
            status = limit.reached() => return refused(&mut record, status),
            answer = self.routes.call(request) => answer,
        };
        let (parts, body) = into_infallible(answer).into_parts();
        let headers = with_reason(parts.headers);
        record.heard(&headers);
        *lock(&place.open.body) = Some(body);
        let mut response = Response::new(Body::new(Guarded { limit, record, gone, ended: false, _counted: counted, _buffered: buffered }));
        *response.status_mut() = parts.status;
        *response.headers_mut() = headers;
        response
    }

    /// Refuses a request before it is a call; that is counted and logged too.
    #[must_use]
    pub fn refuse<B>(&self, request: &Request<B>, origin: &Origin, status: &Status) -> Response<Body> {
        let mut record = self.recorder.begin(request.uri().path(), request.headers(), origin.peer);
        record.is_no_call();
        refused(&mut record, status.clone())
    }

    /// Who calls, and its place among its own calls; nobody in particular where all may call.
    fn admit(
        &self,
        path: &str,
        headers: &HeaderMap,
        certificate: &[String],
        record: &mut Record,
    ) -> Result<(Option<Arc<Caller>>, Option<OwnedSemaphorePermit>), Status> {
        let (Some(callers), Some(method)) = (&self.callers, Allowed::of_path(path)) else { return Ok((None, None)) };
        let caller = callers.current().admit(headers, certificate, method).map_err(|denied| {
            record.denied(denied);
            denied.status()
        })?;
        record.called_by(&caller.name);
        let place = caller.place()?;
        if method == Allowed::ExtractReport {
            let late = |wait| status::overloaded(Reason::RateLimited, "the caller sends more bulletins a second than it may", wait);
            caller.bulletin().map_err(late)?;
        }
        Ok((Some(caller), place))
    }
}

/// When a call of health or reflection ends at the latest: what asks one thing has asked it by then.
fn aside_limit(path: &str, receive_timeout: Duration, deadline: Option<Instant>) -> Option<Instant> {
    let time = if path.starts_with(REFLECTION) {
        LONGEST_REFLECTION
    } else if path.starts_with(HEALTH) && !path.ends_with("/Watch") {
        receive_timeout
    } else {
        return deadline;
    };
    let latest = Instant::now() + time;
    Some(deadline.map_or(latest, |deadline| deadline.min(latest)))
}

fn lock(body: &Mutex<Option<Body>>) -> MutexGuard<'_, Option<Body>> {
    body.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that a call's caller has gone, or that it has ended.
struct Gone(Arc<Place>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.open.gone.store(true, Ordering::Relaxed);
        drop(lock(&self.0.open.body).take());
    }
}

/// The bytes of headers as HTTP/2 counts them.
fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

/// An answer that is only this error.
fn refused(record: &mut Record, status: Status) -> Response<Body> {
    record.ended(&status);
    status.into_http()
}

fn into_infallible(answer: Result<Response<Body>, Infallible>) -> Response<Body> {
    answer.unwrap_or_else(|never| match never {})
}

/// What HTTP says to a request that is no gRPC.
fn no_grpc<B>(request: &Request<B>) -> Option<StatusCode> {
    let content_type = request.headers().get(http::header::CONTENT_TYPE).map_or(&b""[..], http::HeaderValue::as_bytes);
    let known = [&b"application/grpc+proto"[..], b"application/grpc;"];
    if request.method() != Method::POST {
        Some(StatusCode::METHOD_NOT_ALLOWED)
    } else if content_type == b"application/grpc" || known.iter().any(|known| content_type.starts_with(known)) {
        None
    } else {
        Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }
}

/// An answer that is only an error says why, also where another crate made it.
fn with_reason(mut headers: HeaderMap) -> HeaderMap {
    let Some(status) = Status::from_header_map(&headers) else { return headers };
    if status.code() != tonic::Code::Ok && status.details().is_empty() {
        let _ = status::with_info(status).add_header(&mut headers);
    }
    headers
}

/// Time and bytes for the rest of a request that is not wanted.
const LINGER: (Duration, usize) = (Duration::from_millis(200), 64 << 10);

/// A request body that, when dropped, still takes in the rest for a moment.
///
/// A caller that gets its answer, and with it a reset of the stream it is still sending on, may
/// report the reset and lose the answer.
pub struct Lingering(Option<Incoming>);

impl From<Incoming> for Lingering {
    fn from(body: Incoming) -> Self {
        Self(Some(body))
    }
}

impl http_body::Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = frame {
            self.0 = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !http_body::Body::is_end_stream(body)) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LINGER.0, take_in(body, LINGER.1)));
        }
    }
}

async fn take_in(mut body: Incoming, most_bytes: usize) {
    let mut left = most_bytes;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

/// What ends a call from outside: its deadline, the server's going away, or somebody who needs its place.
struct Limit {
    deadline: Option<Pin<Box<Sleep>>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    open: Arc<Open>,
}

impl Limit {
    fn new(deadline: Option<Instant>, cut: &CancellationToken, open: Arc<Open>) -> Self {
        let sleep = |at: Instant| Box::pin(tokio::time::sleep_until(at.into()));
        let cancelled = |token: &CancellationToken| Box::pin(token.clone().cancelled_owned());
        Self { deadline: deadline.map(sleep), cut: cancelled(cut), ended: cancelled(&open.ended), open }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(status::deadline_exceeded());
        }
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(match self.open.reason() {
                Some(Reason::AnswersUnread) => status::of(Reason::AnswersUnread, "the answers were not taken in time"),
                _ => status::overloaded(Reason::TooManyCalls, "an idle call gave its place to another", Duration::from_millis(500)),
            });
        }
        self.cut.as_mut().poll(cx).map(|()| status::draining())
    }

    async fn reached(&mut self) -> Status {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }
}

/// A response body that ends with an error when the call's limit is reached.
struct Guarded {
    limit: Limit,
    record: Record,
    gone: Gone,
    ended: bool,
    _counted: Counted,
    _buffered: Hold,
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.is_end_stream() {
            return Poll::Ready(None);
        }
        let open = &this.gone.0.open;
        open.asked();
        if let Poll::Ready(status) = this.limit.poll(cx) {
            this.ended = true;
            drop(lock(&open.body).take());
            this.record.ended(&status);
            return Poll::Ready(Some(Ok(closing_frame(&status))));
        }
        let mut slot = lock(&open.body);
        let Some(body) = &mut *slot else { return Poll::Pending };
        let frame = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(None) = frame {
            this.ended = true;
            drop(slot.take());
        }
        drop(slot);
        let frame = ready!(frame).map(|frame| frame.map(reasoned));
        if let Some(trailers) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::trailers_ref) {
            this.record.heard(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || lock(&self.gone.0.open.body).as_ref().is_some_and(http_body::Body::is_end_stream)
    }
}

fn reasoned(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(trailers) => Frame::trailers(with_reason(trailers)),
        Err(frame) => frame,
    }
}
