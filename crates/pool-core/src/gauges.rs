/// What there is now. Cheap to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gauges {
    /// Nodes remembered.
    pub nodes: u64,
    /// Agents with a connection.
    pub connected: u64,
    /// Connected hosts.
    pub hosts: u64,
    /// Connected clients.
    pub clients: u64,
    /// Leases of any state.
    pub leases: u64,
    /// Leases that both sides saw.
    pub running: u64,
    /// Leases that not both sides have seen yet.
    pub pending_offers: u64,
    /// Slots that could be given away now.
    pub free_slots: u64,
    /// Clients that want more hosts and wait for the pool to find them.
    pub waiting: u64,
    /// Requests for hosts that wait for a yes.
    pub pending_asks: u64,
    /// Calls to agents that have not come to their end.
    pub calls_in_flight: u64,
    /// Presences not flushed.
    pub dirty_presences: u64,
    /// Deadlines of every kind but calls.
    pub deadlines: u64,
}
