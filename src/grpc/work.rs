//! One bulletin, from the bytes of its request to the bytes of its answer: all that runs on the pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;

use super::compression::{Encoding, InflateError};
use super::frame::{Frame, FrameWriter};
use super::record::Tally;
use super::status::{Reason, Refusal};
use super::{Extract, check, frame, json, pb};
use crate::metrics::Metrics;
use crate::telemetry;

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
        let (_, outcome) = self.guarded(frame, |report| self.write(&pb::ExtractReportResponse { report: Some(report) }));
        outcome.inspect(|answer| self.tally.sent(answer.len()))
    }

    /// The answer to one bulletin of a stream.
    #[must_use]
    pub fn item(&self, frame: Frame, sequence: u64) -> Bytes {
        use pb::bulk_extract_reports_response::Outcome;
        let answer =
            |bulletin_id, outcome| self.writer.frame(&pb::BulkExtractReportsResponse { bulletin_id, sequence, outcome: Some(outcome) });
        let (id, outcome) = self.guarded(frame, |report| answer(report.bulletin_id.clone(), Outcome::Report(report)));
        let answer = outcome.unwrap_or_else(|refusal| {
            self.metrics.refused(refusal.reason.name());
            answer(id, Outcome::Error(refusal.into_item()))
        });
        self.tally.sent(answer.len());
        answer
    }

    /// Reads and writes, and turns a panic into the refusal of this one bulletin.
    fn guarded(&self, frame: Frame, write: impl FnOnce(pb::Report) -> Bytes) -> (String, Result<Bytes, Refusal>) {
        let mut id = String::new();
        self.tally.received(frame.length());
        let outcome = catch_unwind(AssertUnwindSafe(|| self.read(frame, &mut id).map(write)));
        let outcome = outcome.unwrap_or_else(|_| {
            telemetry::engine_panicked(&id);
            Err(Refusal::new(Reason::EnginePanicked, "the engine failed on this bulletin"))
        });
        if outcome.is_err() {
            self.metrics.bulletin_refused();
        }
        self.tally.bulletin(&id);
        (id, outcome)
    }

    fn read(&self, frame: Frame, id: &mut String) -> Result<pb::Report, Refusal> {
        let message = self.plain(frame)?;
        let request = if self.json {
            json::read(&message).map_err(|error| malformed(&format!("the body is no ExtractReportRequest in JSON: {error}")))?
        } else {
            let no_request = |_| malformed("the message is no jianbao.v1.ExtractReportRequest");
            pb::ExtractReportRequest::decode(message).map_err(no_request)?
        };
        if let Some(bulletin) = request.bulletin.as_ref().filter(|b| b.id.len() <= check::MAX_ID_BYTES) {
            id.clone_from(&bulletin.id);
        }
        let (bulletin, encoding) = check::request(request, self.max_text_bytes)?;
        let begun = Instant::now();
        let mut report = self.engine.extract(&bulletin);
        self.metrics.read(&report, bulletin.text.len(), begun.elapsed());
        report.encode_offsets(&bulletin.text, encoding);
        Ok(report.into())
    }

    fn write(&self, response: &pb::ExtractReportResponse) -> Bytes {
        if self.json { frame::framed(&json::write(response)) } else { self.writer.frame(response) }
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
