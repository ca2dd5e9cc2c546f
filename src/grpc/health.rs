//! `grpc.health.v1.Health`: Check, List and Watch as its proto describes them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::transport::Endpoint;
use tonic::{Request, Response, Status};

use super::health_pb as pb;
use super::service::SERVICE;
use pb::health_check_response::ServingStatus;

/// The services that have a status: the server as a whole, and each by its name.
const SERVICES: &[&str] = &["", SERVICE];

/// What the server as a whole says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Starting,
    Serving,
    Draining,
    Closed,
}

/// The switch of the server's health.
#[derive(Clone, Debug)]
pub struct Switch {
    state: watch::Sender<State>,
}

impl Default for Switch {
    fn default() -> Self {
        Self { state: watch::Sender::new(State::Starting) }
    }
}

impl Switch {
    /// Says SERVING from now on.
    pub fn serving(&self) {
        self.state.send_replace(State::Serving);
    }

    /// Says `NOT_SERVING` from now on.
    pub fn not_serving(&self) {
        self.state.send_replace(State::Draining);
    }

    /// Whether it says SERVING now.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        *self.state.borrow() == State::Serving
    }

    /// Ends every Watch.
    pub fn close(&self) {
        self.state.send_replace(State::Closed);
    }

    /// The service that tells of this switch.
    #[must_use]
    pub fn service(&self) -> pb::health_server::HealthServer<Health> {
        pb::health_server::HealthServer::new(Health { state: self.state.subscribe() })
    }
}

/// Asks the server at this address, in plain text, how it is as a whole.
///
/// # Errors
/// It does not answer.
pub async fn ask(address: SocketAddr) -> Result<ServingStatus, String> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
    let channel = endpoint.connect().await.map_err(|error| error.to_string())?;
    let answer = pb::health_client::HealthClient::new(channel).check(pb::HealthCheckRequest::default()).await;
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.message().to_owned())
}

/// The health service.
#[derive(Clone, Debug)]
pub struct Health {
    state: watch::Receiver<State>,
}

fn status_of(service: &str, state: State) -> ServingStatus {
    match state {
        _ if !SERVICES.contains(&service) => ServingStatus::ServiceUnknown,
        State::Serving => ServingStatus::Serving,
        State::Starting | State::Draining | State::Closed => ServingStatus::NotServing,
    }
}

fn response(status: ServingStatus) -> pb::HealthCheckResponse {
    pb::HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl pb::health_server::Health for Health {
    async fn check(&self, request: Request<pb::HealthCheckRequest>) -> Result<Response<pb::HealthCheckResponse>, Status> {
        match status_of(&request.get_ref().service, *self.state.borrow()) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("there is no such service")),
            status => Ok(Response::new(response(status))),
        }
    }

    async fn list(&self, _: Request<pb::HealthListRequest>) -> Result<Response<pb::HealthListResponse>, Status> {
        let state = *self.state.borrow();
        let statuses = SERVICES.iter().map(|name| ((*name).to_owned(), response(status_of(name, state)))).collect();
        Ok(Response::new(pb::HealthListResponse { statuses }))
    }

    type WatchStream = Watch;

    async fn watch(&self, request: Request<pb::HealthCheckRequest>) -> Result<Response<Watch>, Status> {
        let service = request.into_inner().service;
        let states = WatchStream::new(self.state.clone());
        Ok(Response::new(Watch { service, states, last: None, closed: false }))
    }
}

/// The status of one service, now and whenever it changes.
#[derive(Debug)]
pub struct Watch {
    service: String,
    states: WatchStream<State>,
    last: Option<ServingStatus>,
    closed: bool,
}

impl Stream for Watch {
    type Item = Result<pb::HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.closed {
            let Some(state) = ready!(Pin::new(&mut self.states).poll_next(cx)) else { return Poll::Ready(None) };
            self.closed = state == State::Closed;
            let status = status_of(&self.service, state);
            if self.last.replace(status) != Some(status) {
                return Poll::Ready(Some(Ok(response(status))));
            }
        }
        Poll::Ready(Some(Err(super::status::draining())))
    }
}
