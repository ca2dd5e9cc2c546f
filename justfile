# The commands of a working day; CI types the same ones.

# List the commands
default:
    @just --list

# Serve on 127.0.0.1:50051
serve *flags:
    cargo run --release -- serve {{flags}}

# Read bulletins: `just extract tests/bulletins/*.txt`
extract *files:
    cargo run --release --quiet -- extract {{files}}

# Score the engine on the repository's own bulletins
score *flags:
    cargo run --release --quiet -- evaluate tests/bulletins {{flags}}

# Format the code and the proto
fmt:
    cargo fmt
    buf format --write

# Warnings are errors, as in CI
lint:
    .ci/run tools format proto dockerfile lint docs

# All tests; `just test cli` for some
test *filter:
    cargo test {{filter}}

# Time the stages and the whole line
bench *filter:
    cargo bench {{filter}}

# Feed the engine arbitrary bytes for a while (needs cargo-fuzz and a nightly toolchain)
fuzz target="extract" *flags:
    cargo +nightly fuzz run {{target}} {{flags}}

# Licences, advisories and sources of the dependencies (needs cargo-deny)
deny:
    cargo deny check

# The descriptor that `buf breaking` compares with; only at a release
baseline:
    buf build --as-file-descriptor-set --output proto/baseline.binpb

# Everything a change must pass
ci *steps:
    .ci/run {{steps}}
