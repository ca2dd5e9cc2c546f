//! Log lines on standard error. No text of a bulletin is ever among them.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use tracing_subscriber::filter::LevelFilter;

thread_local! {
    /// Where this thread last panicked.
    static PANIC_PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Starts logging, and takes the place of the panic message: that may quote a bulletin.
pub fn start(json: bool, level: tracing::Level) {
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(LevelFilter::from_level(level));
    // A second start, as in tests, leaves the first as it is.
    let started = if json { lines.json().flatten_event(true).try_init() } else { lines.try_init() };
    if started.is_ok() {
        std::panic::set_hook(Box::new(note_panic));
    }
}

fn note_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let engine = std::thread::current().name().is_some_and(|name| name.starts_with("engine-"));
    if engine {
        PANIC_PLACE.set(Some(place));
    } else {
        tracing::error!(place, "panic");
    }
}

/// The engine panicked on the bulletin with this id; the one line that says so.
pub fn engine_panicked(bulletin_id: &str) {
    let place = PANIC_PLACE.take().unwrap_or_else(|| "unknown".to_owned());
    tracing::error!(bulletin_id, place, "engine panicked");
}
