//! `jianbao serve`: check the settings, build the engine, serve, drain.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Exit;
use crate::config::{ServeArgs, Settings, unknown_variables};
use crate::grpc::access::CallersFile;
use crate::grpc::export;
use crate::grpc::tls::Files;
use crate::metrics::Metrics;
use crate::register::Places;
use crate::renew::{Renewable, Source, kept};
use crate::telemetry::Collector;
use crate::{grpc, telemetry};

/// Time for the last spans, and for the last metrics, to reach their collector.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What is made of files, each to be made anew at SIGHUP.
struct Made {
    engine: Arc<Renewable<Places>>,
    tls: Option<Arc<Renewable<Files>>>,
    callers: Option<Arc<Renewable<CallersFile>>>,
}

/// Serves until SIGTERM or SIGINT; SIGHUP reads the operator's files again. All problems with the settings and with
/// these files are told before a port is bound.
#[must_use]
pub fn run(args: &ServeArgs) -> ExitCode {
    let (mut problems, effective) = (Vec::new(), args.effective());
    let settings = kept(effective.check(), &mut problems);
    let engine = kept(Renewable::start(effective.places()), &mut problems);
    let (tls, callers) = settings.as_ref().map_or((None, None), |settings| {
        let tls = settings.tls.clone().and_then(|files| kept(Renewable::start(files), &mut problems));
        (tls, settings.callers.clone().and_then(|file| kept(Renewable::start(file), &mut problems)))
    });
    let (Some(settings), Some(engine), []) = (settings, engine, problems.as_slice()) else {
        return fail(Exit::Config, &problems.join("\n"));
    };
    if let Err(error) = telemetry::start(settings.log_json, settings.log_level) {
        return fail(Exit::Software, &error);
    }
    let made = Made { engine: Arc::new(engine), tls: tls.map(Arc::new), callers: callers.map(Arc::new) };
    for name in unknown_variables() {
        tracing::warn!(name, "the variable of no setting");
    }
    let exit = match serve(&settings, made) {
        Ok(drained) if drained.cut_connections > 0 => Exit::Cut,
        Ok(_) => Exit::Ok,
        Err(error) => {
            tracing::error!("{error}");
            Exit::Software
        }
    };
    telemetry::finish();
    exit.into()
}

fn serve(settings: &Settings, made: Made) -> Result<grpc::Drained, Box<dyn Error>> {
    let server = grpc::Server::new(Arc::clone(&made.engine) as Arc<dyn grpc::Extract>, settings.grpc.clone())?;
    let server = server.secured(made.tls.clone(), made.callers.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served: io::Result<_> = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(reload(signal(SignalKind::hangup())?, Arc::new(made), server.metrics(), settings.reload_interval));
        let provider = settings.collector.as_ref().map(telemetry::spans).transpose().map_err(io::Error::other)?;
        let server = match &provider {
            Some(provider) => server.traced(provider.tracer("jianbao")),
            None => server,
        };
        let ending = CancellationToken::new();
        let exporter = |collector: &Collector| export::exporter(&collector.endpoint, collector.interval, server.admin(), ending.clone());
        let exporter = settings.collector.as_ref().map(exporter).transpose().map_err(io::Error::other)?.map(tokio::spawn);
        let listener = listen(settings.listen).await?;
        if let Some(address) = settings.admin_listen {
            let listener = listen(address).await?;
            tracing::info!(admin_address = %listener.local_addr()?, "probes and metrics");
            tokio::spawn(server.admin().serve(listener));
        }
        let hurry = server.hurry();
        let shutdown = async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            // Who says it twice does not want to wait.
            tokio::spawn(async move {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                hurry.cancel();
            });
        };
        let served = server.serve(listener, shutdown).await;
        if let Some(provider) = provider {
            // What the collector does not take in time is lost, and nothing else.
            let _ = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_WORDS)).await;
        }
        ending.cancel();
        if let Some(exporter) = exporter {
            let _ = tokio::time::timeout(LAST_WORDS, exporter).await;
        }
        served
    });
    runtime.shutdown_background();
    Ok(served?)
}

/// Reads the files again: all at each SIGHUP, of which those that come meanwhile are one; certificates and callers also
/// when they have changed.
async fn reload(mut hangup: Signal, made: Arc<Made>, metrics: Arc<Metrics>, interval: Option<Duration>) {
    loop {
        let told = match interval {
            None => hangup.recv().await.is_some(),
            Some(interval) => tokio::time::timeout(interval, hangup.recv()).await.is_ok_and(|told| told.is_some()),
        };
        let (made, metrics) = (Arc::clone(&made), Arc::clone(&metrics));
        // A panic has been logged, and what was in force still is.
        let _ = tokio::task::spawn_blocking(move || made.renew(told, &metrics)).await;
    }
}

impl Made {
    fn renew(&self, told: bool, metrics: &Metrics) {
        if told {
            self.engine.renew(metrics);
        }
        renew(self.tls.as_deref(), told, metrics);
        renew(self.callers.as_deref(), told, metrics);
    }
}

fn renew<S: Source>(renewable: Option<&Renewable<S>>, told: bool, metrics: &Metrics) {
    match renewable {
        Some(renewable) if told => renewable.renew(metrics),
        Some(renewable) => renewable.renew_if_changed(metrics),
        None => {}
    }
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

fn fail(exit: Exit, error: &dyn std::fmt::Display) -> ExitCode {
    // The exit code still says it where this cannot be printed.
    let _ = writeln!(io::stderr(), "jianbao: {error}");
    exit.into()
}
