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

mod bulletins;
mod corpus;
mod examples;
mod folder;
mod grpc;
mod guide;
mod hostile;
mod invariants;
mod properties;
mod register;
mod tables;
mod tidy;
