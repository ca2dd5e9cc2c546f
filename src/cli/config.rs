//! `jianbao config`: the settings that `serve` would use, and where each comes from.

use std::io;

use super::{Console, Exit, Failure};
use crate::config::ServeArgs;

/// Prints the settings as a settings file, each with where it comes from; or everything that is wrong with them.
///
/// # Errors
/// When the output fails.
pub fn run(args: &ServeArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    let effective = args.effective();
    if let Err(problems) = effective.check() {
        console.complain(&Failure::new(Exit::Config, problems.to_string()))?;
        return Ok(Exit::Config);
    }
    let rows: Vec<_> = effective
        .settings
        .iter()
        .map(|(setting, given)| (format!("{} = {}", setting.name, toml::Value::from(given.text.as_str())), given.origin(setting)))
        .collect();
    let width = rows.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    for (line, origin) in rows {
        writeln!(console.out, "{line:width$}  # {origin}")?;
    }
    Ok(Exit::Ok)
}
