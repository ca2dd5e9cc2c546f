//! What is in `deploy/`: that it names what there is, and that it does what it says.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::LONG;
use super::clients::is_there;
use super::life::Program;

fn file(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The names of metrics in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| ["grpc_server_", "jianbao_", "process_"].iter().any(|prefix| word.starts_with(prefix))).collect()
}

#[test]
fn deploy_watches_metrics_that_there_are() {
    // Metrics with labels are on the page only once they have happened: these are the names that they are given.
    let there = named(include_str!("../../../src/metrics.rs"));
    let suffixes = ["_total", "_seconds_bucket", "_seconds_count", "_seconds_sum", "_seconds_total"];
    for name in ["grafana/dashboard.json", "prometheus/alerts.yml"] {
        let text = file(name);
        let wanted = named(&text);
        assert!(wanted.len() > 5, "{name}");
        for metric in wanted {
            let bases = suffixes.iter().filter_map(|suffix| metric.strip_suffix(suffix)).chain([metric]);
            assert!(bases.into_iter().any(|base| there.contains(base)), "{name}: {metric} is not among {there:?}");
        }
    }
}

#[test]
fn deploy_sets_only_settings_that_there_are() {
    let output = Command::new(env!("CARGO_BIN_EXE_jianbao")).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let files = [
        "Dockerfile",
        "compose.yaml",
        "kubernetes/base/deployment.yaml",
        "kubernetes/overlays/small/kustomization.yaml",
        "kubernetes/overlays/large/kustomization.yaml",
    ];
    for name in files {
        let text = file(name);
        let variables = text.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|word| word.starts_with("JIANBAO_"));
        // The commit is told to the build, not to the server.
        for variable in variables.filter(|variable| !["JIANBAO_", "JIANBAO_COMMIT"].contains(variable)) {
            assert!(help.contains(&format!("{variable}=]")), "{name}: {variable}");
        }
    }
}

struct Envoy(Child);

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deploy_envoy_loses_no_unary_call_when_one_of_two_replicas_is_killed_under_load() {
    if !is_there(Command::new("envoy").arg("--version")) {
        eprintln!("skipped: envoy is not installed");
        return;
    }
    let (first, second) = (Program::start(&[]), Program::start(&[]));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
    let config = file("envoy/envoy.yaml")
        .replace("port_value: 50050", &format!("port_value: {}", free.port()))
        .replace("port_value: 50051", &format!("port_value: {}", port(&first.address)))
        .replace("port_value: 50052", &format!("port_value: {}", port(&second.address)));
    let arguments = ["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error", "--config-yaml", &config];
    let envoy = Envoy(Command::new("envoy").args(arguments).stderr(Stdio::null()).spawn().unwrap());
    let ready = Instant::now();
    let health = || Command::new(env!("CARGO_BIN_EXE_jianbao")).args(["health", &free.to_string()]).output().unwrap();
    while !health().status.success() {
        assert!(ready.elapsed() < LONG, "envoy is not ready: {:?}", health());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let server = format!("http://{free}");
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bulletins/article-one-bank.txt");
    let load = Command::new(env!("CARGO_BIN_EXE_jianbao"))
        .args(["bench", "--server", &server, "--concurrency", "8", "--duration", "4", "--json", text])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    drop(second);
    let output = load.wait_with_output().unwrap();
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    eprintln!("one of two replicas killed under load: {outcome}");
    assert_eq!((&outcome["wrong"], &outcome["errors"]), (&0.into(), &serde_json::json!({})), "{outcome}");
    assert!(outcome["right"].as_u64().unwrap() > 100, "{outcome}");
    drop((envoy, first));
}
