//! Reports as JSON: the proto3 JSON form of the service's answers. Each is made whole before it is written: a mark at a
//! time is slow through a writer that is not known until the program runs.

use std::io::{self, Write};

use jianbao_engine::report::Report;

/// One report, indented.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&serde_json::to_vec_pretty(report)?)?;
    writeln!(out)
}

/// Several reports as an array, indented.
///
/// # Errors
/// When they cannot be written.
pub fn write_all(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&serde_json::to_vec_pretty(reports)?)?;
    writeln!(out)
}

/// One report on one line.
///
/// # Errors
/// When it cannot be written.
pub fn write_line(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&serde_json::to_vec(report)?)?;
    writeln!(out)
}
