//! What the server counts of itself, for Prometheus: the names of gRPC's server metrics where there is one.

use std::fmt;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::telemetry;
use jianbao_engine::report::Report;

/// The labels of a method; all that gRPC's metrics have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Method {
    /// `unary` or `bidi_stream`, and the like.
    pub grpc_type: &'static str,
    /// Full name of the service.
    pub grpc_service: &'static str,
    /// Name of the method.
    pub grpc_method: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Handled {
    #[prometheus(flatten)]
    method: Method,
    grpc_code: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lane {
    lane: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Use {
    kind: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reload {
    what: &'static str,
    outcome: &'static str,
}

/// What is read anew whenever the metrics are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Jobs that wait for a thread: unary calls, and bulletins of streams.
    pub waiting: [usize; 2],
    /// Bytes that these hold, with those that run.
    pub held_bytes: [u64; 2],
    /// Bytes of the budget: held for messages and answers, for running work, and all of it.
    pub budget: [usize; 3],
    /// Threads of the engine.
    pub threads: usize,
    /// Threads that read a bulletin.
    pub busy: usize,
}

type Timings = Family<Method, Histogram, fn() -> Histogram>;

/// All counts, gauges and histograms.
pub struct Metrics {
    registry: Registry,
    started: Family<Method, Counter>,
    handled: Family<Handled, Counter>,
    seconds: Timings,
    received: Family<Method, Counter>,
    sent: Family<Method, Counter>,
    received_bytes: Family<Method, Counter>,
    sent_bytes: Family<Method, Counter>,
    bulletins: Family<Outcome, Counter>,
    refused: Family<Reason, Counter>,
    denied: Family<Reason, Counter>,
    text_bytes: Counter,
    figures: Counter,
    measures: Counter,
    findings: Family<Code, Counter>,
    reading: Histogram,
    connections: Gauge,
    accepted: Family<Outcome, Counter>,
    reloads: Family<Reload, Counter>,
    waiting: Family<Lane, Gauge>,
    held: Family<Lane, Gauge>,
    budget: Family<Use, Gauge>,
    threads: Gauge,
    busy: Gauge,
    resident: Gauge,
    processor: Counter,
    open_files: Gauge,
    lost_lines: Counter,
}

/// From 0.1 ms to 26 s, doubling.
fn timing() -> Histogram {
    Histogram::new(exponential_buckets(0.000_1, 2.0, 19))
}

/// How a connection began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is served.
    Served,
    /// There are too many.
    OverCap,
    /// The handshake failed, or took too long.
    HandshakeFailed,
}

impl Accepted {
    const fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::OverCap => "over_cap",
            Self::HandshakeFailed => "handshake_failed",
        }
    }
}

/// What can be read again while the server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The register and the lexicon.
    Lexicon,
    /// Certificate, key and client authorities.
    Tls,
    /// Who may call.
    Access,
}

impl Reloaded {
    const ALL: [Self; 3] = [Self::Lexicon, Self::Tls, Self::Access];

    const fn name(self) -> &'static str {
        match self {
            Self::Lexicon => "lexicon",
            Self::Tls => "tls",
            Self::Access => "access",
        }
    }
}

/// Registers a new metric and gives it back.
fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    add_this(registry, name, help, M::default())
}

fn add_this<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// All at nought.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let r = &mut registry;
        let timings = Timings::new_with_constructor(timing);
        r.register_with_unit(
            "grpc_server_handling",
            "Time from the first byte of a call to the last of its answer",
            Unit::Seconds,
            timings.clone(),
        );
        let reading = timing();
        r.register_with_unit("jianbao_reading", "Time in which the engine reads one bulletin", Unit::Seconds, reading.clone());
        let version = Info::new([("version", env!("CARGO_PKG_VERSION")), ("commit", env!("JIANBAO_BUILT_FROM"))]);
        r.register("jianbao_build", "Which program this is", version);
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let since: Gauge = add(r, "process_start_time_seconds", "Start of the process, in seconds since 1970");
        since.set(started.as_secs().try_into().unwrap_or_default());
        let metrics = Self {
            started: add(r, "grpc_server_started", "Calls that began"),
            handled: add(r, "grpc_server_handled", "Calls that ended, by status"),
            seconds: timings,
            received: add(r, "grpc_server_msg_received", "Request messages read"),
            sent: add(r, "grpc_server_msg_sent", "Response messages made"),
            received_bytes: add(r, "grpc_server_msg_received_bytes", "Bytes of request messages, as sent"),
            sent_bytes: add(r, "grpc_server_msg_sent_bytes", "Bytes of response messages, as sent"),
            bulletins: add(r, "jianbao_bulletins", "Bulletins, by whether there is a report or an error"),
            refused: add(r, "jianbao_refused", "Calls and bulletins refused, by the reason on the wire"),
            denied: add(r, "jianbao_denied", "Calls not let in, by cause"),
            text_bytes: add(r, "jianbao_text_bytes", "Bytes of text read"),
            figures: add(r, "jianbao_figures", "Figures reported"),
            measures: add(r, "jianbao_measures", "Measures reported"),
            findings: add(r, "jianbao_findings", "Findings reported, by code"),
            reading,
            connections: add(r, "jianbao_connections", "Connections that are open"),
            accepted: add(r, "jianbao_connections_accepted", "Connections that came, by how they began"),
            reloads: add(r, "jianbao_reloads", "Files read again, by whether they are in force"),
            waiting: add(r, "jianbao_queue_jobs", "Bulletins that wait for a thread"),
            held: add(r, "jianbao_queue_bytes", "Request bytes that wait or are read"),
            budget: add(r, "jianbao_budget_bytes", "The memory budget: held for messages and answers, for running work, and in all"),
            threads: add(r, "jianbao_threads", "Threads of the engine"),
            busy: add(r, "jianbao_threads_busy", "Threads of the engine that read a bulletin"),
            resident: add(r, "process_resident_memory_bytes", "Resident memory"),
            processor: add(r, "process_cpu_seconds", "Processor time used, in whole seconds"),
            open_files: add(r, "process_open_fds", "Open files and sockets"),
            lost_lines: add(r, "jianbao_log_lines_lost", "Log lines, of the audit log too, that could not be written"),
            registry,
        };
        metrics.begin_at_nought();
        metrics
    }

    /// What an alert looks at is there before it first happens.
    fn begin_at_nought(&self) {
        for outcome in ["report", "error"] {
            drop(self.bulletins.get_or_create(&Outcome { outcome }));
        }
        for what in Reloaded::ALL.map(Reloaded::name) {
            for outcome in ["done", "failed"] {
                drop(self.reloads.get_or_create(&Reload { what, outcome }));
            }
        }
    }

    /// A call began.
    pub fn call_began(&self, method: Method) {
        self.started.get_or_create(&method).inc();
    }

    /// A call ended so, after this long.
    pub fn call_ended(&self, method: Method, grpc_code: &'static str, taken: Duration) {
        self.handled.get_or_create(&Handled { method, grpc_code }).inc();
        self.seconds.get_or_create(&method).observe(taken.as_secs_f64());
    }

    /// A call's messages: how many came and went, and their bytes.
    pub fn messages(&self, method: Method, received: (u64, u64), sent: (u64, u64)) {
        for (family, by) in
            [(&self.received, received.0), (&self.received_bytes, received.1), (&self.sent, sent.0), (&self.sent_bytes, sent.1)]
        {
            family.get_or_create(&method).inc_by(by);
        }
    }

    /// The engine read a text of so many bytes in this time.
    pub fn read(&self, report: &Report, text_bytes: usize, taken: Duration) {
        let measures = report.institutions.iter().flat_map(|institution| &institution.measures);
        let (count, figures) = measures.fold((0, 0), |(count, figures), measure| (count + 1, figures + measure.figures.len() as u64));
        let loose: usize = report.institutions.iter().map(|institution| institution.figures.len()).sum();
        self.bulletins.get_or_create(&Outcome { outcome: "report" }).inc();
        self.text_bytes.inc_by(text_bytes as u64);
        self.figures.inc_by(figures + loose as u64);
        self.measures.inc_by(count);
        for finding in &report.findings {
            self.findings.get_or_create(&Code { code: finding.code.code() }).inc();
        }
        self.reading.observe(taken.as_secs_f64());
    }

    /// A bulletin has an error for an answer.
    pub fn bulletin_refused(&self) {
        self.bulletins.get_or_create(&Outcome { outcome: "error" }).inc();
    }

    /// A call, or a bulletin of a stream, was refused for the reason on the wire.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    /// A call was not let in; the cause is not on the wire.
    pub fn denied(&self, reason: &'static str) {
        self.denied.get_or_create(&Reason { reason }).inc();
    }

    /// A connection came.
    pub fn connection(&self, accepted: Accepted) {
        self.accepted.get_or_create(&Outcome { outcome: accepted.name() }).inc();
    }

    /// Counts a connection as open for as long as the value lives.
    #[must_use]
    pub fn open_connection(&self) -> Open {
        self.connections.inc();
        Open(self.connections.clone())
    }

    /// Files were read again.
    pub fn reloaded(&self, what: Reloaded, done: bool) {
        let outcome = if done { "done" } else { "failed" };
        self.reloads.get_or_create(&Reload { what: what.name(), outcome }).inc();
    }

    /// All of it, in the text format of `OpenMetrics`.
    #[must_use]
    pub fn page(&self, now: Now) -> String {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (lane, (waiting, held)) in ["unary", "bulk"].into_iter().zip(now.waiting.into_iter().zip(now.held_bytes)) {
            self.waiting.get_or_create(&Lane { lane }).set(gauge(waiting as u64));
            self.held.get_or_create(&Lane { lane }).set(gauge(held));
        }
        for (kind, bytes) in ["held", "running", "total"].into_iter().zip(now.budget) {
            self.budget.get_or_create(&Use { kind }).set(gauge(bytes as u64));
        }
        self.threads.set(gauge(now.threads as u64));
        self.busy.set(gauge(now.busy as u64));
        let process = process();
        self.resident.set(gauge(process.resident_bytes));
        self.open_files.set(gauge(process.open_files));
        self.lost_lines.inc_by(telemetry::lost_lines().saturating_sub(self.lost_lines.get()));
        self.processor.inc_by(process.processor_seconds.saturating_sub(self.processor.get()));
        let mut page = String::new();
        // A string takes everything.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// A connection that is open.
#[derive(Debug)]
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Default)]
struct Process {
    resident_bytes: u64,
    processor_seconds: u64,
    open_files: u64,
}

/// What Linux tells of this process; elsewhere nothing.
fn process() -> Process {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // In ticks, of which there are a hundred in a second on every Linux that Rust runs on.
    let ticks = number(fields.get(11).copied()) + number(fields.get(12).copied());
    Process {
        resident_bytes: number(resident.and_then(|rest| rest.split_whitespace().next())) * 1_024,
        processor_seconds: ticks / 100,
        open_files: std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: Method = Method { grpc_type: "unary", grpc_service: "s", grpc_method: "M" };

    #[test]
    fn what_happened_is_on_the_page_with_its_labels() {
        let metrics = Metrics::new();
        metrics.call_began(METHOD);
        metrics.call_ended(METHOD, "OK", Duration::from_millis(3));
        metrics.messages(METHOD, (1, 10), (1, 20));
        metrics.bulletin_refused();
        metrics.refused("INVALID_REQUEST");
        metrics.connection(Accepted::Served);
        let open = metrics.open_connection();
        metrics.reloaded(Reloaded::Tls, false);
        let page = metrics.page(Now { waiting: [2, 3], held_bytes: [20, 30], budget: [5, 6, 7], threads: 4, busy: 1 });
        let labels = r#"grpc_type="unary",grpc_service="s",grpc_method="M""#;
        for line in [
            format!("grpc_server_started_total{{{labels}}} 1"),
            format!("grpc_server_handled_total{{{labels},grpc_code=\"OK\"}} 1"),
            format!("grpc_server_handling_seconds_count{{{labels}}} 1"),
            format!("grpc_server_msg_received_bytes_total{{{labels}}} 10"),
            "jianbao_bulletins_total{outcome=\"error\"} 1".to_owned(),
            "jianbao_refused_total{reason=\"INVALID_REQUEST\"} 1".to_owned(),
            "jianbao_connections 1".to_owned(),
            "jianbao_reloads_total{what=\"tls\",outcome=\"failed\"} 1".to_owned(),
            "jianbao_reloads_total{what=\"lexicon\",outcome=\"failed\"} 0".to_owned(),
            "jianbao_queue_jobs{lane=\"bulk\"} 3".to_owned(),
            "jianbao_budget_bytes{kind=\"running\"} 6".to_owned(),
            "jianbao_threads_busy 1".to_owned(),
        ] {
            assert!(page.lines().any(|seen| seen == line), "{line}: {page}");
        }
        assert!(page.ends_with("# EOF\n"));
        drop(open);
        assert!(metrics.page(Now::default()).contains("\njianbao_connections 0\n"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_process_is_known() {
        let process = process();
        assert!(process.resident_bytes > 1 << 20 && process.open_files > 2);
    }
}
