//! Peers that mean harm, against the program: its memory stays bounded, and another caller is served all the while.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::bulk::resident_kib;
use super::life::Program;
use super::{raw, request};

/// Most that a server may grow under abuse, in KiB.
const GROWTH_KIB: u64 = 24 << 10;
/// Longest that the other caller may wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const CONTINUATION: u8 = 9;
pub const END_HEADERS: u8 = 4;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[a, b, c, kind, flags][..], &stream.to_be_bytes(), payload].concat()
}

/// A header whose name and value are written out, in HPACK.
pub fn header(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| {
        let mut rest = text.len();
        if rest < 127 {
            return vec![u8::try_from(rest).unwrap()];
        }
        let mut out = vec![127];
        rest -= 127;
        while rest >= 128 {
            out.push(u8::try_from(rest % 128 + 128).unwrap());
            rest /= 128;
        }
        out.push(u8::try_from(rest).unwrap());
        out
    };
    [&[0][..], &length(name), name.as_bytes(), &length(value), value.as_bytes()].concat()
}

/// The headers of a call.
pub fn call(path: &str) -> Vec<u8> {
    let method_and_scheme = vec![0x83, 0x86];
    let rest = [(":path", path), (":authority", "server"), ("content-type", "application/grpc"), ("te", "trailers")];
    rest.iter().fold(method_and_scheme, |out, (name, value)| [out, header(name, value)].concat())
}

/// A peer that speaks in frames of its own making.
pub struct Peer(pub TcpStream);

impl Peer {
    pub fn mute(server: &str) -> Self {
        let socket = TcpStream::connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        Self(socket)
    }

    pub fn new(server: &str) -> Self {
        let mut peer = Self::mute(server);
        assert!(peer.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()));
        peer
    }

    /// Sends, unless the server has closed or takes no more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// The error code of the GOAWAY that the server sends before it closes; none if it closes without.
    pub fn sent_away(&mut self) -> Option<u32> {
        let mut heard = Vec::new();
        let mut part = [0; 16 << 10];
        loop {
            match self.0.read(&mut part) {
                Ok(0) => break,
                Ok(length) => heard.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "the server keeps the connection");
                    break;
                }
            }
        }
        let mut rest = &heard[..];
        let mut code = None;
        while let [a, b, c, kind, _, _, _, _, _, tail @ ..] = rest {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let payload = tail.get(..length)?;
            if *kind == 7 {
                code = Some(u32::from_be_bytes(payload.get(4..8)?.try_into().unwrap()));
            }
            rest = &tail[length..];
        }
        code
    }
}

/// What harm does between one thing and the next.
pub fn pause(time: Duration) {
    tokio::runtime::Handle::current().block_on(tokio::time::sleep(time));
}

/// Does harm while another caller makes call after call; what that caller and the server's memory saw of it.
pub async fn harm(name: &str, arguments: &[&str], abuse: impl FnOnce(&str) + Send + 'static) {
    harm_within(name, arguments, GROWTH_KIB, abuse).await;
}

/// The same, with another bound on what the server may grow by, in KiB.
pub async fn harm_within(name: &str, arguments: &[&str], growth: u64, abuse: impl FnOnce(&str) + Send + 'static) {
    let program = Program::start(arguments);
    let mut client = program.client().await;
    client.extract_report(request("first", "清河农商银行发放贷款3亿元。")).await.unwrap();
    let before = resident_kib(program.child.id());
    let server = program.address.clone();
    let doing = tokio::task::spawn_blocking(move || abuse(&server));
    let (mut waits, mut most) = (Vec::new(), before);
    while !doing.is_finished() || waits.len() < 20 {
        let begun = Instant::now();
        client.extract_report(request("other", "清河农商银行发放贷款3亿元。")).await.expect("the other caller is served");
        waits.push(begun.elapsed());
        most = most.max(resident_kib(program.child.id()));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    doing.await.expect("the abuse is answered as it should be");
    waits.sort();
    let at = |per_cent: usize| waits[(waits.len() - 1) * per_cent / 100];
    eprintln!(
        "{name}: another caller's {} calls p50 {:.1?}, p99 {:.1?}, at most {:.1?}; resident {before} KiB before, {most} KiB at most",
        waits.len(),
        at(50),
        at(99),
        at(100)
    );
    assert!(at(100) < PATIENCE, "{name}: {:?}", at(100));
    assert!(most < before + growth, "{name}: {before} KiB grew to {most} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_rapid_resets_end_the_connection() {
    harm("rapid resets", &[], |server| {
        for _ in 0..20 {
            let mut peer = Peer::new(server);
            let open_and_reset = |n: u32| {
                let stream = 2 * n + 1;
                let begin = frame(HEADERS, END_HEADERS, stream, &call(raw::UNARY));
                [begin, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
            };
            let sent = (0..500).take_while(|batch| peer.send(&(batch * 40..batch * 40 + 40).flat_map(open_and_reset).collect::<Vec<u8>>()));
            let _ = sent.count();
            // ENHANCE_YOUR_CALM, unless the reset of the connection was faster.
            assert!(matches!(peer.sent_away(), Some(11) | None));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_header_floods_are_cut_off() {
    harm("header floods", &[], |server| {
        for _ in 0..4 {
            let mut peer = Peer::new(server);
            assert!(peer.send(&frame(HEADERS, 0, 1, &call(raw::UNARY))));
            let more = frame(CONTINUATION, 0, 1, &header("x-flood", &"x".repeat(16_000)));
            let taken = (0..4_096).take_while(|_| peer.send(&more)).count();
            assert!(taken < 4_096, "64 MiB of headers were taken");
            let _ = peer.sent_away();
        }
        // Headers over the limit in one frame are refused as such, and the connection goes on.
        let mut peer = Peer::new(server);
        let long = [call(raw::UNARY), header("x-long", &"x".repeat(15_000)), header("x-longer", &"x".repeat(3_000))].concat();
        let (head, tail) = long.split_at(16_384);
        assert!(peer.send(&[frame(HEADERS, 0, 1, head), frame(CONTINUATION, END_HEADERS, 1, tail)].concat()));
        assert!(peer.send(&frame(PING, 0, 0, &[7; 8])));
        let mut heard = vec![0; 4 << 10];
        let mut length = 0;
        while !heard[..length].windows(8).any(|window| window == [7; 8]) {
            let more = peer.0.read(&mut heard[length..]).expect("the ping is answered");
            assert!(more > 0, "the connection goes on");
            length += more;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_slow_and_silent_peers_are_let_go() {
    harm("slow-loris", &["--keepalive-timeout", "1s", "--keepalive-interval", "1s"], |server| {
        let mut peers: Vec<Peer> = (0..300).map(|_| Peer::mute(server)).collect();
        for byte in &PREFACE[..8] {
            for peer in peers.iter_mut().step_by(3) {
                let _ = peer.send(&[*byte]);
            }
            pause(Duration::from_millis(100));
        }
        // These speak, and then answer no ping.
        peers.extend((0..100).map(|_| Peer::new(server)));
        for mut peer in peers {
            let _ = peer.sent_away();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_streams_without_data_hold_little_and_end() {
    harm("endless streams", &["--receive-timeout", "1s"], |server| {
        let mut peers: Vec<Peer> = (0..10).map(|_| Peer::new(server)).collect();
        for peer in &mut peers {
            let begin = |n: u32| frame(HEADERS, END_HEADERS, 2 * n + 1, &call(if n.is_multiple_of(2) { raw::BULK } else { raw::UNARY }));
            assert!(peer.send(&(0..128).flat_map(begin).collect::<Vec<u8>>()));
            // Empty frames carry nothing on and on.
            let empty = frame(DATA, 0, 1, &[]);
            let taken = (0..200).take_while(|_| peer.send(&empty.repeat(100))).count();
            assert!(taken <= 200);
        }
        pause(Duration::from_millis(1_500));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_frames_too_large_end_the_connection() {
    /// `FRAME_SIZE_ERROR`.
    const FRAME_SIZE: u32 = 6;
    harm("oversized frames", &[], |server| {
        for kind in [DATA, HEADERS, SETTINGS, PING, 77] {
            let mut peer = Peer::new(server);
            let head = [&[0xff, 0xff, 0xff, kind, 0][..], &1_u32.to_be_bytes()].concat();
            assert!(peer.send(&head));
            for _ in 0..64 {
                if !peer.send(&[0; 16 << 10]) {
                    break;
                }
            }
            assert!(matches!(peer.sent_away(), Some(FRAME_SIZE) | None), "kind {kind}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_pings_and_settings_without_end_are_not_stored_up() {
    harm("ping and settings floods", &[], |server| {
        for flood in [frame(PING, 0, 0, &[1; 8]), frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])] {
            let mut peer = Peer::new(server);
            // The answers are not read: the server stops reading, or sends the peer away.
            let taken = (0..2_000).take_while(|_| peer.send(&flood.repeat(1_000))).count();
            assert!(taken < 2_000, "30 MB of frames were answered to nobody");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_decompression_bombs_are_not_inflated() {
    harm("bombs", &[], |server| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..512 {
            gzip.write_all(&vec![0; 1 << 20]).unwrap();
        }
        let message = raw::bytes_frame(true, &gzip.finish().unwrap());
        let mut headers = call(raw::BULK);
        headers.extend(header("grpc-encoding", "gzip"));
        for _ in 0..8 {
            let mut peer = Peer::new(server);
            assert!(peer.send(&frame(HEADERS, END_HEADERS, 1, &headers)));
            for part in message.chunks(16_384).take(15) {
                let _ = peer.send(&frame(DATA, 0, 1, part));
            }
            pause(Duration::from_millis(50));
        }
    })
    .await;
}
