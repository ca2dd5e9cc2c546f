//! Whose turn it is: jobs wait with whoever sent them, and these are taken in turn by what their jobs cost.
//!
//! Turns are shared by addresses or callers, then by their connections, then by the calls of a connection, whose jobs come
//! in order. Each has a clock that moves by the cost of what it has had; the one furthest behind is next (start-time fair
//! queueing). Who was away begins at the present, and is owed nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::crowd::Peer;

/// Where a job waits: with its peer and call, in the order of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Whose it is.
    pub peer: Peer,
    /// Of which call.
    pub call: u64,
    /// The job's own number.
    pub job: u64,
}

/// Jobs that wait, each with its cost.
#[derive(Debug)]
pub struct Turns<T> {
    jobs: BTreeMap<Place, (u64, T)>,
    /// Jobs by the connection and their number, to find its newest.
    newest: BTreeSet<(Peer, u64, u64)>,
    root: Clocks<Clocks<Clocks<()>>>,
}

/// Those below one node, by their clocks.
#[derive(Debug)]
struct Clocks<B> {
    below: BTreeMap<u64, Entry<B>>,
    order: BTreeSet<(u64, u64)>,
    now: u64,
}

#[derive(Debug)]
struct Entry<B> {
    clock: u64,
    jobs: usize,
    below: B,
}

impl<B> Default for Clocks<B> {
    fn default() -> Self {
        Self { below: BTreeMap::new(), order: BTreeSet::new(), now: 0 }
    }
}

impl<B: Default> Clocks<B> {
    fn add(&mut self, key: u64) -> &mut B {
        let now = self.now;
        let order = &mut self.order;
        let entry = self.below.entry(key).or_insert_with(|| {
            order.insert((now, key));
            Entry { clock: now, jobs: 0, below: B::default() }
        });
        entry.jobs += 1;
        &mut entry.below
    }

    fn first(&self) -> Option<u64> {
        self.order.first().map(|&(_, key)| key)
    }

    /// One job less; its clock moves by the cost where it was taken. Who has none left is forgotten.
    fn sub(&mut self, key: u64, cost: Option<u64>) -> Option<&mut B> {
        let entry = self.below.get_mut(&key)?;
        self.order.remove(&(entry.clock, key));
        if cost.is_some() {
            self.now = self.now.max(entry.clock);
        }
        entry.clock = entry.clock.saturating_add(cost.unwrap_or(0));
        entry.jobs -= 1;
        if entry.jobs > 0 {
            self.order.insert((entry.clock, key));
        } else {
            self.below.remove(&key);
        }
        self.below.get_mut(&key).map(|entry| &mut entry.below)
    }
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { jobs: BTreeMap::new(), newest: BTreeSet::new(), root: Clocks::default() }
    }
}

impl<T> Turns<T> {
    /// Jobs that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// A job that waits from now on.
    pub fn push(&mut self, place: Place, cost: u64, job: T) {
        self.jobs.insert(place, (cost, job));
        self.newest.insert((place.peer, place.job, place.call));
        self.root.add(place.peer.group).add(place.peer.connection).add(place.call);
    }

    /// The job whose turn it is, which stays.
    #[must_use]
    pub fn first(&self) -> Option<(Place, &T)> {
        let place = self.first_place()?;
        self.jobs.get(&place).map(|(_, job)| (place, job))
    }

    /// The job whose turn it is.
    pub fn pop(&mut self) -> Option<(Place, T)> {
        let place = self.first_place()?;
        self.take(place, true).map(|job| (place, job))
    }

    fn first_place(&self) -> Option<Place> {
        let group = self.root.first()?;
        let connections = &self.root.below.get(&group)?.below;
        let connection = connections.first()?;
        let call = connections.below.get(&connection)?.below.first()?;
        let peer = Peer { group, connection };
        let first = Place { peer, call, job: 0 };
        Some(*self.jobs.range(first..=Place { job: u64::MAX, ..first }).next()?.0)
    }

    /// Takes a job out that is not to run.
    pub fn remove(&mut self, place: Place) -> Option<T> {
        self.take(place, false)
    }

    /// The newest job of a connection.
    #[must_use]
    pub fn newest_of(&self, peer: Peer) -> Option<Place> {
        let &(peer, job, call) = self.newest.range((peer, 0, 0)..=(peer, u64::MAX, u64::MAX)).next_back()?;
        Some(Place { peer, call, job })
    }

    /// A job that waits.
    #[must_use]
    pub fn get(&self, place: Place) -> Option<&T> {
        self.jobs.get(&place).map(|(_, job)| job)
    }

    /// All that wait.
    pub fn drain(&mut self) -> Vec<T> {
        let jobs = std::mem::take(self).jobs;
        jobs.into_values().map(|(_, job)| job).collect()
    }

    fn take(&mut self, place: Place, taken: bool) -> Option<T> {
        let (cost, job) = self.jobs.remove(&place)?;
        self.newest.remove(&(place.peer, place.job, place.call));
        let cost = taken.then_some(cost);
        if let Some(connections) = self.root.sub(place.peer.group, cost)
            && let Some(calls) = connections.sub(place.peer.connection, cost)
        {
            let _ = calls.sub(place.call, cost);
        }
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The jobs as they are taken, by connection and call.
    fn order(jobs: &[(u64, u64, u64, u64)]) -> Vec<(u64, u64)> {
        let mut turns = Turns::default();
        for (job, &(group, connection, call, cost)) in (0..).zip(jobs) {
            turns.push(Place { peer: Peer { group, connection }, call, job }, cost, ());
        }
        std::iter::from_fn(|| turns.pop()).map(|(place, ())| (place.peer.connection, place.call)).collect()
    }

    #[test]
    fn turns_go_by_group_then_connection_then_call_and_in_order_within() {
        let jobs = [(1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 2, 1), (1, 2, 3, 1), (2, 3, 4, 1), (2, 3, 4, 1)];
        assert_eq!(order(&jobs), [(1, 1), (3, 4), (2, 3), (3, 4), (1, 2), (1, 1)]);
    }

    #[test]
    fn who_costs_much_waits_for_who_costs_little() {
        let many: Vec<_> = (0..10).map(|_| (1, 1, 1, 100)).chain((0..10).map(|_| (1, 2, 2, 10))).collect();
        let taken = order(&many);
        assert_eq!(taken.iter().position(|job| *job == (1, 1)), Some(0));
        assert_eq!(taken[1..11], [(2, 2); 10]);
    }

    #[test]
    fn what_is_taken_out_leaves_nothing_behind() {
        let mut turns = Turns::default();
        let place = |job| Place { peer: Peer { group: 1, connection: 1 }, call: job % 2, job };
        (0..10).for_each(|job| turns.push(place(job), 5, job));
        assert_eq!(turns.newest_of(place(0).peer), Some(place(9)));
        assert!((0..10).rev().all(|job| turns.remove(place(job)) == Some(job)));
        assert!(turns.is_empty() && turns.root.below.is_empty() && turns.root.order.is_empty() && turns.newest.is_empty());
        assert_eq!(turns.remove(place(1)), None);
    }
}
