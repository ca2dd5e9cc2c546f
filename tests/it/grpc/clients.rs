//! Clients that are not ours, against the program over a real socket. Each is skipped, with a word, where it is missing.

use std::process::{Command, Output};

use super::life::Program;

/// The interpreter to use: `JIANBAO_PYTHON`, or what the path has.
fn python() -> Command {
    Command::new(std::env::var("JIANBAO_PYTHON").unwrap_or_else(|_| "python3".to_owned()))
}

fn is_there(command: &mut Command) -> bool {
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
    let json = ["--header", "content-type: application/json", "--data-binary", "{}"];
    assert!(curl(&json, "jianbao.v1.ExtractReportService/ExtractReport").contains("HTTP/2 415"));
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
