//! Honest callers beside all harms at once, with the settings that a container of 512 MiB has: nobody dies, no answer is
//! wrong or given twice, and the honest wait little. `JIANBAO_CHAOS=600` is how long it goes on, in seconds.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jianbao::grpc::health_pb::HealthCheckRequest;
use jianbao::grpc::health_pb::health_client::HealthClient;
use jianbao::grpc::pb::bulk_extract_reports_response::Outcome;
use tonic::transport::Endpoint;

use super::abuse::{DATA, END_HEADERS, HEADERS, Peer, RST_STREAM, call, frame, header};
use super::life::Program;
use super::{raw, request};
use crate::folder::Folder;

/// What a container of 512 MiB leaves to a server, and the most that it may ever hold, in KiB.
const SETTINGS: &[&str] = &["--memory-budget", "341MiB", "--receive-timeout", "5s", "--unread-timeout", "10s", "--audit", "off"];
const MOST_KIB: u64 = 512 << 10;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A message with this text on a stream of its own, whole or in part.
fn send(peer: &mut Peer, stream: u32, headers: &[u8], message: &[u8], end: bool) {
    let mut alive = peer.send(&frame(HEADERS, END_HEADERS, stream, headers));
    let parts = message.chunks(16_384).count();
    for (n, part) in message.chunks(16_384).enumerate() {
        alive = alive && peer.send(&frame(DATA, u8::from(end && n + 1 == parts), stream, part));
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&prost::Message::encode_to_vec(&request("harm", text))).unwrap();
    raw::bytes_frame(true, &gzip.finish().unwrap())
}

/// One harm after the other, on connections of its own, until it is over.
fn harm(server: &str, seed: u64, over: &AtomicBool) {
    let mut random = Random(seed);
    let gzip = [call(raw::UNARY), header("grpc-encoding", "gzip")].concat();
    let zstd = [call(raw::UNARY), header("grpc-encoding", "zstd")].concat();
    let dense = packed(&format!("清河农商银行服务{}。", "1户".repeat(8_000)));
    let table = packed(&format!("机构\t{0}贷款余额(元)\t{0}\n{1}", "甲".repeat(10_900), "农行\t1\t1\n".repeat(2_000)));
    let bomb =
        raw::bytes_frame(true, &[&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8][..], &[2, 0, 16, b'a'].repeat(2_000), &[3, 0, 16, b'a']].concat());
    while !over.load(Ordering::Relaxed) {
        let mut peers: Vec<_> = (0..=random.below(4)).map(|_| Peer::new(server)).collect();
        let kind = random.below(9);
        for n in 0..random.below(100) {
            let stream = u32::try_from(2 * n + 1).unwrap();
            for peer in &mut peers {
                match kind {
                    0 => send(peer, stream, &gzip, &dense, true),
                    1 => send(peer, stream, &gzip, &table, true),
                    2 => send(peer, stream, &zstd, &bomb, true),
                    3 => send(peer, stream, &call(raw::BULK), &[], false),
                    4 => send(peer, stream, &call("/grpc.health.v1.Health/Watch"), &[0; 5], true),
                    5 => send(peer, stream, &call(raw::BULK), &raw::bytes_frame(false, &vec![0; 1 << 20])[..50_000], false),
                    6 => send(peer, stream, &call(raw::BULK), &raw::frame(&request("harm", "农行服务1户。")).repeat(500), false),
                    7 => {
                        send(peer, stream, &gzip, &dense, true);
                        let _ = peer.send(&frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
                    }
                    _ => {
                        let _ = TcpStream::connect(server).map(|mut socket| socket.write_all(b"POST / HTTP/1.1\r\nhost: evil\r\n\r\n"));
                    }
                }
            }
        }
        // Some go at once and some stay, and none reads.
        std::thread::park_timeout(Duration::from_millis(random.below(1_500)));
    }
}

/// One call in JSON by HTTP/1.1; whether the answer is right, or none where the server was too busy.
fn in_json(server: &str, id: &str) -> Option<bool> {
    let mut socket = TcpStream::connect(server).ok()?;
    let body = format!(r#"{{"bulletin":{{"id":"{id}","text":"清河农商银行发放贷款3亿元。"}}}}"#);
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        raw::UNARY,
        body.len()
    );
    socket.write_all([head, body].concat().as_bytes()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200").then(|| answer.contains(&format!("\"bulletinId\":\"{id}\"")) && answer.contains("\"300000000\""))
}

#[derive(Default)]
struct Seen {
    right: AtomicU64,
    refused: AtomicU64,
    waits: std::sync::Mutex<Vec<Duration>>,
}

impl Seen {
    fn wait(&self, per_cent: usize) -> Duration {
        let mut waits = self.waits.lock().unwrap();
        waits.sort();
        waits.get((waits.len().max(1) - 1) * per_cent / 100).copied().unwrap_or_default()
    }
}

async fn honest_calls(server: String, seen: Arc<Seen>, over: Arc<AtomicBool>) {
    let channel = Endpoint::from_shared(format!("http://{server}")).unwrap().connect().await.unwrap();
    let mut client = jianbao::grpc::pb::extract_report_service_client::ExtractReportServiceClient::new(channel);
    for n in 0_u64.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let (id, begun) = (format!("honest-{n}"), Instant::now());
        match client.extract_report(request(&id, "清河农商银行发放贷款3亿元。")).await {
            Ok(answer) => {
                let report = answer.into_inner().report.unwrap();
                assert_eq!(report.bulletin_id, id);
                assert_eq!(report.institutions[0].measures[0].figures[0].value, "300000000");
                seen.right.fetch_add(1, Ordering::Relaxed);
                seen.waits.lock().unwrap().push(begun.elapsed());
            }
            Err(status) => {
                assert_eq!(status.code(), tonic::Code::ResourceExhausted, "{status:?}");
                seen.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn honest_streams(server: String, seen: Arc<Seen>, over: Arc<AtomicBool>) {
    while !over.load(Ordering::Relaxed) {
        let channel = Endpoint::from_shared(format!("http://{server}")).unwrap().connect().await.unwrap();
        let mut client = jianbao::grpc::pb::extract_report_service_client::ExtractReportServiceClient::new(channel);
        let requests = tokio_stream::iter((0..50).map(|n| request(&n.to_string(), "清河农商银行发放贷款3亿元。")));
        let Ok(answers) = client.bulk_extract_reports(requests).await else {
            seen.refused.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let (mut answers, mut had) = (answers.into_inner(), BTreeSet::new());
        while let Ok(Some(answer)) = answers.message().await {
            assert_eq!(answer.bulletin_id, answer.sequence.to_string());
            assert!(had.insert(answer.sequence), "answered twice");
            assert!(matches!(answer.outcome, Some(Outcome::Report(report)) if report.institutions.len() == 1));
            seen.right.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn health(server: String, seen: Arc<Seen>, over: Arc<AtomicBool>) {
    let channel = Endpoint::from_shared(format!("http://{server}")).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        assert_eq!(health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status, 1);
        seen.waits.lock().unwrap().push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn chaos_honest_callers_are_served_beside_all_harms_at_once() {
    let seconds = std::env::var("JIANBAO_CHAOS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(12);
    let folder = Folder::new("chaos");
    let register = folder.file("register.csv", "id,name\nq,清河农商银行\n");
    let mut program = Program::start(&[SETTINGS, &["--institutions", &register]].concat());
    let (quiet, loud, of_health, by_json) = <(Arc<Seen>, Arc<Seen>, Arc<Seen>, Arc<Seen>)>::default();
    for (time, seen, harms) in [(3, &quiet, 0), (seconds, &loud, 4)] {
        let over = Arc::new(AtomicBool::new(false));
        let server = || program.address.clone();
        let honest = [
            tokio::spawn(honest_calls(server(), Arc::clone(seen), Arc::clone(&over))),
            tokio::spawn(honest_streams(server(), Arc::clone(seen), Arc::clone(&over))),
            tokio::spawn(health(server(), Arc::clone(&of_health), Arc::clone(&over))),
        ];
        let doing: Vec<_> = (0..harms)
            .map(|seed| {
                let (server, over) = (server(), Arc::clone(&over));
                tokio::task::spawn_blocking(move || harm(&server, seed, &over))
            })
            .collect();
        let until = Instant::now() + Duration::from_secs(time);
        for n in 0_u64.. {
            if Instant::now() > until {
                break;
            }
            program.signal("-HUP");
            let (server, seen, id) = (server(), Arc::clone(&by_json), format!("json-{n}"));
            tokio::task::spawn_blocking(move || match in_json(&server, &id) {
                Some(right) => {
                    assert!(right, "a wrong answer in JSON");
                    seen.right.fetch_add(1, Ordering::Relaxed);
                }
                None => drop(seen.refused.fetch_add(1, Ordering::Relaxed)),
            })
            .await
            .unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        over.store(true, Ordering::Relaxed);
        for one in honest {
            one.await.expect("an honest caller is content");
        }
        for one in doing {
            one.await.expect("the harm was done");
        }
    }
    assert!(program.child.try_wait().unwrap().is_none(), "it lives");
    let count = |seen: &Seen| (seen.right.load(Ordering::Relaxed), seen.refused.load(Ordering::Relaxed));
    let peak = peak_kib(program.child.id());
    eprintln!(
        "quiet {:?}, p99 {:.1?}; beside harm {:?}, p50 {:.1?}, p99 {:.1?}",
        count(&quiet),
        quiet.wait(99),
        count(&loud),
        loud.wait(50),
        loud.wait(99)
    );
    eprintln!("in JSON {:?}; health p50 {:.1?}, p99 {:.1?}; peak {peak} KiB", count(&by_json), of_health.wait(50), of_health.wait(99));
    assert!(peak < MOST_KIB, "{peak} KiB");
    let (right, refused) = count(&loud);
    assert!(right > 20 && refused * 20 <= right, "{refused} of {right} refused");
    // On a machine that others use too, a little longer than ten times the quiet value.
    assert!(loud.wait(99) < quiet.wait(99) * 10 + Duration::from_secs(2), "{:?}", loud.wait(99));
    assert!(of_health.wait(50) < Duration::from_millis(50), "{:?}", of_health.wait(50));
}
