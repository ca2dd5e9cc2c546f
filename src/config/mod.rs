//! The settings of `jianbao serve`: one table that says what each means, its unit, default and bounds.
//!
//! Each setting is a flag (`--max-calls`), an environment variable (`JIANBAO_MAX_CALLS`) and a key of the settings file
//! (`max-calls = 100`); the first of these that gives it wins. All are read as text and checked together, so that every
//! problem is told at once, before a port is bound.

mod file;
mod setting;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

pub use setting::{Setting, named};

use crate::grpc::Options;
use crate::grpc::access::CallersFile;
use crate::grpc::budget;
use crate::grpc::tls::Files;
use crate::register::Places;
use crate::telemetry::Collector;
use setting::{SETTINGS, Value};

const FILE: &str = "config";
/// The budget holds at least so many of the longest messages.
const LEAST_MESSAGES: usize = 12;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing gave it.
    Default,
    /// A line of the settings file.
    File {
        /// The file's name, as given.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// The environment variable.
    Environment,
    /// The flag.
    Flag,
}

/// A value as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The value.
    pub text: String,
    /// Who gave it.
    pub source: Source,
}

/// The settings as given, not yet checked.
#[derive(Clone, Debug, Default)]
pub struct ServeArgs {
    given: BTreeMap<&'static str, Given>,
    file: Option<PathBuf>,
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to serve.
    pub listen: SocketAddr,
    /// Where to answer probes and show metrics.
    pub admin_listen: Option<SocketAddr>,
    /// With which certificate, if the server speaks TLS.
    pub tls: Option<Files>,
    /// Who may call, if not everybody.
    pub callers: Option<CallersFile>,
    /// Time between looks at these files.
    pub reload_interval: Option<Duration>,
    /// How to serve.
    pub grpc: Options,
    /// Where spans of calls and metrics go, if anywhere.
    pub collector: Option<Collector>,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// Least severity that is logged.
    pub log_level: tracing::Level,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the settings cannot be used:", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

impl Given {
    /// Who gave it, as a person would look for it.
    #[must_use]
    pub fn origin(&self, setting: &Setting) -> String {
        match &self.source {
            Source::Default => "default".to_owned(),
            Source::File { name, line } => format!("{name}:{line}"),
            Source::Environment => setting.variable(),
            Source::Flag => format!("--{}", setting.name),
        }
    }

    /// Where to look when it is wrong.
    fn place(&self, setting: &Setting) -> String {
        match self.source {
            Source::Default => setting.name.to_owned(),
            Source::File { .. } => format!("{}: {}", self.origin(setting), setting.name),
            Source::Environment | Source::Flag => self.origin(setting),
        }
    }
}

/// What is in force: the settings with the file's, in the order of the table.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Each setting with its value and where that comes from.
    pub settings: Vec<(&'static Setting, Given)>,
    /// What was given and is no setting, and what is wrong with the file.
    problems: Vec<String>,
}

impl ServeArgs {
    /// These values, and the default for every other setting; names as the flags have them.
    #[must_use]
    pub fn with(values: &[(&'static str, &str)]) -> Self {
        let given = |text: &str| Given { text: text.to_owned(), source: Source::Flag };
        Self { given: values.iter().map(|(name, value)| (*name, given(value))).collect(), file: None }
    }

    /// What is in force. Reads the settings file.
    #[must_use]
    pub fn effective(&self) -> Effective {
        let (filed, mut problems) = self.file.as_ref().map_or_else(Default::default, |path| file::read(path));
        problems.extend(self.given.keys().filter(|name| named(name).is_none()).map(|name| format!("--{name}: there is no such setting")));
        let value = |setting: &'static Setting| {
            let default = || Given { text: setting.default.to_owned(), source: Source::Default };
            (setting, self.given.get(setting.name).or(filed.get(setting.name)).cloned().unwrap_or_else(default))
        };
        Effective { settings: SETTINGS.iter().map(value).collect(), problems }
    }

    /// The settings, checked.
    ///
    /// # Errors
    /// [`Problems`]: all of them.
    pub fn check(&self) -> Result<Settings, Problems> {
        self.effective().check()
    }
}

impl Effective {
    fn find(&self, name: &str) -> Option<&(&'static Setting, Given)> {
        self.settings.iter().find(|(setting, _)| setting.name == name)
    }

    /// Where the operator's register and lexicon are, whatever else is wrong.
    #[must_use]
    pub fn places(&self) -> Places {
        let path = |name| self.find(name).filter(|(_, given)| !given.text.is_empty()).map(|(_, given)| PathBuf::from(&given.text));
        Places::new(path("institutions"), path("lexicon"))
    }

    /// The settings, checked.
    ///
    /// # Errors
    /// [`Problems`]: all of them.
    pub fn check(&self) -> Result<Settings, Problems> {
        let mut problems = self.problems.clone();
        let mut values = BTreeMap::new();
        for (setting, given) in &self.settings {
            match setting.read(&given.text) {
                Ok(value) => drop(values.insert(setting.name, value)),
                Err(wrong) => problems.push(format!("{}: {wrong}", given.place(setting))),
            }
        }
        let values = Values(values);
        for (name, wrong) in values.against_each_other() {
            problems.extend(self.find(name).map(|(setting, given)| format!("{}: {wrong}", given.place(setting))));
        }
        if problems.is_empty() { Ok(values.settings()) } else { Err(Problems(problems)) }
    }
}

/// Values by name; every setting is there once the checks have passed.
struct Values(BTreeMap<&'static str, Value>);

impl Values {
    fn number(&self, name: &str) -> u64 {
        match self.0.get(name) {
            Some(Value::Number(number)) => *number,
            _ => 0,
        }
    }

    fn size(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(usize::MAX)
    }

    fn small(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).unwrap_or(u32::MAX)
    }

    fn time(&self, name: &str) -> Duration {
        Duration::from_millis(self.number(name))
    }

    fn is(&self, name: &str, choice: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Choice(chosen)) if *chosen == choice)
    }

    fn address(&self, name: &str) -> Option<SocketAddr> {
        match self.0.get(name) {
            Some(Value::Address(address)) => Some(*address),
            _ => None,
        }
    }

    fn log_level(&self) -> tracing::Level {
        let levels = [("error", tracing::Level::ERROR), ("warn", tracing::Level::WARN), ("debug", tracing::Level::DEBUG)];
        let chosen = levels.into_iter().find(|(name, _)| self.is("log-level", name));
        chosen.map_or(tracing::Level::INFO, |(_, level)| level)
    }

    fn workers(&self) -> usize {
        match self.size("workers") {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers,
        }
    }

    /// As it is set, or two thirds of what the cgroup or else a third of what the machine has.
    fn memory_budget(&self) -> usize {
        match self.size("memory-budget") {
            0 => budget::default_bytes().max(self.least_budget()),
            bytes => bytes,
        }
    }

    /// Less would not hold one message with what is made of it.
    fn least_budget(&self) -> usize {
        self.size("max-message-bytes").saturating_mul(LEAST_MESSAGES)
    }

    /// What is wrong between settings: the one to change, and why. One that could not be read is not blamed again.
    fn against_each_other(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let has = |name| self.0.contains_key(name);
        if has("max-message-bytes") && self.number("max-text-bytes") > self.number("max-message-bytes") {
            wrong.push(("max-text-bytes", "is more than max-message-bytes".to_owned()));
        }
        let budget = self.size("memory-budget");
        if has("memory-budget") && has("max-message-bytes") && budget > 0 && budget < self.least_budget() {
            wrong.push(("memory-budget", format!("is less than {LEAST_MESSAGES} times max-message-bytes")));
        }
        for (name, other) in [("tls-certificate", "tls-key"), ("tls-key", "tls-certificate"), ("tls-client-authorities", "tls-certificate")]
        {
            if self.path(name).is_some() && has(other) && self.path(other).is_none() {
                wrong.push((name, format!("is of no use without {other}")));
            }
        }
        let public = self.address("listen").is_some_and(|address| !address.ip().is_loopback());
        if public && self.path("callers").is_none() && self.is("allow-anonymous", "off") {
            let what = "others can reach it, and nobody is asked who calls: name those who may (callers), or say allow-anonymous = on";
            wrong.push(("listen", what.to_owned()));
        }
        wrong
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        match self.0.get(name) {
            Some(Value::Path(path)) if !path.as_os_str().is_empty() => Some(path.clone()),
            _ => None,
        }
    }

    fn tls(&self) -> Option<Files> {
        Some(Files {
            certificate: self.path("tls-certificate")?,
            key: self.path("tls-key")?,
            client_authorities: self.path("tls-client-authorities"),
            client_optional: self.is("tls-client-certificate", "optional"),
        })
    }

    fn settings(&self) -> Settings {
        Settings {
            listen: self.address("listen").unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 50_051))),
            admin_listen: self.address("admin-listen"),
            tls: self.tls(),
            callers: self.path("callers").map(CallersFile),
            reload_interval: Some(self.time("reload-interval")).filter(|interval| !interval.is_zero()),
            collector: match self.0.get("otlp-endpoint") {
                Some(Value::Text(endpoint)) if !endpoint.is_empty() => Some(Collector {
                    endpoint: endpoint.clone(),
                    per_thousand: self.small("trace-per-thousand"),
                    interval: self.time("otlp-interval"),
                }),
                _ => None,
            },
            log_json: self.is("log-format", "json"),
            log_level: self.log_level(),
            grpc: Options {
                workers: self.workers(),
                queue_jobs: self.size("queue-jobs"),
                queue_bytes: self.size("queue-bytes"),
                memory_budget: self.memory_budget(),
                max_watches: self.size("max-watches"),
                max_report_bytes: self.size("max-report-bytes"),
                unread_timeout: self.time("unread-timeout"),
                stream_idle_timeout: self.time("stream-idle-timeout"),
                max_calls: self.size("max-calls"),
                max_connections: self.size("max-connections"),
                max_streams: self.small("max-streams"),
                max_header_bytes: self.small("max-header-bytes"),
                max_message_bytes: self.size("max-message-bytes"),
                max_text_bytes: self.size("max-text-bytes"),
                compress_from_bytes: self.size("compress-from-bytes"),
                receive_timeout: self.time("receive-timeout"),
                bulk_window: self.size("bulk-window"),
                bulk_window_bytes: self.size("bulk-window-bytes"),
                keepalive_interval: self.time("keepalive-interval"),
                keepalive_timeout: self.time("keepalive-timeout"),
                max_connection_age: self.time("max-connection-age"),
                connection_grace: self.time("connection-grace"),
                max_connection_idle: self.time("max-connection-idle"),
                drain_notice: self.time("drain-notice"),
                drain_limit: self.time("drain-limit"),
                reflection: self.is("reflection", "on"),
                audit: self.is("audit", "on"),
                cors_origins: match self.0.get("cors-origins") {
                    Some(Value::List(origins)) => origins.clone(),
                    _ => Vec::new(),
                },
            },
        }
    }
}

/// Environment variables that begin as those of settings do, and are none: misspelt, perhaps.
#[must_use]
pub fn unknown_variables() -> Vec<String> {
    /// Told to the build, to its tests, or to the command line.
    const OTHERS: &[&str] = &["JIANBAO_CONFIG", "JIANBAO_COMMIT", "JIANBAO_PYTHON", "JIANBAO_SOAK"];
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let known = |name: &str| OTHERS.contains(&name) || SETTINGS.iter().any(|setting| setting.variable() == name);
    names.filter(|name| name.starts_with("JIANBAO_") && !known(name)).map(|name| crate::cli::plain(&name)).collect()
}

fn file_arg() -> Arg {
    Arg::new(FILE)
        .long(FILE)
        .env("JIANBAO_CONFIG")
        .value_name("FILE")
        .value_parser(clap::value_parser!(OsString))
        .help("A file of settings, as TOML: `max-calls = 100`, `drain-limit = \"25s\"`; flags and environment variables go before it")
}

impl clap::Args for ServeArgs {
    fn augment_args(command: Command) -> Command {
        command.arg(file_arg()).args(SETTINGS.iter().map(Setting::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |setting: &Setting| {
            let text = matches.get_one::<String>(setting.name)?.clone();
            let flag = matches.value_source(setting.name) == Some(ValueSource::CommandLine);
            Some((setting.name, Given { text, source: if flag { Source::Flag } else { Source::Environment } }))
        };
        let file = matches.get_one::<OsString>(FILE).filter(|path| !path.is_empty());
        Ok(Self { given: SETTINGS.iter().filter_map(given).collect(), file: file.map(PathBuf::from) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let Self { given, file } = Self::from_arg_matches(matches)?;
        self.given.extend(given);
        self.file = file.or(self.file.take());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass() {
        let settings = ServeArgs::default().check().unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:50051");
        assert_eq!(settings.grpc.max_message_bytes, 4 << 20);
        assert!(settings.grpc.workers >= 1);
    }

    #[test]
    fn values_that_are_no_values_are_refused_with_the_value_quoted() {
        for bad in ["", "-1", "+1", "1.5", "1e3", "１２", " 1", "1 s", "99999999999999999999s", "s"] {
            let problems = ServeArgs::with(&[("drain-limit", bad)]).check().unwrap_err();
            assert_eq!(problems.0.len(), 1, "{bad}");
            assert!(problems.0[0].contains(&format!("`{bad}`")), "{problems}");
        }
    }

    #[test]
    fn settings_are_checked_against_each_other_whatever_else_is_wrong() {
        let problems = ServeArgs::with(&[("max-text-bytes", "8MiB"), ("workers", "many"), ("no-such", "1")]).check().unwrap_err();
        let told = ["--workers: `many`", "--no-such: there is no such", "--max-text-bytes: is more than max-message-bytes"];
        assert_eq!(problems.0.len(), told.len(), "{problems}");
        assert!(told.iter().all(|told| problems.0.iter().any(|problem| problem.starts_with(told))), "{problems}");
    }
}
