//! `jianbao serve`: check the settings, build the engine, serve, drain.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Exit;
use crate::config::{ServeArgs, Settings};
use crate::metrics::{Metrics, Reloaded};
use crate::register::Current;
use crate::{grpc, telemetry};

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) settings: ServeArgs,
}

/// Serves until SIGTERM or SIGINT; SIGHUP reads the register and the lexicon again. All problems with the settings and
/// with these files are told before a port is bound.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let (settings, current) = match (args.settings.check(), Current::start(args.settings.places())) {
        (Ok(settings), Ok(current)) => (settings, current),
        (Err(settings), Err(files)) => return fail(Exit::Config, &format!("{settings}\n{files}")),
        (Err(settings), Ok(_)) => return fail(Exit::Config, &settings),
        (Ok(_), Err(files)) => return fail(Exit::Config, &files),
    };
    telemetry::start(settings.log_json, settings.log_level);
    match serve(&settings, Arc::new(current)) {
        Ok(()) => Exit::Ok.into(),
        Err(error) => fail(Exit::Software, &*error),
    }
}

fn serve(settings: &Settings, current: Arc<Current>) -> Result<(), Box<dyn Error>> {
    let server = grpc::Server::new(Arc::clone(&current) as Arc<dyn grpc::Extract>, settings.grpc.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served: io::Result<_> = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(reload(signal(SignalKind::hangup())?, current, server.metrics()));
        let listener = listen(settings.listen).await?;
        if let Some(address) = settings.admin_listen {
            let listener = listen(address).await?;
            tracing::info!(admin_address = %listener.local_addr()?, "probes and metrics");
            tokio::spawn(server.admin().serve(listener));
        }
        let shutdown = async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        };
        server.serve(listener, shutdown).await
    });
    runtime.shutdown_background();
    served?;
    Ok(())
}

/// Reads the register and the lexicon again at each SIGHUP; those that come meanwhile are one.
async fn reload(mut hangup: Signal, current: Arc<Current>, metrics: Arc<Metrics>) {
    while hangup.recv().await.is_some() {
        let current = Arc::clone(&current);
        // A panic has been logged, and the last good engine is still in force.
        let done = tokio::task::spawn_blocking(move || current.reload()).await;
        metrics.reloaded(Reloaded::Lexicon, done.unwrap_or(false));
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
