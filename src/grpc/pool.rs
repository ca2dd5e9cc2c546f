//! A fixed set of threads for the engine's work, behind two bounded lanes.
//!
//! The async threads only move bytes; everything that computes runs here. One
//! lane is for unary calls: it sheds load when full. The other is for streams:
//! it makes them wait, in turn. The threads take from both lanes alternately,
//! so that neither starves the other. A job whose caller has left or whose
//! deadline has passed is taken out of its lane and never starts.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Which lane a job waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Unary calls: refused when the lane is full.
    Unary,
    /// Bulletins of a stream: wait for room.
    Bulk,
}

/// How large the pool and its lanes are.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Threads.
    pub workers: usize,
    /// Jobs that may wait in the unary lane.
    pub unary_jobs: usize,
    /// Jobs that may wait in the bulk lane.
    pub bulk_jobs: usize,
    /// Request bytes that may be held by the jobs of one lane, waiting or running.
    pub bytes_per_lane: usize,
}

/// The lane is full; try again after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Estimate of when there will be room.
    pub retry_after: Duration,
}

/// The job ended without an answer: its deadline passed before it started, or the pool closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRun;

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
    /// Submissions refused because the unary lane was full.
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
    gates: [Gate; 2],
    counts: Counts,
    workers: u64,
    /// Running mean of a job's time, in microseconds.
    mean_job_micros: AtomicU64,
    refusals: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// What bounds a lane: places for waiting jobs and bytes, the latter counted in KiB.
struct Gate {
    places: Arc<Semaphore>,
    kib: Arc<Semaphore>,
    total_kib: u32,
}

#[derive(Default)]
struct Lanes {
    queues: [BTreeMap<u64, Job>; 2],
    next_id: u64,
    bulk_next: bool,
    closed: bool,
}

impl Lanes {
    fn queue(&mut self, lane: Lane) -> &mut BTreeMap<u64, Job> {
        let [unary, bulk] = &mut self.queues;
        match lane {
            Lane::Unary => unary,
            Lane::Bulk => bulk,
        }
    }
}

struct Job {
    run: Box<dyn FnOnce() + Send>,
    deadline: Option<Instant>,
    place: OwnedSemaphorePermit,
}

/// Room in a lane, held until the job is handed over.
#[derive(Debug)]
pub struct Room {
    place: OwnedSemaphorePermit,
    bytes: OwnedSemaphorePermit,
    lane: Lane,
}

/// The future result of a job. Dropping it withdraws the job if it has not started.
#[derive(Debug)]
pub struct Ticket<T> {
    shared: Arc<Shared>,
    lane: Lane,
    id: u64,
    answer: oneshot::Receiver<T>,
    settled: bool,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(bounds: Bounds) -> std::io::Result<Self> {
        let gate = |jobs| {
            let total_kib = kib(bounds.bytes_per_lane);
            Gate { places: Arc::new(Semaphore::new(jobs)), kib: Arc::new(Semaphore::new(total_kib as usize)), total_kib }
        };
        let shared = Arc::new(Shared {
            lanes: Mutex::default(),
            ready: Condvar::new(),
            gates: [gate(bounds.unary_jobs), gate(bounds.bulk_jobs)],
            counts: Counts::default(),
            workers: bounds.workers as u64,
            mean_job_micros: AtomicU64::new(1_000),
            refusals: AtomicU64::new(0),
        });
        let owner = Arc::new(Owner { shared });
        for index in 0..bounds.workers {
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
        self.owner.shared.lock().queue(lane).len()
    }

    /// Bytes that this lane's jobs hold, waiting or running, in whole KiB.
    #[must_use]
    pub fn held_bytes(&self, lane: Lane) -> u64 {
        let gate = self.owner.shared.gate(lane);
        let free = gate.kib.available_permits() as u64;
        u64::from(gate.total_kib).saturating_sub(free) << 10
    }

    /// Threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        usize::try_from(self.owner.shared.workers).unwrap_or(usize::MAX)
    }

    /// Room for a job of so many bytes, at once or not at all.
    ///
    /// # Errors
    /// [`Full`] when the lane has no place or no bytes left.
    pub fn try_room(&self, lane: Lane, bytes: usize) -> Result<Room, Full> {
        let shared = &self.owner.shared;
        let gate = shared.gate(lane);
        let place = Arc::clone(&gate.places).try_acquire_owned();
        let held = Arc::clone(&gate.kib).try_acquire_many_owned(gate.weight(bytes));
        if let (Ok(place), Ok(bytes)) = (place, held) {
            return Ok(Room { place, bytes, lane });
        }
        shared.counts.refused.fetch_add(1, Ordering::Relaxed);
        Err(Full { retry_after: shared.retry_after() })
    }

    /// Room for a job of so many bytes, as soon as there is some. Waiters are served in turn.
    ///
    /// # Errors
    /// [`NotRun`] when the pool has closed.
    pub fn room(&self, lane: Lane, bytes: usize) -> impl Future<Output = Result<Room, NotRun>> + Send + use<> {
        let gate = self.owner.shared.gate(lane);
        let (places, held, weight) = (Arc::clone(&gate.places), Arc::clone(&gate.kib), gate.weight(bytes));
        async move {
            let bytes = held.acquire_many_owned(weight).await.map_err(|_| NotRun)?;
            let place = places.acquire_owned().await.map_err(|_| NotRun)?;
            Ok(Room { place, bytes, lane })
        }
    }

    /// Hands a job over. It never starts once `deadline` has passed or the ticket is dropped.
    pub fn submit<T: Send + 'static>(&self, room: Room, deadline: Option<Instant>, job: impl FnOnce() -> T + Send + 'static) -> Ticket<T> {
        let (sender, answer) = oneshot::channel();
        let Room { place, bytes, lane } = room;
        let run = Box::new(move || {
            let result = job();
            drop(bytes);
            let _ = sender.send(result);
        });
        let shared = Arc::clone(&self.owner.shared);
        let id = shared.push(lane, Job { run, deadline, place });
        Ticket { shared, lane, id, answer, settled: false }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let left = {
            let mut lanes = self.shared.lock();
            lanes.closed = true;
            std::mem::take(&mut lanes.queues)
        };
        drop(left);
        self.shared.ready.notify_all();
    }
}

impl Gate {
    /// A job heavier than the lane takes the whole lane, rather than none for ever.
    fn weight(&self, bytes: usize) -> u32 {
        kib(bytes).clamp(1, self.total_kib.max(1))
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX >> 3).min(u32::MAX >> 3)
}

impl Shared {
    fn gate(&self, lane: Lane) -> &Gate {
        let [unary, bulk] = &self.gates;
        match lane {
            Lane::Unary => unary,
            Lane::Bulk => bulk,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, lane: Lane, job: Job) -> u64 {
        let mut lanes = self.lock();
        let id = lanes.next_id;
        lanes.next_id += 1;
        if !lanes.closed {
            lanes.queue(lane).insert(id, job);
            self.counts.waiting.fetch_add(1, Ordering::Relaxed);
            drop(lanes);
            self.ready.notify_one();
        }
        id
    }

    fn withdraw(&self, lane: Lane, id: u64) {
        let job = self.lock().queue(lane).remove(&id);
        if job.is_some() {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.withdrawn.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The next job, from the lane whose turn it is; none when the pool has closed.
    fn next(&self) -> Option<Job> {
        let mut lanes = self.lock();
        loop {
            if lanes.closed {
                return None;
            }
            let order = if lanes.bulk_next { [Lane::Bulk, Lane::Unary] } else { [Lane::Unary, Lane::Bulk] };
            let taken = order.into_iter().find_map(|lane| lanes.queue(lane).pop_first().map(|(_, job)| (lane, job)));
            if let Some((lane, job)) = taken {
                lanes.bulk_next = lane == Lane::Unary;
                self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
                return Some(job);
            }
            lanes = self.ready.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self) {
        while let Some(Job { run, deadline, place }) = self.next() {
            drop(place);
            let started = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= started) {
                self.counts.withdrawn.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.counts.running.fetch_add(1, Ordering::Relaxed);
            self.counts.started.fetch_add(1, Ordering::Relaxed);
            // The job reports its own panics; this only keeps the thread.
            let _ = catch_unwind(AssertUnwindSafe(run));
            self.counts.running.fetch_sub(1, Ordering::Relaxed);
            self.note_time(started.elapsed());
        }
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
        let estimate = (waiting.saturating_mul(mean) / self.workers.max(1)).clamp(50_000, 5_000_000);
        let spread = self.refusals.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9) % (estimate / 4 + 1);
        Duration::from_millis((estimate + spread) / 1_000)
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, NotRun>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = Pin::new(&mut self.answer).poll(cx).map_err(|_| NotRun);
        self.settled = answer.is_ready();
        answer
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.withdraw(self.lane, self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn pool(workers: usize) -> Pool {
        Pool::start(Bounds { workers, unary_jobs: 100, bulk_jobs: 100, bytes_per_lane: 1 << 20 }).unwrap()
    }

    fn room(pool: &Pool, lane: Lane) -> Room {
        pool.try_room(lane, 1).unwrap()
    }

    /// A pool of one thread that is held until the sender is dropped.
    fn held() -> (Pool, mpsc::Sender<()>, Ticket<()>) {
        let pool = pool(1);
        let (release, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let ticket = pool.submit(room(&pool, Lane::Unary), None, move || {
            begun.send(()).unwrap();
            let _ = wait.recv();
        });
        has_begun.recv().unwrap();
        (pool, release, ticket)
    }

    #[test]
    fn the_lanes_take_turns() {
        let (pool, release, _held) = held();
        let (order, in_order) = mpsc::channel();
        let lanes = [Lane::Unary, Lane::Unary, Lane::Unary, Lane::Bulk, Lane::Bulk, Lane::Bulk];
        let tickets: Vec<_> = lanes
            .into_iter()
            .map(|lane| {
                let order = order.clone();
                pool.submit(room(&pool, lane), None, move || order.send(lane).unwrap())
            })
            .collect();
        drop(release);
        let taken: Vec<_> = in_order.iter().take(6).collect();
        assert_eq!(taken, [Lane::Bulk, Lane::Unary, Lane::Bulk, Lane::Unary, Lane::Bulk, Lane::Unary]);
        drop(tickets);
    }

    #[test]
    fn a_job_past_its_deadline_and_one_whose_caller_left_never_start() {
        let (pool, release, _held) = held();
        let past = Some(Instant::now());
        let late: Ticket<()> = pool.submit(room(&pool, Lane::Unary), past, || panic!("never starts"));
        let left: Ticket<()> = pool.submit(room(&pool, Lane::Bulk), None, || panic!("never starts"));
        drop(left);
        assert_eq!(pool.counts().waiting.load(Ordering::Relaxed), 1);
        let (done, is_done) = mpsc::channel();
        let last = pool.submit(room(&pool, Lane::Unary), None, move || done.send(()).unwrap());
        drop(release);
        is_done.recv().unwrap();
        assert_eq!(pool.counts().withdrawn.load(Ordering::Relaxed), 2);
        assert_eq!(pool.counts().started.load(Ordering::Relaxed), 2);
        drop((late, last));
    }

    #[test]
    fn a_thread_outlives_the_panics_of_its_jobs() {
        let pool = pool(1);
        for _ in 0..10 {
            let ticket: Ticket<()> = pool.submit(room(&pool, Lane::Unary), None, || std::panic::resume_unwind(Box::new(())));
            let (done, is_done) = mpsc::channel();
            let after = pool.submit(room(&pool, Lane::Unary), None, move || done.send(()).unwrap());
            is_done.recv().unwrap();
            drop((ticket, after));
        }
    }

    #[test]
    fn a_job_heavier_than_the_lane_takes_all_of_it() {
        let pool = pool(1);
        let all = pool.try_room(Lane::Bulk, usize::MAX).unwrap();
        assert!(pool.try_room(Lane::Bulk, 1).is_err());
        drop(all);
        assert!(pool.try_room(Lane::Bulk, 1).is_ok());
    }
}
