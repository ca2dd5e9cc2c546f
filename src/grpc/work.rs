//! One bulletin, from the bytes of its request to the bytes of its answer: all that runs on the pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;

use super::compression::{Encoding, InflateError};
use super::frame::{Frame, FrameWriter};
use super::pb::bulk_extract_reports_response::Outcome;
use super::pool::Step;
use super::record::Tally;
use super::status::{Reason, Refusal};
use super::{Extract, check, json, pb};
use crate::metrics::Metrics;
use crate::telemetry;
use jianbao_engine::Bulletin;
use jianbao_engine::report::{OffsetEncoding, Report};

/// A report has at most this, and so many times the bytes of its text, where no setting says otherwise.
const REPORT_LEAST: usize = 64 << 10;
const REPORT_MULTIPLE: usize = 32;
/// How much longer a report is in JSON.
const JSON_MULTIPLE: usize = 5;
/// What reading takes at most: for each byte of the text, and for each number in it.
const COST: (usize, usize) = (64, 2_048);
/// What a report has, likewise.
const REPORT: (usize, usize) = (6, 256);

/// A bulletin that is ready to be read.
struct Opened {
    bulletin: Bulletin,
    encoding: OffsetEncoding,
    /// Bytes that reading it takes.
    cost: usize,
    /// Bytes of its text and of its report.
    held: usize,
}

/// How many numbers a text has, about: each becomes an entry, a figure and what is around it.
fn numbers(text: &str) -> usize {
    let is_number = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c) || HAN_DIGITS.contains(&c);
    let (mut numbers, mut inside) = (0, false);
    for c in text.chars() {
        let here = is_number(c);
        numbers += usize::from(here && !inside);
        inside = here;
    }
    numbers
}

const HAN_DIGITS: [char; 13] = ['〇', '零', '一', '二', '两', '三', '四', '五', '六', '七', '八', '九', '十'];

/// What every bulletin of a call has in common.
#[derive(Clone)]
pub struct Desk {
    /// The engine.
    pub engine: Arc<dyn Extract>,
    /// How compressed requests are compressed.
    pub inflate: Option<Encoding>,
    /// How answers are written.
    pub writer: FrameWriter,
    /// Longest message, inflated.
    pub max_message_bytes: usize,
    /// Longest text.
    pub max_text_bytes: usize,
    /// Longest report; nought is a multiple of the text.
    pub max_report_bytes: usize,
    /// The most that reading one text may take.
    pub most_cost: usize,
    /// The most that may be held for one text and its report.
    pub most_held: usize,
    /// Where bulletins are counted.
    pub metrics: Arc<Metrics>,
    /// Where the messages of this call are counted.
    pub tally: Arc<Tally>,
    /// Whether messages are JSON.
    pub json: bool,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("inflate", &self.inflate).field("writer", &self.writer).finish_non_exhaustive()
    }
}

impl Desk {
    /// The answer to a unary call.
    ///
    /// # Errors
    /// A [`Refusal`] when the bulletin was not read.
    pub fn unary(&self, frame: Frame) -> Result<Bytes, Refusal> {
        self.unary_step(frame, |_| true).finish()
    }

    /// The answer to one bulletin of a stream.
    #[must_use]
    pub fn item(&self, frame: Frame, sequence: u64) -> Bytes {
        self.item_step(frame, sequence, |_| true).finish().unwrap_or_default()
    }

    /// The two steps to the answer to a unary call, if there is room for the text and its report.
    pub fn unary_step(&self, frame: Frame, room: impl FnOnce(usize) -> bool) -> Step<Result<Bytes, Refusal>> {
        self.tally.received(frame.length());
        let (id, opened) = self.open(frame);
        self.tally.bulletin(&id);
        let desk = self.clone();
        match opened {
            Err(refusal) => Step::Done(Err(refusal)),
            Ok(opened) if !room(opened.held) => Step::Done(Err(Refusal::new(Reason::MemoryFull, "there is no room for the report now"))),
            Ok(opened) => Step::Run(
                opened.cost,
                Box::new(move || {
                    let written = desk.guarded(&id, || desk.answer(opened));
                    written.inspect(|answer| desk.tally.sent(answer.len()))
                }),
            ),
        }
    }

    /// The two steps to the answer to one bulletin of a stream; none if there is no room for the text and its report.
    pub fn item_step(&self, frame: Frame, sequence: u64, room: impl FnOnce(usize) -> bool) -> Step<Option<Bytes>> {
        let length = frame.length();
        let (id, opened) = self.open(frame);
        if opened.as_ref().is_ok_and(|opened| !room(opened.held)) {
            return Step::Done(None);
        }
        self.tally.received(length);
        self.tally.bulletin(&id);
        let desk = self.clone();
        match opened {
            Err(refusal) => Step::Done(Some(desk.item_refused(id, sequence, refusal))),
            Ok(opened) => Step::Run(
                opened.cost,
                Box::new(move || {
                    let written = desk.guarded(&id, || desk.item_answer(opened, sequence));
                    written
                        .inspect(|answer| desk.tally.sent(answer.len()))
                        .map_or_else(|refusal| Some(desk.item_refused(id, sequence, refusal)), Some)
                }),
            ),
        }
    }

    /// Bytes of the message as it will be, as far as it can be told.
    #[must_use]
    pub fn expected(&self, frame: &Frame) -> usize {
        match (frame, self.inflate) {
            (Frame::Whole { bytes, compressed: true }, Some(encoding)) => encoding.expected(bytes).min(self.max_message_bytes),
            _ => frame.held_bytes(),
        }
    }

    /// What is held for a message until its answer is: itself, its text, and about as much again.
    #[must_use]
    pub fn needed(&self, frame: &Frame) -> usize {
        frame.held_bytes().saturating_add(self.expected(frame).saturating_mul(2))
    }

    fn item_refused(&self, bulletin_id: String, sequence: u64, refusal: Refusal) -> Bytes {
        self.metrics.refused(refusal.reason.name());
        let outcome = Some(Outcome::Error(refusal.into_item()));
        let answer = self.writer.frame(&pb::BulkExtractReportsResponse { bulletin_id, sequence, outcome });
        self.tally.sent(answer.len());
        answer
    }

    /// Turns a panic into the refusal of this one bulletin.
    fn guarded<T>(&self, id: &str, step: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
        let outcome = catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
            telemetry::engine_panicked(id);
            Err(Refusal::new(Reason::EnginePanicked, "the engine failed on this bulletin"))
        });
        if outcome.is_err() {
            self.metrics.bulletin_refused();
        }
        outcome
    }

    /// The bulletin in a message, ready to be read, and its id.
    fn open(&self, frame: Frame) -> (String, Result<Opened, Refusal>) {
        let mut id = String::new();
        let request = self.guarded("", || self.request(frame));
        if let Ok(request) = &request
            && let Some(bulletin) = request.bulletin.as_ref().filter(|b| b.id.len() <= check::MAX_ID_BYTES)
        {
            id.clone_from(&bulletin.id);
        }
        let opened = request.and_then(|request| self.guarded(&id, || self.checked(request)));
        (id, opened)
    }

    fn request(&self, frame: Frame) -> Result<pb::ExtractReportRequest, Refusal> {
        let message = self.plain(frame)?;
        if self.json {
            json::read(&message).map_err(|error| malformed(&format!("the body is no ExtractReportRequest in JSON: {error}")))
        } else {
            let no_request = |_| malformed("the message is no jianbao.v1.ExtractReportRequest");
            pb::ExtractReportRequest::decode(message).map_err(no_request)
        }
    }

    fn checked(&self, request: pb::ExtractReportRequest) -> Result<Opened, Refusal> {
        let (bulletin, encoding) = check::request(request, self.max_text_bytes)?;
        let numbers = numbers(&bulletin.text);
        let cost = COST.0 * bulletin.text.len() + COST.1 * numbers;
        if cost > self.most_cost {
            let most = self.most_cost >> 20;
            let message =
                format!("to read this text may take {} MiB, and at most {most} MiB may be used: it has too many numbers", cost >> 20);
            return Err(Refusal::new(Reason::ReportTooLarge, message));
        }
        let report = self.report_bound(bulletin.text.len()).min(REPORT.0 * bulletin.text.len() + REPORT.1 * numbers);
        let held = bulletin.text.len() + if self.json { report.saturating_mul(5) / 2 } else { report };
        if held > self.most_held {
            let (held, most) = (held >> 20, self.most_held >> 20);
            let message = format!("the report on this text may have {held} MiB, and at most {most} MiB may be held for one");
            return Err(Refusal::new(Reason::ReportTooLarge, message));
        }
        Ok(Opened { bulletin, encoding, cost, held })
    }

    fn report(&self, opened: Opened) -> (Report, usize) {
        let Opened { bulletin, encoding, .. } = opened;
        let begun = Instant::now();
        let mut report = self.engine.extract(&bulletin);
        self.metrics.read(&report, bulletin.text.len(), begun.elapsed());
        report.encode_offsets(&bulletin.text, encoding);
        (report, self.report_bound(bulletin.text.len()))
    }

    /// The most bytes that a report on a text of so many may have.
    const fn report_bound(&self, text_bytes: usize) -> usize {
        match self.max_report_bytes {
            0 => REPORT_LEAST + text_bytes.saturating_mul(REPORT_MULTIPLE),
            most => most,
        }
    }

    fn in_messages(&self, opened: Opened) -> Result<pb::Report, Refusal> {
        let (report, most) = self.report(opened);
        let report = pb::Report::from(report);
        let found = report.encoded_len();
        if found <= most { Ok(report) } else { Err(report_too_large(found, most)) }
    }

    fn answer(&self, opened: Opened) -> Result<Bytes, Refusal> {
        if !self.json {
            let report = Some(self.in_messages(opened)?);
            return Ok(self.writer.frame(&pb::ExtractReportResponse { report }));
        }
        let (report, most) = self.report(opened);
        let most = most.saturating_mul(JSON_MULTIPLE);
        json::write(&report, most).ok_or_else(|| report_too_large(most, most))
    }

    fn item_answer(&self, opened: Opened, sequence: u64) -> Result<Bytes, Refusal> {
        let report = self.in_messages(opened)?;
        let bulletin_id = report.bulletin_id.clone();
        Ok(self.writer.frame(&pb::BulkExtractReportsResponse { bulletin_id, sequence, outcome: Some(Outcome::Report(report)) }))
    }

    fn plain(&self, frame: Frame) -> Result<Bytes, Refusal> {
        match frame {
            Frame::TooLarge { length } => Err(self.too_large(&format!("has {length}"))),
            Frame::Whole { bytes, compressed: false } => Ok(bytes),
            Frame::Whole { bytes, compressed: true } => {
                let encoding = self.inflate.ok_or_else(|| malformed("a compressed message without grpc-encoding"))?;
                encoding.inflate(&bytes, self.max_message_bytes).map_err(|error| match error {
                    InflateError::TooLarge => self.too_large("has more, inflated"),
                    InflateError::Corrupt => malformed("the compressed message cannot be inflated"),
                })
            }
        }
    }

    fn too_large(&self, found: &str) -> Refusal {
        let limit = self.max_message_bytes;
        Refusal::new(Reason::MessageTooLarge, format!("a message may have at most {limit} bytes, this one {found}"))
    }
}

fn malformed(message: &str) -> Refusal {
    Refusal::new(Reason::MalformedRequest, message)
}

fn report_too_large(found: usize, most: usize) -> Refusal {
    let message = format!("the report has {found} bytes or more, and may have {most}: the text says too much in too few bytes");
    Refusal::new(Reason::ReportTooLarge, message)
}
