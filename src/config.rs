//! The settings of `jianbao serve`: one table that says what each means, its unit, default and bounds.
//!
//! Each setting is a flag and an environment variable (`--max-calls`,
//! `JIANBAO_MAX_CALLS`); the flag wins. All are read as text and checked
//! together, so that every problem is reported at once, before a port is bound.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use crate::grpc::Options;

/// What a setting holds, with its bounds, which are both allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Count(u64, u64),
    /// Bytes, or with the suffix KiB or MiB.
    Bytes(u64, u64),
    /// Milliseconds; written with the suffix ms, s, m or h.
    Time(u64, u64),
    Address,
    Choice(&'static [&'static str]),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
struct Setting {
    name: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
}

const fn setting(name: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, kind, default, meaning }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;

#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    setting("listen", Kind::Address, "127.0.0.1:50051", "Address and port to serve on; port 0 lets the system choose"),
    setting("workers", Kind::Count(0, 1_024), "0", "Threads of the engine; 0 is one for each core"),
    setting("queue-jobs", Kind::Count(1, 1_000_000), "256", "Unary calls that may wait for a thread; more are refused with RESOURCE_EXHAUSTED"),
    setting("queue-bytes", Kind::Bytes(MIB, 64 * GIB), "64MiB", "Request bytes held for unary calls, and as many for streams; unary calls over it are refused, streams wait"),
    setting("max-calls", Kind::Count(1, 1_000_000), "4096", "Calls in flight, health and reflection not counted; more are refused with RESOURCE_EXHAUSTED"),
    setting("max-connections", Kind::Count(1, 1_000_000), "4096", "Connections; more are closed at once"),
    setting("max-streams", Kind::Count(1, 65_536), "128", "Calls in flight on one connection; the caller's library waits for room"),
    setting("max-header-bytes", Kind::Bytes(4 * KIB, MIB), "16KiB", "Request headers of one call"),
    setting("max-message-bytes", Kind::Bytes(KIB, 256 * MIB), "4MiB", "One request message, as sent and after inflating"),
    setting("max-text-bytes", Kind::Bytes(KIB, 256 * MIB), "3MiB", "Text of one bulletin, in UTF-8; at most max-message-bytes"),
    setting("compress-from-bytes", Kind::Bytes(0, GIB), "4KiB", "Answers shorter than this are not compressed, even if the caller accepts it"),
    setting("receive-timeout", Kind::Time(10, HOUR), "30s", "Time for the message of a unary call to arrive"),
    setting("bulk-window", Kind::Count(1, 65_536), "64", "Bulletins of one stream that are under way at once"),
    setting("bulk-window-bytes", Kind::Bytes(KIB, GIB), "16MiB", "Bytes of requests and answers of one stream that are under way at once; one bulletin is always allowed"),
    setting("keepalive-interval", Kind::Time(SECOND, 24 * HOUR), "30s", "Time between pings to a silent peer"),
    setting("keepalive-timeout", Kind::Time(100, HOUR), "10s", "Time for a ping's answer, or a new connection's first words, before it is closed"),
    setting("max-connection-age", Kind::Time(SECOND, 720 * HOUR), "1h", "Age at which a connection is told to go away; up to a tenth shorter, so that not all go at once"),
    setting("connection-grace", Kind::Time(0, 24 * HOUR), "5m", "Time for calls in flight after that; then streams end with UNAVAILABLE"),
    setting("max-connection-idle", Kind::Time(SECOND, 720 * HOUR), "15m", "Time without a call after which a connection is told to go away"),
    setting("drain-notice", Kind::Time(0, HOUR), "0s", "At shutdown: time in which health says NOT_SERVING and new calls are still taken"),
    setting("drain-limit", Kind::Time(0, HOUR), "25s", "At shutdown: time for calls in flight before they are cut"),
    setting("reflection", Kind::Choice(&["on", "off"]), "on", "Whether server reflection (v1 and v1alpha) is served"),
    setting("log-format", Kind::Choice(&["text", "json"]), "text", "Form of the log lines on standard error; no text of a bulletin is ever logged"),
    setting("log-level", Kind::Choice(&["error", "warn", "info", "debug"]), "info", "Least severity that is logged"),
];

/// The settings as given, not yet checked.
#[derive(Clone, Debug, Default)]
pub struct ServeArgs {
    given: BTreeMap<&'static str, String>,
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to serve.
    pub listen: SocketAddr,
    /// How to serve.
    pub grpc: Options,
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

impl Setting {
    fn variable(&self) -> String {
        format!("JIANBAO_{}", self.name.to_uppercase().replace('-', "_"))
    }

    fn arg(&self) -> Arg {
        Arg::new(self.name).long(self.name).env(self.variable()).value_name(self.kind.form()).default_value(self.default).help(format!(
            "{} [{}]",
            self.meaning,
            self.kind.bounds()
        ))
    }

    fn read(&self, text: &str) -> Result<Value, String> {
        self.kind.read(text).ok_or_else(|| {
            let (name, bounds) = (self.name, self.kind.bounds());
            let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
            format!("--{name} ({}): `{shown}` is not {bounds}", self.variable())
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Number(u64),
    Address(SocketAddr),
    Choice(&'static str),
}

impl Kind {
    const fn form(self) -> &'static str {
        match self {
            Self::Count(..) => "COUNT",
            Self::Bytes(..) => "BYTES",
            Self::Time(..) => "TIME",
            Self::Address => "ADDRESS",
            Self::Choice(_) => "CHOICE",
        }
    }

    fn bounds(self) -> String {
        match self {
            Self::Count(low, high) => format!("a number from {low} to {high}"),
            Self::Bytes(low, high) => format!("bytes, KiB, MiB or GiB from {} to {}", bytes(low), bytes(high)),
            Self::Time(low, high) => format!("ms, s, m or h from {} to {}", time(low), time(high)),
            Self::Address => "an IP address with a port".to_owned(),
            Self::Choice(choices) => format!("one of {}", choices.join(", ")),
        }
    }

    fn read(self, text: &str) -> Option<Value> {
        let within = |number: u64, low, high| (low <= number && number <= high).then_some(Value::Number(number));
        match self {
            Self::Count(low, high) => within(digits(text)?, low, high),
            Self::Bytes(low, high) => within(suffixed(text, &[("KiB", KIB), ("MiB", MIB), ("GiB", GIB), ("", 1)])?, low, high),
            Self::Time(low, high) => within(suffixed(text, &[("ms", 1), ("s", SECOND), ("m", 60 * SECOND), ("h", HOUR)])?, low, high),
            Self::Address => text.parse().ok().map(Value::Address),
            Self::Choice(choices) => choices.iter().find(|choice| **choice == text).map(|choice| Value::Choice(choice)),
        }
    }
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn suffixed(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = units.iter().find_map(|(suffix, unit)| Some((digits(text.strip_suffix(suffix)?)?, unit)))?;
    number.checked_mul(*unit)
}

fn bytes(number: u64) -> String {
    match number {
        n if n >= GIB && n.is_multiple_of(GIB) => format!("{}GiB", n / GIB),
        n if n >= MIB && n.is_multiple_of(MIB) => format!("{}MiB", n / MIB),
        n if n >= KIB && n.is_multiple_of(KIB) => format!("{}KiB", n / KIB),
        n => n.to_string(),
    }
}

fn time(milliseconds: u64) -> String {
    match milliseconds {
        ms if ms >= HOUR && ms.is_multiple_of(HOUR) => format!("{}h", ms / HOUR),
        ms if ms.is_multiple_of(SECOND) => format!("{}s", ms / SECOND),
        ms => format!("{ms}ms"),
    }
}

impl ServeArgs {
    /// These values, and the default for every other setting; names as the flags have them.
    #[must_use]
    pub fn with(values: &[(&'static str, &str)]) -> Self {
        Self { given: values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect() }
    }

    /// The settings, checked.
    ///
    /// # Errors
    /// [`Problems`]: all of them.
    pub fn check(&self) -> Result<Settings, Problems> {
        let mut problems = Vec::new();
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let text = self.given.get(setting.name).map_or(setting.default, String::as_str);
            match setting.read(text) {
                Ok(value) => drop(values.insert(setting.name, value)),
                Err(problem) => problems.push(problem),
            }
        }
        problems.extend(
            self.given
                .keys()
                .filter(|name| SETTINGS.iter().all(|s| s.name != **name))
                .map(|name| format!("--{name}: there is no such setting")),
        );
        let values = Values(values);
        if problems.is_empty() && values.number("max-text-bytes") > values.number("max-message-bytes") {
            problems.push("--max-text-bytes: is more than --max-message-bytes".to_owned());
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

    fn listen(&self) -> SocketAddr {
        match self.0.get("listen") {
            Some(Value::Address(address)) => *address,
            _ => SocketAddr::from(([127, 0, 0, 1], 50_051)),
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

    fn settings(&self) -> Settings {
        Settings {
            listen: self.listen(),
            log_json: self.is("log-format", "json"),
            log_level: self.log_level(),
            grpc: Options {
                workers: self.workers(),
                queue_jobs: self.size("queue-jobs"),
                queue_bytes: self.size("queue-bytes"),
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
            },
        }
    }
}

impl clap::Args for ServeArgs {
    fn augment_args(command: Command) -> Command {
        command.args(SETTINGS.iter().map(Setting::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = SETTINGS.iter().filter_map(|s| Some((s.name, matches.get_one::<String>(s.name)?.clone())));
        Ok(Self { given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.given.extend(Self::from_arg_matches(matches)?.given);
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
    fn the_bounds_of_every_setting_are_themselves_allowed_and_one_beyond_is_not() {
        for setting in SETTINGS {
            let (low, high, unit) = match setting.kind {
                Kind::Count(low, high) | Kind::Bytes(low, high) => (low, high, ""),
                Kind::Time(low, high) => (low, high, "ms"),
                Kind::Address | Kind::Choice(_) => continue,
            };
            assert!(setting.read(&format!("{low}{unit}")).is_ok(), "{}", setting.name);
            assert!(setting.read(&format!("{high}{unit}")).is_ok(), "{}", setting.name);
            assert!(setting.read(&format!("{}{unit}", high + 1)).is_err(), "{}", setting.name);
            assert!(low == 0 || setting.read(&format!("{}{unit}", low - 1)).is_err(), "{}", setting.name);
        }
    }

    #[test]
    fn values_that_are_no_values_are_refused_with_the_value_quoted() {
        for bad in ["", "-1", "+1", "1.5", "1e3", "１２", " 1", "1 s", "99999999999999999999s", "s"] {
            let problems = ServeArgs::with(&[("drain-limit", bad)]).check().unwrap_err();
            assert_eq!(problems.0.len(), 1, "{bad}");
            assert!(problems.0[0].contains(&format!("`{bad}`")), "{problems}");
        }
    }
}
