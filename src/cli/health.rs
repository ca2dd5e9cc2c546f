//! `jianbao health`: asks a running server whether it serves, for a container's health check.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Console, Exit, Failure};
use crate::grpc::health::ask;
use crate::grpc::health_pb::health_check_response::ServingStatus;

const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port that answer in plain text [default: what the variables for admin-listen or listen name, or 127.0.0.1:50051]
    #[arg(value_name = "ADDRESS")]
    address: Option<SocketAddr>,
}

/// Says SERVING and ends with 0, or says why not and ends with 1.
///
/// # Errors
/// When the output fails.
pub fn run(args: &Args, console: &mut Console<'_>) -> io::Result<Exit> {
    let given = |name| std::env::var(name).ok()?.parse::<SocketAddr>().ok();
    let address = args.address.or_else(|| given("JIANBAO_ADMIN_LISTEN")).or_else(|| given("JIANBAO_LISTEN"));
    let mut address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 50_051)));
    if address.ip().is_unspecified() {
        // The server listens on every address of this machine.
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0_u16, 0, 0, 0, 0, 0, 0, 1].into() });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(async { tokio::time::timeout(PATIENCE, ask(address)).await }) {
        Ok(Ok(ServingStatus::Serving)) => writeln!(console.out, "SERVING").map(|()| Exit::Ok),
        Ok(Ok(status)) => complain(console, &format!("{address} says {}", status.as_str_name())),
        Ok(Err(error)) => complain(console, &format!("{address} does not answer: {error}")),
        Err(_) => complain(console, &format!("{address} does not answer within {} s", PATIENCE.as_secs())),
    }
}

fn complain(console: &mut Console<'_>, message: &str) -> io::Result<Exit> {
    console.complain(&Failure::new(Exit::BelowFloor, message))?;
    Ok(Exit::BelowFloor)
}
