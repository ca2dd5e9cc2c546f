//! How many places each peer has: by address or caller, and below that by connection.
//!
//! Where all places are taken, the one to give one up is whoever has most; who has as few as the newcomer keeps them.

use std::collections::{BTreeMap, BTreeSet};

/// Whose something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Its caller, or its address where callers are not known.
    pub group: u64,
    /// Its connection.
    pub connection: u64,
}

/// Sizes by key, the largest at hand.
#[derive(Debug, Default)]
struct Sizes {
    of: BTreeMap<u64, usize>,
    ordered: BTreeSet<(usize, u64)>,
}

impl Sizes {
    fn of(&self, key: u64) -> usize {
        self.of.get(&key).copied().unwrap_or(0)
    }

    fn set(&mut self, key: u64, size: usize) {
        self.ordered.remove(&(self.of(key), key));
        if size == 0 {
            self.of.remove(&key);
        } else {
            self.of.insert(key, size);
            self.ordered.insert((size, key));
        }
    }

    /// Who has more than this one would have with one more.
    fn larger(&self, key: u64) -> Option<u64> {
        let &(most, largest) = self.ordered.last()?;
        (self.of(key) + 1 < most).then_some(largest)
    }
}

/// The places of all.
#[derive(Debug, Default)]
pub struct Crowd {
    groups: Sizes,
    connections: BTreeMap<u64, Sizes>,
}

impl Crowd {
    /// One place more.
    pub fn enter(&mut self, peer: Peer) {
        self.groups.set(peer.group, self.groups.of(peer.group) + 1);
        let connections = self.connections.entry(peer.group).or_default();
        connections.set(peer.connection, connections.of(peer.connection) + 1);
    }

    /// One place less.
    pub fn leave(&mut self, peer: Peer) {
        self.groups.set(peer.group, self.groups.of(peer.group).saturating_sub(1));
        if let Some(connections) = self.connections.get_mut(&peer.group) {
            connections.set(peer.connection, connections.of(peer.connection).saturating_sub(1));
            if connections.of.is_empty() {
                self.connections.remove(&peer.group);
            }
        }
    }

    /// Who is to give up a place for this newcomer, if anybody has so many more.
    #[must_use]
    pub fn yields(&self, newcomer: Peer) -> Option<Peer> {
        let group = self.groups.larger(newcomer.group).unwrap_or(newcomer.group);
        let connections = self.connections.get(&group)?;
        let connection = if group == newcomer.group { connections.larger(newcomer.connection)? } else { connections.ordered.last()?.1 };
        Some(Peer { group, connection })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn peer(group: u64, connection: u64) -> Peer {
        Peer { group, connection }
    }

    #[test]
    fn who_has_most_yields_and_nobody_to_an_equal() {
        let mut crowd = Crowd::default();
        assert_eq!(crowd.yields(peer(1, 1)), None);
        for connection in [10, 10, 10, 11, 11] {
            crowd.enter(peer(1, connection));
        }
        assert_eq!(crowd.yields(peer(2, 20)), Some(peer(1, 10)));
        assert_eq!(crowd.yields(peer(1, 12)), Some(peer(1, 10)));
        assert_eq!(crowd.yields(peer(1, 11)), None);
        assert_eq!(crowd.yields(peer(1, 10)), None);
        for _ in 0..4 {
            crowd.enter(peer(2, 20));
        }
        assert_eq!(crowd.yields(peer(2, 21)), Some(peer(2, 20)));
        assert_eq!(crowd.yields(peer(2, 20)), None, "its group would have as much as any");
        for connection in [10, 10, 10, 11, 11] {
            crowd.leave(peer(1, connection));
        }
        assert!(crowd.connections.len() == 1 && crowd.groups.of.len() == 1);
    }
}
