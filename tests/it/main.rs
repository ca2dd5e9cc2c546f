//! The tests that see the crate from outside, in one binary. A test that shows a
//! requirement of the service is named after its line.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test may stop at what it did not expect"
)]

mod folder;
mod grpc;
mod guide;
mod hostile;
// What both kinds of tests ask of a text stands with the engine's own.
#[path = "../../crates/engine/tests/it/invariants.rs"]
mod invariants;
mod register;
#[path = "../../crates/engine/tests/it/texts.rs"]
mod texts;
mod tidy;
