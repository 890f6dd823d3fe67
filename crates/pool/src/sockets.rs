use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;
use vipnode_core::Peer;
use vipnode_rpc::RpcPeer;

/// Every connection that the pool's mind may name, by number and generation (D32).
#[derive(Debug, Default)]
pub(crate) struct Sockets(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_address: BTreeMap<IpAddr, usize>,
    open: usize,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    line: Option<Line>,
}

/// How a connection is reached.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// `None` where the agent speaks over HTTP and cannot be called.
    pub(crate) rpc: Option<RpcPeer>,
    /// Asks whoever serves the connection to end it.
    pub(crate) leave: Leave,
}

/// "End this connection", with the first reason that was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leave {
    token: CancellationToken,
    reason: Arc<OnceLock<String>>,
}

/// Why no further socket is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowded {
    Pool,
    Address,
}

/// A place among the sockets of an address; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    sockets: Arc<Sockets>,
    address: IpAddr,
}

/// A command about no connection in particular.
pub(crate) const NOBODY: Peer = Peer { gateway: 0, connection: u32::MAX, generation: 0 };

impl Leave {
    pub(crate) fn ask(&self, reason: &str) {
        let _earlier = self.reason.set(reason.to_owned());
        self.token.cancel();
    }

    pub(crate) async fn asked(&self) -> String {
        self.token.cancelled().await;
        self.reason.get().cloned().unwrap_or_default()
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.token.is_cancelled()
    }
}

impl Sockets {
    /// Takes a place for a socket from `address`.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, all: usize, an_address: usize) -> Result<Place, Crowded> {
        let address = block(address);
        let mut table = self.lock();
        if table.open >= all {
            return Err(Crowded::Pool);
        }
        let count = table.by_address.entry(address).or_default();
        if *count >= an_address {
            return Err(Crowded::Address);
        }
        *count += 1;
        table.open += 1;
        Ok(Place { sockets: Arc::clone(self), address })
    }

    /// Names a connection.
    pub(crate) fn add(&self, line: Line) -> Peer {
        let mut table = self.lock();
        if let Some(connection) = table.free.pop()
            && let Some(slot) = table.slots.get_mut(connection as usize)
        {
            slot.line = Some(line);
            return Peer { gateway: 0, connection, generation: slot.generation };
        }
        let connection = u32::try_from(table.slots.len()).unwrap_or(u32::MAX);
        table.slots.push(Slot { generation: 0, line: Some(line) });
        Peer { gateway: 0, connection, generation: 0 }
    }

    /// Forgets a connection; its name is not used again.
    pub(crate) fn remove(&self, peer: Peer) {
        let mut table = self.lock();
        let Some(slot) = table.slots.get_mut(peer.connection as usize) else { return };
        if slot.generation == peer.generation && slot.line.take().is_some() {
            slot.generation = slot.generation.wrapping_add(1);
            table.free.push(peer.connection);
        }
    }

    /// How a connection is reached, if it is there.
    pub(crate) fn line(&self, peer: Peer) -> Option<Line> {
        let table = self.lock();
        let slot = table.slots.get(peer.connection as usize)?;
        slot.line.clone().filter(|_| slot.generation == peer.generation)
    }

    /// Asks for the end of a connection.
    pub(crate) fn close(&self, peer: Peer, reason: &str) {
        if let Some(line) = self.line(peer) {
            line.leave.ask(reason);
        }
    }

    /// Asks for the end of all connections.
    pub(crate) fn close_all(&self, reason: &str) {
        let lines: Vec<Leave> =
            self.lock().slots.iter().filter_map(|slot| slot.line.as_ref().map(|line| line.leave.clone())).collect();
        for leave in lines {
            leave.ask(reason);
        }
    }

    /// No code panics while it holds the lock; if one did, the table would still be whole.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.sockets.lock();
        table.open = table.open.saturating_sub(1);
        if let Some(count) = table.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                table.by_address.remove(&self.address);
            }
        }
    }
}

/// An IPv4 address, or the /64 that one IPv6 customer has.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line { rpc: None, leave: Leave::default() }
    }

    #[test]
    fn d32_a_late_word_about_an_old_connection_does_not_reach_the_new_one() {
        let sockets = Sockets::default();
        let old = sockets.add(line());
        sockets.remove(old);
        let new = sockets.add(line());
        assert_eq!((old.connection, old.generation + 1), (new.connection, new.generation));
        sockets.close(old, "late");
        sockets.remove(old);
        assert!(!sockets.line(new).unwrap().leave.is_asked());
        assert!(sockets.line(old).is_none());
    }

    #[test]
    fn d4_places_are_limited_in_all_and_by_address_and_come_back() {
        let sockets = Arc::new(Sockets::default());
        let enter = |address: &str| sockets.enter(address.parse().unwrap(), 3, 2);
        let first = enter("2001:db8::1").unwrap();
        let _second = enter("2001:db8::2").unwrap();
        assert_eq!(enter("2001:db8::3").unwrap_err(), Crowded::Address);
        let _third = enter("10.0.0.1").unwrap();
        assert_eq!(enter("10.0.0.2").unwrap_err(), Crowded::Pool);
        drop(first);
        assert!(enter("::ffff:10.0.0.1").is_ok());
        assert_eq!(sockets.lock().by_address.len(), 2);
    }
}
