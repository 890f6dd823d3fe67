use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vipnode_pool_core::{Command, ConnectionId};
use vipnode_rpc::RpcHandle;

use crate::engine::inbox::{CoreMessage, Inbox};

/// The connections that commands may name, by number and generation (fault D32, docs/faults.md).
#[derive(Debug)]
pub(crate) struct Connections {
    table: Mutex<ConnectionTable>,
    inbox: Inbox,
}

/// A connection's entry in [`Connections`]. Dropping it removes the entry. If a command has named the connection, it also
/// reports the end of the connection to the core, however the task that serves the connection ends.
#[derive(Debug)]
pub(crate) struct ConnectionEntry {
    connections: Arc<Connections>,
    connection: ConnectionId,
    /// Whether a command has named the connection to the core.
    reported: bool,
}

#[derive(Debug, Default)]
struct ConnectionTable {
    entries: Vec<TableEntry>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct TableEntry {
    generation: u32,
    transport: Option<Transport>,
    connect: ConnectState,
}

/// What became of the connect on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectState {
    /// The core has not accepted one.
    Pending,
    /// The store does not work, so the agent was asked to try again later.
    PutOff,
    /// The core has accepted it.
    Confirmed,
}

/// How the pool can reach the remote end of a connection.
#[derive(Debug)]
pub(crate) enum Transport {
    /// By calls on its WebSocket.
    WebSocket {
        rpc: RpcHandle,
        /// The address of the remote end.
        address: IpAddr,
    },
    /// Not at all, because the agent calls over HTTP.
    Http,
}

/// The connection in a command that is not from a connection.
pub(crate) const NOBODY: ConnectionId = ConnectionId { gateway: 0, connection: u32::MAX, generation: 0 };

impl ConnectionEntry {
    pub(crate) const fn connection(&self) -> ConnectionId {
        self.connection
    }

    pub(crate) const fn is_reported(&self) -> bool {
        self.reported
    }

    /// Remembers that a command names the connection to the core.
    pub(crate) const fn set_reported(&mut self) {
        self.reported = true;
    }
}

impl Drop for ConnectionEntry {
    fn drop(&mut self) {
        self.connections.lock().remove(self.connection);
        if self.reported {
            self.connections.inbox.push(CoreMessage::OneWay(Command::Disconnected { connection: self.connection }));
        }
    }
}

impl Connections {
    /// Returns an empty table, which reports the end of connections to `inbox`.
    pub(crate) fn new(inbox: Inbox) -> Self {
        Self { table: Mutex::default(), inbox }
    }

    /// Adds a connection. A connection over HTTP begins with a command that names it to the core.
    pub(crate) fn add(self: &Arc<Self>, transport: Transport) -> ConnectionEntry {
        let reported = matches!(transport, Transport::Http);
        let connection = self.lock().add(transport);
        ConnectionEntry { connections: Arc::clone(self), connection, reported }
    }

    /// Returns the handle to call an agent, if the connection is open and can be called.
    pub(crate) fn rpc(&self, connection: ConnectionId) -> Option<RpcHandle> {
        match self.lock().entry(connection)?.transport.as_ref()? {
            Transport::WebSocket { rpc, .. } => Some(rpc.clone()),
            Transport::Http => None,
        }
    }

    /// Whether a connection is open.
    pub(crate) fn is_open(&self, connection: ConnectionId) -> bool {
        self.lock().entry(connection).is_some()
    }

    /// Remembers that the core has accepted a connect.
    pub(crate) fn confirm(&self, connection: ConnectionId) {
        if let Some(entry) = self.lock().entry(connection) {
            entry.connect = ConnectState::Confirmed;
        }
    }

    pub(crate) fn is_confirmed(&self, connection: ConnectionId) -> bool {
        self.lock().entry(connection).is_some_and(|entry| entry.connect == ConnectState::Confirmed)
    }

    /// Remembers that the agent was asked to connect again later, although it signed.
    pub(crate) fn put_off(&self, connection: ConnectionId) {
        if let Some(entry) = self.lock().entry(connection).filter(|entry| entry.connect == ConnectState::Pending) {
            entry.connect = ConnectState::PutOff;
        }
    }

    /// Returns whether the agent was asked to connect again later, since this was asked last.
    pub(crate) fn take_put_off(&self, connection: ConnectionId) -> bool {
        let mut table = self.lock();
        let Some(entry) = table.entry(connection).filter(|entry| entry.connect == ConnectState::PutOff) else {
            return false;
        };
        entry.connect = ConnectState::Pending;
        true
    }

    /// Closes a connection: a WebSocket with a reason, one over HTTP by removing its entry.
    pub(crate) fn close(&self, connection: ConnectionId, reason: &str) {
        match self.rpc(connection) {
            Some(rpc) => rpc.close(reason),
            None => self.lock().remove(connection),
        }
    }

    /// Closes the WebSockets from these addresses.
    pub(crate) fn close_from(&self, is_meant: impl Fn(IpAddr) -> bool, reason: &str) {
        let table = self.lock();
        for entry in &table.entries {
            if let Some(Transport::WebSocket { rpc, address }) = &entry.transport
                && is_meant(*address)
            {
                rpc.close(reason);
            }
        }
    }

    /// Returns the open connections.
    pub(crate) fn open(&self) -> Vec<ConnectionId> {
        let table = self.lock();
        let open = table.entries.iter().enumerate().filter(|(_, entry)| entry.transport.is_some());
        let name = |(at, entry): (usize, &TableEntry)| {
            let connection = u32::try_from(at).unwrap_or(u32::MAX);
            ConnectionId { gateway: 0, connection, generation: entry.generation }
        };
        open.map(name).collect()
    }

    /// Closes all connections.
    pub(crate) fn close_all(&self, reason: &str) {
        let mut table = self.lock();
        for connection in 0..u32::try_from(table.entries.len()).unwrap_or(u32::MAX) {
            let Some(entry) = table.entries.get(connection as usize) else { continue };
            match &entry.transport {
                Some(Transport::WebSocket { rpc, .. }) => rpc.close(reason),
                Some(Transport::Http) => {
                    let generation = entry.generation;
                    table.remove(ConnectionId { gateway: 0, connection, generation });
                }
                None => {}
            }
        }
    }

    /// No code panics while it holds the lock; if one did, the table would still be whole.
    fn lock(&self) -> MutexGuard<'_, ConnectionTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionTable {
    fn add(&mut self, transport: Transport) -> ConnectionId {
        if let Some(connection) = self.free.pop()
            && let Some(entry) = self.entries.get_mut(connection as usize)
        {
            (entry.transport, entry.connect) = (Some(transport), ConnectState::Pending);
            return ConnectionId { gateway: 0, connection, generation: entry.generation };
        }
        let connection = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(TableEntry { generation: 0, transport: Some(transport), connect: ConnectState::Pending });
        ConnectionId { gateway: 0, connection, generation: 0 }
    }

    /// Returns the entry of an open connection.
    fn entry(&mut self, connection: ConnectionId) -> Option<&mut TableEntry> {
        let entry = self.entries.get_mut(connection.connection as usize)?;
        (entry.generation == connection.generation && entry.transport.is_some()).then_some(entry)
    }

    fn remove(&mut self, connection: ConnectionId) {
        let Some(entry) = self.entry(connection) else { return };
        entry.transport = None;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(connection.connection);
    }
}

#[cfg(test)]
mod tests {
    use vipnode_metrics::Gauge;
    use vipnode_pool_core::PoolLimits;

    use super::*;

    #[test]
    fn d32_a_late_message_for_an_old_connection_does_not_reach_the_new_one() {
        let (inbox, _items) = crate::engine::inbox::inbox(Gauge::default(), &PoolLimits::default());
        let connections = Arc::new(Connections::new(inbox));
        let entry = connections.add(Transport::Http);
        let old = entry.connection();
        connections.confirm(old);
        drop(entry);
        let entry = connections.add(Transport::Http);
        let new = entry.connection();
        assert_eq!((old.connection, old.generation + 1), (new.connection, new.generation));
        connections.confirm(old);
        connections.close(old, "late");
        assert!(connections.is_open(new) && !connections.is_confirmed(new));
        assert!(!connections.is_open(old));
        connections.close(new, "enough");
        assert!(!connections.is_open(new));
    }

    #[test]
    fn a_connect_is_put_off_until_it_is_confirmed() {
        let (inbox, _items) = crate::engine::inbox::inbox(Gauge::default(), &PoolLimits::default());
        let connections = Arc::new(Connections::new(inbox));
        let entry = connections.add(Transport::Http);
        let id = entry.connection();
        assert!(!connections.take_put_off(id));
        connections.put_off(id);
        assert!(!connections.is_confirmed(id) && connections.take_put_off(id) && !connections.take_put_off(id));
        connections.confirm(id);
        connections.put_off(id);
        assert!(connections.is_confirmed(id) && !connections.take_put_off(id));
    }
}
