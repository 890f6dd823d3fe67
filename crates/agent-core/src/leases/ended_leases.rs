use vipnode_types::{Amount, wire::Side};

/// Totals of an agent's ended leases, on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndedLeases {
    /// Where the agent was the host.
    pub host: EndedSide,
    /// Where it was the client.
    pub client: EndedSide,
}

/// Totals of some leases, as seen by this side alone. The pool meters the part that both sides saw, so no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndedSide {
    /// How many leases.
    pub leases: u64,
    /// How long their peers were connected, in milliseconds.
    pub ms: u64,
    /// The cost of that time at the price of each lease, rounded down for each.
    pub cost: Amount,
}

impl EndedLeases {
    pub(crate) fn add(&mut self, side: Side, ms: u64, cost: Amount) {
        match side {
            Side::Host => self.host.add(ms, cost),
            Side::Client => self.client.add(ms, cost),
        }
    }
}

impl EndedSide {
    /// Adds a lease that saw its peer for so many milliseconds, which cost that.
    pub fn add(&mut self, ms: u64, cost: Amount) {
        self.leases = self.leases.saturating_add(1);
        self.ms = self.ms.saturating_add(ms);
        self.cost = self.cost.checked_add(cost).unwrap_or(Amount::MAX);
    }
}
