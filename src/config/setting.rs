//! One setting: its name, what it may hold, its default and meaning; and the table of all.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Arg;

/// What a setting holds, with its bounds, which are both allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Count(u64, u64),
    /// Bytes, or with the suffix KiB, MiB or GiB.
    Bytes(u64, u64),
    /// Milliseconds; written with the suffix ms, s, m or h.
    Time(u64, u64),
    Address,
    /// An address, or nothing.
    OptionalAddress,
    Choice(&'static [&'static str]),
    /// Origins of pages.
    Origins,
    /// Where something else listens.
    Url,
    /// A file or folder; empty is none.
    Path(&'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name, in words with hyphens between them.
    pub name: &'static str,
    /// What it holds.
    pub(super) kind: Kind,
    /// Its value when nothing gives one.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, kind, default, meaning }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const ON_OFF: Kind = Kind::Choice(&["on", "off"]);

#[rustfmt::skip]
/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting("listen", Kind::Address, "127.0.0.1:50051", "Address and port to serve on; port 0 lets the system choose"),
    setting("admin-listen", Kind::OptionalAddress, "", "Address and port for probes (/livez, /readyz), metrics (/metrics) and the health service, in plain text"),
    setting("workers", Kind::Count(0, 1_024), "0", "Threads of the engine; 0 is one for each core"),
    setting("queue-jobs", Kind::Count(1, 1_000_000), "256", "Unary calls that may wait for a thread; more are refused with RESOURCE_EXHAUSTED"),
    setting("queue-bytes", Kind::Bytes(MIB, 64 * GIB), "64MiB", "Request bytes, inflated, that unary calls may hold in the queue; over it whoever has most there is refused"),
    setting("memory-budget", Kind::Bytes(0, 1_024 * GIB), "0", "Bytes held for calls: messages, what is made of them, and answers until they are taken; 0 is two thirds of the cgroup's limit, or a third of the machine's memory"),
    setting("max-calls", Kind::Count(1, 1_000_000), "4096", "Calls in flight, health and reflection not counted; over it an idle call of whoever has most gives way, or the call is refused with RESOURCE_EXHAUSTED"),
    setting("max-watches", Kind::Count(1, 1_000_000), "1024", "Calls in flight of health and reflection; over it the oldest of whoever has most gives way"),
    setting("max-connections", Kind::Count(1, 1_000_000), "4096", "Connections; more are closed at once"),
    setting("max-streams", Kind::Count(1, 65_536), "128", "Calls in flight on one connection; the caller's library waits for room"),
    setting("max-header-bytes", Kind::Bytes(4 * KIB, MIB), "16KiB", "Request headers of one call"),
    setting("max-message-bytes", Kind::Bytes(KIB, 256 * MIB), "4MiB", "One request message, as sent and after inflating"),
    setting("max-text-bytes", Kind::Bytes(KIB, 256 * MIB), "3MiB", "Text of one bulletin, in UTF-8; at most max-message-bytes"),
    setting("max-report-bytes", Kind::Bytes(0, 64 * GIB), "0", "One report; 0 is 64 KiB and 32 times its text (in JSON five times as much). More is RESOURCE_EXHAUSTED"),
    setting("compress-from-bytes", Kind::Bytes(0, GIB), "4KiB", "Answers shorter than this are not compressed, even if the caller accepts it"),
    setting("receive-timeout", Kind::Time(10, HOUR), "30s", "Time for a message to arrive: of a unary call, the first of a stream, and each once it has begun"),
    setting("unread-timeout", Kind::Time(SECOND, 24 * HOUR), "2m", "Time for a caller to take an answer that is ready, before its call is ended"),
    setting("stream-idle-timeout", Kind::Time(SECOND, 720 * HOUR), "15m", "Time in which nothing comes on a stream and nothing is under way, before it ends with UNAVAILABLE and the next sequence"),
    setting("bulk-window", Kind::Count(1, 65_536), "64", "Bulletins of one stream that are under way at once"),
    setting("bulk-window-bytes", Kind::Bytes(KIB, GIB), "16MiB", "Bytes of requests and answers of one stream that are under way at once; one bulletin is always allowed"),
    setting("keepalive-interval", Kind::Time(SECOND, 24 * HOUR), "30s", "Time between pings to a silent peer"),
    setting("keepalive-timeout", Kind::Time(100, HOUR), "10s", "Time for a ping's answer, or a new connection's first words, before it is closed"),
    setting("max-connection-age", Kind::Time(SECOND, 720 * HOUR), "1h", "Age at which a connection is told to go away; up to a tenth shorter, so that not all go at once"),
    setting("connection-grace", Kind::Time(0, 24 * HOUR), "5m", "Time for calls in flight after that; then streams end with UNAVAILABLE"),
    setting("max-connection-idle", Kind::Time(SECOND, 720 * HOUR), "15m", "Time without a call after which a connection is told to go away"),
    setting("drain-notice", Kind::Time(0, HOUR), "0s", "At shutdown: time in which health says NOT_SERVING and new calls are still taken"),
    setting("drain-limit", Kind::Time(0, HOUR), "25s", "At shutdown: time for calls in flight before they are cut"),
    setting("institutions", Kind::Path("FILE"), "", "Your own institutions, as CSV or TOML, at most 16 MiB (docs/register.md)"),
    setting("lexicon", Kind::Path("DIR"), "", "A folder of your own tables (*.toml, at most 64 of 1 MiB), which add words to the built-in ones (docs/register.md)"),
    setting("tls-certificate", Kind::Path("FILE"), "", "The server's certificate and those above it, as PEM; with it the server speaks TLS alone"),
    setting("tls-key", Kind::Path("FILE"), "", "The key of that certificate, as PEM"),
    setting("tls-client-authorities", Kind::Path("FILE"), "", "Authorities, as PEM, one of which must have signed a caller's certificate"),
    setting("tls-client-certificate", Kind::Choice(&["required", "optional"]), "required", "Whether a caller may come without a certificate where there are authorities for them"),
    setting("callers", Kind::Path("FILE"), "", "Who may call, as TOML (docs/operating.md); without it everybody may"),
    setting("allow-anonymous", ON_OFF, "off", "Whether to serve on an address that others can reach without asking who calls"),
    setting("reload-interval", Kind::Time(0, 24 * HOUR), "30s", "Time between looks at certificates, keys and callers, which are read again when they have changed; 0s is never"),
    setting("cors-origins", Kind::Origins, "", "Origins, with commas between them, or *, whose pages may call by gRPC-Web and JSON"),
    setting("reflection", ON_OFF, "on", "Whether server reflection (v1 and v1alpha) is served"),
    setting("audit", ON_OFF, "on", "Whether each call is logged: who, method, bulletin ids, sizes, outcome"),
    setting("otlp-endpoint", Kind::Url, "", "Collector that spans of calls and metrics are sent to, by OTLP over gRPC, such as http://collector:4317"),
    setting("otlp-interval", Kind::Time(SECOND, HOUR), "60s", "Time between two sendings of the metrics"),
    setting("trace-per-thousand", Kind::Count(0, 1_000), "1000", "Of a thousand calls whose callers do not say whether to trace them, how many are traced"),
    setting("log-format", Kind::Choice(&["text", "json"]), "text", "Form of the log lines on standard error; no text of a bulletin is ever logged"),
    setting("log-level", Kind::Choice(&["error", "warn", "info", "debug"]), "info", "Least severity that is logged"),
];

/// The setting of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// A value that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    None,
    Number(u64),
    Address(SocketAddr),
    Choice(&'static str),
    Path(PathBuf),
    List(Vec<String>),
    Text(String),
}

impl Setting {
    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("JIANBAO_{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// The flag.
    #[must_use]
    pub fn arg(&self) -> Arg {
        let default = if self.default.is_empty() { String::new() } else { format!(" [default: {}]", self.default) };
        let bounds = self.kind.bounds();
        Arg::new(self.name)
            .long(self.name)
            .env(self.variable())
            .value_name(self.kind.form())
            .help(format!("{} [{bounds}]{default}", self.meaning))
    }

    /// The value that this text stands for.
    ///
    /// # Errors
    /// What is wrong with it, with the bounds.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        self.kind.read(text).ok_or_else(|| {
            let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
            format!("`{shown}` is not {}", self.kind.bounds())
        })
    }
}

impl Kind {
    const fn form(self) -> &'static str {
        match self {
            Self::Count(..) => "COUNT",
            Self::Bytes(..) => "BYTES",
            Self::Time(..) => "TIME",
            Self::Address | Self::OptionalAddress => "ADDRESS",
            Self::Choice(_) => "CHOICE",
            Self::Origins => "ORIGINS",
            Self::Url => "URL",
            Self::Path(form) => form,
        }
    }

    fn bounds(self) -> String {
        match self {
            Self::Count(low, high) => format!("a number from {low} to {high}"),
            Self::Bytes(low, high) => format!("bytes, KiB, MiB or GiB from {} to {}", bytes(low), bytes(high)),
            Self::Time(low, high) => format!("ms, s, m or h from {} to {}", time(low), time(high)),
            Self::Address => "an IP address with a port".to_owned(),
            Self::OptionalAddress => "an IP address with a port, or nothing".to_owned(),
            Self::Choice(choices) => format!("one of {}", choices.join(", ")),
            Self::Origins => "a list such as https://a.example,https://b.example:8443, or *, or nothing".to_owned(),
            Self::Url => "http:// or https:// with a host, or nothing".to_owned(),
            Self::Path(_) => "a path, or nothing".to_owned(),
        }
    }

    fn read(self, text: &str) -> Option<Value> {
        let within = |number: u64, low, high| (low <= number && number <= high).then_some(Value::Number(number));
        match self {
            Self::Count(low, high) => within(digits(text)?, low, high),
            Self::Bytes(low, high) => within(suffixed(text, &[("KiB", KIB), ("MiB", MIB), ("GiB", GIB), ("", 1)])?, low, high),
            Self::Time(low, high) => within(suffixed(text, &[("ms", 1), ("s", SECOND), ("m", 60 * SECOND), ("h", HOUR)])?, low, high),
            Self::Address => text.parse().ok().map(Value::Address),
            Self::OptionalAddress if text.is_empty() => Some(Value::None),
            Self::OptionalAddress => text.parse().ok().map(Value::Address),
            Self::Choice(choices) => choices.iter().find(|choice| **choice == text).map(|choice| Value::Choice(choice)),
            Self::Origins => origins(text).map(Value::List),
            Self::Url => (text.is_empty() || is_url(text)).then(|| Value::Text(text.to_owned())),
            Self::Path(_) => (!text.contains('\0')).then(|| Value::Path(text.into())),
        }
    }
}

fn is_url(text: &str) -> bool {
    let uri = text.parse::<http::Uri>();
    uri.is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty()))
}

/// Schemes with hosts, and no path.
fn origins(text: &str) -> Option<Vec<String>> {
    let origin = |text: &str| {
        let uri: http::Uri = text.parse().ok()?;
        (uri.scheme().is_some() && uri.path() == "/" && !text.ends_with('/') && uri.query().is_none()).then(|| text.to_owned())
    };
    match text {
        "" => Some(Vec::new()),
        "*" => Some(vec!["*".to_owned()]),
        _ => text.split(',').map(str::trim).map(origin).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_of_every_setting_are_themselves_allowed_and_one_beyond_is_not() {
        for setting in SETTINGS {
            let (low, high, unit) = match setting.kind {
                Kind::Count(low, high) | Kind::Bytes(low, high) => (low, high, ""),
                Kind::Time(low, high) => (low, high, "ms"),
                Kind::Address | Kind::OptionalAddress | Kind::Choice(_) | Kind::Origins | Kind::Url | Kind::Path(_) => continue,
            };
            assert!(setting.read(&format!("{low}{unit}")).is_ok(), "{}", setting.name);
            assert!(setting.read(&format!("{high}{unit}")).is_ok(), "{}", setting.name);
            assert!(setting.read(&format!("{}{unit}", high + 1)).is_err(), "{}", setting.name);
            assert!(low == 0 || setting.read(&format!("{}{unit}", low - 1)).is_err(), "{}", setting.name);
        }
    }

    #[test]
    fn origins_have_a_scheme_and_no_path() {
        assert_eq!(origins("https://a.test, http://b.test:81"), Some(vec!["https://a.test".to_owned(), "http://b.test:81".to_owned()]));
        for bad in ["a.test", "https://a.test/", "https://a.test/x", "https://a.test,", "*,https://a.test", "https:// a.test"] {
            assert_eq!(origins(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_name_is_there_once_and_every_default_is_allowed() {
        for (n, setting) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS[..n].iter().all(|other| other.name != setting.name), "{}", setting.name);
            assert!(setting.read(setting.default).is_ok(), "{}", setting.name);
        }
    }
}
