use std::collections::BTreeMap;

use vipnode_types::{
    Amount,
    wire::{HostStatus, PoolStats, PoolStatus},
};

use super::{POOL_VERSION, protocol2::median};
use crate::{ConnectionId, Core, Reply, RequestId, metering::billed_period::Ends, output::Output};

impl Core {
    pub(crate) fn status(&self, output: &mut Output, connection: ConnectionId, request: RequestId) {
        let limit = self.limits.status_hosts as usize;
        let shown: Vec<u32> = self.matching.open_hosts().connected().iter().take(limit).copied().collect();
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let gauges = self.gauges();
        let running = (gauges.leases <= self.limits.status_leases.into()).then(|| self.running_totals());
        let status = PoolStatus {
            time_updated: output.now.rfc3339(),
            time_started: self.clock.started().rfc3339(),
            version: POOL_VERSION.to_owned(),
            pool_id: None,
            active_hosts: shown.iter().filter_map(|&host| self.host_status(host)).collect(),
            stats: PoolStats {
                num_active_hosts: count(gauges.hosts),
                num_total_hosts: count(self.agents.roles().hosts),
                num_active_clients: count(gauges.clients),
                num_total_clients: count(self.agents.roles().clients),
                latest_block_number: self.newest_block(&shown),
                total_credit: Amount::ZERO,
                total_deposit: Amount::ZERO,
                num_trial_balances: self.leases.num_trials(),
                num_running_leases: count(gauges.running),
                num_metered_leases: self.counters.metered_rows,
                metered_ms: self.counters.metered_ms,
                metered_cost: self.counters.metered_cost,
                running_ms: running.map(|(ms, _)| ms),
                running_cost: running.map(|(_, cost)| cost),
                price: self.limits.price,
                num_agents: gauges.connected,
                num_leases: gauges.leases,
                num_free_slots: gauges.free_slots,
                num_waiting_clients: gauges.waiting,
                num_pending_asks: gauges.pending_asks,
                num_calls_in_flight: gauges.calls_in_flight,
            },
            fee_bps: self.limits.fee_bps,
            terms: Some(self.payment_terms()),
            error: None,
        };
        output.reply(connection, request, Ok(Reply::Status(Box::new(status))));
    }

    /// What is billed by now on running leases: the time in milliseconds, and the cost.
    fn running_totals(&self) -> (u64, Amount) {
        let running = self.leases.iter().map(|(_, lease)| lease).filter(|lease| lease.is_running());
        running.fold((0, Amount::ZERO), |(sum_ms, sum), lease| {
            let ms = Ends::of(lease, &self.agents).common().since(lease.both_up());
            let cost = self.leases.price(lease).and_then(|price| price.cost(ms)).unwrap_or_default();
            (sum_ms.saturating_add(ms), sum.checked_add(cost).unwrap_or(Amount::MAX))
        })
    }

    /// Returns the median of the blocks that hosts reported, on the chain with the most hosts.
    fn newest_block(&self, hosts: &[u32]) -> u64 {
        let mut chains: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for host in hosts.iter().filter_map(|&index| self.agents.get(index)).filter(|host| host.head() > 0) {
            chains.entry(host.chain()).or_default().push(host.head());
        }
        median(chains.into_values().max_by_key(Vec::len).unwrap_or_default())
    }

    /// Returns a host's own description, which is shown next to its id and is not part of any sum (fault D36,
    /// docs/faults.md).
    fn host_status(&self, index: u32) -> Option<HostStatus> {
        let host = self.agents.get(index)?;
        Some(HostStatus {
            short_id: host.id().short(),
            last_seen: host.seen().rfc3339(),
            kind: self.agents.kind(index).name().to_owned(),
            node_version: self.agents.client_version(index),
            vipnode_version: self.agents.agent_version(host),
            block_number: host.head(),
            num_peers: self.leases.host_count(index),
            slots: host.slots(),
        })
    }
}
