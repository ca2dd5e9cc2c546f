//! The wire: the only room that names tonic and prost.
//!
//! ```text
//! socket ─listen▶ connection ─web▶ request ─edge▶ call ─service▶ frames ─pool▶ work ─frames▶ response
//! ```
//! `listen` owns connections and the way out, `edge` what holds for every call, `service`
//! and `bulk` the two methods, `pool` the threads, `work` one bulletin from bytes to bytes; `record` what is noted
//! of a call, `tls` and `access` who may come, `admin` the port for probes and metrics, `export` sends these; `load` is a caller.

pub mod access;
pub mod admin;
pub mod budget;
pub mod bulk;
pub mod calls;
pub mod check;
pub mod compression;
mod convert;
pub mod crowd;
pub mod deadline;
pub mod edge;
pub mod export;
pub mod frame;
pub mod health;
mod json;
pub mod listen;
pub mod load;
pub mod pool;
pub mod record;
pub mod service;
pub mod socket;
pub mod status;
pub mod tls;
pub mod turns;
pub mod web;
pub mod work;

use std::sync::Arc;
use std::time::Duration;

pub use listen::{Drained, Server, serve};

use jianbao_engine::report::Report;
use jianbao_engine::{Bulletin, Engine};

/// The contract, generated from `proto/jianbao/v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::allow_attributes_without_reason, reason = "generated code")]
pub mod pb {
    tonic::include_proto!("jianbao.v1");
}

/// The health protocol, generated from `proto/grpc/health/v1`.
#[allow(
    missing_docs,
    rustdoc::bare_urls,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod health_pb {
    tonic::include_proto!("grpc.health.v1");
}

/// The contract's encoded descriptors, comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/jianbao.v1.bin"));
/// The health protocol's encoded descriptors.
pub const HEALTH_DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/grpc.health.v1.bin"));

/// What the service needs of an engine.
pub trait Extract: Send + Sync + 'static {
    /// Reads one bulletin.
    fn extract(&self, bulletin: &Bulletin) -> Report;

    /// What reads all bulletins of a call that begins now, if it is not this one for good.
    fn for_call(&self) -> Option<Arc<dyn Extract>> {
        None
    }
}

impl Extract for Engine {
    fn extract(&self, bulletin: &Bulletin) -> Report {
        Self::extract(self, bulletin)
    }
}

/// The server's settings, checked. [`crate::config`] documents each.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads of the engine.
    pub workers: usize,
    /// Unary calls that may wait for a thread.
    pub queue_jobs: usize,
    /// Request bytes, inflated, that unary calls may hold in the queue.
    pub queue_bytes: usize,
    /// Bytes that the process may hold for calls.
    pub memory_budget: usize,
    /// Calls in flight.
    pub max_calls: usize,
    /// Calls in flight of health and reflection.
    pub max_watches: usize,
    /// Connections.
    pub max_connections: usize,
    /// Streams of one connection.
    pub max_streams: u32,
    /// Request headers of one call.
    pub max_header_bytes: u32,
    /// A request message, inflated or not.
    pub max_message_bytes: usize,
    /// The text of a bulletin.
    pub max_text_bytes: usize,
    /// A report; nought is a multiple of its text.
    pub max_report_bytes: usize,
    /// Shorter answers are not compressed.
    pub compress_from_bytes: usize,
    /// Time for the message of a unary call to arrive.
    pub receive_timeout: Duration,
    /// Time for a caller to take an answer that is ready.
    pub unread_timeout: Duration,
    /// Time in which nothing comes on a stream.
    pub stream_idle_timeout: Duration,
    /// Bulletins of a stream under way at once.
    pub bulk_window: usize,
    /// Bytes of a stream under way at once.
    pub bulk_window_bytes: usize,
    /// Time between HTTP/2 pings.
    pub keepalive_interval: Duration,
    /// Time for the answer to a ping, and for a new connection's first words.
    pub keepalive_timeout: Duration,
    /// Age at which a connection gets GOAWAY.
    pub max_connection_age: Duration,
    /// Time for its calls after that.
    pub connection_grace: Duration,
    /// Idle time after which a connection gets GOAWAY.
    pub max_connection_idle: Duration,
    /// Time between `NOT_SERVING` and refusing connections.
    pub drain_notice: Duration,
    /// Time for calls in flight at shutdown.
    pub drain_limit: Duration,
    /// Whether reflection is served.
    pub reflection: bool,
    /// Whether each call is logged.
    pub audit: bool,
    /// Origins whose pages may call; none, or `*` for all.
    pub cors_origins: Vec<String>,
}
