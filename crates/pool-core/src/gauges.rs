use vipnode_types::{Amount, Ms};

use crate::EpochStep;

/// Current counts of the core. Cheap to read.
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
    /// Leases that at least one side has not seen yet.
    pub pending_offers: u64,
    /// Slots that could be offered now.
    pub free_slots: u64,
    /// Clients that want more hosts and wait for the pool to find them.
    pub waiting: u64,
    /// Requests that wait for a host to admit.
    pub pending_asks: u64,
    /// Calls to agents that have not ended.
    pub calls_in_flight: u64,
    /// Last reports not written yet.
    pub unwritten_reports: u64,
    /// Deadlines of every kind except calls.
    pub deadlines: u64,
    /// What payers paid, less what the operator returned.
    pub received: Amount,
    /// What the operator paid out to hosts.
    pub paid_out: Amount,
    /// The operator's fees.
    pub fees: Amount,
    /// The step of the epoch in which the pool claims; `None` if it does not claim on its own.
    pub epoch: Option<EpochStep>,
    /// Whether something is wrong with it.
    pub epoch_problem: bool,
    /// When the newest complete epoch ended.
    pub epoch_finished: Option<Ms>,
    /// What the transactions of all epochs cost, in wei.
    pub epoch_gas_wei: u128,
    /// What the ended billing periods of leases cost.
    pub billed: Amount,
    /// What hosts earned, less fees and payouts.
    pub owed: Amount,
    /// The part of that which clients have paid or secured, so that it can be paid out now.
    pub payable: Amount,
}
