//! The `jianbao` program: parse, build, serve, drain.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use jianbao::config::{ServeArgs, Settings};
use jianbao::engine::Engine;
use jianbao::{grpc, telemetry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The command line was not understood (`EX_USAGE`).
const USAGE: u8 = 64;
/// Something failed while running (`EX_SOFTWARE`).
const FAILED: u8 = 70;
/// The settings cannot be used (`EX_CONFIG`).
const CONFIG: u8 = 78;

/// Reads bulletins of Chinese banks: every institution, measure and figure.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gRPC service until SIGTERM or SIGINT.
    Serve(ServeArgs),
}

fn main() -> ExitCode {
    let program = match Program::try_parse() {
        Ok(program) => program,
        Err(message) => {
            let _ = message.print();
            return ExitCode::from(if message.use_stderr() { USAGE } else { 0 });
        }
    };
    match program.command {
        Command::Serve(args) => match args.check() {
            Ok(settings) => run(&settings),
            Err(problems) => fail(CONFIG, &problems),
        },
    }
}

fn run(settings: &Settings) -> ExitCode {
    telemetry::start(settings.log_json, settings.log_level);
    match serve(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &*error),
    }
}

fn serve(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    let server = grpc::Server::new(Arc::new(Engine::new()?), settings.grpc.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome: std::io::Result<_> = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| std::io::Error::new(error.kind(), format!("cannot listen on {}: {error}", settings.listen)))?;
        let shutdown = async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        };
        server.serve(listener, shutdown).await
    });
    runtime.shutdown_background();
    outcome?;
    Ok(())
}

fn fail(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "jianbao: {error}");
    ExitCode::from(code)
}
