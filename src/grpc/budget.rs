//! What the process may hold: one budget over messages as they come, what is made of them, running work, and answers until
//! HTTP/2 has taken their bytes.
//!
//! A third of it is for messages and answers, the rest always for running work, so that what waits never keeps what runs
//! from ending. Nobody takes all of that third: a call, a connection, an address and a caller may each hold a multiple of
//! what is still free, so that however many come, the next finds room.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// The budget of the process.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: usize,
    state: Mutex<State>,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    running: usize,
    /// Who waits for room. Nothing is theirs until they ask again: who may not be asked for long keeps nothing from others.
    waiting: BTreeMap<u64, Waker>,
}

/// One level at which what is held is counted: a call, a connection, an address, a caller.
#[derive(Debug)]
pub struct Level {
    held: AtomicUsize,
    /// It may hold so many eighths of what is free.
    eighths: usize,
    /// And this much in any case, if there is room at all.
    least: usize,
    of: Of,
}

/// What a level is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Its share is for what is due later: what is due first may take that of the connection.
    Call,
    Connection,
    /// Several connections share it, of which none is kept out by the others.
    Group,
}

impl Level {
    /// A level that holds nothing yet.
    fn new(of: Of, eighths: usize, least: usize) -> Arc<Self> {
        Arc::new(Self { held: AtomicUsize::new(0), eighths, least, of })
    }

    /// The level of a call that may hold at least one message.
    #[must_use]
    pub fn of_call(max_message_bytes: usize) -> Arc<Self> {
        Self::new(Of::Call, 1, max_message_bytes)
    }

    /// The level of a connection: four times what is free.
    #[must_use]
    pub fn of_connection() -> Arc<Self> {
        Self::new(Of::Connection, 32, 0)
    }

    /// The level of an address or a caller: eight times what is free, and for each of its connections a sixteenth of that.
    #[must_use]
    pub fn of_group() -> Arc<Self> {
        Self::new(Of::Group, 64, 0)
    }

    fn then(&self, more: usize) -> usize {
        self.held.load(Ordering::Relaxed).saturating_add(more)
    }

    fn allows(&self, more: usize, free: usize) -> bool {
        let then = self.then(more);
        then <= self.least || then <= free.saturating_mul(self.eighths) / 8
    }
}

/// For whom bytes are held: the levels of one call.
#[derive(Debug)]
pub struct Account {
    budget: Budget,
    id: u64,
    levels: Vec<Arc<Level>>,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self(Arc::new(Inner { total, state: Mutex::default(), next_id: AtomicU64::new(0) }))
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.total
    }

    /// The most that one piece of running work may take.
    #[must_use]
    pub fn most_running(&self) -> usize {
        self.0.total - self.most_held()
    }

    /// The most that is held for one message and its answer.
    #[must_use]
    pub fn most_for_one(&self) -> usize {
        self.most_held() / 4 * 3
    }

    fn most_held(&self) -> usize {
        self.0.total / 3
    }

    /// Bytes held for messages and answers now, and for running work.
    #[must_use]
    pub fn in_use(&self) -> (usize, usize) {
        let state = self.lock();
        (state.held, state.running)
    }

    /// An account of these levels.
    #[must_use]
    pub fn account(&self, levels: Vec<Arc<Level>>) -> Arc<Account> {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        Arc::new(Account { budget: self.clone(), id, levels })
    }

    /// Room for work that takes so many bytes while it runs. Where nothing runs there always is.
    #[must_use]
    pub fn run(&self, bytes: usize) -> Option<Running> {
        let mut state = self.lock();
        let fits = state.held.max(self.most_held() / 2).saturating_add(state.running).saturating_add(bytes) <= self.0.total;
        (state.running == 0 || fits).then(|| {
            state.running += bytes;
            Running { budget: self.clone(), bytes }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Running work; its room is given back when this is dropped.
#[derive(Debug)]
pub struct Running {
    budget: Budget,
    bytes: usize,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.budget.lock().running -= self.bytes;
    }
}

impl Account {
    /// Holds nothing yet.
    #[must_use]
    pub fn nothing(self: &Arc<Self>) -> Hold {
        Hold { account: Arc::clone(self), bytes: 0, how: How::Urgent }
    }

    /// Whether so much more may be held, where so much is held by all.
    fn allows(&self, more: usize, held: usize, urgent: bool) -> bool {
        let Some(free) = self.budget.most_held().checked_sub(held.saturating_add(more)) else { return false };
        let free = if urgent { free } else { free / 2 };
        let own = self.levels.iter().filter(|level| level.of == Of::Connection).map(|level| level.then(more)).max().unwrap_or(0);
        self.levels.iter().all(|level| match level.of {
            Of::Call => urgent || level.allows(more, free),
            Of::Connection => level.allows(more, free),
            Of::Group => level.allows(more, free) || own <= free / 16,
        })
    }

    /// Changes what is held under the lock; says whether it may.
    fn change(&self, state: &mut State, from: usize, to: usize, how: How) -> bool {
        if to > from {
            let more = to - from;
            if how != How::Whatever && !self.allows(more, state.held, how == How::Urgent) {
                return false;
            }
            state.held += more;
            for level in &self.levels {
                level.held.fetch_add(more, Ordering::Relaxed);
            }
        } else {
            let less = from - to;
            state.held -= less;
            for level in &self.levels {
                level.held.fetch_sub(less, Ordering::Relaxed);
            }
        }
        true
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.lock().waiting.remove(&self.id);
    }
}

/// How much of its share something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// All of it.
    Urgent,
    /// Half of it, so that what is due first finds room whatever is held for what is due later.
    Later,
    /// More than it, because it is there already.
    Whatever,
}

/// Bytes held for an account, given back when this is dropped.
#[derive(Debug)]
pub struct Hold {
    account: Arc<Account>,
    bytes: usize,
    how: How,
}

impl Hold {
    /// Bytes held.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it is for what is due first, or else for what is due later.
    pub fn is_due(&mut self, first: bool) {
        self.how = if first { How::Urgent } else { How::Later };
    }

    /// Holds so many from now on, if there is room for them.
    #[must_use]
    pub fn set(&mut self, bytes: usize) -> bool {
        self.change(bytes, self.how, None)
    }

    /// Holds so many from now on, because there are so many, whether there is room for them or not.
    pub fn settle(&mut self, bytes: usize) {
        self.change(bytes, How::Whatever, None);
    }

    /// Holds so many as soon as there is room for them.
    pub fn poll_set(&mut self, bytes: usize, cx: &mut Context<'_>) -> Poll<()> {
        if self.change(bytes, self.how, Some(cx.waker())) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// A part of it, as a hold of its own.
    #[must_use]
    pub fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { account: Arc::clone(&self.account), bytes, how: self.how }
    }

    /// Takes over what another of the same account holds.
    pub fn absorb(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// These bytes, which are counted until the last of them is let go.
    #[must_use]
    pub fn around(mut self, bytes: Bytes) -> Bytes {
        self.settle(bytes.len());
        if bytes.is_empty() { bytes } else { Bytes::from_owner(Held { bytes, _hold: self }) }
    }

    fn change(&mut self, to: usize, how: How, waker: Option<&Waker>) -> bool {
        let budget = &self.account.budget;
        let mut state = budget.lock();
        let changed = self.account.change(&mut state, self.bytes, to, how);
        let woken = if changed && to < self.bytes {
            std::mem::take(&mut state.waiting)
        } else {
            if let Some(waker) = waker.filter(|_| !changed) {
                state.waiting.insert(self.account.id, waker.clone());
            }
            BTreeMap::new()
        };
        drop(state);
        if changed {
            self.bytes = to;
        }
        woken.into_values().for_each(Waker::wake);
        changed
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.change(0, How::Whatever, None);
        }
    }
}

struct Held {
    bytes: Bytes,
    _hold: Hold,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What the process may hold where nothing says it: two thirds of its cgroup's limit, or a third of the machine's memory.
#[must_use]
pub fn default_bytes() -> usize {
    let memory = machine_bytes().unwrap_or(1 << 30);
    let share = limit_bytes().filter(|limit| *limit < memory).map_or(memory / 3, |limit| limit / 3 * 2);
    usize::try_from(share).unwrap_or(usize::MAX)
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn machine_bytes() -> Option<u64> {
    let page = read("/proc/meminfo")?;
    let kib: u64 = page.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1_024)
}

/// The least limit of its cgroup and those above it.
fn limit_bytes() -> Option<u64> {
    let own = read("/proc/self/cgroup")?;
    let v2 = own_cgroup(&own, "0::", "/sys/fs/cgroup", "memory.max");
    let v1 = own_cgroup(&own, ":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes");
    v2.into_iter().chain(v1).filter_map(|path| read(&path)?.trim().parse().ok()).min()
}

/// The files that may limit the cgroup which a line with this mark names, and those above it.
fn own_cgroup(lines: &str, mark: &str, root: &str, file: &str) -> Vec<String> {
    let Some((_, path)) = lines.lines().find_map(|line| line.split_once(mark)) else { return Vec::new() };
    let ends = path.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).map(|above| format!("{root}{above}/{file}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn account(budget: &Budget, connection: &Arc<Level>) -> Arc<Account> {
        account_in(budget, connection, &Level::of_group())
    }

    fn account_in(budget: &Budget, connection: &Arc<Level>, group: &Arc<Level>) -> Arc<Account> {
        budget.account(vec![Level::of_call(MIB), Arc::clone(connection), Arc::clone(group)])
    }

    #[test]
    fn however_many_hold_all_they_may_the_next_finds_room() {
        let budget = Budget::new(300 * MIB);
        let mut holds = Vec::new();
        let group = Level::of_group();
        for _ in 0..33 {
            let connection = Level::of_connection();
            for _ in 0..128 {
                let mut hold = account_in(&budget, &connection, &group).nothing();
                while hold.set(hold.bytes() + MIB / 4) || hold.set(hold.bytes() + 4_096) {}
                holds.push(hold);
            }
        }
        let mut near = account_in(&budget, &Level::of_connection(), &group).nothing();
        assert!(near.set(80 << 10), "one of the same address: {:?}", budget.in_use());
        let mut next = account(&budget, &Level::of_connection()).nothing();
        assert!(next.set(MIB), "{:?}", budget.in_use());
        assert!(budget.in_use().0 <= 100 * MIB);
        drop((holds, near, next));
        assert_eq!(budget.in_use(), (0, 0));
    }

    #[test]
    fn who_waits_for_room_is_woken_and_has_nothing_until_it_asks() {
        let budget = Budget::new(3 * MIB);
        let connection = Level::of_connection();
        let mut first = account(&budget, &connection).nothing();
        assert!(first.set(3 * MIB / 4));
        let mut second = account(&budget, &connection).nothing();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(second.poll_set(MIB / 2, &mut cx).is_pending());
        drop(first);
        assert_eq!(budget.in_use().0, 0);
        assert!(second.poll_set(MIB / 2, &mut cx).is_ready());
    }

    #[test]
    fn what_runs_fits_and_one_always_runs() {
        let budget = Budget::new(3 * MIB);
        let one = budget.run(50 * MIB).expect("one always runs");
        assert!(budget.run(1).is_none());
        drop(one);
        let two = (budget.run(MIB).unwrap(), budget.run(MIB).unwrap());
        assert!(budget.run(MIB).is_none());
        drop(two);
    }

    #[test]
    fn an_answer_is_counted_until_its_last_byte_is_let_go() {
        let budget = Budget::new(30 * MIB);
        let hold = account(&budget, &Level::of_connection()).nothing();
        let mut answer = hold.around(Bytes::from(vec![7; 1_000]));
        let part = answer.split_to(10);
        drop(answer);
        assert_eq!(budget.in_use().0, 1_000);
        drop(part);
        assert_eq!(budget.in_use().0, 0);
    }

    #[test]
    fn limits_are_looked_for_in_the_own_cgroup_and_above() {
        let files = own_cgroup("0::/kubepods/pod1\n", "0::", "/sys/fs/cgroup", "memory.max");
        assert_eq!(files, ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/kubepods/memory.max", "/sys/fs/cgroup/kubepods/pod1/memory.max"]);
        assert!(default_bytes() > 1 << 20);
    }
}
