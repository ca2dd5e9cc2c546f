//! L1, L2, L3 and L7: from the start of a server to its end.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jianbao::grpc::health_pb::{HealthCheckRequest, HealthListRequest};
use jianbao::grpc::pb::extract_report_service_client::ExtractReportServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_reflection::pb::{v1, v1alpha};

use super::raw::{self, BULK, UNARY};
use super::{LONG, eventually, request, start};
use crate::folder::Folder;

const SERVICE: &str = "jianbao.v1.ExtractReportService";

/// The program, serving, with the port that it chose.
pub struct Program {
    pub child: Child,
    pub address: String,
    /// The address for probes and metrics, if it has one.
    pub admin: Option<String>,
    /// The log lines after it began to serve.
    pub logged: std::sync::mpsc::Receiver<String>,
}

impl Program {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", arguments)
    }

    pub fn start_on(address: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jianbao"))
            .args(["serve", "--listen", address, "--log-format", "json"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let told = |line: &str, key: &str| Some(line.split_once(&format!("\"{key}\":\""))?.1.split('"').next()?.to_owned());
        let mut admin = None;
        let line = lines.by_ref().map(Result::unwrap).inspect(|line| admin = admin.take().or(told(line, "admin_address")));
        let line = line.into_iter().find(|line| line.contains("\"serving\"")).expect("it serves");
        let address = told(&line, "address").unwrap();
        let (log, logged) = std::sync::mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(log.send(line))));
        Self { child, address, admin, logged }
    }

    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    pub fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    pub async fn client(&self) -> ExtractReportServiceClient<tonic::transport::Channel> {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        ExtractReportServiceClient::new(endpoint.connect().await.unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn l1_every_problem_is_reported_together_and_before_a_port_is_bound() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_jianbao"))
        .args(["serve", "--workers", "many", "--max-calls", "0", "--drain-limit", "25", "--listen"])
        .arg(taken.local_addr().unwrap().to_string())
        .env("JIANBAO_QUEUE_BYTES", "64 MB")
        .env("JIANBAO_REFLECTION", "maybe")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8(output.stderr).unwrap();
    for name in ["--workers", "--max-calls", "--drain-limit", "JIANBAO_QUEUE_BYTES", "JIANBAO_REFLECTION"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(!said.contains("cannot listen"), "the port was not touched: {said}");
}

#[test]
fn l1_a_flag_goes_before_the_environment_and_both_before_the_settings_file() {
    let folder = Folder::new("settings");
    let name = folder.file("settings.toml", "workers = 3\nmax-calls = 30\nqueue-jobs = 300\nreflection = false\nno-such = 1\n");
    let config = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_jianbao"));
        program.arg("config").args(arguments).env("JIANBAO_CONFIG", &name).env("JIANBAO_MAX_CALLS", "20").env("JIANBAO_WORKERS", "2");
        program.output().unwrap()
    };
    let output = config(&["--workers", "1"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(said.contains(&format!("{name}:5: no-such: there is no such setting")), "{said}");
    folder.file("settings.toml", "workers = 3\nmax-calls = 30\nqueue-jobs = 300\nreflection = false\n");
    let output = config(&["--workers", "1"]);
    assert_eq!(output.status.code(), Some(0));
    let page = String::from_utf8(output.stdout).unwrap();
    let from_file = |line| format!("{name}:{line}");
    let wanted = [
        ("workers = \"1\"", "--workers".to_owned()),
        ("max-calls = \"20\"", "JIANBAO_MAX_CALLS".to_owned()),
        ("queue-jobs = \"300\"", from_file(3)),
        ("reflection = \"off\"", from_file(4)),
        ("max-streams = \"128\"", "default".to_owned()),
    ];
    for (setting, from) in wanted {
        assert!(page.lines().any(|line| line.starts_with(setting) && line.ends_with(&format!("# {from}"))), "{setting} {from}: {page}");
    }
}

#[test]
fn l1_exit_codes_tell_usage_settings_and_failure_apart() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let holder = std::net::TcpListener::bind(&taken).unwrap();
    let cases: &[(&[&str], i32)] = &[
        (&["serve", "--no-such-flag"], 64),
        (&["no-such-command"], 64),
        (&["serve", "--listen", "nowhere"], 78),
        (&["serve", "--listen", &taken], 70),
        (&["serve", "--help"], 0),
        (&["--version"], 0),
    ];
    for (arguments, code) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_jianbao")).args(*arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}");
        assert!(output.stdout.is_empty() != (*code == 0), "{arguments:?}");
    }
    drop(holder);
}

#[test]
fn l1_problems_with_the_register_are_told_with_those_of_the_settings() {
    let register = std::env::temp_dir().join(format!("jianbao-l1-{}.csv", std::process::id()));
    std::fs::write(&register, "id,name,region\n1,岚山银行,15\n1,,\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_jianbao"))
        .args(["serve", "--workers", "many", "--lexicon", "/no/such/folder"])
        .env("JIANBAO_INSTITUTIONS", &register)
        .output()
        .unwrap();
    std::fs::remove_file(&register).unwrap();
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8(output.stderr).unwrap();
    for told in ["--workers", "/no/such/folder: cannot be read", ".csv:2: region: `15`", ".csv:3: id: `1`", ".csv:3: name: is empty"] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[tokio::test]
async fn l1_sighup_reads_the_register_again_and_a_bad_one_leaves_the_last_good_one() {
    let register = std::env::temp_dir().join(format!("jianbao-hup-{}.csv", std::process::id()));
    std::fs::write(&register, "id,name,aliases\nold,岚山农商银行,岚山行\n").unwrap();
    let program = Program::start(&["--audit", "off", "--institutions", register.to_str().unwrap()]);
    let mut client = program.client().await;
    let texts = ["old", "new", "new"].into_iter().zip(["", "id,name,aliases\nnew,岚山农商银行,岚山行\n", "id,name\n,\nx\n"]);
    for (wanted, content) in texts {
        if !content.is_empty() {
            std::fs::write(&register, content).unwrap();
            program.signal("-HUP");
            let line = program.logged.recv_timeout(LONG).expect("one line says how it went");
            assert!(line.contains(if content.contains("new") { "reloaded" } else { "the last good ones stay in force" }), "{line}");
        }
        let report = client.extract_report(request("a", "岚山行发放贷款77万元。")).await.unwrap().into_inner().report.unwrap();
        assert_eq!(report.institutions[0].institution.as_ref().unwrap().register_id, wanted);
    }
    std::fs::remove_file(&register).unwrap();
    assert!(program.logged.try_recv().is_err(), "no further line");
}

#[test]
fn l1_ready_in_well_under_a_second() {
    let begun = Instant::now();
    let program = Program::start(&[]);
    eprintln!("ready after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    drop(program);
}

#[tokio::test]
async fn l2_health_check_list_and_watch() {
    let (mut server, _seen) = start(|o| o.drain_notice = Duration::from_millis(200)).await;
    let mut health = server.health().await;
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for service in ["", SERVICE] {
        assert_eq!(health.check(ask(service)).await.unwrap().into_inner().status, 1);
    }
    let unknown = health.check(ask("no.such.Service")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let list = health.list(HealthListRequest {}).await.unwrap().into_inner().statuses;
    assert_eq!(list.len(), 2);
    assert!(list.values().all(|status| status.status == 1));

    let mut known = health.watch(ask(SERVICE)).await.unwrap().into_inner();
    let mut unknown = health.watch(ask("no.such.Service")).await.unwrap().into_inner();
    assert_eq!(known.message().await.unwrap().unwrap().status, 1);
    assert_eq!(unknown.message().await.unwrap().unwrap().status, 3, "SERVICE_UNKNOWN, and the call stays open");
    let silent = tokio::time::timeout(Duration::from_millis(100), unknown.message()).await;
    assert!(silent.is_err(), "still open");
    server.tell_to_stop();
    assert_eq!(known.message().await.unwrap().unwrap().status, 2);
    assert_eq!(health.check(ask("")).await.unwrap().into_inner().status, 2, "while new calls are still taken");
    assert_eq!(known.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(unknown.message().await.unwrap_err().code(), Code::Unavailable);
    server.stopped().await;
}

macro_rules! reflection_test {
    ($name:ident, $version:ident) => {
        #[tokio::test]
        async fn $name() {
            use $version::server_reflection_request::MessageRequest;
            use $version::server_reflection_response::MessageResponse;
            let (server, _seen) = start(|_| {}).await;
            let mut client = $version::server_reflection_client::ServerReflectionClient::new(server.channel().await);
            let ask = |message| $version::ServerReflectionRequest { host: String::new(), message_request: Some(message) };
            let asked = [ask(MessageRequest::ListServices(String::new())), ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned()))];
            let mut answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap().into_inner();
            let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response else {
                panic!("no list")
            };
            let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
            names.sort();
            let served =
                ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", SERVICE];
            assert_eq!(names, served);
            let Some(MessageResponse::FileDescriptorResponse(files)) = answers.message().await.unwrap().unwrap().message_response else {
                panic!("no file")
            };
            let comments = b"each institution did and every figure it reported";
            let file = files.file_descriptor_proto.first().unwrap();
            assert!(file.windows(comments.len()).any(|part| part == comments), "with the proto's comments");
            server.stop().await;
        }
    };
}

reflection_test!(l2_reflection_v1_serves_the_contract_with_its_comments, v1);
reflection_test!(l2_reflection_v1alpha_serves_the_contract_with_its_comments, v1alpha);

#[tokio::test]
async fn l3_drain_completes_calls_in_flight_and_refuses_new_connections() {
    let (mut server, mut seen) = start(|_| {}).await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.extract_report(request("in flight", "wait")).await });
    assert_eq!(seen.next().await, "in flight");
    server.tell_to_stop();
    eventually("no more connections", || std::net::TcpStream::connect(server.address).is_err()).await;
    assert!(!call.is_finished());
    seen.fake.open_gate();
    assert_eq!(call.await.unwrap().unwrap().into_inner().report.unwrap().bulletin_id, "in flight");
    assert_eq!(server.stopped().await.cut_connections, 0);
}

#[tokio::test]
async fn l3_idle_streams_and_silent_peers_do_not_hold_the_drain_up() {
    let (mut server, _seen) = start(|_| {}).await;
    let mut client = server.client().await;
    let (_sender, requests) = mpsc::channel(1);
    let mut idle = client.bulk_extract_reports(ReceiverStream::new(requests)).await.unwrap().into_inner();
    let mut watch = server.health().await.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    let mut reflection = v1::server_reflection_client::ServerReflectionClient::new(server.channel().await);
    let (_questions, none) = mpsc::channel(1);
    let mut asked = reflection.server_reflection_info(ReceiverStream::new(none)).await.unwrap().into_inner();
    let mut silent = tokio::net::TcpStream::connect(server.address).await.unwrap();
    silent.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let _mute = tokio::net::TcpStream::connect(server.address).await.unwrap();
    eventually("all are there", || true).await;
    let begun = Instant::now();
    server.tell_to_stop();
    let status = idle.message().await.unwrap_err();
    assert_eq!(status.metadata().get("jianbao-next-sequence").unwrap(), "0");
    assert_eq!(watch.message().await.unwrap().unwrap().status, 2);
    assert_eq!(watch.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(asked.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(server.stopped().await.cut_connections, 0);
    eprintln!("drained in {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn l3_what_outlasts_the_drain_limit_is_cut_with_unavailable() {
    let (mut server, mut seen) = start(|o| o.drain_limit = Duration::from_millis(200)).await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.extract_report(request("too long", "wait")).await });
    assert_eq!(seen.next().await, "too long");
    let begun = Instant::now();
    server.tell_to_stop();
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
    assert_eq!(server.stopped().await.cut_connections, 1);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    seen.fake.open_gate();
}

#[tokio::test]
async fn l3_sigterm_under_bulk_load_ends_with_exit_code_0_and_a_resumable_stream() {
    let mut program = Program::start(&[]);
    let mut client = program.client().await;
    let endless = tokio_stream::iter((0_u64..).map(|n| request(&n.to_string(), "截至5月末,累计发放贷款5835万元。")));
    let mut answers = client.bulk_extract_reports(endless).await.unwrap().into_inner();
    let mut expected = 0;
    let status = loop {
        match answers.message().await {
            Ok(answer) => {
                let answer = answer.unwrap();
                assert_eq!((answer.sequence, answer.bulletin_id), (expected, expected.to_string()));
                expected += 1;
            }
            Err(status) => break status,
        }
        if expected == 1_000 {
            program.terminate();
        }
    };
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(status.metadata().get("jianbao-next-sequence").unwrap().to_str().unwrap(), expected.to_string());
    let begun = Instant::now();
    let code = tokio::task::spawn_blocking(move || program.child.wait().unwrap()).await.unwrap();
    assert!(code.success(), "{code}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn l7_at_its_age_a_connection_gets_goaway_and_its_calls_complete() {
    let (server, mut seen) = start(|o| o.max_connection_age = Duration::from_millis(300)).await;
    let caller = raw::connect(&server).await;
    let (response, mut stream) = caller.begin(raw::call(UNARY, &[])).await;
    raw::send_all(&mut stream, raw::frame(&request("a", "wait")).into(), true).await.unwrap();
    assert_eq!(seen.next().await, "a");
    // GOAWAY: the connection takes no more calls.
    let mut send = caller.send.clone();
    let refused = async {
        while let Ok(mut ready) = send.clone().ready().await {
            let Ok((response, _)) = ready.send_request(raw::call(UNARY, &[]), true) else { break };
            let _ = response.await;
        }
    };
    tokio::time::timeout(LONG, refused).await.expect("GOAWAY comes");
    let _ = &mut send;
    seen.fake.open_gate();
    let ended = raw::read(response.await.unwrap()).await;
    assert_eq!(ended.grpc().code(), Code::Ok);
    let closed = tokio::time::timeout(LONG, caller.connection).await.expect("then it closes").unwrap();
    assert!(closed.is_ok(), "{closed:?}");
    server.stop().await;
}

#[tokio::test]
async fn l7_after_the_grace_streams_end_with_the_next_sequence() {
    let (server, _seen) = start(|o| {
        o.max_connection_age = Duration::from_millis(100);
        o.connection_grace = Duration::from_millis(200);
    })
    .await;
    let mut client = server.client().await;
    let (sender, requests) = mpsc::channel(1);
    let mut answers = client.bulk_extract_reports(ReceiverStream::new(requests)).await.unwrap().into_inner();
    sender.send(request("0", "x")).await.unwrap();
    answers.message().await.unwrap().unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.metadata().get("jianbao-next-sequence").unwrap(), "1");
    server.stop().await;
}

#[tokio::test]
async fn l7_an_idle_connection_is_told_to_go() {
    let (server, _seen) = start(|o| o.max_connection_idle = Duration::from_millis(100)).await;
    let caller = raw::connect(&server).await;
    let ended = caller.whole(raw::call(UNARY, &[]), raw::frame(&request("a", "x"))).await;
    assert_eq!(ended.grpc().code(), Code::Ok);
    tokio::time::timeout(LONG, caller.connection).await.expect("it closes").unwrap().unwrap();
    server.stop().await;
}

#[tokio::test]
async fn l7_a_peer_that_does_not_answer_pings_is_closed() {
    let (server, _seen) = start(|o| {
        o.keepalive_interval = Duration::from_millis(100);
        o.keepalive_timeout = Duration::from_millis(100);
    })
    .await;
    let mut peer = tokio::net::TcpStream::connect(server.address).await.unwrap();
    peer.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut said = Vec::new();
    let closed = tokio::time::timeout(LONG, peer.read_to_end(&mut said)).await;
    assert!(closed.is_ok(), "the server closes");
    server.stop().await;
}

#[tokio::test]
async fn l7_streams_of_one_connection_are_limited() {
    let (server, _seen) = start(|o| o.max_streams = 5).await;
    let caller = raw::connect(&server).await;
    // A call and its answer, so that the server's settings have come.
    caller.whole(raw::call(UNARY, &[]), raw::frame(&request("a", "x"))).await;
    assert_eq!(caller.send.current_max_send_streams(), 5);
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(caller.begin(raw::call(BULK, &[])).await);
    }
    let sixth = tokio::time::timeout(Duration::from_millis(100), async {
        let mut send = caller.send.clone().ready().await.unwrap();
        let (response, _stream) = send.send_request(raw::call(BULK, &[]), false).unwrap();
        response.await
    });
    assert!(sixth.await.is_err(), "the sixth waits");
    drop(open);
    server.stop().await;
}

#[tokio::test]
async fn l3_a_second_sigterm_ends_the_drain_at_once_and_the_exit_code_tells_that_calls_were_cut() {
    let mut program = Program::start(&["--drain-limit", "60s", "--receive-timeout", "60s"]);
    let caller = raw::connect_to(&program.address).await;
    let (_response, _stream) = caller.begin(raw::call(UNARY, &[])).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    program.terminate();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(program.child.try_wait().unwrap().is_none(), "a call is in flight");
    let begun = Instant::now();
    program.terminate();
    let ended = tokio::task::spawn_blocking(move || program.child.wait().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(75));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
