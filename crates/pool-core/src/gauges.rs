use vipnode_types::{Wei, wire::EvictReason};

use crate::Core;

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
    /// Places that could be given away now.
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

/// What happened since the start. None ever falls but `running`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connects that were refused.
    pub refused_connects: u64,
    /// Reports that counted.
    pub reports: u64,
    /// Reports answered with `resync`.
    pub resyncs: u64,
    /// Places offered: admit calls.
    pub offered: u64,
    /// Hosts that said yes.
    pub admitted: u64,
    /// Hosts that said no, or nothing.
    pub not_admitted: u64,
    /// Leases that both sides came to see.
    pub paired: u64,
    /// Of those, how many have not ended.
    pub running: u64,
    /// Rows ended by their age.
    pub rollovers: u64,
    /// Agents that fell silent.
    pub silences: u64,
    /// Pauses of the pool itself.
    pub pauses: u64,
    /// Evictions that the agent never confirmed.
    pub evictions_unanswered: u64,
    /// Nodes forgotten.
    pub pruned: u64,
    /// Rows of the meter that ended.
    pub metered_rows: u64,
    /// Milliseconds billed on them.
    pub metered_ms: u64,
    /// What they cost.
    pub metered_cost: Wei,
    /// Milliseconds that only hosts saw, where a price is asked.
    pub unpaired_ms: u64,
    ended: [u64; 11],
}

/// How many nodes ever were what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Roles {
    pub(crate) hosts: u64,
    pub(crate) clients: u64,
    pub(crate) connected_clients: u64,
}

impl Counters {
    /// Leases that ended, by reason.
    pub fn ended(&self) -> impl Iterator<Item = (EvictReason, u64)> {
        EvictReason::ALL.into_iter().zip(self.ended)
    }

    pub(crate) fn count_end(&mut self, reason: EvictReason) {
        let at = EvictReason::ALL.into_iter().position(|other| other == reason);
        if let Some(count) = at.and_then(|at| self.ended.get_mut(at)) {
            *count = count.saturating_add(1);
        }
    }
}

impl Core {
    /// What there is now.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let timers = [
            self.timers.offers.len(),
            self.timers.dials.len(),
            self.timers.half_downs.len(),
            self.timers.asks.len(),
            self.timers.rests.len(),
            self.timers.back_offs.len(),
            self.presences.silences.len(),
        ];
        Gauges {
            nodes: count(self.nodes.len()),
            connected: count(self.nodes.sockets()),
            hosts: count(self.open_hosts.connected().len()),
            clients: self.roles.connected_clients,
            leases: count(self.leases.len()),
            running: self.counters.running,
            pending_offers: u64::from(self.pending_offers.len()),
            free_slots: self.open_hosts.all_free(),
            waiting: count(self.wait_queue.len()),
            pending_asks: count(self.asks.len()),
            calls_in_flight: count(self.agent_calls.len()),
            dirty_presences: count(self.presences.dirty()),
            deadlines: count(timers.into_iter().fold(0, usize::saturating_add)),
        }
    }

    /// What happened since the start.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
