//! Any text at all: the contract's invariants hold.

#![no_main]
#![allow(dead_code, reason = "the checks are shared with the tests, which use more of them")]

#[path = "../../tests/it/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(broken) = invariants::hold(text) {
        panic!("{broken}");
    }
});
