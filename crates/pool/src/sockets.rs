use std::sync::{Mutex, MutexGuard, PoisonError};

use vipnode_pool_core::ConnectionId;
use vipnode_rpc::RpcPeer;

/// Every connection that the pool's mind may name, by number and generation (D32).
#[derive(Debug, Default)]
pub(crate) struct Sockets(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    line: Option<Line>,
    /// The mind knows who this is.
    confirmed: bool,
}

/// How a connection is reached.
#[derive(Debug)]
pub(crate) enum Line {
    /// By its socket.
    Socket(RpcPeer),
    /// Not at all: the agent speaks over HTTP.
    Http,
}

/// A command about no connection in particular.
pub(crate) const NOBODY: ConnectionId = ConnectionId { gateway: 0, connection: u32::MAX, generation: 0 };

impl Sockets {
    /// Names a connection.
    pub(crate) fn add(&self, line: Line) -> ConnectionId {
        let mut table = self.lock();
        if let Some(connection) = table.free.pop()
            && let Some(slot) = table.slots.get_mut(connection as usize)
        {
            (slot.line, slot.confirmed) = (Some(line), false);
            return ConnectionId { gateway: 0, connection, generation: slot.generation };
        }
        let connection = u32::try_from(table.slots.len()).unwrap_or(u32::MAX);
        table.slots.push(Slot { generation: 0, line: Some(line), confirmed: false });
        ConnectionId { gateway: 0, connection, generation: 0 }
    }

    /// Forgets a connection; its name is not used again.
    pub(crate) fn remove(&self, peer: ConnectionId) {
        self.lock().remove(peer);
    }

    /// How to call an agent, if it is there and can be called.
    pub(crate) fn rpc(&self, peer: ConnectionId) -> Option<RpcPeer> {
        match self.lock().slot(peer)?.line.as_ref()? {
            Line::Socket(rpc) => Some(rpc.clone()),
            Line::Http => None,
        }
    }

    /// Whether a connection is there.
    pub(crate) fn is_open(&self, peer: ConnectionId) -> bool {
        self.lock().slot(peer).is_some()
    }

    /// The mind knows from now on who is at the other end.
    pub(crate) fn confirm(&self, peer: ConnectionId) {
        if let Some(slot) = self.lock().slot(peer) {
            slot.confirmed = true;
        }
    }

    pub(crate) fn is_confirmed(&self, peer: ConnectionId) -> bool {
        self.lock().slot(peer).is_some_and(|slot| slot.confirmed)
    }

    /// Ends a connection: a socket with a reason, one over HTTP by forgetting it.
    pub(crate) fn close(&self, peer: ConnectionId, reason: &str) {
        match self.rpc(peer) {
            Some(rpc) => rpc.close(reason),
            None => self.remove(peer),
        }
    }

    /// The connections that are there.
    pub(crate) fn peers(&self) -> Vec<ConnectionId> {
        let table = self.lock();
        let there = table.slots.iter().enumerate().filter(|(_, slot)| slot.line.is_some());
        let name = |(at, slot): (usize, &Slot)| {
            let connection = u32::try_from(at).unwrap_or(u32::MAX);
            ConnectionId { gateway: 0, connection, generation: slot.generation }
        };
        there.map(name).collect()
    }

    /// Ends all connections.
    pub(crate) fn close_all(&self, reason: &str) {
        let mut table = self.lock();
        for connection in 0..u32::try_from(table.slots.len()).unwrap_or(u32::MAX) {
            let Some(slot) = table.slots.get(connection as usize) else { continue };
            match &slot.line {
                Some(Line::Socket(rpc)) => rpc.close(reason),
                Some(Line::Http) => {
                    let generation = slot.generation;
                    table.remove(ConnectionId { gateway: 0, connection, generation });
                }
                None => {}
            }
        }
    }

    /// No code panics while it holds the lock; if one did, the table would still be whole.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The slot of a connection that is there.
    fn slot(&mut self, peer: ConnectionId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(peer.connection as usize)?;
        (slot.generation == peer.generation && slot.line.is_some()).then_some(slot)
    }

    fn remove(&mut self, peer: ConnectionId) {
        let Some(slot) = self.slot(peer) else { return };
        slot.line = None;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(peer.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d32_a_late_message_for_an_old_connection_does_not_reach_the_new_one() {
        let sockets = Sockets::default();
        let old = sockets.add(Line::Http);
        sockets.confirm(old);
        sockets.remove(old);
        let new = sockets.add(Line::Http);
        assert_eq!((old.connection, old.generation + 1), (new.connection, new.generation));
        sockets.confirm(old);
        sockets.close(old, "late");
        sockets.remove(old);
        assert!(sockets.is_open(new) && !sockets.is_confirmed(new));
        assert!(!sockets.is_open(old));
        sockets.close(new, "enough");
        assert!(!sockets.is_open(new));
    }
}
