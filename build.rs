//! Protobuf to Rust and to the descriptor sets that reflection serves, comments included. Needs no protoc.

use std::error::Error;
use std::path::PathBuf;

const CONTRACT: &[&str] = &["jianbao/v1/extract_report_service.proto", "jianbao/v1/report.proto", "jianbao/v1/vocabulary.proto"];
const HEALTH: &[&str] = &["grpc/health/v1/health.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rustc-env=JIANBAO_BUILT_FROM={}", commit());
    generate(CONTRACT, "jianbao.v1.bin", false)?;
    generate(HEALTH, "grpc.health.v1.bin", true)
}

/// The commit that is built: what the environment says, or git, or nothing that is known.
fn commit() -> String {
    println!("cargo::rerun-if-env-changed=JIANBAO_COMMIT");
    // A path that is not there would have it built anew each time.
    for path in [".git/HEAD", ".git/refs/heads"].into_iter().filter(|path| std::path::Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    let given = std::env::var("JIANBAO_COMMIT").ok().filter(|commit| !commit.is_empty());
    let git = || {
        let output = std::process::Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    given.or_else(git).unwrap_or_else(|| "unknown".to_owned())
}

fn generate(files: &[&str], descriptor_set: &str, server: bool) -> Result<(), Box<dyn Error>> {
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(files)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join(descriptor_set), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_server(server)
        .build_client(true)
        .build_transport(false)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
