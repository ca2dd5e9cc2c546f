//! The body `extract` of `tests/it/hostile.rs`.

#![no_main]
#![allow(dead_code, reason = "the bodies and the checks are shared with the tests, which use more of them")]

#[path = "../../tests/it/hostile.rs"]
mod hostile;
#[path = "../../crates/engine/tests/it/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::extract(data));
