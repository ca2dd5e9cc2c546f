//! L8: what browsers and curl speak, on the port of gRPC.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use jianbao::grpc::pb;
use prost::Message as _;
use serde_json::Value;

use super::clients::is_there;
use super::life::Program;
use super::operate::{ADMIN, counted};
use super::{eventually, raw, request};
use crate::folder::Folder;

/// One request by HTTP/1.1: the status, the headers and the body of the answer.
fn send(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, Vec<u8>) {
    let mut socket = TcpStream::connect(address).unwrap();
    let headers = headers.iter().fold(String::new(), |all, (name, value)| all + &format!("{name}: {value}\r\n"));
    let length = body.len();
    write!(socket, "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n")
        .unwrap();
    socket.write_all(body).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let body = if head.contains("transfer-encoding: chunked") { whole(&answer[end + 4..]) } else { answer[end + 4..].to_vec() };
    (head[9..12].parse().unwrap(), head, body)
}

/// The parts of a chunked body, joined.
fn whole(mut chunks: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let end = chunks.windows(2).position(|window| window == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return out;
        }
        out.extend_from_slice(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[end + 4 + length..];
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn ask(address: &str, body: &str) -> (u16, String, Value) {
    let (status, head, body) = send(address, "POST", raw::UNARY, &[JSON], body.as_bytes());
    (status, head, serde_json::from_slice(&body).unwrap())
}

#[test]
fn l8_a_unary_call_in_json_by_curl() {
    if !is_there(Command::new("curl").arg("--version")) {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let program = Program::start(&[]);
    let url = format!("http://{}{}", program.address, raw::UNARY);
    let body = r#"{"bulletin":{"id":"a","text":"截至2022年3月末，衡山县农商银行贷款余额31亿元。"}}"#;
    let json = ["--header", "content-type: application/json"];
    for extra in [&[][..], &["--http2-prior-knowledge"]] {
        let output =
            Command::new("curl").args(["--silent", "--show-error", "--fail", "-d", body, &url]).args(json).args(extra).output().unwrap();
        assert!(output.status.success(), "{extra:?}: {output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let institution = &answer["report"]["institutions"][0];
        assert_eq!(institution["institution"]["name"], "衡山县农商银行");
        assert_eq!(institution["measures"][0]["figures"][0]["value"], "3100000000");
        assert_eq!(institution["measures"][0]["figures"][0]["metric"], "METRIC_LOAN_BALANCE");
    }
}

/// Leaves out what is as it is by default.
fn prune(value: &mut Value) {
    let default = |value: &Value| {
        matches!(value, Value::Null | Value::Bool(false)) || [Value::from(""), 0.into(), Value::Array(Vec::new())].contains(value)
    };
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !default(value));
            fields.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

#[test]
fn l8_json_answers_are_what_the_command_line_prints() {
    let program = Program::start(&[]);
    let text = include_str!("../../bulletins/gansu-dingxi-2021-10.txt");
    let (status, _, answer) = ask(&program.address, &serde_json::json!({"bulletin": {"text": text}}).to_string());
    assert_eq!(status, 200);
    let mut extract = Command::new(env!("CARGO_BIN_EXE_jianbao"));
    let mut extract = extract
        .args(["extract", "--format", "json", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    extract.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let mut printed: Value = serde_json::from_slice(&extract.wait_with_output().unwrap().stdout).unwrap();
    // The command line names the file, and writes defaults.
    printed.as_object_mut().unwrap().remove("bulletinId");
    prune(&mut printed);
    assert_eq!(answer["report"], printed);
}

#[test]
fn l8_errors_in_json_say_what_grpc_says_with_the_status_of_http() {
    let program = Program::start(&["--max-message-bytes", "2KiB", "--max-text-bytes", "1KiB"]);
    let error = |body: &str| ask(&program.address, body);
    let (status, _, answer) = error(r#"{"bulletin":{"text":"","published_on":"tomorrow"}}"#);
    assert_eq!((status, &answer["code"]), (400, &"invalid_argument".into()));
    let debug = |kind: &str| answer["details"].as_array().unwrap().iter().find(|detail| detail["type"] == kind).unwrap()["debug"].clone();
    assert_eq!(debug("google.rpc.ErrorInfo")["reason"], "INVALID_REQUEST");
    let fields: Vec<_> = debug("google.rpc.BadRequest")["fieldViolations"].as_array().unwrap().iter().map(|v| v["field"].clone()).collect();
    assert_eq!(fields, ["bulletin.text", "bulletin.published_on"]);
    for (body, http, code) in [
        ("{", 400, "invalid_argument"),
        (r#"{"bulletins":{}}"#, 400, "invalid_argument"),
        (&format!(r#"{{"bulletin":{{"text":"{}"}}}}"#, "x".repeat(4_000)), 429, "resource_exhausted"),
    ] {
        let (status, _, answer) = error(body);
        assert_eq!((status, answer["code"].as_str().unwrap()), (http, code), "{answer}");
    }
    let (status, _, body) = send(&program.address, "POST", raw::BULK, &[JSON], b"{}");
    assert_eq!((status, serde_json::from_slice::<Value>(&body).unwrap()["code"].clone()), (501, "unimplemented".into()));
    let (status, ..) = send(&program.address, "GET", raw::UNARY, &[], b"");
    assert_eq!(status, 405);
    let (status, ..) = send(&program.address, "POST", raw::UNARY, &[("content-type", "text/plain")], b"{}");
    assert_eq!(status, 415);
}

#[tokio::test]
async fn l8_a_body_that_does_not_come_takes_a_place_among_the_calls_and_has_its_time() {
    let program = Program::start(&[ADMIN, &["--max-calls", "1", "--receive-timeout", "1s"]].concat());
    let mut slow = TcpStream::connect(&program.address).unwrap();
    let head =
        format!("POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n\r\n{{", raw::UNARY);
    slow.write_all(head.as_bytes()).unwrap();
    let labels = "grpc_type=\"unary\",grpc_service=\"jianbao.v1.ExtractReportService\",grpc_method=\"ExtractReport\"";
    counted(&program, &format!("grpc_server_started_total{{{labels}}} 1")).await;
    let whole = r#"{"bulletin":{"text":"x"}}"#;
    assert_eq!(ask(&program.address, whole).0, 429, "the other has the only place");
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 504", "its time is up");
    counted(&program, "jianbao_refused_total{reason=\"REQUEST_TOO_SLOW\"} 1").await;
    eventually("the place is free", || ask(&program.address, whole).0 == 200).await;
}

#[test]
fn l8_the_connect_client_of_buf_reads_the_answer() {
    if !is_there(Command::new("buf").arg("--version")) {
        eprintln!("skipped: buf is not installed");
        return;
    }
    let program = Program::start(&[]);
    let url = format!("http://{}{}", program.address, raw::UNARY);
    let curl = |text: &str| {
        let data = serde_json::json!({"bulletin": {"text": text}}).to_string();
        let mut buf = Command::new("buf");
        buf.args(["curl", "--protocol", "connect", "--schema", concat!(env!("CARGO_MANIFEST_DIR"), "/proto"), "--data", &data, &url])
            .output()
            .unwrap()
    };
    let output = curl("衡山县农商银行贷款余额31亿元。");
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["report"]["institutions"][0]["measures"][0]["figures"][0]["value"], "3100000000");
    let said = String::from_utf8(curl("").stderr).unwrap();
    assert!(said.contains("invalid_argument") && said.contains("bulletin.text"), "{said}");
}

/// The frames of a gRPC-Web body: whether each holds trailers, and its bytes.
fn frames(mut body: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        frames.push((flag & 0x80 != 0, rest[..length].to_vec()));
        body = &rest[length..];
    }
    frames
}

#[test]
fn l8_grpc_web_by_http_1_1() {
    let program = Program::start(&[]);
    let headers = [("content-type", "application/grpc-web+proto"), ("x-grpc-web", "1")];
    let message = raw::frame(&request("a", "衡山县农商银行贷款余额31亿元。"));
    let (status, _, body) = send(&program.address, "POST", raw::UNARY, &headers, &message);
    assert_eq!(status, 200);
    let frames = frames(&body);
    assert_eq!(frames.iter().map(|(trailers, _)| *trailers).collect::<Vec<_>>(), [false, true]);
    let report = pb::ExtractReportResponse::decode(frames[0].1.as_slice()).unwrap().report.unwrap();
    assert_eq!(report.institutions[0].institution.as_ref().unwrap().name, "衡山县农商银行");
    assert!(String::from_utf8(frames[1].1.clone()).unwrap().contains("grpc-status:0"));
    let (status, head, _) = send(&program.address, "POST", raw::UNARY, &headers, &raw::frame(&request("a", "")));
    assert_eq!(status, 200);
    assert!(head.contains("grpc-status: 3"), "{head}");
}

#[test]
fn l8_pages_of_other_origins_may_call_only_if_it_is_set() {
    let preflight = |program: &Program, origin: &str| {
        let headers =
            [("origin", origin), ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type,x-grpc-web")];
        send(&program.address, "OPTIONS", raw::UNARY, &headers, b"")
    };
    let call = |program: &Program, origin: &str| {
        send(&program.address, "POST", raw::UNARY, &[JSON, ("origin", origin)], br#"{"bulletin":{"text":"x"}}"#)
    };
    let closed = Program::start(&[]);
    assert_eq!(preflight(&closed, "https://a.test").0, 403);
    assert!(!call(&closed, "https://a.test").1.contains("access-control"));
    let open = Program::start(&["--cors-origins", "https://a.test,https://b.test"]);
    let (status, head, _) = preflight(&open, "https://b.test");
    assert_eq!(status, 200);
    assert!(head.contains("access-control-allow-origin: https://b.test") && head.contains("x-grpc-web"), "{head}");
    assert!(call(&open, "https://a.test").1.contains("access-control-allow-origin: https://a.test"));
    assert!(!preflight(&open, "https://c.test").1.contains("access-control-allow-origin"));
}

#[tokio::test]
async fn f12_no_page_of_another_origin_makes_anything_run() {
    let program = Program::start(&[ADMIN[0], ADMIN[1]]);
    let body = br#"{"bulletin":{"text":"x"}}"#;
    let ask = |headers: &[(&str, &str)]| send(&program.address, "POST", raw::UNARY, headers, body).0;
    assert_eq!(ask(&[("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.test")]), 403);
    assert_eq!(ask(&[("content-type", "application/x-www-form-urlencoded")]), 415);
    assert_eq!(ask(&[("content-type", "text/plain")]), 415);
    assert_eq!(ask(&[JSON, ("origin", "https://evil.test")]), 403);
    assert_eq!(ask(&[JSON, ("origin", "null")]), 403);
    let rebound =
        format!("POST {} HTTP/1.1\r\nhost: evil.test\r\ncontent-type: application/json\r\ncontent-length: 25\r\n\r\n", raw::UNARY);
    let mut socket = TcpStream::connect(&program.address).unwrap();
    socket.write_all(&[rebound.as_bytes(), body].concat()).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
    assert_eq!(ask(&[JSON]), 200);
    // Nothing else reached the engine.
    counted(&program, "jianbao_bulletins_total{outcome=\"report\"} 1").await;
}

/// Serves a page to whoever asks, from an origin of its own.
fn page(content: String) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 4 << 10]);
            let length = content.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = socket.write_all([head.as_bytes(), content.as_bytes()].concat().as_slice());
        }
    });
    origin
}

#[test]
fn l8_a_browsers_page_of_another_origin_calls_by_grpc_web_and_json() {
    if !is_there(Command::new("chromium").args(["--no-sandbox", "--version"])) {
        eprintln!("skipped: chromium is not installed");
        return;
    }
    let (closed, open) = (Program::start(&[]), free_port());
    let content = |address: &str| include_str!("../../client/page.html").replace("SERVER", &format!("http://{address}"));
    let origin = page(content(&open));
    let _open = Program::start_on(&open, &["--cors-origins", &origin]);
    let seen = |origin: &str| {
        let profile = Folder::new("chromium");
        let output = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=10000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.0.display()))
            .arg(origin)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let dom = seen(&origin);
    assert!(dom.contains("gRPC-Web: true grpc-status:0; JSON: 3100000000"), "{dom}");
    let dom = seen(&page(content(&closed.address)));
    assert!(dom.contains("failed: TypeError"), "without cors-origins the page may not call: {dom}");
}

fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
