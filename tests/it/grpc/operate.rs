//! L4 to L6: what those who run the server see of it, and who may call it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use jianbao::grpc::health_pb::HealthCheckRequest;
use jianbao::grpc::health_pb::health_check_response::ServingStatus;
use jianbao::grpc::health_pb::health_client::HealthClient;
use tonic::Code;

use super::life::Program;
use super::{LONG, raw, request};

pub const ADMIN: &[&str] = &["--admin-listen", "127.0.0.1:0"];

/// A page of the port for probes and metrics: its status and text.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

pub fn metrics(program: &Program) -> String {
    get(program.admin.as_ref().unwrap(), "/metrics").1
}

/// Waits until the metrics have this line.
pub async fn counted(program: &Program, line: &str) {
    let begun = std::time::Instant::now();
    while !metrics(program).lines().any(|seen| seen == line) {
        assert!(begun.elapsed() < LONG, "{line}: {}", metrics(program));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The next line of the audit log.
pub fn audited(program: &Program) -> serde_json::Value {
    loop {
        let line: serde_json::Value = serde_json::from_str(&program.logged.recv_timeout(LONG).expect("a call is logged")).unwrap();
        if line["target"] == "audit" {
            return line;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_calls_and_what_they_brought_are_counted() {
    let program = Program::start(ADMIN);
    let mut client = program.client().await;
    let text = "截至2022年3月末，衡山县农商银行贷款余额31亿元，较年初增加2亿元。";
    client.extract_report(request("a", text)).await.unwrap();
    client.extract_report(request("", "")).await.unwrap_err();
    let stream = tokio_stream::iter([request("b", text), request("", "")]);
    let mut answers = client.bulk_extract_reports(stream).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let unary = "grpc_type=\"unary\",grpc_service=\"jianbao.v1.ExtractReportService\",grpc_method=\"ExtractReport\"";
    let bulk = unary.replace("\"unary\"", "\"bidi_stream\"").replace("ExtractReport\"", "BulkExtractReports\"");
    for line in [
        &format!("grpc_server_started_total{{{unary}}} 2"),
        &format!("grpc_server_handled_total{{{unary},grpc_code=\"OK\"}} 1"),
        &format!("grpc_server_handled_total{{{unary},grpc_code=\"InvalidArgument\"}} 1"),
        &format!("grpc_server_handled_total{{{bulk},grpc_code=\"OK\"}} 1"),
        &format!("grpc_server_msg_received_total{{{bulk}}} 2"),
        &format!("grpc_server_msg_sent_total{{{bulk}}} 2"),
        &format!("grpc_server_handling_seconds_count{{{unary}}} 2"),
        "jianbao_bulletins_total{outcome=\"report\"} 2",
        "jianbao_bulletins_total{outcome=\"error\"} 2",
        "jianbao_refused_total{reason=\"INVALID_REQUEST\"} 2",
        &format!("jianbao_text_bytes_total {}", 2 * text.len()),
        "jianbao_figures_total 4",
        "jianbao_reading_seconds_count 2",
        "jianbao_queue_jobs{lane=\"unary\"} 0",
        "jianbao_connections 1",
        "jianbao_reloads_total{what=\"lexicon\",outcome=\"failed\"} 0",
    ] {
        counted(&program, line).await;
    }
    program.signal("-HUP");
    counted(&program, "jianbao_reloads_total{what=\"lexicon\",outcome=\"done\"} 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_each_call_has_a_line_in_the_audit_log_and_no_text_of_a_bulletin() {
    let program = Program::start(&[]);
    let mut client = program.client().await;
    client.extract_report(request("hengshan-7", "衡山县农商银行贷款余额31亿元。")).await.unwrap();
    let line = audited(&program);
    assert_eq!((&line["method"], &line["code"], &line["bulletin_ids"]), (&"ExtractReport".into(), &"OK".into(), &"`hengshan-7`".into()));
    assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
    assert!(line["request_bytes"].as_u64().unwrap() > 40 && line["response_bytes"].as_u64() > line["request_bytes"].as_u64(), "{line}");
    assert!(!line.to_string().contains("衡山县"), "{line}");
    let long = format!("bad\nid-{}", "x".repeat(200));
    client.extract_report(request(&long, "")).await.unwrap_err();
    let line = audited(&program);
    assert_eq!(
        line["bulletin_ids"],
        format!("`{}`", long.escape_debug()),
        "an id is logged in full, with what could disturb a reader escaped"
    );
    assert_eq!((&line["code"], &line["responses"]), (&"InvalidArgument".into(), &0.into()));
    let stream = tokio_stream::iter((0..100).map(|n| request(&n.to_string(), "x")));
    let mut answers = client.bulk_extract_reports(stream).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let line = audited(&program);
    assert_eq!((&line["method"], &line["bulletins"], &line["responses"]), (&"BulkExtractReports".into(), &100.into(), &100.into()));
    assert_eq!(line["bulletin_ids"].as_str().unwrap().split(' ').count(), 64, "{line}");
    // A call that its caller leaves is logged as such.
    let caller = raw::connect_to(&program.address).await;
    let (response, mut stream) = caller.begin(raw::call(raw::BULK, &[])).await;
    response.await.unwrap();
    stream.send_reset(h2::Reason::CANCEL);
    assert_eq!(audited(&program)["code"], "Canceled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_probes_tell_life_and_readiness_in_plain_http_and_grpc() {
    let program = Program::start(&["--admin-listen", "127.0.0.1:0", "--drain-notice", "2s"]);
    let admin = program.admin.clone().unwrap();
    for (path, status) in [("/livez", 200), ("/readyz", 200), ("/healthz", 200), ("/metrics", 200), ("/", 404), ("/readyz/x", 404)] {
        assert_eq!(get(&admin, path).0, status, "{path}");
    }
    let asked = |address: &str| Command::new(env!("CARGO_BIN_EXE_jianbao")).args(["health", address]).output().unwrap();
    assert!(asked(&admin).status.success() && asked(&program.address).status.success());
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{admin}")).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel.clone());
    let answer = health.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.status, i32::from(ServingStatus::Serving));
    let mut service = jianbao::grpc::pb::extract_report_service_client::ExtractReportServiceClient::new(channel);
    let status = service.extract_report(request("a", "x")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "bulletins are read on the other port alone");
    program.terminate();
    let begun = std::time::Instant::now();
    while get(&admin, "/readyz").0 == 200 {
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
    assert_eq!((get(&admin, "/readyz").0, get(&admin, "/livez").0), (503, 200));
    let output = asked(&admin);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("NOT_SERVING"));
    drop(program);
    assert_eq!(asked(&admin).status.code(), Some(1), "nobody answers");
}

#[test]
fn f14_silent_connections_keep_no_probe_out() {
    let program = Program::start(ADMIN);
    let address = program.admin.as_ref().unwrap();
    let silent: Vec<_> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    for _ in 0..5 {
        let begun = std::time::Instant::now();
        assert_eq!(get(address, "/livez").0, 200);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    drop(silent);
}
