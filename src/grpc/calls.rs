//! The calls in flight, each with its place among them.
//!
//! A place is kept until the call has ended and nothing of it runs any more. Where all places are taken, an idle call of
//! whoever has most gives way to the newcomer; a call whose answers are not taken in time loses them, and its place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::crowd::{Crowd, Peer};
use super::status::Reason;

/// All calls of one kind, and how many there may be.
#[derive(Debug)]
pub struct Calls {
    most: usize,
    next_id: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    crowd: Crowd,
    calls: BTreeMap<(Peer, u64), Arc<Open>>,
}

/// A call in flight.
#[derive(Debug)]
pub struct Open {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub peer: Peer,
    /// Cancelled when it is ended from outside, for the reason that is then there.
    pub ended: CancellationToken,
    reason: OnceLock<Reason>,
    /// What answers it, here so that it can be let go when nobody asks for it.
    pub body: Mutex<Option<Body>>,
    /// Whether its caller has gone, or it has ended.
    pub gone: AtomicBool,
    /// Bulletins of it that wait or are read.
    busy: AtomicUsize,
    /// Answers that are ready and not taken.
    ready: AtomicUsize,
    began: Instant,
    /// When it was last asked for more, in milliseconds since it began.
    asked: AtomicU64,
}

/// A call's place, given back when the last that holds it is dropped.
#[derive(Debug)]
pub struct Place {
    calls: Arc<Calls>,
    /// The call.
    pub open: Arc<Open>,
    _among_its_callers: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.calls.leave(&self.open);
    }
}

/// A bulletin that waits or is read.
#[derive(Debug)]
pub struct Busy(Arc<Place>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.open.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Busy {
    /// Its answer is ready.
    pub fn is_ready(&self) {
        self.0.open.ready.fetch_add(1, Ordering::Relaxed);
    }
}

/// One bulletin more of this call waits.
#[must_use]
pub fn busy(place: &Arc<Place>) -> Busy {
    place.open.busy.fetch_add(1, Ordering::Relaxed);
    Busy(Arc::clone(place))
}

impl Open {
    /// An answer is taken.
    pub fn is_taken(&self) {
        self.ready.fetch_sub(1, Ordering::Relaxed);
    }

    /// It is asked for more.
    pub fn asked(&self) {
        self.asked.store(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Why it was ended from outside, if it was.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason.get().copied()
    }

    fn unasked(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.asked.load(Ordering::Relaxed)))
    }

    /// Whether it is left unread: answers wait, or it should long have ended by itself.
    fn is_unread(&self, unread: Duration, idle: Duration) -> bool {
        let unasked = self.unasked();
        (self.ready.load(Ordering::Relaxed) > 0 && unasked > unread) || unasked > idle.saturating_add(unread)
    }

    fn end(&self, reason: Reason) {
        let _ = self.reason.set(reason);
        self.gone.store(true, Ordering::Relaxed);
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(body);
        self.ended.cancel();
    }
}

impl Calls {
    /// Room for so many.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, next_id: AtomicU64::new(0), inner: Mutex::default() })
    }

    /// A place for a call of this peer's; none where all are taken by others who have as few.
    #[must_use]
    pub fn enter(self: &Arc<Self>, peer: Peer, among_its_callers: Option<OwnedSemaphorePermit>) -> Option<Arc<Place>> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.lock();
        let gives_way = if inner.calls.len() < self.most { None } else { Some(inner.idle_of(inner.crowd.yields(peer)?)?) };
        if let Some(open) = &gives_way {
            inner.leave(open);
        }
        let open = Arc::new(Open {
            id,
            peer,
            ended: CancellationToken::new(),
            reason: OnceLock::new(),
            body: Mutex::default(),
            gone: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
            ready: AtomicUsize::new(0),
            began: Instant::now(),
            asked: AtomicU64::new(0),
        });
        inner.crowd.enter(peer);
        inner.calls.insert((peer, id), Arc::clone(&open));
        drop(inner);
        if let Some(open) = gives_way {
            open.end(Reason::TooManyCalls);
        }
        Some(Arc::new(Place { calls: Arc::clone(self), open, _among_its_callers: among_its_callers }))
    }

    /// Calls in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().calls.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the calls whose answers nobody has taken for so long; `idle` is when a call ends by itself.
    pub fn end_unread(&self, unread: Duration, idle: Duration) {
        let left: Vec<_> = {
            let mut inner = self.lock();
            let left: Vec<_> = inner.calls.values().filter(|open| open.is_unread(unread, idle)).cloned().collect();
            for open in &left {
                inner.leave(open);
            }
            left
        };
        for open in left {
            open.end(Reason::AnswersUnread);
        }
    }

    fn leave(&self, open: &Open) {
        self.lock().leave(open);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn leave(&mut self, open: &Open) {
        if self.calls.remove(&(open.peer, open.id)).is_some() {
            self.crowd.leave(open.peer);
        }
    }

    /// The oldest call of this peer's of which nothing waits or runs.
    fn idle_of(&self, peer: Peer) -> Option<Arc<Open>> {
        let calls = self.calls.range((peer, 0)..=(peer, u64::MAX));
        calls.map(|(_, open)| open).find(|open| open.busy.load(Ordering::Relaxed) == 0).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn peer(connection: u64) -> Peer {
        Peer { group: 1, connection }
    }

    #[test]
    fn f7_an_idle_call_of_whoever_has_most_gives_way_and_a_busy_one_does_not() {
        let calls = Calls::new(3);
        let places: Vec<_> = (0..3).map(|_| calls.enter(peer(1), None).unwrap()).collect();
        assert!(calls.enter(peer(1), None).is_none());
        let work = busy(&places[0]);
        let other = calls.enter(peer(2), None).expect("one gives way");
        assert_eq!(places.iter().map(|place| place.open.reason()).collect::<Vec<_>>(), [None, Some(Reason::TooManyCalls), None]);
        let third = calls.enter(peer(3), None).expect("another gives way");
        assert!(calls.enter(peer(4), None).is_none(), "nobody has more than one");
        drop((places, other, third));
        assert_eq!(calls.len(), 1, "what runs keeps its place");
        drop(work);
        assert!(calls.is_empty());
    }

    #[test]
    fn f13_a_place_is_kept_while_anything_of_the_call_runs() {
        let calls = Calls::new(1);
        let place = calls.enter(peer(1), None).unwrap();
        let work = busy(&place);
        drop(place);
        assert!(calls.enter(peer(2), None).is_none());
        drop(work);
        assert!(calls.enter(peer(2), None).is_some());
    }
}
