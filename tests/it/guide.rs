//! The operator's guide: its commands run, and it names all there is to name.

use std::path::Path;
use std::process::Command;

use jianbao::grpc::status::Reason;
use jianbao_engine::report::FindingCode;

use super::folder::Folder;

const GUIDE: &str = include_str!("../../docs/operating.md");

/// The commands that the guide says are tested.
fn tested() -> Vec<&'static str> {
    GUIDE.split("*tested*\n```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// What the commands of one block print, in a folder of their own with the program at hand.
fn run(number: usize, commands: &str) -> String {
    let folder = Folder::new(&format!("guide-{number}"));
    let program = Path::new(env!("CARGO_BIN_EXE_jianbao")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", commands]).current_dir(&folder.0).env("PATH", path).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{commands}\n{said}");
    said
}

#[test]
fn the_commands_of_the_operators_guide_do_what_it_says() {
    let wanted = [
        &[
            "workers = \"2\"",
            "# --workers",
            "# JIANBAO_MAX_CALLS",
            "# settings.toml:3",
            "--max-calls: `0`",
            "--workers: `many`",
            "exit code 78",
        ][..],
        &["listen = \"0.0.0.0:50051\"", "callers = \"callers.toml\""],
    ];
    let blocks = tested();
    assert_eq!(blocks.len(), wanted.len());
    for (number, (commands, wanted)) in blocks.into_iter().zip(wanted).enumerate() {
        let said = run(number, commands);
        for told in wanted {
            assert!(said.contains(told), "{told}: {said}");
        }
    }
}

#[test]
fn the_operators_guide_names_every_reason_finding_and_alert() {
    let quoted = |name: &str| GUIDE.contains(&format!("`{name}`"));
    let reasons = Reason::ALL.iter().map(|reason| reason.name());
    let findings = FindingCode::ALL.iter().map(|code| code.code());
    let alerts = include_str!("../../deploy/prometheus/alerts.yml").lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let missing: Vec<_> = reasons.chain(findings).chain(alerts).filter(|name| !quoted(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
