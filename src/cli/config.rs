//! `jianbao config`: the settings that `serve` would use, and where each comes from.

use std::io;

use super::{Console, Exit, Failure};
use crate::config::{ServeArgs, unknown_variables};
use crate::renew::{Source as _, kept};

/// Prints the settings as a settings file, each with where it comes from; or everything that is wrong with them
/// and with the files that they name.
///
/// # Errors
/// When the output fails.
pub fn run(args: &ServeArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    let effective = args.effective();
    let mut problems = Vec::new();
    let settings = kept(effective.check(), &mut problems);
    let _ = kept(effective.places().engine(), &mut problems);
    if let Some(settings) = settings {
        let _ = settings.tls.and_then(|files| kept(files.make(), &mut problems));
        let _ = settings.callers.and_then(|file| kept(file.make(), &mut problems));
    }
    for name in unknown_variables() {
        console.complain(&Failure::new(Exit::Ok, format!("{name} is the variable of no setting")))?;
    }
    if !problems.is_empty() {
        console.complain(&Failure::new(Exit::Config, problems.join("\n")))?;
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
