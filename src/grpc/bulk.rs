//! A stream of bulletins: the response body is the whole state, driven by the connection that reads it.
//!
//! Nothing is spawned and nothing buffers beyond the window, so a caller that
//! does not read is not read from, and a dropped call leaves nothing behind.
//! While it is not asked for answers it holds no turn: its jobs wait with it,
//! and others are taken in theirs.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame as BodyFrame;
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::Status;
use tonic::body::Body;

use super::access::Caller;
use super::budget::Hold;
use super::calls;
use super::frame::{Frame, FrameReader};
use super::pool::{Ask, Lane, Pool, Ticket};
use super::service::{self, Call};
use super::status::{self, Reason};
use super::work::Desk;

/// Small answers that are ready together are sent together, up to about this many bytes.
const BATCH_BYTES: usize = 16 << 10;

/// How much of a stream may be under way at once, and how long it may be idle.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Bulletins read and not yet answered.
    pub bulletins: usize,
    /// Bytes of their requests and answers; one bulletin is always allowed.
    pub bytes: usize,
    /// Time for a message to come when it has begun, and for the first to begin.
    pub receive: Duration,
    /// Time in which nothing is asked for and nothing comes.
    pub idle: Duration,
}

/// The responses of one stream, as a body.
pub struct BulkBody {
    desk: Desk,
    pool: Pool,
    window: Window,
    call: Call,
    requests: FrameReader,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
    pace: Pace,
    patience: Patience,
    /// A request that was read and waits for room in the budget, with what it needs.
    waiting: Option<NoRoom>,
    under_way: VecDeque<UnderWay>,
    bytes_under_way: usize,
    asked: u64,
    answered: u64,
    /// An answer of which a part has been sent.
    sending: Option<service::Answer>,
    /// Set once no more requests are read: how the stream ends when all is answered.
    ending: Option<Status>,
    closed: bool,
}

/// How long a stream that has nothing to do waits for what comes next.
struct Patience {
    /// When it ends, and for what it waits.
    waits: Option<(Pin<Box<Sleep>>, Expected)>,
}

/// What a stream waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The first message.
    First,
    /// The rest of a message; so many have been read before.
    Rest(u64),
    /// The next message.
    Next,
}

impl Patience {
    fn poll(&mut self, expected: Expected, window: Window, cx: &mut Context<'_>) -> Poll<()> {
        if self.waits.as_ref().is_none_or(|(_, before)| *before != expected) {
            let time = if expected == Expected::Next { window.idle } else { window.receive };
            self.waits = Some((Box::pin(tokio::time::sleep(time)), expected));
        }
        self.waits.as_mut().map_or(Poll::Pending, |(sleep, _)| sleep.as_mut().poll(cx))
    }
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

struct UnderWay {
    answer: Answer,
    weight: usize,
    sequence: u64,
}

enum Answer {
    Pending(Ticket<Result<service::Answer, NoRoom>>),
    Ready(service::Answer),
    /// To be handed over again when there is room for its report.
    Waits(NoRoom),
    Lost,
}

/// A request for whose report there is no room yet.
struct NoRoom {
    frame: Frame,
    hold: Hold,
    needed: usize,
}

impl BulkBody {
    /// The answers to `requests`.
    #[must_use]
    pub fn new(desk: Desk, pool: Pool, window: Window, call: Call, requests: Body) -> Self {
        let requests = FrameReader::new(requests, desk.max_message_bytes, &call.account);
        Self {
            desk,
            pool,
            window,
            requests,
            draining: Box::pin(call.draining.clone().cancelled_owned()),
            pace: Pace { caller: call.caller.clone(), granted: false, pause: None },
            patience: Patience { waits: None },
            call,
            waiting: None,
            under_way: VecDeque::new(),
            bytes_under_way: 0,
            asked: 0,
            answered: 0,
            sending: None,
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
            if let Some(waiting) = &mut self.waiting {
                waiting.hold.is_due(self.under_way.is_empty());
                if waiting.hold.poll_set(waiting.needed, cx).is_pending() {
                    return;
                }
                self.hand_over();
            } else if self.ending.is_some() {
                return;
            } else if !self.has_room() {
                // Small messages are taken in all the same: left with HTTP/2, many of them are an attack to it.
                return self.requests.read_ahead(cx);
            } else if self.draining.as_mut().poll(cx).is_ready() {
                self.ending = Some(status::draining());
            } else {
                if self.pace.poll(cx).is_pending() {
                    return self.requests.read_ahead(cx);
                }
                match self.requests.poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        self.pace.granted = false;
                        self.patience.waits = None;
                        let hold = self.requests.take_hold(&frame);
                        let needed = self.desk.needed(&frame);
                        self.waiting = Some(NoRoom { frame, hold, needed });
                    }
                    Poll::Ready(Some(Err(status))) => self.ending = Some(status),
                    Poll::Ready(None) => self.ending = Some(Status::ok("")),
                    Poll::Pending => return self.wait(cx),
                }
            }
        }
    }

    /// Nothing more has come: not for ever, unless something is under way.
    fn wait(&mut self, cx: &mut Context<'_>) {
        let expected = match self.asked {
            asked if self.requests.is_inside() => Expected::Rest(asked),
            0 => Expected::First,
            _ if self.under_way.is_empty() => Expected::Next,
            _ => return self.patience.waits = None,
        };
        if self.patience.poll(expected, self.window, cx).is_ready() {
            let (reason, what) = match expected {
                Expected::First | Expected::Rest(_) => (Reason::RequestTooSlow, "the message did not arrive in time"),
                Expected::Next => (Reason::StreamIdle, "nothing was asked for too long"),
            };
            let message = format!("{what}; go on from sequence {} in a new stream", self.asked);
            self.ending = Some(status::ended_stream(reason, message, self.asked));
        }
    }

    fn hand_over(&mut self) {
        let Some(request) = self.waiting.take() else { return };
        let (weight, sequence) = (request.frame.held_bytes(), self.asked);
        self.asked += 1;
        let answer = self.submit(request, sequence);
        self.under_way.push_back(UnderWay { answer, weight, sequence });
        self.bytes_under_way += weight;
    }

    fn submit(&self, request: NoRoom, sequence: u64) -> Answer {
        let NoRoom { frame, mut hold, .. } = request;
        let desk = self.desk.clone();
        let ask = Ask {
            lane: Lane::Bulk,
            peer: self.call.place.open.peer,
            call: self.call.place.open.id,
            bytes: desk.expected(&frame),
            deadline: self.call.deadline,
        };
        let busy = calls::busy(&self.call.place);
        let job = move || {
            let mut needed = 0;
            let step = desk.item_step(frame.clone(), sequence, |bytes| {
                needed = bytes;
                hold.set(bytes)
            });
            step.map(move |answer| match answer {
                Some(answer) => {
                    busy.is_ready();
                    Ok(service::Answer::new(answer, hold))
                }
                None => Err(NoRoom { frame, hold, needed }),
            })
        };
        self.pool.submit(ask, job).map_or(Answer::Lost, Answer::Pending)
    }

    /// Notes what is done, so that the window counts answers by their true size; says whether anything was.
    fn settle(&mut self, cx: &mut Context<'_>) -> bool {
        let mut settled = false;
        for at in 0..self.under_way.len() {
            settled |= self.settle_one(at, cx);
        }
        settled
    }

    fn settle_one(&mut self, at: usize, cx: &mut Context<'_>) -> bool {
        let Some(item) = self.under_way.get_mut(at) else { return false };
        match &mut item.answer {
            Answer::Pending(ticket) => {
                let Poll::Ready(result) = Pin::new(ticket).poll(cx) else { return false };
                item.answer = match result {
                    Ok(Ok(answer)) => {
                        let length = answer.rest.len();
                        self.bytes_under_way = self.bytes_under_way - item.weight + length;
                        item.weight = length;
                        Answer::Ready(answer)
                    }
                    Ok(Err(no_room)) => Answer::Waits(no_room),
                    Err(_) => Answer::Lost,
                };
                true
            }
            Answer::Waits(NoRoom { hold, needed, .. }) => {
                hold.is_due(at == 0);
                if hold.poll_set(*needed, cx).is_pending() {
                    return false;
                }
                let (answer, sequence) = (std::mem::replace(&mut item.answer, Answer::Lost), item.sequence);
                if let Answer::Waits(request) = answer {
                    let answer = self.submit(request, sequence);
                    if let Some(item) = self.under_way.get_mut(at) {
                        item.answer = answer;
                    }
                }
                true
            }
            Answer::Ready(_) | Answer::Lost => false,
        }
    }

    /// The answers that are ready at the head of the stream, or a part of the first.
    fn take_ready(&mut self) -> Option<Bytes> {
        if let Some(answer) = self.sending.as_mut().filter(|answer| !answer.rest.is_empty()) {
            return Some(answer.chunk());
        }
        self.sending = None;
        let (mut batch, mut hold) = (BytesMut::new(), self.call.account.nothing());
        while batch.len() < BATCH_BYTES {
            match self.under_way.front().map(|item| &item.answer) {
                Some(Answer::Ready(answer)) if batch.is_empty() || batch.len() + answer.rest.len() <= BATCH_BYTES => {
                    let Some(UnderWay { answer: Answer::Ready(mut answer), weight, .. }) = self.under_way.pop_front() else { break };
                    self.bytes_under_way -= weight;
                    self.answered += 1;
                    self.call.place.open.is_taken();
                    if batch.is_empty() && answer.rest.len() >= BATCH_BYTES {
                        let first = answer.chunk();
                        self.sending = Some(answer);
                        return Some(first);
                    }
                    batch.extend_from_slice(&answer.rest);
                    hold.absorb(answer.hold);
                }
                Some(Answer::Lost) => {
                    self.under_way.clear();
                    self.waiting = None;
                    self.ending = Some(self.lost());
                    break;
                }
                Some(Answer::Ready(_) | Answer::Pending(_) | Answer::Waits(_)) | None => break,
            }
        }
        (!batch.is_empty()).then(|| hold.around(batch.freeze()))
    }

    /// Why a job was not run: its time was up, or the pool is gone.
    fn lost(&self) -> Status {
        match self.call.deadline {
            Some(deadline) if deadline <= Instant::now() => status::deadline_exceeded(),
            _ => status::draining(),
        }
    }

    fn trailers(&mut self, ending: Status) -> HeaderMap {
        self.closed = true;
        let status = match ending.code() {
            tonic::Code::Unavailable if ending.metadata().get(status::NEXT_SEQUENCE).is_none() => status::draining_stream(self.answered),
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
