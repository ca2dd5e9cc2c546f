//! Log lines on standard error. No text of a bulletin is ever among them.

mod lines;

use std::cell::Cell;
use std::io::{self, IsTerminal as _};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::filter::LevelFilter;

use lines::Lines;

/// Time for one export.
const EXPORT: Duration = Duration::from_secs(5);
/// Time for the last lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

thread_local! {
    /// Where this thread last panicked.
    static PANIC_PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// The lines on their way to standard error, once logging has started.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Starts logging, and takes the place of the panic message: that may quote a bulletin.
///
/// # Errors
/// When the system gives no thread, or no descriptor.
pub fn start(json: bool, level: tracing::Level) -> io::Result<()> {
    let lines = Lines::to(lines::standard_error()?)?;
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(LevelFilter::from_level(level))
        .log_internal_errors(false);
    // A second start, as in tests, leaves the first as it is.
    let started = if json { subscriber.json().flatten_event(true).try_init() } else { subscriber.try_init() };
    if started.is_ok() {
        let _ = LINES.set(lines);
        std::panic::set_hook(Box::new(note_panic));
    }
    Ok(())
}

/// Gives the last lines a moment to be written; a pipe that nobody reads does not keep the program.
pub fn finish() {
    if let Some(lines) = LINES.get() {
        lines.finish(LAST_LINES);
    }
}

/// Log lines that could not be written: the disk was full, the reader gone or too slow.
#[must_use]
pub fn lost_lines() -> u64 {
    LINES.get().map_or(0, Lines::lost)
}

/// Where the spans of calls and the metrics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// The collector, which speaks OTLP over gRPC.
    pub endpoint: String,
    /// Of a thousand calls whose callers do not say so themselves, how many are traced.
    pub per_thousand: u32,
    /// Time between two sendings of the metrics.
    pub interval: Duration,
}

/// What sends spans to the collector, on a thread of its own. To be called, and shut down, within the runtime.
///
/// # Errors
/// When the endpoint is no address.
pub fn spans(collector: &Collector) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(&collector.endpoint).with_timeout(EXPORT).build()?;
    let ratio = Sampler::TraceIdRatioBased((Duration::from_millis(1) * collector.per_thousand).as_secs_f64());
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("jianbao").with_attribute(version);
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build());
    Ok(provider.with_sampler(Sampler::ParentBased(Box::new(ratio))).build())
}

fn note_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let engine = std::thread::current().name().is_some_and(|name| name.starts_with("engine-"));
    if engine {
        PANIC_PLACE.set(Some(place));
    } else {
        tracing::error!(place, "panic");
    }
}

/// The engine panicked on the bulletin with this id; the one line that says so.
pub fn engine_panicked(bulletin_id: &str) {
    let place = PANIC_PLACE.take().unwrap_or_else(|| "unknown".to_owned());
    tracing::error!(bulletin_id, place, "engine panicked");
}
