//! gRPC's length-prefixed messages: read from a request body, written for a response.
//!
//! A message over the limit is skipped, not held, and told as such; so one of
//! a stream does not end the stream, and no length makes the server allocate.
//! What has come of a message counts in the budget.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http_body::Body as _;
use prost::Message;
use tonic::Status;
use tonic::body::Body;

use super::budget::{Account, Hold};
use super::compression::Encoding;
use super::status::{self, Reason};

/// Bytes before each message: whether it is compressed, and its length.
pub const HEADER_BYTES: usize = 5;

/// One message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The bytes of a message, and whether they are compressed.
    Whole {
        /// The bytes.
        bytes: Bytes,
        /// Whether the compressed flag is set.
        compressed: bool,
    },
    /// A message of this many bytes, over the limit and skipped.
    TooLarge {
        /// The length its header states.
        length: u32,
    },
}

impl Frame {
    /// Bytes of the message, as sent.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Whole { bytes, .. } => bytes.len() as u64,
            Self::TooLarge { length } => u64::from(*length),
        }
    }

    /// Bytes held in memory.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        match self {
            Self::Whole { bytes, .. } => bytes.len(),
            Self::TooLarge { .. } => 0,
        }
    }
}

/// What is read of a body before it is asked for: HTTP/2 takes many small frames that are not read for an attack.
const AHEAD_BYTES: usize = 64 << 10;

/// Reads frames from the body of a request.
#[derive(Debug)]
pub struct FrameReader {
    body: Option<Body>,
    held: BytesMut,
    /// What is held, in the budget.
    counted: Hold,
    /// More has come than there is room for: no more is read until there is.
    over: bool,
    /// Whether there is to be room at once, or else the call is refused.
    at_once: bool,
    /// Bytes of a message over the limit that are still to come, and its length.
    skipping: Option<(usize, u32)>,
    limit: usize,
    failed: bool,
    /// Whether the body is one message without a frame, and has not been given yet.
    unwrapped: bool,
}

/// How a body goes on.
enum More {
    Data,
    End,
}

impl FrameReader {
    /// A reader that holds messages of at most `limit` bytes, and waits for room in the budget.
    #[must_use]
    pub fn new(body: Body, limit: usize, account: &std::sync::Arc<Account>) -> Self {
        Self {
            body: Some(body),
            held: BytesMut::new(),
            counted: account.nothing(),
            over: false,
            at_once: false,
            skipping: None,
            limit,
            failed: false,
            unwrapped: false,
        }
    }

    /// Takes the body for one message, without a frame.
    #[must_use]
    pub fn unwrapped(mut self) -> Self {
        self.unwrapped = true;
        self
    }

    /// Refuses the call where the budget has no room.
    #[must_use]
    pub fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// Whether a part of a message has come.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        !self.held.is_empty() || self.skipping.is_some()
    }

    fn poll_unwrapped(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Status>> {
        while self.held.len() <= self.limit {
            match ready!(self.poll_more(cx))? {
                More::Data => {}
                More::End if self.failed => return Poll::Ready(Err(broken())),
                More::End => {
                    self.unwrapped = false;
                    return Poll::Ready(Ok(Frame::Whole { bytes: self.held.split().freeze(), compressed: false }));
                }
            }
        }
        // More is not wanted: so much is enough to be refused.
        (self.unwrapped, self.body) = (false, None);
        let length = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        self.held.clear();
        Poll::Ready(Ok(Frame::TooLarge { length }))
    }

    /// The next message; none at the end of the body.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Status>>> {
        if self.unwrapped {
            return self.poll_unwrapped(cx).map(Some);
        }
        loop {
            match self.take_frame() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) => {}
                Err(status) => return Poll::Ready(Some(Err(status))),
            }
            match ready!(self.poll_more(cx)) {
                Ok(More::Data) => {}
                Ok(More::End) if !self.is_inside() && !self.failed => return Poll::Ready(None),
                Ok(More::End) => return Poll::Ready(Some(Err(broken()))),
                Err(status) => return Poll::Ready(Some(Err(status))),
            }
        }
    }

    /// Takes in what has come, up to a bound, while nothing is asked for.
    pub fn read_ahead(&mut self, cx: &mut Context<'_>) {
        while self.body.is_some() && self.skipping.is_none() && self.held.len() < AHEAD_BYTES {
            if !matches!(self.poll_more(cx), Poll::Ready(Ok(More::Data))) {
                return;
            }
        }
    }

    /// What the last message held in the budget, to be held on.
    pub fn take_hold(&mut self, frame: &Frame) -> Hold {
        let hold = self.counted.split(frame.held_bytes());
        self.counted.settle(self.taken());
        hold
    }

    /// Bytes that what has come takes: its buffer grows ahead of it.
    fn taken(&self) -> usize {
        if self.held.is_empty() { 0 } else { self.held.capacity() }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<More, Status>> {
        if self.over {
            let more = self.taken() + 1;
            ready!(self.counted.poll_set(more, cx));
            self.over = false;
        }
        let Some(body) = &mut self.body else { return Poll::Ready(Ok(More::End)) };
        match ready!(Pin::new(body).poll_frame(cx)) {
            Some(Ok(part)) => {
                if let Ok(data) = part.into_data() {
                    self.hold(data);
                    self.over = !self.counted.set(self.taken());
                    if self.over && self.at_once {
                        return Poll::Ready(Err(status::memory_full()));
                    }
                    self.counted.settle(self.taken());
                }
                Poll::Ready(Ok(More::Data))
            }
            ended => {
                self.failed = ended.is_some();
                self.body = None;
                Poll::Ready(Ok(More::End))
            }
        }
    }

    fn hold(&mut self, mut data: Bytes) {
        if let Some((left, _)) = &mut self.skipping {
            let skipped = data.len().min(*left);
            data.advance(skipped);
            *left -= skipped;
        }
        self.held.extend_from_slice(&data);
    }

    fn take_frame(&mut self) -> Result<Option<Frame>, Status> {
        match self.skipping {
            Some((0, length)) => {
                self.skipping = None;
                return Ok(Some(Frame::TooLarge { length }));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        let Some((&[flag, a, b, c, d], _)) = self.held.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        if flag > 1 {
            return Err(broken());
        }
        let length = u32::from_be_bytes([a, b, c, d]);
        let size = length as usize;
        if size > self.limit {
            self.held.advance(HEADER_BYTES);
            let here = self.held.len().min(size);
            self.held.advance(here);
            self.skipping = Some((size - here, length));
            return self.take_frame();
        }
        if self.held.len() < HEADER_BYTES + size {
            self.held.reserve((HEADER_BYTES + size - self.held.len()).min(64 << 10));
            return Ok(None);
        }
        self.held.advance(HEADER_BYTES);
        let bytes = self.held.split_to(size).freeze();
        Ok(Some(Frame::Whole { bytes, compressed: flag == 1 }))
    }
}

fn broken() -> Status {
    status::of(Reason::BrokenFraming, "the request is no sequence of whole gRPC messages")
}

/// How the messages of a response are written.
#[derive(Clone, Copy, Debug)]
pub struct FrameWriter {
    /// The encoding that the caller accepts, if any.
    pub encoding: Option<Encoding>,
    /// Shorter messages are not compressed.
    pub compress_from_bytes: usize,
}

impl FrameWriter {
    /// The message with its header.
    pub fn frame(self, message: &impl Message) -> Bytes {
        let size = message.encoded_len();
        let mut out = Vec::with_capacity(HEADER_BYTES + size);
        out.extend_from_slice(&header(false, size));
        // A vector grows as needed: encoding into it cannot fail.
        let _ = message.encode(&mut out);
        match self.encoding {
            Some(encoding) if size >= self.compress_from_bytes => {
                encoding.deflate(out.get(HEADER_BYTES..).unwrap_or_default()).map_or_else(|| out.into(), |packed| compressed(&packed))
            }
            _ => out.into(),
        }
    }
}

fn compressed(packed: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(HEADER_BYTES + packed.len());
    out.put_slice(&header(true, packed.len()));
    out.put_slice(packed);
    out.into()
}

/// A message with its header, not compressed.
#[must_use]
pub fn framed(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(HEADER_BYTES + message.len());
    out.put_slice(&header(false, message.len()));
    out.put_slice(message);
    out.into()
}

/// Messages stay far below 4 GiB: the text they tell of is bounded.
#[must_use]
pub fn header(compressed: bool, size: usize) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
    [u8::from(compressed), a, b, c, d]
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use super::*;

    /// A body of these parts.
    struct Parts(VecDeque<Bytes>);

    impl http_body::Body for Parts {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|part| Ok(http_body::Frame::data(part))))
        }
    }

    /// The lengths of the messages in a body cut into parts of `size` bytes; none where one was too large.
    fn lengths(body: &[u8], size: usize) -> Result<Vec<Option<usize>>, tonic::Code> {
        let parts = body.chunks(size).map(Bytes::copy_from_slice).collect();
        let account = crate::grpc::budget::Budget::new(1 << 20).account(Vec::new());
        let mut reader = FrameReader::new(Body::new(Parts(parts)), 100, &account);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut found = Vec::new();
        loop {
            match reader.poll_frame(&mut cx) {
                Poll::Ready(Some(Ok(Frame::Whole { bytes, .. }))) => found.push(Some(bytes.len())),
                Poll::Ready(Some(Ok(Frame::TooLarge { .. }))) => found.push(None),
                Poll::Ready(Some(Err(status))) => return Err(status.code()),
                Poll::Ready(None) => return Ok(found),
                Poll::Pending => unreachable!("the parts are all there"),
            }
        }
    }

    fn message(length: usize) -> Vec<u8> {
        [&header(false, length)[..], &vec![7; length]].concat()
    }

    #[test]
    fn messages_are_read_however_the_body_is_cut() {
        let body = [message(0), message(100), message(101), message(1), message(5_000), message(3)].concat();
        for size in 1..body.len() {
            assert_eq!(lengths(&body, size), Ok(vec![Some(0), Some(100), None, Some(1), None, Some(3)]), "{size}");
        }
    }

    #[test]
    fn a_body_that_ends_inside_a_message_is_broken() {
        for whole in [message(50), message(5_000)] {
            for end in 1..whole.len() {
                assert_eq!(lengths(&whole[..end], 64), Err(tonic::Code::InvalidArgument), "{end}");
            }
        }
        assert_eq!(lengths(&[2, 0, 0, 0, 0], 64), Err(tonic::Code::InvalidArgument));
    }
}
