//! The port for those who run the server: probes and metrics, plain, by HTTP/1.1 or HTTP/2, and the health service.
//!
//! It shows nothing of any bulletin, and is meant for the cluster's own network.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower_service::Service as _;

use super::health::Switch;
use super::pool::{Lane, Pool};
use super::socket::Socket;
use crate::metrics::{Metrics, Now};

/// Most connections at once; the oldest gives way to one more.
const MAX_CONNECTIONS: usize = 64;
/// Time for a request's headers to arrive.
const HEADERS: Duration = Duration::from_secs(10);
/// Longest life of a connection.
const LIFE: Duration = Duration::from_secs(600);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers probes and shows the metrics.
#[derive(Clone, Debug)]
pub struct Admin {
    routes: Routes,
    health: Switch,
    metrics: Arc<Metrics>,
    pool: Pool,
}

impl Admin {
    /// The port's answers, from what the server knows of itself.
    #[must_use]
    pub fn new(health: Switch, metrics: Arc<Metrics>, pool: Pool) -> Self {
        Self { routes: Routes::new(health.service()).prepare(), health, metrics, pool }
    }

    /// Answers on this listener for as long as the future is polled.
    pub async fn serve(self, listener: TcpListener) {
        let mut open: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            let Ok((socket, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            open.retain(|connection| !connection.is_finished());
            // The oldest gives way: a probe is answered at once, and who has long been here is none, or asks again.
            if open.len() >= MAX_CONNECTIONS
                && let Some(oldest) = open.pop_front()
            {
                oldest.abort();
            }
            // A probe that breaks off, or stays too long, is nobody's concern.
            open.push_back(tokio::spawn(tokio::time::timeout(LIFE, self.clone().connection(socket))).abort_handle());
        }
    }

    async fn connection(self, socket: TcpStream) {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEADERS).max_concurrent_streams(16);
        let service = service_fn(|request: Request<Incoming>| {
            let admin = self.clone();
            async move { Ok::<_, Infallible>(admin.answer(request).await) }
        });
        let socket = Socket::from(socket);
        let silent = async {
            tokio::time::sleep(HEADERS).await;
            if socket.read_bytes() > 0 {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = builder.serve_connection(TokioIo::new(socket.clone()), service) => {}
            () = silent => {}
        }
    }

    async fn answer(mut self, request: Request<Incoming>) -> Response<Body> {
        let grpc = request.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        if grpc {
            return self.routes.call(request.map(Body::new)).await.unwrap_or_else(|never| match never {});
        }
        let known = matches!(request.uri().path(), "/livez" | "/readyz" | "/healthz" | "/metrics");
        if known && !matches!(*request.method(), Method::GET | Method::HEAD) {
            return page(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n".into());
        }
        match request.uri().path() {
            "/livez" => page(StatusCode::OK, "alive\n".into()),
            "/readyz" | "/healthz" if self.health.is_serving() => page(StatusCode::OK, "serving\n".into()),
            "/readyz" | "/healthz" => page(StatusCode::SERVICE_UNAVAILABLE, "not serving\n".into()),
            "/metrics" => {
                let mut response = page(StatusCode::OK, self.metrics_page().into());
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
                response
            }
            _ => page(StatusCode::NOT_FOUND, "/livez, /readyz or /metrics\n".into()),
        }
    }

    /// The metrics as they are now.
    #[must_use]
    pub fn metrics_page(&self) -> String {
        self.metrics.page(self.now())
    }

    fn now(&self) -> Now {
        let lanes = [Lane::Unary, Lane::Bulk];
        let budget = self.pool.budget();
        let (held, running) = budget.in_use();
        Now {
            budget: [held, running, budget.total()],
            waiting: lanes.map(|lane| self.pool.waiting(lane)),
            held_bytes: lanes.map(|lane| self.pool.held_bytes(lane)),
            threads: self.pool.threads(),
            busy: self.pool.counts().running.load(Ordering::Relaxed),
        }
    }
}

fn page(status: StatusCode, text: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(text).map_err(|never: Infallible| -> Status { match never {} })));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
