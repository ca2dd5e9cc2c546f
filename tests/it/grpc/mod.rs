//! The wire, over real loopback sockets.

mod abuse;
mod browser;
mod bulk;
mod calls;
mod chaos;
mod clients;
mod contract;
mod deploy;
mod faults;
mod life;
mod load;
mod operate;
mod raw;
mod secure;
mod shares;
mod traces;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::time::Duration;

use jianbao::config::ServeArgs;
use jianbao::grpc::pool::Pool;
use jianbao::grpc::{Drained, Extract, Options, Server, health_pb, pb};
use jianbao_engine::Bulletin;
use jianbao_engine::report::Report;
use pb::extract_report_service_client::ExtractReportServiceClient;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

/// Nothing here takes this long; a test that waits so long has failed.
pub const LONG: Duration = Duration::from_secs(20);

/// An engine that does what the bulletin's text says.
///
/// `wait` waits for the gate, `panic` panics, `meet` waits for the others, `work:N` computes for N
/// rounds, `large:N` gives a report of N bytes. Anything else is echoed as the title.
pub struct Fake {
    gate: (Mutex<bool>, Condvar),
    meeting: Barrier,
    started: mpsc::UnboundedSender<String>,
    pub count: AtomicU64,
}

/// What the test sees of the engine.
pub struct Seen {
    pub fake: Arc<Fake>,
    pub started: mpsc::UnboundedReceiver<String>,
}

impl Fake {
    pub fn close_gate(&self) {
        *self.gate.0.lock().unwrap() = false;
    }

    pub fn open_gate(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

impl Seen {
    /// Waits until the engine has begun a bulletin, and gives its id.
    pub async fn next(&mut self) -> String {
        tokio::time::timeout(LONG, self.started.recv()).await.expect("the engine starts").unwrap()
    }
}

impl Extract for Fake {
    fn extract(&self, bulletin: &Bulletin) -> Report {
        self.count.fetch_add(1, Ordering::SeqCst);
        let _ = self.started.send(bulletin.id.clone());
        let (verb, number) = bulletin.text.split_once(':').unwrap_or((&bulletin.text, "0"));
        let number: usize = number.parse().unwrap_or(0);
        let mut title = bulletin.text.chars().take(64).collect();
        match verb {
            "panic" => panic!("told to: {}", bulletin.text),
            "wait" => drop(self.gate.1.wait_while(self.gate.0.lock().unwrap(), |open| !*open).unwrap()),
            "meet" => drop(self.meeting.wait()),
            "work" => drop((0..number).fold(0_usize, |sum, n| std::hint::black_box(sum ^ n))),
            "large" => title = "大".repeat(number / 3),
            _ => {}
        }
        Report { bulletin_id: bulletin.id.clone(), title, ..Report::default() }
    }
}

/// A server in this process, on a port of its own.
pub struct Running {
    pub address: SocketAddr,
    pub pool: Pool,
    shutdown: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<Drained>>,
}

pub fn options(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = ServeArgs::default().check().unwrap().grpc;
    (options.workers, options.audit) = (2, false);
    // The reports of the fake engine are as large as a test wants them.
    options.max_report_bytes = 1 << 30;
    change(&mut options);
    options
}

pub fn fake() -> Seen {
    let (sender, started) = mpsc::unbounded_channel();
    let fake = Fake { gate: (Mutex::new(false), Condvar::new()), meeting: Barrier::new(4), started: sender, count: AtomicU64::new(0) };
    Seen { fake: Arc::new(fake), started }
}

/// A server over the fake engine.
pub async fn start(change: impl FnOnce(&mut Options)) -> (Running, Seen) {
    let seen = fake();
    let running = start_with(Arc::clone(&seen.fake) as Arc<dyn Extract>, options(change)).await;
    (running, seen)
}

pub async fn start_with(engine: Arc<dyn Extract>, options: Options) -> Running {
    let server = Server::new(engine, options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pool = server.pool();
    let (shutdown, told) = oneshot::channel();
    let served = tokio::spawn(server.serve(listener, async move {
        let _ = told.await;
    }));
    Running { address, pool, shutdown: Some(shutdown), served }
}

impl Running {
    pub async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub async fn client(&self) -> ExtractReportServiceClient<Channel> {
        ExtractReportServiceClient::new(self.channel().await).max_decoding_message_size(64 << 20)
    }

    pub async fn health(&self) -> health_pb::health_client::HealthClient<Channel> {
        health_pb::health_client::HealthClient::new(self.channel().await)
    }

    /// Tells the server to go, and does not wait.
    pub fn tell_to_stop(&mut self) {
        self.shutdown.take().unwrap().send(()).unwrap();
    }

    /// Waits until the server has gone.
    pub async fn stopped(self) -> Drained {
        tokio::time::timeout(LONG, self.served).await.expect("the server stops").unwrap().unwrap()
    }

    pub async fn stop(mut self) -> Drained {
        self.tell_to_stop();
        self.stopped().await
    }

    pub fn waiting(&self) -> usize {
        self.pool.counts().waiting.load(Ordering::SeqCst)
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A request with this id and text.
pub fn request(id: &str, text: &str) -> pb::ExtractReportRequest {
    let bulletin = pb::Bulletin { id: id.to_owned(), text: text.to_owned(), ..pb::Bulletin::default() };
    pb::ExtractReportRequest { bulletin: Some(bulletin), options: None }
}

/// Asks again until it is so; a condition that no event tells of.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    let asked = tokio::time::timeout(LONG, async {
        while !condition() {
            tick.tick().await;
        }
    });
    assert!(asked.await.is_ok(), "never so: {what}");
}
