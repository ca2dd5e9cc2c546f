//! What one caller once could take from the others, each test named after its fault: by what it costs the process, and by
//! what another caller gets meanwhile.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jianbao::grpc::pb::extract_report_service_client::ExtractReportServiceClient;

use super::abuse::{DATA, END_HEADERS, HEADERS, Peer, call, frame, harm, header, pause};
use super::{LONG, eventually, raw, request};
use crate::folder::Folder;

/// The head of a zstd frame that states a window of 2^28 bytes (`a8`) or of another size, and no content size.
fn zstd(window: u8) -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0, window]
}

/// The header of a zstd block: its kind, its size, and whether it is the last.
fn block(kind: u32, size: u32, last: bool) -> Vec<u8> {
    (size << 3 | kind << 1 | u32::from(last)).to_le_bytes()[..3].to_vec()
}

/// A frame of many blocks, each 128 KiB of one letter.
fn many_blocks(window: u8, blocks: u32) -> Vec<u8> {
    (1..=blocks).fold(zstd(window), |out, n| [out, block(1, 131_072, n == blocks), vec![b'a']].concat())
}

/// A frame of one block whose sequences repeat a letter 131,074 times each.
fn one_block(window: u8, sequences: u32) -> Vec<u8> {
    let literals = [&(1 | 3 << 2 | sequences << 4).to_le_bytes()[..3], b"a"].concat();
    // The number of sequences, then one symbol each for the lengths of literals (1), offsets (the last) and matches.
    let [low, high, ..] = sequences.to_le_bytes();
    let codes = [high + 128, low, 0x54, 1, 0, 52];
    let bits = [&vec![0xff; 2 * sequences as usize][..], &[1]].concat();
    let content = [&literals[..], &codes, &bits].concat();
    [zstd(window), block(2, u32::try_from(content.len()).unwrap(), true), content].concat()
}

/// Sends each as one message of a unary call, on a connection of its own.
fn send_packed(server: &str, messages: &[Vec<u8>]) {
    let headers = [call(raw::UNARY), header("grpc-encoding", "zstd")].concat();
    let mut peers = Vec::new();
    for message in messages {
        let mut peer = Peer::new(server);
        assert!(peer.send(&frame(HEADERS, END_HEADERS, 1, &headers)));
        let message = raw::bytes_frame(true, message);
        let parts = message.chunks(16_384).count();
        for (n, part) in message.chunks(16_384).enumerate() {
            assert!(peer.send(&frame(DATA, u8::from(n + 1 == parts), 1, part)));
        }
        peers.push(peer);
    }
    pause(Duration::from_millis(1_500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_zstd_takes_no_more_than_a_message_may_have() {
    let bombs = [many_blocks(0xa8, 2_100), many_blocks(0xa9, 6_000), many_blocks(0x60, 6_000), one_block(0x60, 4_000)];
    harm("zstd", &["--max-message-bytes", "64KiB", "--max-text-bytes", "48KiB"], move |server| {
        send_packed(server, &[&bombs[..], &bombs].concat());
    })
    .await;
}

/// The program with its standard error where a test wants it, which does not tell its ports then.
struct Quiet {
    child: Child,
    address: String,
    admin: String,
}

impl Quiet {
    async fn start(error: impl Into<Stdio>, arguments: &[&str]) -> Self {
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (address, admin) = (free(), free());
        let child = Command::new(env!("CARGO_BIN_EXE_jianbao"))
            .args(["serve", "--listen", &address, "--admin-listen", &admin])
            .args(arguments)
            .stderr(error)
            .spawn()
            .unwrap();
        eventually("it serves", || std::net::TcpStream::connect(&address).is_ok()).await;
        Self { child, address, admin }
    }

    /// Calls of which each has a line in the audit log of 80 kB, and every one is answered.
    async fn is_called(&self, times: usize) {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        let mut client = ExtractReportServiceClient::new(endpoint.connect().await.unwrap());
        let ids = || (0..64).map(|_| request(&"\u{1}".repeat(256), ""));
        for _ in 0..times {
            let calling = async {
                let mut answers = client.bulk_extract_reports(tokio_stream::iter(ids())).await.unwrap().into_inner();
                for _ in 0..64 {
                    answers.message().await.unwrap().expect("each is answered");
                }
            };
            tokio::time::timeout(LONG, calling).await.expect("the log does not hold a call up");
        }
    }

    fn lost(&self) -> u64 {
        let mut socket = std::net::TcpStream::connect(&self.admin).unwrap();
        socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        socket.read_to_string(&mut page).unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix("jianbao_log_lines_lost_total ")).expect("it is counted");
        line.trim().parse().unwrap()
    }

    async fn ends_well(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let begun = std::time::Instant::now();
        let ended = tokio::task::spawn_blocking(move || self.child.wait().unwrap()).await.unwrap();
        assert_eq!(ended.code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_a_full_disk_and_a_closed_pipe_cost_log_lines_and_nothing_else() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    for error in [Stdio::from(full), Stdio::from(closed)] {
        let program = Quiet::start(error, &[]).await;
        program.is_called(40).await;
        eventually("every line is lost and counted", || program.lost() >= 40).await;
        program.ends_well().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f5_a_pipe_that_nobody_reads_does_not_stop_the_service() {
    let (mut reader, stuck) = std::io::pipe().unwrap();
    let program = Quiet::start(stuck, &[]).await;
    program.is_called(120).await;
    assert!(program.lost() > 0, "what waits has a bound");
    // Read again, it goes on, and tells of what is missing.
    let (said, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut heard = Vec::new();
        let mut part = vec![0; 64 << 10];
        while let Ok(length) = reader.read(&mut part)
            && length > 0
        {
            heard.extend_from_slice(&part[..length]);
            if heard.windows(19).any(|window| window == b"log lines were lost") {
                let _ = said.send(());
            }
            heard.drain(..heard.len().saturating_sub(64));
        }
    });
    program.is_called(1).await;
    hears.recv_timeout(LONG).expect("a line tells of the lost ones");
    program.ends_well().await;
    // And the service ends, too, while nobody reads.
    let (_reader, stuck) = std::io::pipe().unwrap();
    let program = Quiet::start(stuck, &[]).await;
    program.is_called(2).await;
    program.ends_well().await;
}

/// A file system of 64 KiB that fills up; only who may mount can try it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_a_full_file_system_fills_up_and_is_emptied_again() {
    let folder = Folder::new("full");
    let mount = folder.0.join("disk");
    std::fs::create_dir(&mount).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&mount).stderr(Stdio::null()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    let log = mount.join("log");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
    let program = Quiet::start(file, &[]).await;
    program.is_called(20).await;
    eventually("lines are lost", || program.lost() >= 10).await;
    std::fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
    let said = || std::fs::read_to_string(&log).unwrap().contains("log lines were lost");
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", program.address)).unwrap();
    let mut client = ExtractReportServiceClient::new(endpoint.connect().await.unwrap());
    client.extract_report(request("a", "x")).await.unwrap();
    eventually("a line tells of the lost ones", said).await;
    program.ends_well().await;
    assert!(Command::new("umount").arg(&mount).status().unwrap().success());
}
