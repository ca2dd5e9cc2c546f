//! `jianbao serve`: check the settings, build the engine, serve, drain.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Exit;
use crate::config::{ServeArgs, Settings};
use crate::engine::Engine;
use crate::{grpc, telemetry};

/// Serves until SIGTERM or SIGINT. All problems with the settings are told before a port is bound.
pub fn run(args: &ServeArgs) -> ExitCode {
    let settings = match args.check() {
        Ok(settings) => settings,
        Err(problems) => return fail(Exit::Config, &problems),
    };
    telemetry::start(settings.log_json, settings.log_level);
    match serve(&settings) {
        Ok(()) => Exit::Ok.into(),
        Err(error) => fail(Exit::Software, &*error),
    }
}

fn serve(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let server = grpc::Server::new(Arc::new(Engine::new()?), settings.grpc.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served: io::Result<_> = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {}: {error}", settings.listen)))?;
        let shutdown = async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        };
        server.serve(listener, shutdown).await
    });
    runtime.shutdown_background();
    served?;
    Ok(())
}

fn fail(exit: Exit, error: &dyn std::fmt::Display) -> ExitCode {
    // The exit code still says it where this cannot be printed.
    let _ = writeln!(io::stderr(), "jianbao: {error}");
    exit.into()
}
