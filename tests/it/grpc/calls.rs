//! C1 to C8: what holds for a call.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use jianbao::grpc::pb;
use jianbao_engine::Engine;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::bulk::resident_kib;
use super::life::Program;
use super::raw::{self, BULK, UNARY};
use super::{LONG, Seen, eventually, options, request, start, start_with};

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "jianbao");
    info.reason
}

#[tokio::test]
async fn c1_deadline_exceeded_while_queued_and_the_job_never_starts() {
    let (server, mut seen) = start(|o| o.workers = 1).await;
    // A caller that only sends the header: the answer is the server's, not its library's.
    let caller = raw::connect(&server).await;
    let client = server.client().await;
    let running = tokio::spawn({
        let mut client = client.clone();
        async move { client.extract_report(request("running", "wait")).await }
    });
    assert_eq!(seen.next().await, "running");
    let queued = caller.whole(raw::call(UNARY, &[("grpc-timeout", "50m")]), raw::frame(&request("queued", "x"))).await;
    assert_eq!(queued.grpc().code(), Code::DeadlineExceeded);
    assert_eq!(reason(&queued.grpc()), "DEADLINE_EXCEEDED");
    eventually("the job is withdrawn", || server.waiting() == 0).await;
    seen.fake.open_gate();
    running.await.unwrap().unwrap();
    client.clone().extract_report(request("after", "x")).await.unwrap();
    assert_eq!(seen.next().await, "after");
    server.stop().await;
}

#[tokio::test]
async fn c1_deadline_exceeded_while_running() {
    let (server, mut seen) = start(|_| {}).await;
    let caller = raw::connect(&server).await;
    let begun = Instant::now();
    let ended = caller.whole(raw::call(UNARY, &[("grpc-timeout", "100m")]), raw::frame(&request("a", "wait"))).await;
    assert_eq!(ended.grpc().code(), Code::DeadlineExceeded);
    assert!(begun.elapsed() >= Duration::from_millis(100) && begun.elapsed() < Duration::from_secs(2));
    assert_eq!(seen.next().await, "a");
    seen.fake.open_gate();
    server.stop().await;
}

#[tokio::test]
async fn c1_deadline_exceeded_in_a_stream_with_work_running_queued_and_with_none() {
    let (server, seen) = start(|o| o.workers = 1).await;
    let caller = raw::connect(&server).await;
    let bodies = [Vec::new(), raw::frame(&request("a", "wait")), raw::frame(&request("b", "x"))];
    for body in bodies {
        let (response, mut stream) = caller.begin(raw::call(BULK, &[("grpc-timeout", "80m")])).await;
        raw::send_all(&mut stream, body.into(), false).await.unwrap();
        let ended = raw::read(response.await.unwrap()).await;
        assert_eq!(ended.grpc().code(), Code::DeadlineExceeded);
        assert!(ended.items().is_empty());
    }
    eventually("queued work is withdrawn", || server.waiting() == 0).await;
    seen.fake.open_gate();
    server.stop().await;
    assert_eq!(seen.fake.count.load(Ordering::SeqCst), 1, "what was queued never started");
}

#[tokio::test]
async fn c1_a_deadline_already_passed_starts_nothing() {
    let (server, seen) = start(|_| {}).await;
    let caller = raw::connect(&server).await;
    for path in [UNARY, BULK] {
        let ended = caller.whole(raw::call(path, &[("grpc-timeout", "0n")]), raw::frame(&request("a", "x"))).await;
        assert_eq!(ended.grpc().code(), Code::DeadlineExceeded);
    }
    server.stop().await;
    assert_eq!(seen.fake.count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn c1_malformed_timeout_is_invalid_argument() {
    let (server, seen) = start(|_| {}).await;
    let caller = raw::connect(&server).await;
    for bad in ["", "5", "S", "-1S", "1.5S", "5s", "123456789S", "1 S", "never"] {
        for path in [UNARY, BULK] {
            let ended = caller.whole(raw::call(path, &[("grpc-timeout", bad)]), raw::frame(&request("a", "x"))).await;
            assert_eq!(ended.grpc().code(), Code::InvalidArgument, "{bad:?}");
            assert_eq!(reason(&ended.grpc()), "INVALID_TIMEOUT");
        }
    }
    server.stop().await;
    assert_eq!(seen.fake.count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn c2_a_dropped_or_reset_call_frees_its_queued_work_within_100_ms() {
    let (server, mut seen) = start(|o| o.workers = 1).await;
    let caller = raw::connect(&server).await;
    let (_running, mut stream) = caller.begin(raw::call(UNARY, &[])).await;
    raw::send_all(&mut stream, raw::frame(&request("running", "wait")).into(), true).await.unwrap();
    assert_eq!(seen.next().await, "running");
    for path in [UNARY, BULK] {
        let (response, mut stream) = caller.begin(raw::call(path, &[])).await;
        raw::send_all(&mut stream, raw::frame(&request("queued", "x")).into(), false).await.unwrap();
        eventually("it is queued", || server.waiting() == 1).await;
        let begun = Instant::now();
        stream.send_reset(h2::Reason::CANCEL);
        drop(response);
        eventually("it is withdrawn", || server.waiting() == 0).await;
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    }
    // And when the connection is lost altogether.
    let other = raw::connect(&server).await;
    let (_response, mut stream) = other.begin(raw::call(UNARY, &[])).await;
    raw::send_all(&mut stream, raw::frame(&request("queued", "x")).into(), true).await.unwrap();
    eventually("it is queued", || server.waiting() == 1).await;
    other.connection.abort();
    eventually("it is withdrawn", || server.waiting() == 0).await;
    seen.fake.open_gate();
    server.stop().await;
    assert_eq!(seen.fake.count.load(Ordering::SeqCst), 1);
}

/// Streams aborted before a message, inside one, after one, and while the answer is read.
async fn abort_streams(caller: &raw::Raw, count: u32) {
    for round in 0..count {
        let (response, mut stream) = caller.begin(raw::call(BULK, &[])).await;
        let body = raw::frame(&request("a", "x"));
        match round % 4 {
            0 => {}
            1 => raw::send_all(&mut stream, body[..body.len() / 2].to_vec().into(), false).await.unwrap(),
            2 => raw::send_all(&mut stream, body.into(), false).await.unwrap(),
            _ => {
                raw::send_all(&mut stream, body.into(), false).await.unwrap();
                let (_, mut answers) = response.await.unwrap().into_parts();
                answers.data().await.unwrap().unwrap();
                stream.send_reset(h2::Reason::CANCEL);
                continue;
            }
        }
        // The server has taken the call on, or this would be a flood of resets, which is another matter.
        response.await.unwrap();
        stream.send_reset(h2::Reason::CANCEL);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c2_ten_thousand_aborted_streams_leak_no_task_and_no_permit() {
    let (server, _seen) = start(|o| o.max_calls = 64).await;
    let caller = raw::connect(&server).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // One call first, so that the connection has its tasks.
    caller.whole(raw::call(UNARY, &[]), raw::frame(&request("a", "x"))).await;
    let before = tasks();
    abort_streams(&caller, 10_000).await;
    eventually("every task has ended", || tasks() <= before).await;
    eventually("nothing waits", || server.waiting() == 0).await;
    // Every place is free: as many calls as there are places are all let in.
    let mut open = Vec::new();
    for _ in 0..64 {
        let (response, stream) = caller.begin(raw::call(BULK, &[])).await;
        let response = response.await.unwrap();
        assert!(response.headers().get("grpc-status").is_none());
        open.push((response, stream));
    }
    drop(open);
    server.stop().await;
}

#[tokio::test]
async fn c2_memory_is_flat_over_ten_thousand_aborted_streams() {
    let program = Program::start(&[]);
    let caller = raw::connect_to(&program.address).await;
    abort_streams(&caller, 1_000).await;
    let before = resident_kib(program.child.id());
    abort_streams(&caller, 10_000).await;
    let after = resident_kib(program.child.id());
    eprintln!("resident {before} KiB after 1,000 aborted streams, {after} KiB after 11,000");
    assert!(after < before + (4 << 10), "{before} KiB, then {after} KiB");
}

#[tokio::test]
async fn c3_health_answers_in_milliseconds_while_every_core_is_busy() {
    let (server, seen) = start(|o| o.workers = std::thread::available_parallelism().unwrap().get()).await;
    let (tx, rx) = tokio::sync::mpsc::channel(64);
    let mut client = server.client().await;
    let bulk = tokio::spawn(async move {
        let stream = tokio_stream::wrappers::ReceiverStream::new(rx);
        let mut answers = client.bulk_extract_reports(stream).await.unwrap().into_inner();
        while answers.message().await.unwrap().is_some() {}
    });
    let feed = tokio::spawn(async move { while tx.send(request("busy", "work:5000000")).await.is_ok() {} });
    let mut health = server.health().await;
    let mut times = Vec::new();
    eventually("the cores are busy", || seen.fake.count.load(Ordering::SeqCst) > 4).await;
    for _ in 0..200 {
        let begun = Instant::now();
        health.check(jianbao::grpc::health_pb::HealthCheckRequest::default()).await.unwrap();
        times.push(begun.elapsed());
    }
    feed.abort();
    bulk.abort();
    times.sort();
    eprintln!("health under load: p50 {:?}, p99 {:?}", times[100], times[197]);
    assert!(times[100] < Duration::from_millis(50), "p50 {:?}", times[100]);
    server.stop().await;
}

/// A server of one thread that is busy, with a queue of one that is full.
async fn full() -> (super::Running, Seen, Vec<tokio::task::JoinHandle<Result<tonic::Response<pb::ExtractReportResponse>, Status>>>) {
    let (server, mut seen) = start(|o| (o.workers, o.queue_jobs) = (1, 1)).await;
    let client = server.client().await;
    let mut calls = Vec::new();
    for id in ["running", "queued"] {
        let mut client = client.clone();
        calls.push(tokio::spawn(async move { client.extract_report(request(id, "wait")).await }));
        if id == "running" {
            assert_eq!(seen.next().await, "running");
        } else {
            eventually("the queue is full", || server.waiting() == 1).await;
        }
    }
    (server, seen, calls)
}

#[tokio::test]
async fn c4_a_full_queue_refuses_at_once_and_says_when_to_come_back() {
    let (server, seen, calls) = full().await;
    let mut client = server.client().await;
    let mut times = Vec::new();
    for _ in 0..100 {
        let begun = Instant::now();
        let status = client.extract_report(request("refused", "x")).await.unwrap_err();
        times.push(begun.elapsed());
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(reason(&status), "QUEUE_FULL");
        let delay = status.get_details_retry_info().unwrap().retry_delay.unwrap();
        let pushback: u128 = status.metadata().get("grpc-retry-pushback-ms").unwrap().to_str().unwrap().parse().unwrap();
        assert_eq!(delay.as_millis(), pushback);
        assert!((50..10_000).contains(&pushback), "{pushback}");
    }
    times.sort();
    eprintln!("refusal: p50 {:?}, p99 {:?}", times[50], times[98]);
    assert!(times[50] < Duration::from_millis(10), "{:?}", times[50]);
    let health = server.health().await.check(jianbao::grpc::health_pb::HealthCheckRequest::default()).await.unwrap();
    assert_eq!(health.into_inner().status, 1);
    seen.fake.open_gate();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    client.extract_report(request("after", "x")).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn c4_a_stream_waits_where_a_unary_call_is_refused() {
    let (server, seen, calls) = full().await;
    let mut client = server.client().await;
    let requests = tokio_stream::iter((0..20).map(|n| request(&n.to_string(), "x")));
    let mut answers = client.bulk_extract_reports(requests).await.unwrap().into_inner();
    seen.fake.open_gate();
    for n in 0..20 {
        assert_eq!(answers.message().await.unwrap().unwrap().sequence, n);
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn c4_queued_bytes_are_capped() {
    let (server, mut seen) = start(|o| (o.workers, o.queue_bytes) = (1, 1 << 20)).await;
    let mut client = server.client().await;
    let running = tokio::spawn({
        let mut client = client.clone();
        async move { client.extract_report(request("running", &format!("wait:{}", "一".repeat(250_000)))).await }
    });
    assert_eq!(seen.next().await, "running");
    let status = client.extract_report(request("refused", &"一".repeat(250_000))).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "QUEUE_FULL"));
    seen.fake.open_gate();
    running.await.unwrap().unwrap();
    client.extract_report(request("after", &"一".repeat(250_000))).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn c4_calls_in_flight_are_capped_and_health_stays_reachable() {
    let (server, _seen) = start(|o| o.max_calls = 1).await;
    let mut client = server.client().await;
    let (sender, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let open = client.bulk_extract_reports(requests).await.unwrap();
    let status = client.extract_report(request("a", "x")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
    assert!(status.get_details_retry_info().is_some());
    server.health().await.check(jianbao::grpc::health_pb::HealthCheckRequest::default()).await.unwrap();
    drop((sender, open));
    let again = async { while client.extract_report(request("a", "x")).await.is_err() {} };
    tokio::time::timeout(LONG, again).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn c4_connections_are_capped() {
    let (server, _seen) = start(|o| o.max_connections = 1).await;
    let mut client = server.client().await;
    client.extract_report(request("a", "x")).await.unwrap();
    let mut second = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let mut byte = [0];
    let closed = tokio::time::timeout(LONG, tokio::io::AsyncReadExt::read(&mut second, &mut byte)).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    client.extract_report(request("b", "x")).await.unwrap();
    server.stop().await;
}

fn invalid(change: impl FnOnce(&mut pb::Bulletin)) -> pb::ExtractReportRequest {
    let mut request = request("a", "x");
    change(request.bulletin.as_mut().unwrap());
    request
}

/// Requests that break a rule, the field at fault, and what the description must say.
fn bad_requests() -> Vec<(pb::ExtractReportRequest, &'static str, &'static str)> {
    let options = |number| Some(pb::ExtractOptions { offset_encoding: number });
    vec![
        (pb::ExtractReportRequest::default(), "bulletin.text", "empty"),
        (invalid(|b| b.text.clear()), "bulletin.text", "empty"),
        (invalid(|b| b.text = "一".repeat((3 << 20) / 3 + 1)), "bulletin.text", "3145728"),
        (invalid(|b| b.id = "i".repeat(257)), "bulletin.id", "256"),
        (invalid(|b| b.publisher = "p".repeat(1_025)), "bulletin.publisher", "1024"),
        (invalid(|b| b.source_uri = "u".repeat(2_049)), "bulletin.source_uri", "2048"),
        (invalid(|b| b.published_on = "2020-02-30".into()), "bulletin.published_on", "`2020-02-30`"),
        (invalid(|b| b.published_on = "\u{1f600}\n\"".repeat(100_000)), "bulletin.published_on", "YYYY-MM-DD"),
        (pb::ExtractReportRequest { options: options(4), ..request("a", "x") }, "options.offset_encoding", "4"),
        (pb::ExtractReportRequest { options: options(-1), ..request("a", "x") }, "options.offset_encoding", "-1"),
    ]
}

#[tokio::test]
async fn c6_a_bad_field_is_invalid_argument_and_named_with_its_limit() {
    let (server, seen) = start(|_| {}).await;
    let mut client = server.client().await;
    for (bad, field, says) in bad_requests() {
        let status = client.extract_report(bad).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"), "{field}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert_eq!(violations[0].field, field);
        assert!(violations[0].description.contains(says), "{violations:?}");
    }
    server.stop().await;
    assert_eq!(seen.fake.count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn c6_every_rule_that_is_broken_is_named() {
    let (server, _seen) = start(|_| {}).await;
    let mut client = server.client().await;
    let bad = invalid(|b| (b.text, b.id, b.published_on) = (String::new(), "i".repeat(300), "yesterday".into()));
    let status = client.extract_report(bad).await.unwrap_err();
    let fields: Vec<_> = status.get_details_bad_request().unwrap().field_violations.into_iter().map(|v| v.field).collect();
    assert_eq!(fields, ["bulletin.text", "bulletin.id", "bulletin.published_on"]);
    server.stop().await;
}

#[tokio::test]
async fn c6_text_that_is_no_bulletin_is_no_error() {
    let server = start_with(Arc::new(Engine::new().unwrap()), options(|_| {})).await;
    let mut client = server.client().await;
    for text in [" ", "hello", "\u{0}\u{fffd}", "床前明月光,疑是地上霜。", "\n\n\n"] {
        let report = client.extract_report(request("a", text)).await.unwrap().into_inner().report.unwrap();
        assert_eq!(report.bulletin_id, "a");
        assert!(report.institutions.is_empty());
    }
    server.stop().await;
}

#[tokio::test]
async fn c5_errors_carry_a_reason_and_stay_under_8_kib() {
    let (server, _seen) = start(|_| {}).await;
    let caller = raw::connect(&server).await;
    let mut calls: Vec<(String, Vec<u8>)> = bad_requests().iter().map(|(bad, ..)| (UNARY.to_owned(), raw::frame(bad))).collect();
    let everything = pb::ExtractReportRequest {
        bulletin: Some(pb::Bulletin {
            id: "坏".repeat(100_000),
            text: String::new(),
            publisher: "坏".repeat(100_000),
            published_on: "坏".repeat(100_000),
            source_uri: "坏".repeat(100_000),
        }),
        options: Some(pb::ExtractOptions { offset_encoding: i32::MIN }),
    };
    calls.push((UNARY.to_owned(), raw::frame(&everything)));
    calls.push((UNARY.to_owned(), raw::bytes_frame(false, b"\xff\xff\xff")));
    calls.push((UNARY.to_owned(), raw::bytes_frame(true, b"flag but no encoding")));
    calls.push((UNARY.to_owned(), Vec::new()));
    calls.push((UNARY.to_owned(), vec![9; 100]));
    calls.push((UNARY.to_owned(), raw::bytes_frame(false, &vec![0; 5 << 20])));
    calls.push((UNARY.to_owned(), raw::frame(&request("a", "panic"))));
    calls.push((format!("/jianbao.v1.ExtractReportService/{}", "x".repeat(4_000)), Vec::new()));
    calls.push((format!("/{}/Nothing", "x".repeat(4_000)), Vec::new()));
    calls.push(("/grpc.health.v1.Health/Check".to_owned(), raw::bytes_frame(false, b"\x0a\x03abc")));
    calls.push(("/grpc.health.v1.Health/Check".to_owned(), raw::bytes_frame(false, b"\xff")));
    for (path, body) in calls {
        let ended = caller.whole(raw::call(&path, &[]), body).await;
        let status = ended.grpc();
        assert_ne!(status.code(), Code::Ok, "{path}");
        assert!(!reason(&status).is_empty());
        let size: usize = ended.headers.iter().chain(&ended.trailers).map(|(n, v)| n.as_str().len() + v.len()).sum();
        assert!(size < 8 << 10, "{size} bytes for {path}");
        for inner in ["panicked", "src/", ".rs", "told to"] {
            assert!(!status.message().contains(inner), "{}", status.message());
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn c7_the_message_limit_holds_as_sent_and_after_inflating() {
    let (server, seen) = start(|o| (o.max_message_bytes, o.max_text_bytes) = (1 << 20, 1 << 20)).await;
    let mut plain = server.client().await;
    let just = "x".repeat((1 << 20) - 16);
    plain.extract_report(request("a", &just)).await.unwrap();
    let zeros = request("b", &"0".repeat(64 << 20));
    for encoding in [None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd)] {
        let mut client = server.client().await.max_encoding_message_size(256 << 20);
        if let Some(encoding) = encoding {
            client = client.send_compressed(encoding);
        }
        let status = client.extract_report(zeros.clone()).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
        assert!(status.message().contains("1048576"), "{}", status.message());
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1", "it is not to be tried again");
    }
    server.stop().await;
    assert_eq!(seen.fake.count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn c7_gzip_and_zstd_are_accepted_and_offered() {
    let (server, _seen) = start(|_| {}).await;
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
        let mut client = server.client().await.send_compressed(encoding).accept_compressed(encoding);
        let answer = client.extract_report(request("a", &format!("large:{}", 300_000))).await.unwrap();
        let name = answer.metadata().get("grpc-encoding").unwrap().to_str().unwrap().to_owned();
        assert_eq!(name, if encoding == CompressionEncoding::Gzip { "gzip" } else { "zstd" });
        assert_eq!(answer.into_inner().report.unwrap().title, "大".repeat(100_000));
        let requests = tokio_stream::iter((0..10).map(|n| request(&n.to_string(), "large:30000")));
        let mut answers = client.bulk_extract_reports(requests).await.unwrap().into_inner();
        let mut sequence = 0;
        while let Some(answer) = answers.message().await.unwrap() {
            assert_eq!(answer.sequence, sequence);
            sequence += 1;
        }
        assert_eq!(sequence, 10);
    }
    let caller = raw::connect(&server).await;
    let frame = raw::frame(&request("a", "x"));
    let unknown = caller.whole(raw::call(UNARY, &[("grpc-encoding", "snappy")]), frame.clone()).await;
    assert_eq!(unknown.grpc().code(), Code::Unimplemented);
    assert_eq!(unknown.headers["grpc-accept-encoding"], "identity,gzip,zstd");
    let large = raw::frame(&request("a", "large:90000"));
    let ended = caller.whole(raw::call(UNARY, &[("grpc-accept-encoding", "deflate,gzip")]), large).await;
    assert_eq!((ended.data[0], &ended.headers["grpc-encoding"]), (1, &http::HeaderValue::from_static("gzip")));
    assert!(ended.data.len() < 9_000);
    server.stop().await;
}

/// Log lines of this process.
fn log() -> &'static Mutex<Vec<u8>> {
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        struct Lines;
        impl std::io::Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                log().lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Lines).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        Mutex::default()
    })
}

#[tokio::test]
async fn c8_a_panic_is_internal_for_that_call_and_logged_once() {
    log();
    let (server, _seen) = start(|o| o.workers = 1).await;
    let mut client = server.client().await;
    for round in 0..20 {
        let status = client.extract_report(request(&format!("panicking-{round}-"), "panic:机密")).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "ENGINE_PANICKED"));
        client.extract_report(request("well", "x")).await.unwrap();
    }
    let lines = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    for round in 0..20 {
        assert_eq!(lines.matches(&format!("panicking-{round}-")).count(), 1, "{lines}");
    }
    assert!(!lines.contains("机密"), "the text is not logged");
    server.stop().await;
}
