//! `jianbao bench`: a load on a running server, each answer checked, and how it fared.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::extract::read;
use super::{Console, Exit, Failure};
use crate::grpc::load::{Load, Plan, Tally};
use jianbao_engine::Engine;

/// What to send, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files with a bulletin each, sent in turn
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:50051", value_name = "URL")]
    server: String,
    /// Send by `BulkExtractReports`, a stream for each caller, instead of by unary calls
    #[arg(long, conflicts_with = "rate")]
    bulk: bool,
    /// Callers at once
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// Connections that the callers share
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Seconds after which no more is sent [default: 10 unless --count is given]
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// Bulletins to send at most
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Calls to begin in a second, answered or not; latency counts from when a call was to begin. At most --concurrency
    /// wait for answers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Seconds that a unary call may take
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    timeout: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// How a load fared.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Reports equal to what this program's own engine reads.
    right: u64,
    /// Answers that are not, or that came out of turn or never.
    wrong: u64,
    errors: std::collections::BTreeMap<String, u64>,
    /// Refusals that do not say when to come back.
    refusals_without_retry_info: u64,
    milliseconds: u64,
    reports_per_second: u64,
    text_bytes_per_second: u64,
    latency_microseconds: Percentiles,
}

#[derive(Debug, Serialize)]
struct Percentiles {
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

impl From<&Tally> for Outcome {
    fn from(tally: &Tally) -> Self {
        let milliseconds = u64::try_from(tally.elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let per_second = |count: u64| count.saturating_mul(1_000) / milliseconds;
        let percentile = |share| tally.latency.percentile(share).unwrap_or(0);
        Self {
            right: tally.right,
            wrong: tally.wrong,
            errors: tally.errors.clone(),
            refusals_without_retry_info: tally.mute,
            milliseconds,
            reports_per_second: per_second(tally.right),
            text_bytes_per_second: per_second(tally.bytes),
            latency_microseconds: Percentiles {
                p50: percentile(5_000),
                p90: percentile(9_000),
                p99: percentile(9_900),
                p999: percentile(9_990),
                max: percentile(10_000),
            },
        }
    }
}

/// Loads a server and prints how it fared. Wrong answers, or none at all, end with 1; refusals and other errors of calls
/// are told by their codes and are part of the result.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, console: &mut Console<'_>) -> io::Result<Exit> {
    match load(args) {
        Ok(tally) => {
            let outcome = Outcome::from(&tally);
            if args.json {
                serde_json::to_writer_pretty(&mut *console.out, &outcome)?;
                writeln!(console.out)?;
            } else {
                table(&outcome, console)?;
            }
            Ok(if outcome.wrong > 0 || outcome.right == 0 { Exit::BelowFloor } else { Exit::Ok })
        }
        Err(failure) => {
            console.complain(&failure)?;
            Ok(failure.exit)
        }
    }
}

fn load(args: &Args) -> Result<Tally, Failure> {
    let texts = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let engine = Engine::new().map_err(|error| Failure::new(Exit::Software, error.to_string()))?;
    let seconds = args.duration.or(if args.count.is_none() { Some(10) } else { None });
    let plan = Plan {
        server: args.server.clone(),
        texts,
        bulk: args.bulk,
        concurrency: args.concurrency.into(),
        connections: args.connections.into(),
        duration: seconds.map(Duration::from_secs),
        count: args.count,
        rate: args.rate,
        timeout: Duration::from_secs(args.timeout),
    };
    let shown = io::stderr().is_terminal();
    let watch = move |load: &Load| {
        if shown {
            // Progress that cannot be shown is not missed.
            let _ = write!(io::stderr(), "\r{} answered", load.answered());
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Software, error.to_string()))?;
    let tally = runtime.block_on(Load::new(plan, &engine).run(watch));
    if shown {
        let _ = writeln!(io::stderr());
    }
    tally.map_err(|error| Failure::new(Exit::NoInput, format!("{}: {error}", args.server)))
}

fn table(outcome: &Outcome, console: &mut Console<'_>) -> io::Result<()> {
    let out = &mut *console.out;
    let latency = &outcome.latency_microseconds;
    writeln!(out, "reports     {} right, {} wrong in {} ms", outcome.right, outcome.wrong, outcome.milliseconds)?;
    for (code, count) in &outcome.errors {
        writeln!(out, "error       {code} {count}")?;
    }
    if outcome.refusals_without_retry_info > 0 {
        writeln!(out, "error       {} refusals do not say when to come back", outcome.refusals_without_retry_info)?;
    }
    writeln!(out, "a second    {} reports, {} bytes of text", outcome.reports_per_second, outcome.text_bytes_per_second)?;
    writeln!(
        out,
        "latency     p50 {} µs, p90 {} µs, p99 {} µs, p99.9 {} µs, at most {} µs",
        latency.p50, latency.p90, latency.p99, latency.p999, latency.max
    )
}
