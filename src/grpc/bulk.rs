//! A stream of bulletins: the response body is the whole state, driven by the connection that reads it.
//!
//! Nothing is spawned and nothing buffers beyond the window, so a caller that
//! does not read is not read from, and a dropped call leaves nothing behind.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame as BodyFrame;
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::Status;
use tonic::body::Body;

use super::access::Caller;
use super::frame::{Frame, FrameReader};
use super::pool::{Lane, NotRun, Pool, Room, Ticket};
use super::service::Call;
use super::status;
use super::work::Desk;

/// Small answers that are ready together are sent together, up to about this many bytes.
const BATCH_BYTES: usize = 16 << 10;

/// How much of a stream may be under way at once.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Bulletins read and not yet answered.
    pub bulletins: usize,
    /// Bytes of their requests and answers; one bulletin is always allowed.
    pub bytes: usize,
}

/// The responses of one stream, as a body.
pub struct BulkBody {
    desk: Desk,
    pool: Pool,
    window: Window,
    deadline: Option<Instant>,
    requests: FrameReader,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
    pace: Pace,
    /// A request that was read and waits for room in the pool.
    waiting: Option<(Frame, RoomToCome)>,
    under_way: VecDeque<UnderWay>,
    bytes_under_way: usize,
    asked: u64,
    answered: u64,
    /// Set once no more requests are read: how the stream ends when all is answered.
    ending: Option<Status>,
    closed: bool,
}

/// How fast the caller may send; a stream over its rate is read later, and not refused.
struct Pace {
    caller: Option<Arc<Caller>>,
    /// The next bulletin may be read.
    granted: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(caller) = &self.caller else { return Poll::Ready(()) };
        while !self.granted {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match caller.bulletin() {
                Ok(()) => self.granted = true,
                Err(wait) => self.pause = Some(Box::pin(tokio::time::sleep(wait))),
            }
        }
        Poll::Ready(())
    }
}

type RoomToCome = Pin<Box<dyn Future<Output = Result<Room, NotRun>> + Send>>;

struct UnderWay {
    answer: Answer,
    weight: usize,
}

enum Answer {
    Pending(Ticket<Bytes>),
    Ready(Bytes),
    Lost,
}

impl BulkBody {
    /// The answers to `requests`.
    #[must_use]
    pub fn new(desk: Desk, pool: Pool, window: Window, call: &Call, requests: Body) -> Self {
        let requests = FrameReader::new(requests, desk.max_message_bytes);
        Self {
            desk,
            pool,
            window,
            deadline: call.deadline,
            requests,
            draining: Box::pin(call.draining.clone().cancelled_owned()),
            pace: Pace { caller: call.caller.clone(), granted: false, pause: None },
            waiting: None,
            under_way: VecDeque::new(),
            bytes_under_way: 0,
            asked: 0,
            answered: 0,
            ending: None,
            closed: false,
        }
    }

    fn has_room(&self) -> bool {
        self.under_way.is_empty() || (self.under_way.len() < self.window.bulletins && self.bytes_under_way < self.window.bytes)
    }

    /// Reads and hands over requests while the window has room.
    fn fill(&mut self, cx: &mut Context<'_>) {
        loop {
            if let Some((_, room)) = &mut self.waiting {
                let Poll::Ready(room) = room.as_mut().poll(cx) else { return };
                self.hand_over(room);
            } else if self.ending.is_some() || !self.has_room() {
                return;
            } else if self.draining.as_mut().poll(cx).is_ready() {
                self.ending = Some(status::draining());
            } else {
                if self.pace.poll(cx).is_pending() {
                    return;
                }
                match self.requests.poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        self.pace.granted = false;
                        let room = self.pool.room(Lane::Bulk, frame.held_bytes());
                        self.waiting = Some((frame, Box::pin(room)));
                    }
                    Poll::Ready(Some(Err(status))) => self.ending = Some(status),
                    Poll::Ready(None) => self.ending = Some(Status::ok("")),
                    Poll::Pending => return,
                }
            }
        }
    }

    fn hand_over(&mut self, room: Result<Room, NotRun>) {
        let Some((frame, _)) = self.waiting.take() else { return };
        let weight = frame.held_bytes();
        let (desk, sequence) = (self.desk.clone(), self.asked);
        self.asked += 1;
        let answer =
            room.map_or(Answer::Lost, |room| Answer::Pending(self.pool.submit(room, self.deadline, move || desk.item(frame, sequence))));
        self.under_way.push_back(UnderWay { answer, weight });
        self.bytes_under_way += weight;
    }

    /// Notes what is done, so that the window counts answers by their true size; says whether anything was.
    fn settle(&mut self, cx: &mut Context<'_>) -> bool {
        let mut settled = false;
        for item in &mut self.under_way {
            let Answer::Pending(ticket) = &mut item.answer else { continue };
            let Poll::Ready(result) = Pin::new(ticket).poll(cx) else { continue };
            let weight = result.as_ref().map_or(0, Bytes::len);
            self.bytes_under_way = self.bytes_under_way - item.weight + weight;
            item.weight = weight;
            item.answer = result.map_or(Answer::Lost, Answer::Ready);
            settled = true;
        }
        settled
    }

    /// The answers that are ready at the head of the stream.
    fn take_ready(&mut self) -> Option<Bytes> {
        let mut first = None;
        let mut batch = BytesMut::new();
        while batch.len() < BATCH_BYTES {
            match self.under_way.front_mut().map(|item| &mut item.answer) {
                Some(Answer::Ready(bytes)) => {
                    let bytes = std::mem::take(bytes);
                    let weight = self.under_way.pop_front().map_or(0, |item| item.weight);
                    self.bytes_under_way -= weight;
                    self.answered += 1;
                    match first.take() {
                        None if batch.is_empty() && bytes.len() >= BATCH_BYTES => return Some(bytes),
                        None if batch.is_empty() => first = Some(bytes),
                        None => batch.extend_from_slice(&bytes),
                        Some(head) => {
                            batch.extend_from_slice(&head);
                            batch.extend_from_slice(&bytes);
                        }
                    }
                }
                Some(Answer::Lost) => {
                    self.under_way.clear();
                    self.waiting = None;
                    self.ending = Some(self.lost());
                    break;
                }
                Some(Answer::Pending(_)) | None => break,
            }
        }
        first.or_else(|| (!batch.is_empty()).then(|| batch.freeze()))
    }

    /// Why a job was not run: its time was up, or the pool is gone.
    fn lost(&self) -> Status {
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => status::deadline_exceeded(),
            _ => status::draining(),
        }
    }

    fn trailers(&mut self, ending: Status) -> HeaderMap {
        self.closed = true;
        let status = match ending.code() {
            tonic::Code::Unavailable => status::draining_stream(self.answered),
            _ => ending,
        };
        let mut trailers = HeaderMap::new();
        // Every status here is made in this crate, of characters a header can hold.
        let _ = status.add_header(&mut trailers);
        trailers
    }
}

impl http_body::Body for BulkBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<BodyFrame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.closed {
            return Poll::Ready(None);
        }
        loop {
            this.fill(cx);
            let settled = this.settle(cx);
            if let Some(bytes) = this.take_ready() {
                return Poll::Ready(Some(Ok(BodyFrame::data(bytes))));
            }
            if this.under_way.is_empty()
                && this.waiting.is_none()
                && let Some(ending) = this.ending.take()
            {
                return Poll::Ready(Some(Ok(BodyFrame::trailers(this.trailers(ending)))));
            }
            // An answer smaller than its request gives the window room: fill it before resting.
            if !settled {
                return Poll::Pending;
            }
        }
    }
}

impl std::fmt::Debug for BulkBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkBody").field("asked", &self.asked).field("answered", &self.answered).finish_non_exhaustive()
    }
}
