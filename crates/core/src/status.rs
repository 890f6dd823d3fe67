use vipnode_types::wire::{HostStatus, PoolStats, PoolStatus};

use crate::{Core, Peer, Reply, RequestId, connect::POOL_VERSION, node::Node, turn::Turn};

impl Core {
    pub(crate) fn status(&self, turn: &mut Turn, peer: Peer, request: RequestId) {
        let limit = self.limits.status_hosts as usize;
        let hosts = self.places.connected().iter().take(limit).filter_map(|&index| self.nodes.get(index));
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let gauges = self.gauges();
        let status = PoolStatus {
            time_updated: turn.now.get() / 1000,
            time_started: self.started.get() / 1000,
            version: POOL_VERSION.to_owned(),
            active_hosts: hosts.map(|host| self.host_status(host)).collect(),
            stats: PoolStats {
                num_active_hosts: count(gauges.hosts),
                num_total_hosts: count(self.roles.hosts),
                num_active_clients: count(gauges.clients),
                num_total_clients: count(self.roles.clients),
                num_running_leases: count(gauges.running),
                num_metered_leases: self.counters.metered_rows,
                metered_ms: self.counters.metered_ms,
                metered_cost: self.counters.metered_cost,
            },
            error: None,
        };
        turn.reply(peer, request, Ok(Reply::Status(Box::new(status))));
    }

    /// What a host says of itself stands beside its own name and is put into no sum (D36).
    fn host_status(&self, host: &Node) -> HostStatus {
        let version = |number: Option<u32>| {
            number.and_then(|number| self.versions.get(number)).map(ToString::to_string).unwrap_or_default()
        };
        HostStatus {
            short_id: host.id.short(),
            last_seen: host.seen.get() / 1000,
            node_version: version(host.client_version),
            vipnode_version: version(host.agent_version),
            block_number: host.head,
            num_peers: host.host_leases,
            slots: host.slots,
        }
    }
}
