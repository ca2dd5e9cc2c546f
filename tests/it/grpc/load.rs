//! The load generator: it counts what is right, what is wrong and what failed, and says how long it took.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jianbao::grpc::load::{Load, Plan, Tally};
use jianbao_engine::Engine;

use super::life::Program;
use super::{Running, options, start, start_with};

const TEXTS: [&str; 2] = ["截至5月末，清河农商银行累计发放贷款3.2亿元，惠及农户860户。", "今日多云。"];

fn plan(server: &Running, texts: &[&str]) -> Plan {
    Plan {
        server: format!("http://{}", server.address),
        texts: texts.iter().map(|&text| text.to_owned()).collect(),
        bulk: false,
        concurrency: 8,
        connections: 3,
        duration: None,
        count: Some(200),
        rate: None,
        timeout: Duration::from_secs(20),
    }
}

async fn run(plan: Plan) -> Tally {
    Load::new(plan, &Engine::new().unwrap()).run(|_| ()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_of_a_sound_server_is_right() {
    let server = start_with(Arc::new(Engine::new().unwrap()), options(|_| ())).await;
    for bulk in [false, true] {
        let tally = run(Plan { bulk, ..plan(&server, &TEXTS) }).await;
        assert_eq!((tally.right, tally.wrong, tally.errors.len()), (200, 0, 0), "{tally:?}");
        assert_eq!(tally.bytes, 100 * TEXTS.iter().map(|text| text.len() as u64).sum::<u64>());
        assert_eq!(tally.latency.count(), 200);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_not_what_the_engine_reads_are_wrong() {
    let (server, _seen) = start(|_| ()).await;
    for bulk in [false, true] {
        let tally = run(Plan { bulk, ..plan(&server, &TEXTS) }).await;
        assert_eq!((tally.right, tally.wrong), (0, 200), "{tally:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_counted_by_code_in_calls_and_in_streams() {
    let (server, seen) = start(|o| o.queue_jobs = 4).await;
    let late = Plan { count: Some(3), timeout: Duration::from_millis(100), ..plan(&server, &["wait"]) };
    let tally = run(late).await;
    seen.fake.open_gate();
    assert_eq!((tally.right, tally.wrong, tally.errors.get("DeadlineExceeded")), (0, 0, Some(&3)), "{tally:?}");
    let full = Plan { concurrency: 64, timeout: Duration::from_millis(300), ..plan(&server, &["wait"]) };
    seen.fake.close_gate();
    let tally = run(full).await;
    seen.fake.open_gate();
    assert!(tally.errors.get("ResourceExhausted") > Some(&100) && tally.mute == 0, "{tally:?}");
    let tally = run(Plan { bulk: true, ..plan(&server, &["panic"]) }).await;
    assert_eq!((tally.right, tally.wrong, tally.errors.get("Internal")), (0, 0, Some(&200)), "{tally:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_kept_and_a_duration_ends_the_load() {
    let server = start_with(Arc::new(Engine::new().unwrap()), options(|_| ())).await;
    let tally = run(Plan { count: Some(20), rate: Some(100), ..plan(&server, &TEXTS) }).await;
    assert!(tally.right == 20 && tally.elapsed >= Duration::from_millis(190), "{tally:?}");
    let tally = run(Plan { count: None, duration: Some(Duration::from_millis(300)), ..plan(&server, &TEXTS) }).await;
    assert!(tally.right > 8 && tally.wrong == 0 && tally.elapsed < Duration::from_secs(10), "{tally:?}");
    server.stop().await;
}

#[test]
fn the_command_prints_its_result_and_says_by_its_exit_code_whether_it_was_right() {
    let program = Program::start(&[]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let bench = |server: &str, more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_jianbao")).args(["bench", file, "--count", "20", "--server", server]).args(more).output().unwrap()
    };
    let server = format!("http://{}", program.address);
    let done = bench(&server, &["--json", "--bulk"]);
    assert!(done.status.success(), "{done:?}");
    let outcome: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&outcome["right"], &outcome["wrong"]), (&20.into(), &0.into()));
    assert!(outcome["latency_microseconds"]["p999"].as_u64() >= outcome["latency_microseconds"]["p50"].as_u64());
    let done = bench(&server, &[]);
    assert!(String::from_utf8(done.stdout).unwrap().contains("20 right, 0 wrong"));
    let done = bench("http://127.0.0.1:1", &[]);
    assert_eq!(done.status.code(), Some(66));
    assert!(String::from_utf8(done.stderr).unwrap().contains("jianbao: http://127.0.0.1:1: "));
}
