//! Clients that are not ours, against the program over a real socket. Each is skipped, with a word, where it is missing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::life::Program;
use crate::folder::Folder;

/// The interpreter to use: `JIANBAO_PYTHON`, or what the path has.
fn python() -> Command {
    Command::new(std::env::var("JIANBAO_PYTHON").unwrap_or_else(|_| "python3".to_owned()))
}

pub fn is_there(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn python_grpcio_through_reflection() {
    let modules = "import grpc, grpc_reflection, grpc_health, grpc_status";
    if !is_there(python().args(["-c", modules])) {
        eprintln!("skipped: python3 with grpcio, -reflection, -health-checking and -status is not installed");
        return;
    }
    let program = Program::start(&[]);
    let output = python()
        .args(["-m", "unittest", "discover", "-v", "-s", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/client")])
        .env("JIANBAO_ADDRESS", &program.address)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    eprintln!("{}", said(&output));
}

#[test]
fn curl_sees_the_raw_headers() {
    if !is_there(Command::new("curl").arg("--version")) {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let program = Program::start(&[]);
    let curl = |arguments: &[&str], path: &str| {
        let url = format!("http://{}/{path}", program.address);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--http2-prior-knowledge", "--include", "--max-time", "10"]);
        said(&curl.args(arguments).arg(url).output().unwrap())
    };
    let grpc = ["--header", "content-type: application/grpc", "--header", "te: trailers", "--data-binary", ""];
    let bad_timeout = [&grpc[..], &["--header", "grpc-timeout: soon"]].concat();
    let headers = curl(&bad_timeout, "jianbao.v1.ExtractReportService/ExtractReport");
    assert!(headers.contains("grpc-status: 3"), "{headers}");
    let headers = curl(&grpc, "jianbao.v1.ExtractReportService/NoSuchMethod");
    assert!(headers.contains("HTTP/2 200") && headers.contains("grpc-status: 12"), "{headers}");
    assert!(curl(&[], "").contains("HTTP/2 405"));
    let text = ["--header", "content-type: text/plain", "--data-binary", "{}"];
    assert!(curl(&text, "jianbao.v1.ExtractReportService/ExtractReport").contains("HTTP/2 415"));
}

#[test]
fn buf_finds_the_proto_clean_and_calls_through_reflection() {
    if !is_there(Command::new("buf").arg("--version")) {
        eprintln!("skipped: buf is not installed");
        return;
    }
    let buf = |arguments: &[&str]| {
        let mut buf = Command::new("buf");
        let output = buf.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "buf {arguments:?}: {}", said(&output));
        said(&output)
    };
    buf(&["lint"]);
    buf(&["format", "--diff", "--exit-code"]);
    buf(&["breaking", "--against", "proto/baseline.binpb"]);
    let program = Program::start(&[]);
    let url = |method: &str| format!("http://{}/jianbao.v1.ExtractReportService/{method}", program.address);
    let call = ["curl", "--http2-prior-knowledge", "--protocol", "grpc", "--data"];
    let one = r#"{"bulletin": {"id": "a", "text": "截至5月末,累计发放贷款5835万元。"}}"#;
    let report = buf(&[&call[..], &[one, &url("ExtractReport")]].concat());
    assert!(report.contains(r#""bulletinId": "a""#), "{report}");
    let three = format!(r#"{one} {{"bulletin": {{"id": "b"}}}} {one}"#);
    let answers = buf(&[&call[..], &[&three, &url("BulkExtractReports")]].concat());
    assert!(answers.contains(r#""reason": "INVALID_REQUEST""#) && answers.contains(r#""sequence": "2""#), "{answers}");
}

/// The amount of the only figure in an answer of an example.
fn amount(answer: &Value) -> &Value {
    let report = answer.get("report").expect("every bulletin is read");
    &report["institutions"][0]["measures"][0]["figures"][0]["value"]
}

/// Sends bulletins that differ in their amount through an example, in both of its ways: as a stream, while the server is
/// told to end and started again, then killed and started again; and some of them by calls.
async fn example_loses_and_doubles_nothing(name: &str, command: impl Fn() -> Command) {
    const BULLETINS: usize = 4_000;
    const TERMINATED_AT: usize = 600;
    const KILLED_AT: usize = 1_800;
    const CALLS: usize = 200;
    let folder = Folder::new(name);
    let (sent, answered) = (folder.0.join("bulletins.jsonl"), folder.0.join("answers.jsonl"));
    let line = |n: usize| format!("{{\"id\":\"{n}\",\"text\":\"清河农商银行发放贷款{}万元。\"}}\n", n + 1);
    fs::write(&sent, (0..BULLETINS).map(line).collect::<String>()).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let run = |arguments: &[&str]| {
        let (input, output) = (File::open(&sent).unwrap(), File::create(&answered).unwrap());
        command().arg(&address).args(arguments).stdin(input).stdout(output).spawn().unwrap()
    };
    let lines = || fs::read_to_string(&answered).unwrap_or_default().lines().count();
    let begun = Instant::now();
    let until = async |count: usize| {
        while lines() < count {
            assert!(begun.elapsed() < Duration::from_secs(120), "{name}: {} answers", lines());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let mut server = Program::start_on(&address, &[]);
    let mut client = run(&[]);
    until(TERMINATED_AT).await;
    server.terminate();
    assert!(server.child.wait().unwrap().success());
    assert!(lines() < BULLETINS, "it was ended under way");
    server = Program::start_on(&address, &[]);
    until(KILLED_AT).await;
    drop(server);
    assert!(lines() < BULLETINS, "it was killed under way");
    let _server = Program::start_on(&address, &[]);
    assert!(client.wait().unwrap().success());
    let holds = |count: usize| {
        let text = fs::read_to_string(&answered).unwrap();
        let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an answer is JSON")).collect();
        assert_eq!(answers.len(), count, "{name}: each bulletin is answered once");
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(*amount(answer), format!("{}", (n + 1) * 10_000), "{name}: answer {n}");
        }
    };
    holds(BULLETINS);
    fs::write(&sent, (0..CALLS).map(line).collect::<String>()).unwrap();
    assert!(run(&["--unary"]).wait().unwrap().success());
    holds(CALLS);
}

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/clients").join(file)
}

#[tokio::test]
async fn the_python_example_loses_and_doubles_nothing_over_a_drain_and_a_kill() {
    if !is_there(python().args(["-c", "import grpc, grpc_reflection"])) {
        eprintln!("skipped: python3 with grpcio and grpcio-reflection is not installed");
        return;
    }
    example_loses_and_doubles_nothing("python", || {
        let mut command = python();
        command.arg(example("jianbao_client.py")).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    })
    .await;
}

#[tokio::test]
async fn the_node_example_loses_and_doubles_nothing_over_a_drain_and_a_kill() {
    if !example("node_modules").is_dir() || !is_there(Command::new("node").arg("--version")) {
        eprintln!("skipped: no node, or no `npm install` in docs/clients");
        return;
    }
    example_loses_and_doubles_nothing("node", || {
        let mut command = Command::new("node");
        command.arg(example("jianbao_client.mjs"));
        command
    })
    .await;
}
