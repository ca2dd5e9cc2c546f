//! `jianbao config`: the settings that `serve` would use, and where each comes from.

use std::io;

use super::{Console, Exit, Failure, serve};
use crate::config::Source;

/// Prints the settings as a settings file, each with where it comes from; or everything that is wrong with them.
///
/// # Errors
/// When the output fails.
pub fn run(args: &serve::Args, console: &mut Console<'_>) -> io::Result<Exit> {
    if let Err(problems) = args.settings.check() {
        console.complain(&Failure::new(Exit::Config, problems.to_string()))?;
        return Ok(Exit::Config);
    }
    let (effective, _) = args.settings.effective();
    let line = |name: &str, text: &str| format!("{name} = {}", toml::Value::from(text));
    let width = effective.iter().map(|(setting, given)| line(setting.name, &given.text).len()).max().unwrap_or_default();
    for (setting, given) in effective {
        let from = match &given.source {
            Source::Default => "default".to_owned(),
            Source::File { name, line } => format!("{name}:{line}"),
            Source::Environment => setting.variable(),
            Source::Flag => format!("--{}", setting.name),
        };
        writeln!(console.out, "{:width$}  # {from}", line(setting.name, &given.text))?;
    }
    Ok(Exit::Ok)
}
