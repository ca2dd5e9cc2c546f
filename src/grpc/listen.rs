//! The accept loop: connections with their limits and ages, and the way out.
//!
//! Why not the stock loop: it answers an expired deadline with CANCELLED, sends
//! no GOAWAY at a connection's age with a grace, waits for ever on open streams
//! at shutdown, and loses socket settings with a listener of one's own.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use opentelemetry_sdk::trace::SdkTracer;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::service::Routes;
use tower_http::cors::CorsLayer;

use super::access::CallersFile;
use super::admin::Admin;
use super::budget::{Budget, Level};
use super::edge::{Edge, InFlight, Lingering, Origin, STREAM_BYTES};
use super::health::Switch;
use super::pool::{Bounds, Pool};
use super::record::Recorder;
use super::service::ExtractReportService;
use super::socket::Socket;
use super::tls::{self, Files};
use super::web::{self, Front, Pages};
use super::{DESCRIPTORS, Extract, HEALTH_DESCRIPTORS, Options};
use crate::metrics::{Accepted, Metrics};
use crate::renew::Renewable;

/// Time for the last words of a connection that is cut.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// A draining connection with no call in flight is closed after this long, even if the peer is silent.
const SILENT_PEER: Duration = Duration::from_secs(1);
/// What a peer says first: HTTP/2's preface and the header of its settings.
const FIRST_WORDS: u64 = 24 + 9;
/// Bytes of a connection's streams that HTTP/2 may hold, at least and at most.
const LEAST_WINDOW: u32 = 4 << 20;
const MOST_WINDOW: u32 = 16 << 20;
/// Bytes of one stream that HTTP/2 takes before they are sent, and one part of an answer more.
const SEND_BYTES: usize = 32 << 10;
/// Bytes that the system may hold of a connection, each way; it takes twice that for its own use.
const SOCKET_BYTES: usize = 256 << 10;
/// The least that HTTP/1.1 needs to hold a request's headers.
const LEAST_BUFFER: usize = 8 << 10;
/// Time between two lines on accept errors.
const WARNED_EACH: Duration = Duration::from_secs(60);
/// Pause after an accept error such as "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The server, ready to serve.
#[derive(Debug)]
pub struct Server {
    options: Options,
    edge: Edge,
    pool: Pool,
    places: Arc<Semaphore>,
    health: Switch,
    metrics: Arc<Metrics>,
    tls: Option<Arc<Renewable<Files>>>,
    cors: Option<CorsLayer>,
    numbers: AtomicU64,
    hurry: CancellationToken,
    draining: CancellationToken,
    expired: CancellationToken,
}

/// How a server's life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because the drain limit had passed.
    pub cut_connections: usize,
}

impl Server {
    /// Starts the pool and assembles the services. Nothing is bound yet.
    ///
    /// # Errors
    /// When threads cannot be started or the descriptors do not load.
    pub fn new(engine: Arc<dyn Extract>, options: Options) -> io::Result<Self> {
        let pool = Pool::start(Bounds {
            workers: options.workers,
            unary_jobs: options.queue_jobs,
            unary_bytes: options.queue_bytes,
            budget: Budget::new(options.memory_budget),
        })?;
        let (health, expired) = (Switch::default(), CancellationToken::new());
        let metrics = Arc::new(Metrics::new());
        let service = ExtractReportService::new(engine, pool.clone(), &options, Arc::clone(&metrics));
        let mut routes = Routes::new(health.service()).add_service(service);
        if options.reflection {
            routes = reflection(routes)?;
        }
        let recorder = Recorder { metrics: Arc::clone(&metrics), audit: options.audit, tracer: None };
        let edge = Edge::new(routes, &options, pool.budget().clone(), expired.clone(), recorder);
        let places = Arc::new(Semaphore::new(options.max_connections));
        let cors = web::cors(&options.cors_origins);
        Ok(Self {
            options,
            edge,
            pool,
            places,
            health,
            metrics,
            tls: None,
            cors,
            numbers: AtomicU64::new(1),
            hurry: CancellationToken::new(),
            draining: CancellationToken::new(),
            expired,
        })
    }

    /// The pool that the engine runs on.
    #[must_use]
    pub fn pool(&self) -> Pool {
        self.pool.clone()
    }

    /// Makes a span of each call.
    #[must_use]
    pub fn traced(mut self, tracer: SdkTracer) -> Self {
        self.edge.trace(tracer);
        self
    }

    /// Speaks TLS, and lets only these call.
    #[must_use]
    pub fn secured(mut self, tls: Option<Arc<Renewable<Files>>>, callers: Option<Arc<Renewable<CallersFile>>>) -> Self {
        self.tls = tls;
        if let Some(callers) = callers {
            self.edge.only(callers);
        }
        self
    }

    /// Ends a drain at once when cancelled.
    #[must_use]
    pub fn hurry(&self) -> CancellationToken {
        self.hurry.clone()
    }

    /// What the server counts.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// The port for probes and metrics.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::new(self.health.clone(), self.metrics(), self.pool())
    }

    /// Serves until `shutdown` completes, then drains and returns.
    ///
    /// # Errors
    /// When the listener is unusable from the start.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) -> io::Result<Drained> {
        let address = listener.local_addr()?;
        let connections = TaskTracker::new();
        self.health.serving();
        tracing::info!(%address, workers = self.options.workers, "serving");
        let sweeping = tokio::spawn(self.edge.clone().end_unread(self.options.unread_timeout, self.options.stream_idle_timeout));
        {
            let mut shutdown = pin!(shutdown);
            tokio::select! {
                () = self.accept(&listener, &connections) => {}
                () = &mut shutdown => {}
            }
            self.health.not_serving();
            tracing::info!(connections = connections.len(), "draining");
            // Time for load balancers to see it, while new calls still come.
            tokio::select! {
                () = self.accept(&listener, &connections) => {}
                () = self.hurry.cancelled() => {}
                () = tokio::time::sleep(self.options.drain_notice) => {}
            }
        }
        drop(listener);
        let drained = self.drain(connections).await;
        sweeping.abort();
        Ok(drained)
    }

    async fn drain(self, connections: TaskTracker) -> Drained {
        self.draining.cancel();
        self.health.close();
        connections.close();
        let cut_connections = tokio::select! {
            () = connections.wait() => 0,
            () = self.hurry.cancelled() => connections.len(),
            () = tokio::time::sleep(self.options.drain_limit) => connections.len(),
        };
        self.expired.cancel();
        if cut_connections > 0 {
            tracing::warn!(connections = cut_connections, "drain limit passed, calls in flight are cut");
            let _ = tokio::time::timeout(LAST_WORDS * 3, connections.wait()).await;
        }
        tracing::info!("stopped");
        Drained { cut_connections }
    }

    async fn accept(&self, listener: &TcpListener, connections: &TaskTracker) {
        let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
        let pages = Arc::new(Pages::new(&self.options.cors_origins, address));
        let mut warned = None::<Instant>;
        loop {
            let (socket, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    if warned.is_none_or(|at| at.elapsed() >= WARNED_EACH) {
                        warned = Some(Instant::now());
                        tracing::warn!(%error, "connections cannot be taken");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                self.metrics.connection(Accepted::OverCap);
                tracing::debug!("connection refused: the cap is reached");
                continue;
            };
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let connection = self.connection(number, peer, &pages);
            let open = self.metrics.open_connection();
            connections.spawn(async move {
                connection.run(socket).await;
                drop((place, open));
            });
        }
    }

    fn connection(&self, number: u64, peer: SocketAddr, pages: &Arc<Pages>) -> Connection {
        Connection {
            number,
            pages: Arc::clone(pages),
            level: Level::of_connection(),
            edge: self.edge.clone(),
            peer,
            tls: self.tls.clone(),
            withdrawn: AtomicBool::new(false),
            metrics: self.metrics(),
            cors: self.cors.clone(),
            options: self.options.clone(),
            age: spread(self.options.max_connection_age, u32::try_from(number & 0xffff_ffff).unwrap_or_default()),
            draining: self.draining.clone(),
            ending: self.draining.child_token(),
            expired: self.expired.clone(),
            in_flight: Arc::default(),
        }
    }
}

/// Up to a tenth shorter, differently for each connection, so that they do not all come back at once.
fn spread(age: Duration, number: u32) -> Duration {
    let per_mille = number.wrapping_mul(0x9E37_79B9) >> 22;
    age.saturating_sub(age / 10 * per_mille.min(1_000) / 1_000)
}

/// Reflection v1 and v1alpha of everything that is served, comments included.
fn reflection(routes: Routes) -> io::Result<Routes> {
    use tonic_reflection::pb::{v1, v1alpha};
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(HEALTH_DESCRIPTORS)
            .register_encoded_file_descriptor_set(v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(v1alpha::FILE_DESCRIPTOR_SET)
    };
    Ok(routes
        .add_service(builder().build_v1().map_err(io::Error::other)?)
        .add_service(builder().build_v1alpha().map_err(io::Error::other)?))
}

struct Connection {
    number: u64,
    pages: Arc<Pages>,
    level: Arc<Level>,
    edge: Edge,
    peer: SocketAddr,
    tls: Option<Arc<Renewable<Files>>>,
    /// Whether the authority of the peer's certificate is trusted no more.
    withdrawn: AtomicBool,
    metrics: Arc<Metrics>,
    cors: Option<CorsLayer>,
    options: Options,
    age: Duration,
    /// Cancelled when the server drains.
    draining: CancellationToken,
    /// Cancelled when this connection's streams are to end: at the drain, or at the end of the grace.
    ending: CancellationToken,
    /// Cancelled when calls are cut.
    expired: CancellationToken,
    in_flight: Arc<InFlight>,
}

impl Connection {
    async fn run(self, socket: TcpStream) {
        if let Err(error) = self.prepare(&socket) {
            tracing::debug!(%error, "connection lost before it began");
            return;
        }
        let socket = Socket::from(socket);
        let renewals = self.tls.as_ref().map(|tls| tls.renewals());
        let Some((stream, shown)) = self.shake_hands(&socket).await else {
            self.metrics.connection(Accepted::HandshakeFailed);
            return;
        };
        self.metrics.connection(Accepted::Served);
        let certificate: Arc<[String]> = shown.first().map_or_else(Vec::new, tls::names).into();
        let builder = self.builder();
        let service = service_fn(|request: http::Request<Incoming>| {
            let origin = Origin {
                peer: self.peer,
                certificate: if self.withdrawn.load(Ordering::Relaxed) { Arc::default() } else { Arc::clone(&certificate) },
                draining: self.ending.clone(),
                in_flight: Arc::clone(&self.in_flight),
                connection: self.number,
                level: Arc::clone(&self.level),
            };
            let request = request.map(|body| Body::new(Lingering::from(body)));
            let answer = Front::new(self.edge.clone(), origin, Arc::clone(&self.pages)).answer(request, self.cors.clone());
            // In a box, so that a stream that goes on does not keep the room that its beginning took.
            Box::pin(async move { Ok::<_, Infallible>(answer.await) })
        });
        let result = {
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                result = connection.as_mut() => result,
                () = self.unspoken(&socket) => Ok(()),
                () = self.called_off(renewals, &shown) => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        result = connection.as_mut() => result,
                        () = self.over(&socket) => Ok(()),
                    }
                }
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "connection ended");
        }
        socket.close_kindly(LAST_WORDS).await;
    }

    /// The connection as HTTP/2 sees it, and the certificates that the peer showed.
    async fn shake_hands(&self, socket: &Socket) -> Option<(Either<Socket, Box<TlsStream<Socket>>>, Vec<CertificateDer<'static>>)> {
        let Some(tls) = &self.tls else { return Some((Either::Left(socket.clone()), Vec::new())) };
        let acceptor = TlsAcceptor::from(Arc::clone(&tls.current().config));
        let shaken = tokio::time::timeout(self.options.keepalive_timeout, acceptor.accept(socket.clone())).await;
        match shaken {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let shown = shown.iter().map(|certificate| certificate.clone().into_owned()).collect();
                Some((Either::Right(Box::new(stream)), shown))
            }
            Ok(Err(error)) => {
                tracing::debug!(peer = %self.peer, %error, "the TLS handshake failed");
                None
            }
            Err(_) => None,
        }
    }

    fn prepare(&self, socket: &TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(self.options.keepalive_interval.max(Duration::from_secs(1)));
        let socket = SockRef::from(socket);
        // Left to itself the system holds several megabytes for a peer that does not read, or is not read from.
        socket.set_send_buffer_size(SOCKET_BYTES)?;
        socket.set_recv_buffer_size(SOCKET_BYTES)?;
        socket.set_tcp_keepalive(&keepalive)
    }

    fn builder(&self) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        let headers = usize::try_from(self.options.max_header_bytes).unwrap_or(usize::MAX).max(LEAST_BUFFER);
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.options.keepalive_timeout).max_buf_size(headers);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(self.options.keepalive_interval))
            .keep_alive_timeout(self.options.keepalive_timeout)
            .max_concurrent_streams(self.options.max_streams)
            // More than the limit comes this far, so that it can be refused as gRPC has it.
            .max_header_list_size(self.options.max_header_bytes.saturating_mul(2))
            .initial_stream_window_size(STREAM_BYTES)
            // HTTP/2 takes frames that are small beside half of this for an attack.
            .initial_connection_window_size(STREAM_BYTES.saturating_mul(self.options.max_streams).clamp(LEAST_WINDOW, MOST_WINDOW))
            .max_send_buf_size(SEND_BYTES)
            .max_pending_accept_reset_streams(64)
            .max_local_error_reset_streams(64);
        builder
    }

    /// When a peer has had its time and has not begun to speak HTTP/2.
    async fn unspoken(&self, socket: &Socket) {
        let before = socket.read_bytes();
        tokio::time::sleep(self.options.keepalive_timeout).await;
        if socket.read_bytes() >= before + FIRST_WORDS {
            std::future::pending::<()>().await;
        }
    }

    /// When no new calls may come: at the drain, at the connection's age, when it has long been idle, or when whoever
    /// vouched for the peer is trusted no more.
    async fn called_off(&self, renewals: Option<watch::Receiver<()>>, shown: &[CertificateDer<'static>]) {
        tokio::select! {
            () = self.draining.cancelled() => {}
            () = tokio::time::sleep(self.age) => {}
            () = self.in_flight.idle_for(self.options.max_connection_idle) => {}
            () = self.distrusted(renewals, shown) => {
                self.withdrawn.store(true, Ordering::Relaxed);
                self.ending.cancel();
            }
        }
    }

    /// When the peer's certificate would not be taken any more.
    async fn distrusted(&self, renewals: Option<watch::Receiver<()>>, shown: &[CertificateDer<'static>]) {
        if let (Some(tls), Some(mut renewals), false) = (&self.tls, renewals, shown.is_empty()) {
            while renewals.changed().await.is_ok() {
                if !tls.current().trusts(shown) {
                    return;
                }
            }
        }
        std::future::pending::<()>().await;
    }

    /// When the connection is closed whatever still goes on.
    async fn over(&self, socket: &Socket) {
        tokio::select! {
            () = self.silent(socket) => {}
            () = self.grace() => {}
        }
    }

    /// When there has been no call, and no byte has moved, for a while.
    async fn silent(&self, socket: &Socket) {
        let mut moved = None;
        while moved.replace(socket.moved_bytes()) != Some(socket.moved_bytes()) {
            self.in_flight.idle_for(SILENT_PEER).await;
        }
    }

    /// After the grace, or at the drain, streams end by themselves; what is left is cut a little later.
    async fn grace(&self) {
        tokio::select! {
            () = self.draining.cancelled() => self.expired.cancelled().await,
            () = tokio::time::sleep(self.options.connection_grace) => self.ending.cancel(),
        }
        tokio::time::sleep(LAST_WORDS).await;
    }
}

/// Serves `engine` on `listener` until `shutdown`, then drains.
///
/// # Errors
/// As [`Server::new`] and [`Server::serve`].
pub async fn serve(
    listener: TcpListener,
    engine: Arc<dyn Extract>,
    options: Options,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> io::Result<Drained> {
    Server::new(engine, options)?.serve(listener, shutdown).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServeArgs;
    use jianbao_engine::report::Report;

    struct Nothing;

    impl Extract for Nothing {
        fn extract(&self, _: &jianbao_engine::Bulletin) -> Report {
            Report::default()
        }
    }

    #[tokio::test]
    async fn l7_nodelay_and_keepalive_are_set_on_every_socket() {
        let server = Server::new(Arc::new(Nothing), ServeArgs::default().check().unwrap().grpc).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, peer) = listener.accept().await.unwrap();
        assert!(!socket.nodelay().unwrap());
        server.connection(1, peer, &Arc::new(Pages::new(&[], peer))).prepare(&socket).unwrap();
        assert!(socket.nodelay().unwrap());
        assert!(SockRef::from(&socket).keepalive().unwrap());
    }

    #[test]
    fn connections_do_not_all_reach_their_age_at_once() {
        let hour = Duration::from_secs(3_600);
        let ages: std::collections::BTreeSet<_> = (0..100).map(|number| spread(hour, number)).collect();
        assert!(ages.len() > 50);
        assert!(ages.iter().all(|age| *age <= hour && *age >= hour * 9 / 10));
    }
}
