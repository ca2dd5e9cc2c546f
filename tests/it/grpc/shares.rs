//! F3 and F6 to F13: what one caller takes of the memory, the turns and the places, and what that leaves to another.

use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use h2::SendStream;
use tonic::Code;

use super::abuse::{DATA, END_HEADERS, HEADERS, Peer, call, frame, harm, harm_within, header, pause};
use super::raw::{self, BULK, UNARY};
use super::{LONG, eventually, request, start};

/// Begins a stream whose answers nobody reads.
async fn unread(caller: &raw::Raw, messages: usize, text: &str) -> (h2::client::ResponseFuture, SendStream<bytes::Bytes>) {
    let (response, mut stream) = caller.begin(raw::call(BULK, &[])).await;
    let body: Vec<u8> = (0..messages).flat_map(|n| raw::frame(&request(&n.to_string(), text))).collect();
    raw::send_all(&mut stream, body.into(), false).await.unwrap();
    (response, stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f3_streams_that_nobody_reads_hold_no_turn() {
    let (server, seen) = start(|_| {}).await;
    let callers = [raw::connect(&server).await, raw::connect(&server).await];
    let mut streams = Vec::new();
    for n in 0..40 {
        streams.push(unread(&callers[n % 2], 100, "large:30000").await);
    }
    let count = || seen.fake.count.load(Ordering::SeqCst);
    let mut before = 0;
    while std::mem::replace(&mut before, count()) != count() || before == 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for _ in 0..2 {
        let caller = raw::connect(&server).await;
        let body: Vec<u8> = (0..200).flat_map(|n| raw::frame(&request(&n.to_string(), "x"))).collect();
        let next = tokio::time::timeout(LONG, caller.whole(raw::call(BULK, &[]), body)).await.expect("the next stream flows");
        assert_eq!((next.items().len(), next.grpc().code()), (200, Code::Ok));
    }
    drop(streams);
    for caller in callers {
        caller.connection.abort();
    }
    eventually("all is given back", || server.pool.budget().in_use() == (0, 0)).await;
    server.stop().await;
}

/// Settings with which what is not bounded shows: a budget of 48 MiB.
const SMALL: &[&str] = &["--memory-budget", "48MiB", "--max-message-bytes", "1MiB", "--max-text-bytes", "512KiB"];

/// What a server may grow by with that budget, in KiB.
const SMALL_KIB: u64 = 48 << 10;

/// Numbers on and on, whose report is many times as long.
fn dense(bytes: usize) -> String {
    format!("清河农商银行服务{}。", "1户，".repeat(bytes / 7))
}

/// Begins a call on a stream of this peer, with its one message or a part of it.
fn begin(peer: &mut Peer, stream: u32, headers: &[u8], message: &[u8], whole: bool) {
    if !peer.send(&frame(HEADERS, END_HEADERS, stream, headers)) {
        return;
    }
    let parts = message.chunks(16_384).count();
    for (n, part) in message.chunks(16_384).enumerate() {
        let _ = peer.send(&frame(DATA, u8::from(whole && n + 1 == parts), stream, part));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_answers_that_nobody_reads_are_held_within_the_budget() {
    harm_within("unread answers", SMALL, SMALL_KIB, |server| {
        let message = raw::frame(&request("a", &dense(8 << 10)));
        let mut peers: Vec<_> = (0..3).map(|_| Peer::new(server)).collect();
        for n in 0..110 {
            for peer in &mut peers {
                begin(peer, 2 * n + 1, &call(UNARY), &message, true);
            }
            pause(Duration::from_millis(50));
        }
        pause(Duration::from_secs(5));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_an_answer_that_is_not_taken_in_time_is_let_go() {
    let (server, _seen) = start(|o| (o.max_calls, o.unread_timeout) = (1, Duration::from_secs(1))).await;
    let caller = raw::connect(&server).await;
    let (response, mut stream) = caller.begin(raw::call(UNARY, &[])).await;
    raw::send_all(&mut stream, raw::frame(&request("a", "large:3000000")).into(), true).await.unwrap();
    let response = response.await.unwrap();
    let held = || server.pool.budget().in_use().0;
    assert!(held() > 2_900_000);
    // What HTTP/2 has been handed stays with it, and no more.
    eventually("it is let go", || held() <= 64 << 10).await;
    let other = server.client().await.extract_report(request("b", "x")).await;
    assert_eq!(other.unwrap().into_inner().report.unwrap().bulletin_id, "b", "its place too");
    let mut body = response.into_body();
    let mut read = 0;
    while let Some(Ok(part)) = body.data().await {
        read += part.len();
        body.flow_control().release_capacity(part.len()).unwrap();
    }
    assert!(read < 300_000, "{read}");
    let status = tonic::Status::from_header_map(&body.trailers().await.unwrap().unwrap()).unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("not taken in time"), "{status:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f7_idle_streams_keep_nobody_out_and_end() {
    harm("idle streams", &["--max-calls", "256", "--receive-timeout", "2s"], |server| {
        let mut peers: Vec<_> = (0..6).map(|_| Peer::new(server)).collect();
        for round in 0..3 {
            for peer in &mut peers {
                let streams = (0..100).map(|n| 2 * (round * 100 + n) + 1);
                let _ = peer.send(&streams.flat_map(|stream| frame(HEADERS, END_HEADERS, stream, &call(BULK))).collect::<Vec<_>>());
            }
            pause(Duration::from_millis(700));
        }
    })
    .await;
}

#[tokio::test]
async fn f7_a_stream_that_does_not_begin_or_go_on_ends_and_says_where_to_resume() {
    let (server, _seen) = start(|o| {
        (o.receive_timeout, o.stream_idle_timeout) = (Duration::from_millis(200), Duration::from_millis(400));
    })
    .await;
    let caller = raw::connect(&server).await;
    let message = raw::frame(&request("a", "x"));
    let half = message[..message.len() / 2].to_vec();
    let cases = [
        (Vec::new(), Code::DeadlineExceeded, "0"),
        (half.clone(), Code::DeadlineExceeded, "0"),
        (message.clone(), Code::Unavailable, "1"),
        ([message.clone(), message.clone(), half].concat(), Code::DeadlineExceeded, "2"),
    ];
    for (body, code, next) in cases {
        let (response, mut stream) = caller.begin(raw::call(BULK, &[])).await;
        raw::send_all(&mut stream, body.into(), false).await.unwrap();
        let ended = tokio::time::timeout(LONG, async { raw::read(response.await.unwrap()).await }).await.expect("it ends");
        assert_eq!((ended.grpc().code(), ended.trailers["jianbao-next-sequence"].to_str().unwrap()), (code, next));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f8_watches_have_a_bound_and_the_oldest_of_whoever_has_most_gives_way() {
    harm("watches", &["--max-watches", "256"], |server| {
        let mut peers: Vec<_> = (0..15).map(|_| Peer::new(server)).collect();
        for peer in &mut peers {
            for n in 0..100 {
                begin(peer, 2 * n + 1, &call("/grpc.health.v1.Health/Watch"), &[0; 5], true);
            }
            pause(Duration::from_millis(40));
        }
        pause(Duration::from_secs(1));
        // Another caller's watch, and its check, are answered.
        let asked = async {
            let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{server}")).unwrap();
            let mut health = jianbao::grpc::health_pb::health_client::HealthClient::new(endpoint.connect().await.unwrap());
            let ask = jianbao::grpc::health_pb::HealthCheckRequest::default;
            let mut watch = health.watch(ask()).await.unwrap().into_inner();
            assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
            health.check(ask()).await.unwrap();
        };
        tokio::runtime::Handle::current().block_on(asked);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_packed_texts_from_three_connections_leave_another_caller_its_turn() {
    harm("packed texts", &["--workers", "1", "--queue-jobs", "16", "--audit", "off"], |server| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&prost::Message::encode_to_vec(&request("a", &"清河农商银行发放贷款3亿元。".repeat(1_000)))).unwrap();
        let message = raw::bytes_frame(true, &gzip.finish().unwrap());
        let headers = [call(UNARY), header("grpc-encoding", "gzip")].concat();
        let mut peers: Vec<_> = (0..3).map(|_| Peer::new(server)).collect();
        for n in 0..100 {
            for peer in &mut peers {
                begin(peer, 2 * n + 1, &headers, &message, true);
            }
            pause(Duration::from_millis(30));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_short_messages_wait_for_a_busy_engine_and_are_no_attack() {
    const COUNT: usize = 12_000;
    let (server, mut seen) = start(|o| o.workers = 1).await;
    let caller = raw::connect(&server).await;
    let (_running, mut stream) = caller.begin(raw::call(UNARY, &[])).await;
    raw::send_all(&mut stream, raw::frame(&request("held", "wait")).into(), true).await.unwrap();
    assert_eq!(seen.next().await, "held");
    let (response, mut stream) = caller.begin(raw::call(BULK, &[])).await;
    let sending = tokio::spawn(async move {
        // Each in a frame of its own, as grpcio sends them.
        let message = bytes::Bytes::from(raw::frame(&request("a", "x")));
        for _ in 0..COUNT {
            raw::send_all(&mut stream, message.clone(), false).await.unwrap();
        }
        stream.send_data(bytes::Bytes::new(), true).unwrap();
    });
    let response = response.await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    seen.fake.open_gate();
    let ended = tokio::time::timeout(LONG, raw::read(response)).await.expect("it goes on");
    assert_eq!((ended.items().len(), ended.grpc().code()), (COUNT, Code::Ok));
    sending.await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_parts_of_messages_are_held_within_the_budget_and_not_for_ever() {
    let settings = [SMALL, &["--receive-timeout", "4s"]].concat();
    harm_within("parts of messages", &settings, SMALL_KIB, |server| {
        let part = &raw::bytes_frame(false, &vec![b'x'; 1 << 20])[..60_000];
        let json =
            [vec![0x83, 0x86], header(":path", UNARY), header(":authority", "localhost"), header("content-type", "application/json")];
        let mut peers: Vec<_> = (0..15).map(|_| Peer::new(server)).collect();
        for n in 0..60 {
            for (at, peer) in peers.iter_mut().enumerate() {
                let headers = [call(BULK), call(UNARY), json.concat()];
                begin(peer, 2 * n + 1, &headers[at % 3], part, false);
            }
        }
        pause(Duration::from_secs(2));
    })
    .await;
}

#[tokio::test]
async fn f13_a_caller_keeps_its_place_until_what_runs_for_it_has_ended() {
    let (server, mut seen) = start(|o| o.max_calls = 1).await;
    let caller = raw::connect(&server).await;
    let (response, mut stream) = caller.begin(raw::call(UNARY, &[])).await;
    raw::send_all(&mut stream, raw::frame(&request("running", "wait")).into(), true).await.unwrap();
    assert_eq!(seen.next().await, "running");
    stream.send_reset(h2::Reason::CANCEL);
    drop(response);
    let message = || raw::frame(&request("next", "x"));
    for _ in 0..20 {
        assert_eq!(caller.whole(raw::call(UNARY, &[]), message()).await.grpc().code(), Code::ResourceExhausted);
    }
    seen.fake.open_gate();
    eventually("it has ended", || server.pool.counts().running.load(Ordering::SeqCst) == 0).await;
    assert_eq!(caller.whole(raw::call(UNARY, &[]), message()).await.grpc().code(), Code::Ok);
    server.stop().await;
}

#[tokio::test]
async fn f13_two_messages_on_a_unary_call_are_an_error() {
    let (server, mut seen) = start(|_| {}).await;
    let caller = raw::connect(&server).await;
    let two = [raw::frame(&request("a", "wait")), raw::frame(&request("b", "x"))].concat();
    let ended = caller.whole(raw::call(UNARY, &[]), two).await;
    assert_eq!(ended.grpc().code(), Code::InvalidArgument);
    seen.fake.open_gate();
    let _ = tokio::time::timeout(Duration::from_millis(10), seen.next()).await;
    server.stop().await;
}
