//! The tests that see the engine from outside, in one binary.

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

mod bounds;
mod bulletins;
mod corpus;
mod digest;
mod examples;
mod invariants;
mod properties;
mod tables;
mod texts;
