//! The command line: arguments, files, tables and exit codes around the engine.
//!
//! This room may read files, print and look at the environment; `serve`, `health` and `bench` alone know of a network. The
//! other commands write to a [`Console`], so that tests run them as a person does.

pub mod bench;
pub mod config;
pub mod csv;
pub mod evaluate;
pub mod extract;
pub mod health;
pub mod json;
pub mod serve;
pub mod style;
pub mod table;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::config::ServeArgs;
use crate::register::Places;
use jianbao_engine::Engine;
use style::Paint;

/// What `jianbao` is told to do.
#[derive(Debug, Parser)]
#[command(name = "jianbao", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the gRPC service until SIGTERM or SIGINT; the default
    Serve(ServeArgs),
    /// Print the settings that `serve` would use, as a settings file, and where each comes from
    Config(ServeArgs),
    /// Read bulletins from files and print what they report
    Extract(extract::Args),
    /// Score the engine on bulletins with gold files of your own
    Evaluate(evaluate::Args),
    /// Ask a running server whether it serves
    Health(health::Args),
    /// Put a load on a running server and check every answer
    Bench(bench::Args),
}

/// How a command ends, by the numbers of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// The command ran, and a score is below its floor, a server's answers are wrong, or it does not serve.
    BelowFloor = 1,
    /// The arguments are wrong.
    Usage = 64,
    /// A file is not what it should be.
    BadData = 65,
    /// A file is not there, or cannot be read.
    NoInput = 66,
    /// The program itself is at fault.
    Software = 70,
    /// A file cannot be written.
    CannotCreate = 73,
    /// The output failed.
    Io = 74,
    /// The server was told to stop, and calls in flight were cut at the drain limit, or because it was told twice.
    Cut = 75,
    /// The settings cannot be used.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How a command ends that meets it.
    pub exit: Exit,
    /// What went wrong and with what, in lower case, without a full stop.
    pub message: String,
}

impl Failure {
    /// A failure that ends a command with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Where a command writes: results, complaints, and whether colours are welcome.
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Complaints.
    pub err: &'a mut dyn Write,
    /// How results are coloured.
    pub paint: Paint,
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("paint", &self.paint).finish_non_exhaustive()
    }
}

impl Console<'_> {
    /// Tells of a failure on a line of its own.
    ///
    /// # Errors
    /// When the complaint cannot be written.
    pub fn complain(&mut self, failure: &Failure) -> io::Result<()> {
        writeln!(self.err, "jianbao: {}", plain(&failure.message))
    }
}

/// A text without what would move a terminal's cursor or turn its lines about: names of files may hold anything.
#[must_use]
pub fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| if c != '\n' && c != '\t' && (c.is_control() || turns(c)) { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// Reads the arguments. No command is `serve`.
///
/// # Errors
/// The exit code with which to end at once: help was asked for and given, or the arguments are wrong.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, ExitCode> {
    command(args.into_iter().collect()).map_err(|error| {
        if error.kind() == ErrorKind::DisplayVersion {
            return run(|console| writeln!(console.out, "{}", version()).map(|()| Exit::Ok));
        }
        // Nothing is left to do where even this cannot be printed.
        let _ = error.print();
        if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() }
    })
}

/// Which program this is: its version, the commit it was built from, and the digest of its words.
#[must_use]
pub fn version() -> String {
    let digest = Engine::new().map_or_else(|error| error.to_string(), |engine| engine.lexicon().digest().to_owned());
    format!("jianbao {} (commit {}, lexicon {digest})", env!("CARGO_PKG_VERSION"), env!("JIANBAO_BUILT_FROM"))
}

fn command(mut args: Vec<OsString>) -> Result<Command, clap::Error> {
    if let Some(command) = Arguments::try_parse_from(&args)?.command {
        return Ok(command);
    }
    args.push("serve".into());
    command(args)
}

/// The engine with the operator's register and lexicon, if there are any.
fn engine(places: &Places) -> Result<Engine, Failure> {
    places.engine().map_err(|problems| Failure::new(Exit::Config, problems.to_string()))
}

/// Runs a command on the process's own output. A reader that has had enough is no error.
pub fn run(command: impl FnOnce(&mut Console<'_>) -> io::Result<Exit>) -> ExitCode {
    let stdout = io::stdout();
    let paint = Paint { on: stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) };
    let mut out = BufWriter::new(stdout.lock());
    let mut err = io::stderr();
    let ended = command(&mut Console { out: &mut out, err: &mut err, paint });
    match ended.and_then(|exit| out.flush().map(|()| exit)) {
        Ok(exit) => exit.into(),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok.into(),
        Err(error) => {
            // The exit code still says it where this cannot be printed.
            let _ = writeln!(err, "jianbao: cannot write the output: {error}");
            Exit::Io.into()
        }
    }
}
