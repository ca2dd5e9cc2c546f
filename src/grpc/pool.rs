//! A fixed set of threads for the engine's work, behind two bounded lanes.
//!
//! The async threads only move bytes; everything that computes runs here. One
//! lane is for unary calls: it sheds load when full, from whoever has most in
//! it. The other is for streams, each of which has a window of its own. The
//! threads take from both lanes alternately, and within each from those who
//! wait in turn, so that nobody starves another. A job whose caller has left
//! or whose deadline has passed is taken out and never starts.
//!
//! A job has two steps: the first unpacks a request and tells what reading it
//! will take; the second reads, as soon as the budget has room for that.
//! Nothing is held for who is to come: neither a thread nor a place waits for
//! a stream that nobody may poll.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::budget::{Budget, Running};
use super::crowd::{Crowd, Peer};
use super::turns::{Place, Turns};

/// Least cost of a job, in bytes: what a request takes besides its text.
const LEAST_COST: usize = 1 << 10;

/// Work that takes so many bytes takes long too: it leaves a thread to others, where there is more than one, and waits in turn.
const HEAVY_BYTES: usize = 8 << 20;

/// Which lane a job waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Unary calls: refused when the lane is full.
    Unary,
    /// Bulletins of a stream.
    Bulk,
}

/// How large the pool and its lanes are.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Threads.
    pub workers: usize,
    /// Jobs that may wait in the unary lane.
    pub unary_jobs: usize,
    /// Request bytes, inflated, that may be held by the jobs of the unary lane, waiting or running.
    pub unary_bytes: usize,
    /// What running work is counted in.
    pub budget: Budget,
}

/// The lane is full; try again after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Estimate of when there will be room.
    pub retry_after: Duration,
}

/// Why a job ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// Its deadline passed before it started, or the pool closed.
    Late,
    /// It gave its place up to somebody who had fewer.
    GaveWay(Full),
}

/// Whose a job is, and what is known of it before it is begun.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Where it waits.
    pub lane: Lane,
    /// Whose it is.
    pub peer: Peer,
    /// Of which call.
    pub call: u64,
    /// Bytes of the request as it is expected to be when inflated.
    pub bytes: usize,
    /// When it is of no more use.
    pub deadline: Option<Instant>,
}

/// What the first step of a job comes to.
pub enum Step<T> {
    /// The answer.
    Done(T),
    /// The second step, and the bytes that it takes while it runs.
    Run(usize, Box<dyn FnOnce() -> T + Send>),
}

impl<T> Step<T> {
    /// Both steps, one after the other.
    pub fn finish(self) -> T {
        match self {
            Self::Done(answer) => answer,
            Self::Run(_, run) => run(),
        }
    }

    /// The same steps with something done to the answer.
    #[must_use]
    pub fn map<U>(self, with: impl FnOnce(T) -> U + Send + 'static) -> Step<U>
    where
        T: 'static,
    {
        match self {
            Self::Done(answer) => Step::Done(with(answer)),
            Self::Run(bytes, run) => Step::Run(bytes, Box::new(move || with(run()))),
        }
    }
}

impl<T> std::fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Done(_)) { "Done" } else { "Run" })
    }
}

/// Counts since the start, for tests, logs and metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Jobs waiting now.
    pub waiting: AtomicUsize,
    /// Jobs running now.
    pub running: AtomicUsize,
    /// Jobs ever started.
    pub started: AtomicU64,
    /// Jobs taken out before they started.
    pub withdrawn: AtomicU64,
    /// Submissions refused because the unary lane was full, and jobs that gave way.
    pub refused: AtomicU64,
}

/// A handle on the pool; the threads end when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Pool {
    owner: Arc<Owner>,
}

#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
}

struct Shared {
    lanes: Mutex<Lanes>,
    ready: Condvar,
    counts: Counts,
    bounds: Bounds,
    /// Running mean of a job's time, in microseconds.
    mean_job_micros: AtomicU64,
    refusals: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("counts", &self.counts).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Lanes {
    unary: Turns<Job>,
    bulk: Turns<Job>,
    /// How many jobs of the unary lane wait, by peer.
    crowd: Crowd,
    /// Request bytes of each lane's jobs, waiting and running.
    bytes: [usize; 2],
    /// Jobs whose second step waits for room in the budget, oldest first.
    parked: VecDeque<Parked>,
    /// Jobs whose second step takes long, and how many of these run.
    heavy: Turns<Parked>,
    heavy_running: usize,
    heavy_next: bool,
    next_job: u64,
    bulk_next: bool,
    closed: bool,
}

impl Lanes {
    fn turns(&mut self, lane: Lane) -> &mut Turns<Job> {
        match lane {
            Lane::Unary => &mut self.unary,
            Lane::Bulk => &mut self.bulk,
        }
    }

    fn bytes(&mut self, lane: Lane) -> &mut usize {
        let [unary, bulk] = &mut self.bytes;
        match lane {
            Lane::Unary => unary,
            Lane::Bulk => bulk,
        }
    }

    /// Takes a job out of its lane; what it counts for is given back when it is dropped.
    fn remove(&mut self, lane: Lane, place: Place) -> Option<Job> {
        let job = self.turns(lane).remove(place)?;
        if lane == Lane::Unary {
            self.crowd.leave(place.peer);
        }
        Some(job)
    }

    fn push_heavy(&mut self, parked: Parked) {
        if parked.weight.lane == Lane::Unary {
            self.crowd.enter(parked.place.peer);
        }
        self.heavy.push(parked.place, parked.bytes as u64, parked);
    }

    fn remove_heavy(&mut self, place: Place) -> Option<Parked> {
        let parked = self.heavy.remove(place)?;
        if parked.weight.lane == Lane::Unary {
            self.crowd.leave(place.peer);
        }
        Some(parked)
    }

    /// Takes out the newest unary job of this peer's, rather one that takes long.
    fn newest_of(&mut self, peer: Peer) -> Option<Waits> {
        let heavy =
            self.heavy.newest_of(peer).filter(|place| self.heavy.get(*place).is_some_and(|parked| parked.weight.lane == Lane::Unary));
        if let Some(place) = heavy {
            return self.remove_heavy(place).map(Waits::Second);
        }
        let place = self.unary.newest_of(peer)?;
        self.remove(Lane::Unary, place).map(Waits::First)
    }

    /// The job that takes long whose turn it is, if there is a thread and room for it.
    fn pop_heavy(&mut self, bounds: &Bounds) -> Option<Next> {
        if self.heavy_running >= bounds.workers.saturating_sub(1).max(1) {
            return None;
        }
        let room = bounds.budget.run(self.heavy.first()?.1.bytes)?;
        let (place, parked) = self.heavy.pop()?;
        if parked.weight.lane == Lane::Unary {
            self.crowd.leave(place.peer);
        }
        self.heavy_running += 1;
        Some(Next::Second(parked, room))
    }

    /// The next job, from the lane whose turn it is.
    fn pop(&mut self) -> Option<Job> {
        let order = if self.bulk_next { [Lane::Bulk, Lane::Unary] } else { [Lane::Unary, Lane::Bulk] };
        let (lane, place, job) = order.into_iter().find_map(|lane| self.turns(lane).pop().map(|(place, job)| (lane, place, job)))?;
        self.bulk_next = lane == Lane::Unary;
        if lane == Lane::Unary {
            self.crowd.leave(place.peer);
        }
        Some(job)
    }
}

/// What becomes of a job.
enum Verdict {
    Begin,
    GiveWay(Full),
}

/// Tells the answer, once nothing is held for the job any more.
type Deliver = Box<dyn FnOnce() + Send>;
/// The second step.
type Second = Box<dyn FnOnce(Verdict) -> Deliver + Send>;

/// What the first step comes to.
enum Begun {
    Done(Deliver),
    Left(usize, Second),
}

fn deliver<T: Send + 'static>(sender: oneshot::Sender<Result<T, NotRun>>, result: Result<T, NotRun>) -> Deliver {
    Box::new(move || drop(sender.send(result)))
}

struct Job {
    /// The first step, which may leave a second.
    begin: Box<dyn FnOnce(Verdict) -> Begun + Send>,
    deadline: Option<Instant>,
    place: Place,
    weight: Weight,
}

/// A job that waits for its first step, or for its second.
enum Waits {
    First(Job),
    Second(Parked),
}

impl Waits {
    const fn weight(&self) -> &Weight {
        match self {
            Self::First(job) => &job.weight,
            Self::Second(parked) => &parked.weight,
        }
    }

    fn give_way(self, full: Full) {
        let (deliver, weight) = match self {
            Self::First(Job { begin, weight, .. }) => match begin(Verdict::GiveWay(full)) {
                Begun::Done(deliver) => (deliver, weight),
                Begun::Left(..) => return,
            },
            Self::Second(Parked { second, weight, .. }) => (second(Verdict::GiveWay(full)), weight),
        };
        drop(weight);
        deliver();
    }
}

struct Parked {
    second: Second,
    bytes: usize,
    deadline: Option<Instant>,
    place: Place,
    weight: Weight,
}

/// The request bytes of a job, counted in its lane for as long as this lives.
struct Weight {
    shared: Arc<Shared>,
    lane: Lane,
    bytes: usize,
}

impl Drop for Weight {
    fn drop(&mut self) {
        *self.shared.lock().bytes(self.lane) -= self.bytes;
    }
}

/// The future result of a job. Dropping it withdraws the job if it has not started.
#[derive(Debug)]
pub struct Ticket<T> {
    shared: Arc<Shared>,
    lane: Lane,
    place: Place,
    answer: oneshot::Receiver<Result<T, NotRun>>,
    settled: bool,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(bounds: Bounds) -> std::io::Result<Self> {
        let workers = bounds.workers;
        let shared = Arc::new(Shared {
            lanes: Mutex::default(),
            ready: Condvar::new(),
            counts: Counts::default(),
            bounds,
            mean_job_micros: AtomicU64::new(1_000),
            refusals: AtomicU64::new(0),
        });
        let owner = Arc::new(Owner { shared });
        for index in 0..workers {
            let shared = Arc::clone(&owner.shared);
            std::thread::Builder::new().name(format!("engine-{index}")).stack_size(8 << 20).spawn(move || shared.work())?;
        }
        Ok(Self { owner })
    }

    /// The pool's counts.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.owner.shared.counts
    }

    /// Jobs of this lane that wait for a thread.
    #[must_use]
    pub fn waiting(&self, lane: Lane) -> usize {
        self.owner.shared.lock().turns(lane).len()
    }

    /// Request bytes that this lane's jobs hold, waiting or running.
    #[must_use]
    pub fn held_bytes(&self, lane: Lane) -> u64 {
        *self.owner.shared.lock().bytes(lane) as u64
    }

    /// Threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.owner.shared.bounds.workers
    }

    /// The budget that running work is counted in.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.owner.shared.bounds.budget
    }

    /// The estimate of when there will be room, for who is refused.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.owner.shared.retry_after()
    }

    /// Hands a job over. It never starts once its deadline has passed or the ticket is dropped.
    ///
    /// # Errors
    /// [`Full`] when the unary lane is, and nobody in it has more there than this peer.
    pub fn submit<T: Send + 'static>(&self, ask: Ask, job: impl FnOnce() -> Step<T> + Send + 'static) -> Result<Ticket<T>, Full> {
        let (sender, answer) = oneshot::channel();
        let begin = Box::new(move |verdict| match verdict {
            Verdict::GiveWay(full) => Begun::Done(deliver(sender, Err(NotRun::GaveWay(full)))),
            Verdict::Begin => match job() {
                Step::Done(result) => Begun::Done(deliver(sender, Ok(result))),
                Step::Run(bytes, run) => Begun::Left(
                    bytes,
                    Box::new(move |verdict| match verdict {
                        Verdict::Begin => deliver(sender, Ok(run())),
                        Verdict::GiveWay(full) => deliver(sender, Err(NotRun::GaveWay(full))),
                    }),
                ),
            },
        });
        let shared = Arc::clone(&self.owner.shared);
        let place = shared.push(ask, begin)?;
        Ok(Ticket { shared, lane: ask.lane, place, answer, settled: false })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let left = {
            let mut lanes = self.shared.lock();
            lanes.closed = true;
            (lanes.unary.drain(), lanes.bulk.drain(), lanes.heavy.drain(), std::mem::take(&mut lanes.parked))
        };
        drop(left);
        self.shared.ready.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, ask: Ask, begin: Box<dyn FnOnce(Verdict) -> Begun + Send>) -> Result<Place, Full> {
        let Ask { lane, peer, call, bytes, deadline } = ask;
        let mut lanes = self.lock();
        let gives_way = match lane {
            Lane::Unary => self.make_room(&mut lanes, peer, bytes)?,
            Lane::Bulk => Vec::new(),
        };
        let place = Place { peer, call, job: lanes.next_job };
        lanes.next_job += 1;
        if lanes.closed {
            return Ok(place);
        }
        *lanes.bytes(lane) += bytes;
        let weight = Weight { shared: Arc::clone(self), lane, bytes };
        lanes.turns(lane).push(place, bytes.max(LEAST_COST) as u64, Job { begin, deadline, place, weight });
        if lane == Lane::Unary {
            lanes.crowd.enter(peer);
        }
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        drop(lanes);
        self.ready.notify_one();
        for given_up in gives_way {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            given_up.give_way(Full { retry_after: self.retry_after() });
        }
        Ok(place)
    }

    /// Those that give way so that one more job of this peer fits into the unary lane. A job larger than the lane may have it
    /// alone, rather than never.
    fn make_room(&self, lanes: &mut Lanes, peer: Peer, bytes: usize) -> Result<Vec<Waits>, Full> {
        let mut gives_way: Vec<Waits> = Vec::new();
        loop {
            let freed: usize = gives_way.iter().map(|job| job.weight().bytes).sum();
            let held = lanes.bytes(Lane::Unary).saturating_sub(freed);
            if lanes.unary.len() < self.bounds.unary_jobs && (held == 0 || held + bytes <= self.bounds.unary_bytes) {
                return Ok(gives_way);
            }
            let Some(job) = lanes.crowd.yields(peer).and_then(|larger| lanes.newest_of(larger)) else { break };
            gives_way.push(job);
        }
        // Who would have given way in vain keeps its place.
        for job in gives_way {
            match job {
                Waits::First(job) => {
                    lanes.crowd.enter(job.place.peer);
                    lanes.unary.push(job.place, job.weight.bytes.max(LEAST_COST) as u64, job);
                }
                Waits::Second(parked) => lanes.push_heavy(parked),
            }
        }
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        Err(Full { retry_after: self.retry_after() })
    }

    fn withdraw(&self, lane: Lane, place: Place) {
        let (job, parked) = {
            let mut lanes = self.lock();
            let at = lanes.parked.iter().position(|parked| parked.place == place);
            (lanes.remove(lane, place), at.and_then(|at| lanes.parked.remove(at)).or_else(|| lanes.remove_heavy(place)))
        };
        if job.is_some() || parked.is_some() {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.withdrawn.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What to do next; nothing when the pool has closed.
    fn next(&self) -> Option<Next> {
        let mut lanes = self.lock();
        loop {
            if lanes.closed {
                return None;
            }
            let room = lanes.parked.front().and_then(|parked| self.bounds.budget.run(parked.bytes));
            let next = match room {
                Some(room) => lanes.parked.pop_front().map(|parked| Next::Second(parked, room)),
                None => {
                    let light =
                        |lanes: &mut Lanes| (lanes.parked.len() < self.bounds.workers).then(|| lanes.pop().map(Next::First)).flatten();
                    // One of those that take long, then one of the others.
                    let heavy_first = lanes.heavy_next;
                    lanes.heavy_next = !heavy_first;
                    if heavy_first {
                        lanes.pop_heavy(&self.bounds).or_else(|| light(&mut lanes))
                    } else {
                        light(&mut lanes).or_else(|| lanes.pop_heavy(&self.bounds))
                    }
                }
            };
            if next.is_some() {
                self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
                // One that waits no longer may leave room for others to begin.
                if matches!(next, Some(Next::Second(..))) {
                    self.ready.notify_one();
                }
                return next;
            }
            lanes = self.ready.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self) {
        while let Some(next) = self.next() {
            let deadline = match &next {
                Next::First(job) => job.deadline,
                Next::Second(parked, _) => parked.deadline,
            };
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                self.counts.withdrawn.fetch_add(1, Ordering::Relaxed);
                if matches!(&next, Next::Second(parked, _) if parked.bytes >= HEAVY_BYTES) {
                    self.end_heavy();
                }
                continue;
            }
            match next {
                Next::First(job) => self.first(job),
                Next::Second(Parked { second, bytes, weight, .. }, room) => {
                    self.second(second, room, weight);
                    if bytes >= HEAVY_BYTES {
                        self.end_heavy();
                    }
                }
            }
        }
    }

    fn first(&self, job: Job) {
        let Job { begin, deadline, place, weight } = job;
        self.counts.running.fetch_add(1, Ordering::Relaxed);
        self.counts.started.fetch_add(1, Ordering::Relaxed);
        // The job reports its own panics; this only keeps the thread.
        let begun = catch_unwind(AssertUnwindSafe(|| begin(Verdict::Begin)));
        self.counts.running.fetch_sub(1, Ordering::Relaxed);
        let (bytes, second) = match begun {
            Ok(Begun::Left(bytes, second)) => (bytes, second),
            Ok(Begun::Done(deliver)) => {
                drop(weight);
                return deliver();
            }
            Err(_) => return,
        };
        if bytes >= HEAVY_BYTES {
            self.lock().push_heavy(Parked { second, bytes, deadline, place, weight });
            self.counts.waiting.fetch_add(1, Ordering::Relaxed);
            return self.ready.notify_one();
        }
        match self.bounds.budget.run(bytes) {
            Some(room) => self.second(second, room, weight),
            None => {
                self.lock().parked.push_back(Parked { second, bytes, deadline, place, weight });
                self.counts.waiting.fetch_add(1, Ordering::Relaxed);
                // What ran may have ended meanwhile.
                self.ready.notify_one();
            }
        }
    }

    fn second(&self, second: Second, room: Running, weight: Weight) {
        let started = Instant::now();
        self.counts.running.fetch_add(1, Ordering::Relaxed);
        let deliver = catch_unwind(AssertUnwindSafe(|| second(Verdict::Begin)));
        self.counts.running.fetch_sub(1, Ordering::Relaxed);
        self.note_time(started.elapsed());
        drop((room, weight));
        if let Ok(deliver) = deliver {
            deliver();
        }
        let lanes = self.lock();
        if !lanes.parked.is_empty() || !lanes.heavy.is_empty() {
            drop(lanes);
            self.ready.notify_all();
        }
    }

    fn end_heavy(&self) {
        self.lock().heavy_running -= 1;
        self.ready.notify_all();
    }

    fn note_time(&self, taken: Duration) {
        let taken = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX >> 4);
        let mean = self.mean_job_micros.load(Ordering::Relaxed);
        self.mean_job_micros.store(mean - mean / 8 + taken / 8, Ordering::Relaxed);
    }

    /// The time the waiting jobs will take, spread a little so that callers do not come back at once.
    fn retry_after(&self) -> Duration {
        let waiting = self.counts.waiting.load(Ordering::Relaxed) as u64 + 1;
        let mean = self.mean_job_micros.load(Ordering::Relaxed);
        let estimate = (waiting.saturating_mul(mean) / (self.bounds.workers.max(1) as u64)).clamp(50_000, 5_000_000);
        let spread = self.refusals.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9) % (estimate / 4 + 1);
        Duration::from_millis((estimate + spread) / 1_000)
    }
}

enum Next {
    First(Job),
    Second(Parked, Running),
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, NotRun>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = Pin::new(&mut self.answer).poll(cx).map(|answer| answer.unwrap_or(Err(NotRun::Late)));
        self.settled = answer.is_ready();
        answer
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.withdraw(self.lane, self.place);
        }
    }
}

#[cfg(test)]
mod tests;
