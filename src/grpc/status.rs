//! What the wire says when something is wrong: a short list of reasons, each with its code.
//!
//! Every error carries `google.rpc.ErrorInfo` with a reason from [`Reason`] and
//! the domain [`DOMAIN`]. Whatever the input, message and details stay far
//! below 8 KiB: values are quoted only in part, and nothing internal is told.

use std::collections::HashMap;
use std::time::Duration;

use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::pb;

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "jianbao";

/// Trailer that says where a caller resumes a stream which the server ended.
pub const NEXT_SEQUENCE: &str = "jianbao-next-sequence";

const PUSHBACK: &str = "grpc-retry-pushback-ms";
const MAX_QUOTED_CHARS: usize = 40;

/// Why a call or a bulletin failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A field of the request breaks a rule.
    InvalidRequest,
    /// The message is no protobuf of the expected type, or its compression is broken.
    MalformedRequest,
    /// The message is over the size limit, inflated or not.
    MessageTooLarge,
    /// The request is compressed in a way the server does not know.
    UnknownEncoding,
    /// A unary call held no message, or a stream broke off inside one.
    BrokenFraming,
    /// The `grpc-timeout` header does not follow the protocol.
    InvalidTimeout,
    /// The deadline of the call passed.
    DeadlineExceeded,
    /// The message of a unary call did not arrive in time.
    RequestTooSlow,
    /// The queue for the engine is full.
    QueueFull,
    /// Too many calls are in flight.
    TooManyCalls,
    /// The server holds as much as it may, or the caller as much as it may of that.
    MemoryFull,
    /// The report, or the work to make it, is larger than the server allows for such a text.
    ReportTooLarge,
    /// A stream had nothing to do for too long.
    StreamIdle,
    /// The caller did not take its answers in time.
    AnswersUnread,
    /// The request comes from a page, or for a host, that it may not come from.
    ForeignOrigin,
    /// The call has no valid credentials.
    Unauthenticated,
    /// The caller may not call this method.
    PermissionDenied,
    /// The caller has as many calls in flight as it may have.
    CallerLimit,
    /// The caller sends more bulletins a second than it may.
    RateLimited,
    /// The server is shutting down, or the connection has reached its age.
    Draining,
    /// There is no such service or method.
    UnknownMethod,
    /// The engine panicked on this bulletin.
    EnginePanicked,
    /// Any other error, from outside this crate.
    Other,
}

impl Reason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::InvalidRequest,
        Self::MalformedRequest,
        Self::MessageTooLarge,
        Self::UnknownEncoding,
        Self::BrokenFraming,
        Self::InvalidTimeout,
        Self::DeadlineExceeded,
        Self::RequestTooSlow,
        Self::QueueFull,
        Self::TooManyCalls,
        Self::MemoryFull,
        Self::ReportTooLarge,
        Self::StreamIdle,
        Self::AnswersUnread,
        Self::ForeignOrigin,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::CallerLimit,
        Self::RateLimited,
        Self::Draining,
        Self::UnknownMethod,
        Self::EnginePanicked,
        Self::Other,
    ];

    /// The reason as the wire writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::MalformedRequest => "MALFORMED_REQUEST",
            Self::MessageTooLarge => "MESSAGE_TOO_LARGE",
            Self::UnknownEncoding => "UNKNOWN_ENCODING",
            Self::BrokenFraming => "BROKEN_FRAMING",
            Self::InvalidTimeout => "INVALID_TIMEOUT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::RequestTooSlow => "REQUEST_TOO_SLOW",
            Self::QueueFull => "QUEUE_FULL",
            Self::TooManyCalls => "TOO_MANY_CALLS",
            Self::MemoryFull => "MEMORY_FULL",
            Self::ReportTooLarge => "REPORT_TOO_LARGE",
            Self::StreamIdle => "STREAM_IDLE",
            Self::AnswersUnread => "ANSWERS_UNREAD",
            Self::ForeignOrigin => "FOREIGN_ORIGIN",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::CallerLimit => "CALLER_LIMIT",
            Self::RateLimited => "RATE_LIMITED",
            Self::Draining => "DRAINING",
            Self::UnknownMethod => "UNKNOWN_METHOD",
            Self::EnginePanicked => "ENGINE_PANICKED",
            Self::Other => "OTHER",
        }
    }

    /// The code that goes with the reason.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::InvalidRequest | Self::MalformedRequest | Self::BrokenFraming | Self::InvalidTimeout => Code::InvalidArgument,
            Self::MessageTooLarge
            | Self::ReportTooLarge
            | Self::QueueFull
            | Self::TooManyCalls
            | Self::MemoryFull
            | Self::AnswersUnread
            | Self::CallerLimit
            | Self::RateLimited => Code::ResourceExhausted,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::PermissionDenied | Self::ForeignOrigin => Code::PermissionDenied,
            Self::UnknownEncoding | Self::UnknownMethod => Code::Unimplemented,
            Self::DeadlineExceeded | Self::RequestTooSlow => Code::DeadlineExceeded,
            Self::Draining | Self::StreamIdle => Code::Unavailable,
            Self::EnginePanicked => Code::Internal,
            Self::Other => Code::Unknown,
        }
    }
}

/// One field that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field from the request.
    pub field: &'static str,
    /// What is wrong, with the limit.
    pub description: String,
}

/// Why one bulletin was not read: the same for a unary call and inside a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// A sentence for a person.
    pub message: String,
    /// The fields at fault.
    pub violations: Vec<Violation>,
}

impl Refusal {
    /// A refusal with no field at fault.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), violations: Vec::new() }
    }

    /// The request breaks these rules.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let fields: Vec<_> = violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect();
        Self { reason: Reason::InvalidRequest, message: fields.join("; "), violations }
    }

    /// As the status of a unary call.
    #[must_use]
    pub fn into_status(self) -> Status {
        if self.reason == Reason::MemoryFull {
            return memory_full();
        }
        let mut details = info(self.reason, []);
        for violation in &self.violations {
            details.add_bad_request_violation(violation.field, violation.description.as_str());
        }
        let mut metadata = MetadataMap::new();
        if matches!(self.reason, Reason::MessageTooLarge | Reason::ReportTooLarge) {
            // The code is that of a full server; this says that trying again is of no use.
            metadata.insert(PUSHBACK, MetadataValue::from_static("-1"));
        }
        Status::with_error_details_and_metadata(self.reason.code(), self.message, details, metadata)
    }

    /// As the answer inside a stream.
    #[must_use]
    pub fn into_item(self) -> pb::BulletinError {
        let violations = self.violations.into_iter();
        pb::BulletinError {
            code: self.reason.code().into(),
            message: self.message,
            reason: self.reason.name().to_owned(),
            field_violations: violations.map(|v| pb::FieldViolation { field: v.field.to_owned(), description: v.description }).collect(),
        }
    }
}

fn info<const N: usize>(reason: Reason, metadata: [(String, String); N]) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason.name(), DOMAIN, HashMap::from(metadata));
    details
}

/// An error of the whole call.
#[must_use]
pub fn of(reason: Reason, message: &str) -> Status {
    Status::with_error_details(reason.code(), message, info(reason, []))
}

/// The deadline passed.
#[must_use]
pub fn deadline_exceeded() -> Status {
    of(Reason::DeadlineExceeded, "the deadline of the call passed")
}

/// The server has no room now; `retry_after` says when it may have.
#[must_use]
pub fn overloaded(reason: Reason, message: &str, retry_after: Duration) -> Status {
    let mut details = info(reason, []);
    details.set_retry_info(Some(retry_after));
    let mut metadata = MetadataMap::new();
    if let Ok(value) = retry_after.as_millis().to_string().parse() {
        metadata.insert(PUSHBACK, value);
    }
    Status::with_error_details_and_metadata(reason.code(), message, details, metadata)
}

/// The server, or the caller's share of it, holds as much as it may.
#[must_use]
pub fn memory_full() -> Status {
    overloaded(Reason::MemoryFull, "the server holds as much as it may for this caller", Duration::from_millis(500))
}

/// The server ends a call because it, or the connection, is going away.
#[must_use]
pub fn draining() -> Status {
    of(Reason::Draining, "the server is going away; try again on another connection")
}

/// The server ends a stream because it, or the connection, is going away; the caller resumes with `next_sequence`.
#[must_use]
pub fn draining_stream(next_sequence: u64) -> Status {
    let message = format!("the server is going away; resend from sequence {next_sequence} on another connection");
    ended_stream(Reason::Draining, message, next_sequence)
}

/// The server ends a stream for this reason; the caller may resume with `next_sequence`.
#[must_use]
pub fn ended_stream(reason: Reason, message: String, next_sequence: u64) -> Status {
    let next = next_sequence.to_string();
    let mut metadata = MetadataMap::new();
    if let Ok(value) = next.parse() {
        metadata.insert(NEXT_SEQUENCE, value);
    }
    let details = info(reason, [("next_sequence".to_owned(), next)]);
    Status::with_error_details_and_metadata(reason.code(), message, details, metadata)
}

/// Gives an error that came from elsewhere an `ErrorInfo`, if it has none.
#[must_use]
pub fn with_info(status: Status) -> Status {
    if status.code() == Code::Ok || !status.details().is_empty() {
        return status;
    }
    let (code, reason) = match status.code() {
        Code::Unimplemented => (Code::Unimplemented, Reason::UnknownMethod),
        Code::OutOfRange => (Code::ResourceExhausted, Reason::MessageTooLarge),
        code => (code, Reason::Other),
    };
    let message = match status.message() {
        "" if reason == Reason::UnknownMethod => "there is no such service or method".to_owned(),
        message => message.chars().take(256).collect(),
    };
    Status::with_error_details_and_metadata(code, message, info(reason, []), status.metadata().clone())
}

/// The beginning of a caller's value in quotes, with what could disturb a reader escaped.
#[must_use]
pub fn quoted(value: &str) -> String {
    let head: String = value.chars().take(MAX_QUOTED_CHARS).flat_map(char::escape_debug).collect();
    let more = if value.chars().nth(MAX_QUOTED_CHARS).is_some() { "…" } else { "" };
    format!("`{head}{more}`")
}
