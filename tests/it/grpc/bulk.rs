//! B1 to B6: what holds for a stream.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use jianbao::grpc::pb::bulk_extract_reports_response::Outcome;
use jianbao::grpc::pb::{self, BulkExtractReportsResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use super::life::Program;
use super::raw::{self, BULK};
use super::{LONG, eventually, request, start};

async fn next(answers: &mut Streaming<BulkExtractReportsResponse>) -> Result<Option<BulkExtractReportsResponse>, Status> {
    tokio::time::timeout(LONG, answers.message()).await.expect("an answer comes")
}

fn title(answer: BulkExtractReportsResponse) -> String {
    match answer.outcome {
        Some(Outcome::Report(report)) => report.title,
        other => panic!("no report: {other:?}"),
    }
}

fn error(answer: BulkExtractReportsResponse) -> pb::BulletinError {
    match answer.outcome {
        Some(Outcome::Error(error)) => error,
        other => panic!("no error: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_one_answer_for_each_request_in_order() {
    let (server, _seen) = start(|o| o.workers = 4).await;
    let mut client = server.client().await;
    // The work differs from one to the next, so that they are done out of order.
    let text = |n: u64| format!("work:{}", n * 7_919 % 20_000);
    let requests = tokio_stream::iter((0..5_000).map(move |n| request(&format!("id-{n}"), &text(n))));
    let mut answers = client.bulk_extract_reports(requests).await.unwrap().into_inner();
    for n in 0..5_000 {
        let answer = next(&mut answers).await.unwrap().unwrap();
        assert_eq!((answer.sequence, answer.bulletin_id.as_str()), (n, format!("id-{n}").as_str()));
        assert_eq!(title(answer), text(n));
    }
    assert!(next(&mut answers).await.unwrap().is_none());
    server.stop().await;
}

/// Requests that fail, each in its own way.
fn failing() -> Vec<pb::ExtractReportRequest> {
    let with = |change: fn(&mut pb::Bulletin)| {
        let mut request = request("bad", "x");
        change(request.bulletin.as_mut().unwrap());
        request
    };
    vec![
        pb::ExtractReportRequest::default(),
        with(|b| b.text.clear()),
        with(|b| b.text = "一".repeat(1_048_577)),
        with(|b| b.text = "x".repeat(5 << 20)),
        with(|b| b.id = "i".repeat(300)),
        with(|b| (b.id, b.published_on) = ("i".repeat(300), "tomorrow".into())),
        pb::ExtractReportRequest { options: Some(pb::ExtractOptions { offset_encoding: 9 }), ..request("bad", "x") },
        with(|b| b.text = "panic".into()),
    ]
}

#[tokio::test]
async fn b1_an_error_in_the_stream_is_what_the_unary_call_says() {
    let (server, _seen) = start(|_| {}).await;
    let mut client = server.client().await;
    let mut answers = client.bulk_extract_reports(tokio_stream::iter(failing())).await.unwrap().into_inner();
    for bad in failing() {
        let unary = client.extract_report(bad).await.unwrap_err();
        let item = error(next(&mut answers).await.unwrap().unwrap());
        assert_eq!((item.code, item.message.as_str()), (i32::from(unary.code()), unary.message()));
        assert_eq!(item.reason, unary.get_details_error_info().unwrap().reason);
        let unary: Vec<_> = unary
            .get_details_bad_request()
            .map_or_else(Vec::new, |bad| bad.field_violations.into_iter().map(|v| (v.field, v.description)).collect());
        let item: Vec<_> = item.field_violations.into_iter().map(|v| (v.field, v.description)).collect();
        assert_eq!(item, unary);
    }
    server.stop().await;
}

#[tokio::test]
async fn b2_a_bad_item_never_ends_the_stream() {
    let (server, _seen) = start(|_| {}).await;
    let mut client = server.client().await;
    let pairs = failing().into_iter().enumerate();
    let requests: Vec<_> = pairs.flat_map(|(n, bad)| [bad, request(&format!("good-{n}"), "x")]).collect();
    let count = requests.len();
    let mut answers = client.bulk_extract_reports(tokio_stream::iter(requests)).await.unwrap().into_inner();
    for n in 0..count {
        let answer = next(&mut answers).await.unwrap().unwrap();
        assert_eq!(answer.sequence, n as u64);
        if n % 2 == 0 {
            assert_ne!(error(answer).code, 0);
        } else {
            assert_eq!(answer.bulletin_id, format!("good-{}", n / 2));
            assert_eq!(title(answer), "x");
        }
    }
    assert!(next(&mut answers).await.unwrap().is_none());
    server.stop().await;
}

#[tokio::test]
async fn b2_bytes_that_are_no_message_and_messages_of_any_length_do_not_end_the_stream() {
    let (server, _seen) = start(|_| {}).await;
    let caller = raw::connect(&server).await;
    let good = raw::frame(&request("good", "x"));
    let bad = [
        raw::bytes_frame(false, b"\xff\xff\xff\xff"),
        raw::bytes_frame(false, b"\x0a\x04\x12\x02\xff\xfe"),
        raw::bytes_frame(false, &vec![0; 40 << 20]),
        raw::bytes_frame(true, b"not compressed at all"),
    ];
    let mut body = Vec::new();
    for bad in bad {
        body.extend(bad);
        body.extend(&good);
    }
    let ended = caller.whole(raw::call(BULK, &[("grpc-encoding", "gzip")]), body).await;
    assert_eq!(ended.grpc().code(), Code::Ok);
    let items = ended.items();
    let reasons: Vec<_> = items.iter().step_by(2).cloned().map(|item| error(item).reason).collect();
    assert_eq!(reasons, ["MALFORMED_REQUEST", "MALFORMED_REQUEST", "MESSAGE_TOO_LARGE", "MALFORMED_REQUEST"]);
    assert!(items.into_iter().skip(1).step_by(2).all(|item| title(item) == "x"));
    server.stop().await;
}

#[tokio::test]
async fn b3_headers_go_out_at_once_and_answers_flow_while_requests_come() {
    let (server, _seen) = start(|_| {}).await;
    let mut client = server.client().await;
    let (sender, requests) = mpsc::channel(1);
    // Nothing is sent yet, and the headers are there.
    let call = tokio::time::timeout(LONG, client.bulk_extract_reports(ReceiverStream::new(requests)));
    let mut answers = call.await.expect("headers come at once").unwrap().into_inner();
    for n in 0..100 {
        sender.send(request("a", "x")).await.unwrap();
        assert_eq!(next(&mut answers).await.unwrap().unwrap().sequence, n);
    }
    drop(sender);
    assert!(next(&mut answers).await.unwrap().is_none());
    server.stop().await;
}

#[tokio::test]
async fn b4_no_more_is_read_than_the_window_has_room_for() {
    let (server, mut seen) = start(|o| (o.workers, o.bulk_window) = (1, 3)).await;
    let caller = raw::connect(&server).await;
    let (response, mut stream) = caller.begin(raw::call(BULK, &[])).await;
    // Far more than the window and flow control can hold.
    let body: Vec<u8> = (0..100).flat_map(|_| raw::frame(&request("a", &format!("wait:{}", "x".repeat(20_000))))).collect();
    let total = body.len();
    let (progress, mut sent) = mpsc::unbounded_channel();
    let sending = tokio::spawn(async move {
        for chunk in Bytes::from(body).chunks(10_000) {
            raw::send_all(&mut stream, Bytes::copy_from_slice(chunk), false).await.unwrap();
            progress.send(chunk.len()).unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    });
    assert_eq!(seen.next().await, "a");
    eventually("the window is full", || server.waiting() == 2).await;
    // The sender comes to a stand, held by flow control.
    let mut in_all = 0;
    while let Ok(Some(length)) = tokio::time::timeout(Duration::from_millis(300), sent.recv()).await {
        in_all += length;
    }
    assert!(in_all < total / 4, "{in_all} of {total} bytes went out");
    assert_eq!(server.waiting(), 2);
    seen.fake.open_gate();
    let ended = raw::read(response.await.unwrap()).await;
    assert_eq!((ended.items().len(), ended.grpc().code()), (100, Code::Ok));
    sending.await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn b4_a_caller_that_does_not_read_is_not_read_from_and_goes_on_later() {
    let (server, seen) = start(|o| (o.bulk_window, o.bulk_window_bytes) = (64, 1 << 20)).await;
    let caller = raw::connect(&server).await;
    let (response, mut stream) = caller.begin(raw::call(BULK, &[])).await;
    // Answers are far larger than requests, and flow control lets 64 KiB of them through.
    let body: Vec<u8> = (0..1_000).flat_map(|n| raw::frame(&request(&n.to_string(), "large:100000"))).collect();
    let sending = tokio::spawn(async move { raw::send_all(&mut stream, body.into(), true).await.unwrap() });
    let response = response.await.unwrap();
    let count = || seen.fake.count.load(Ordering::SeqCst);
    let mut last = 0;
    let mut quiet = 0;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    while quiet < 30 {
        tick.tick().await;
        quiet = if count() == last { quiet + 1 } else { 0 };
        last = count();
    }
    // The window by bytes, what was under way when it filled, and what the sockets hold.
    assert!(last < 100, "{last} were read for a caller that reads none");
    let ended = raw::read(response).await;
    let items = ended.items();
    assert_eq!((items.len(), ended.grpc().code()), (1_000, Code::Ok));
    assert!(items.iter().enumerate().all(|(n, item)| item.bulletin_id == n.to_string()));
    sending.await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b4_a_reader_that_stops_for_ten_seconds_goes_on() {
    const COUNT: u64 = 2_000;
    let program = Program::start(&[]);
    let process = program.child.id();
    let mut client = program.client().await;
    let text = |n: u64| format!("截至{}月末，贷款余额{n}万元。", n % 12 + 1).repeat(100);
    let requests = tokio_stream::iter((0..COUNT).map(move |n| request(&format!("id-{n}"), &text(n))));
    let mut answers = client.bulk_extract_reports(requests).await.unwrap().into_inner();
    let mut stopped = (0, 0);
    for n in 0..COUNT {
        if n == 500 {
            // What is under way fills the windows; then nothing happens any more.
            let mut ticks = None;
            while ticks.replace(processor_ticks(process)) != Some(processor_ticks(process)) {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            let before = (processor_ticks(process), resident_kib(process));
            tokio::time::sleep(Duration::from_secs(8)).await;
            stopped = (processor_ticks(process) - before.0, resident_kib(process));
            assert!(stopped.0 <= 10, "{} ticks in 8 s", stopped.0);
            assert!(stopped.1 < before.1 + 1_024, "{} KiB, then {} KiB", before.1, stopped.1);
        }
        let answer = next(&mut answers).await.unwrap().unwrap();
        assert_eq!((answer.sequence, answer.bulletin_id.as_str()), (n, format!("id-{n}").as_str()));
        assert!(matches!(answer.outcome, Some(Outcome::Report(report)) if report.quantities.len() == 200));
    }
    assert!(next(&mut answers).await.unwrap().is_none());
    eprintln!("while its reader stopped: {} ticks (10 ms) in 8 s, resident {} KiB", stopped.0, stopped.1);
}

/// Clock ticks of processor time that a process has used.
fn processor_ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

pub fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn b4_an_idle_stream_takes_no_processor_time() {
    let program = Program::start(&[]);
    let mut client = program.client().await;
    let (sender, requests) = mpsc::channel(1);
    let mut answers = client.bulk_extract_reports(ReceiverStream::new(requests)).await.unwrap().into_inner();
    sender.send(request("0", "x")).await.unwrap();
    next(&mut answers).await.unwrap().unwrap();
    let before = processor_ticks(program.child.id());
    let idle = tokio::time::timeout(Duration::from_millis(500), answers.message()).await;
    assert!(idle.is_err());
    let used = processor_ticks(program.child.id()) - before;
    assert!(used <= 5, "{used} ticks in half a second");
}

/// How many bulletins the long stream has: `JIANBAO_SOAK`, or enough to see a leak.
fn soak_length() -> u64 {
    std::env::var("JIANBAO_SOAK").map_or(60_000, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b4_memory_is_flat_over_a_long_stream() {
    let program = Program::start(&["--max-connection-age", "24h"]);
    let mut client = program.client().await;
    let count = soak_length();
    let text = |n: u64| format!("截至{}月末,某行累计发放贷款{n}万元,惠及{}户。", n % 12 + 1, n % 977);
    let requests = tokio_stream::iter((0..count).map(move |n| request(&format!("id-{n}"), &text(n))));
    let mut answers = client.bulk_extract_reports(requests).await.unwrap().into_inner();
    let begun = std::time::Instant::now();
    let mut after_10_000 = 0;
    let mut most = 0;
    for n in 0..count {
        let answer = next(&mut answers).await.unwrap().unwrap();
        assert_eq!(answer.sequence, n);
        assert_eq!(answer.bulletin_id, format!("id-{n}"));
        assert!(matches!(answer.outcome, Some(Outcome::Report(report)) if report.bulletin_id == answer.bulletin_id));
        if n == 10_000 {
            after_10_000 = resident_kib(program.child.id());
        } else if n % 10_000 == 0 {
            most = most.max(resident_kib(program.child.id()));
        }
    }
    assert!(next(&mut answers).await.unwrap().is_none());
    eprintln!("{count} bulletins in {:?}; resident {after_10_000} KiB after 10,000, {most} KiB at most after", begun.elapsed());
    assert!(most < after_10_000 + (8 << 10), "{after_10_000} KiB, then {most} KiB");
}

#[tokio::test]
async fn b5_one_stream_uses_every_thread() {
    let (server, _seen) = start(|o| o.workers = 4).await;
    let mut client = server.client().await;
    // Four meet, or none goes on.
    let requests = tokio_stream::iter((0..40).map(|_| request("a", "meet")));
    let mut answers = client.bulk_extract_reports(requests).await.unwrap().into_inner();
    for n in 0..40 {
        assert_eq!(next(&mut answers).await.unwrap().unwrap().sequence, n);
    }
    server.stop().await;
}

#[tokio::test]
async fn b6_at_drain_what_is_in_flight_is_answered_and_the_next_sequence_named() {
    let (mut server, mut seen) = start(|o| (o.workers, o.bulk_window) = (1, 3)).await;
    let mut client = server.client().await;
    let (sender, requests) = mpsc::channel(1);
    let mut answers = client.bulk_extract_reports(ReceiverStream::new(requests)).await.unwrap().into_inner();
    sender.send(request("0", "x")).await.unwrap();
    assert_eq!(next(&mut answers).await.unwrap().unwrap().sequence, 0);
    for n in 1..4 {
        sender.send(request(&n.to_string(), "wait")).await.unwrap();
    }
    assert_eq!((seen.next().await, seen.next().await), ("0".to_owned(), "1".to_owned()));
    eventually("the window is full", || server.waiting() == 2).await;
    server.tell_to_stop();
    eventually("no more connections", || std::net::TcpStream::connect(server.address).is_err()).await;
    seen.fake.open_gate();
    for n in 1..4 {
        let answer = next(&mut answers).await.unwrap().unwrap();
        assert_eq!((answer.sequence, answer.bulletin_id), (n, n.to_string()));
    }
    let status = next(&mut answers).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.metadata().get("jianbao-next-sequence").unwrap(), "4");
    assert_eq!(status.get_details_error_info().unwrap().metadata["next_sequence"], "4");
    assert_eq!(server.stopped().await.cut_connections, 0);
}

#[tokio::test]
async fn b6_a_caller_that_resumes_gets_every_answer_exactly_once() {
    const COUNT: u64 = 400;
    let (mut first, seen) = start(|_| {}).await;
    let mut answered = Vec::new();
    let all = |from: u64| tokio_stream::iter((from..COUNT).map(|n| request(&n.to_string(), "work:20000")));
    let mut answers = first.client().await.bulk_extract_reports(all(0)).await.unwrap().into_inner();
    let next_sequence: u64 = loop {
        match next(&mut answers).await {
            Ok(Some(answer)) => answered.push(answer.bulletin_id),
            Ok(None) => break COUNT,
            Err(status) => {
                break status.metadata().get("jianbao-next-sequence").unwrap().to_str().unwrap().parse().unwrap();
            }
        }
        if answered.len() == 50 {
            first.tell_to_stop();
        }
    };
    assert_eq!(next_sequence, answered.len() as u64);
    assert!(next_sequence < COUNT, "the drain came before the end");
    first.stopped().await;
    drop(seen);
    let (second, _seen) = start(|_| {}).await;
    let mut answers = second.client().await.bulk_extract_reports(all(next_sequence)).await.unwrap().into_inner();
    while let Some(answer) = next(&mut answers).await.unwrap() {
        answered.push(answer.bulletin_id);
    }
    assert!(answered.iter().enumerate().all(|(n, id)| *id == n.to_string()));
    assert_eq!(answered.len() as u64, COUNT);
    second.stop().await;
}

#[tokio::test]
async fn b6_after_a_kill_a_caller_goes_on_from_what_it_has() {
    const COUNT: usize = 20_000;
    let mut answered = Vec::new();
    let mut lives = 0;
    while answered.len() < COUNT {
        let mut program = Program::start(&[]);
        lives += 1;
        let requests = (answered.len()..COUNT).map(|n| request(&n.to_string(), "截至5月末,累计发放贷款5835万元。"));
        let requests = tokio_stream::iter(requests);
        let mut answers = program.client().await.bulk_extract_reports(requests).await.unwrap().into_inner();
        let from = answered.len();
        while let Ok(Some(answer)) = next(&mut answers).await {
            assert_eq!(answer.sequence, (answered.len() - from) as u64);
            answered.push(answer.bulletin_id);
            if lives == 1 && answered.len() == 500 {
                program.child.kill().unwrap();
            }
        }
    }
    assert_eq!(lives, 2);
    assert!(answered.iter().enumerate().all(|(n, id)| *id == n.to_string()));
}
