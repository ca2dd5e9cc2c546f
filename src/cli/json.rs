//! Reports as JSON: the proto3 JSON form of the service's answers.

use std::io::{self, Write};

use crate::engine::report::Report;

/// One report, indented.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}

/// Several reports as an array, indented.
///
/// # Errors
/// When they cannot be written.
pub fn write_all(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, reports)?;
    writeln!(out)
}

/// One report on one line.
///
/// # Errors
/// When it cannot be written.
pub fn write_line(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, report)?;
    writeln!(out)
}
