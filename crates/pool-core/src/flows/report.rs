use vipnode_types::{
    LeaseId, LeaseSetHash, Ms, NodeId,
    wire::{EvictReason, HostCapabilities, LeasePrice, ReportReply, ReportRequest, Side, UpLease},
};

use crate::{
    ConnectionId, Core, Reply, RequestId,
    agents::{hello::most_slots, node::Node, observations::ObservedCapabilities},
    core_error::CoreError,
    leases::calls_in_flight::Eviction,
    output::Output,
};

impl Core {
    pub(crate) fn report(
        &mut self,
        output: &mut Output,
        connection: ConnectionId,
        request: RequestId,
        report: &ReportRequest,
    ) {
        let Some(index) = self.agents.at(connection) else {
            output.reply(connection, request, Err(CoreError::NotConnected.into()));
            return;
        };
        let limit = (self.limits.leases_a_client as usize).saturating_add(self.limits.slots_a_host as usize);
        let full = report.full.as_ref().map_or(0, Vec::len);
        if full.max(report.up.len()).max(report.down.len()) > limit {
            output.reply(connection, request, Err(CoreError::TooManyLeases { limit }.into()));
            return;
        }
        let Some(hash) = self.fits(index, report) else {
            self.counters.resyncs = self.counters.resyncs.saturating_add(1);
            output.reply(
                connection,
                request,
                Ok(Reply::Report(ReportReply { resync: true, ..ReportReply::default() })),
            );
            return;
        };
        self.counters.reports = self.counters.reports.saturating_add(1);
        if self.is_silent(index) {
            self.go_down(output, index);
        }
        let before = self.agents.seen(index);
        self.agents.seen_now(index, output.now);
        self.agents.take_report(index, report.seq, hash, report.head);
        if let Some(slots) = report.slots {
            let slots = slots.min(most_slots(&self.limits));
            self.update_node(index, |node| node.set_slots(slots));
        }
        if let Some(full) = report.light_slots_full
            && self.agents.set_light_full(index, full)
        {
            self.matching.serve_soon(output.now);
        }
        match &report.full {
            Some(full) => self.take_full(output, index, full, before),
            None => self.take_delta(output, index, report, before),
        }
        self.take_seen(index, &report.host_capabilities);
        let newer = self.newer_pricing(index);
        // A reply that names the price names all that is announced, so its agent knows what is withdrawn.
        let next_price = if newer.is_some() { self.next_price() } else { self.newer_next_price(index) };
        let (price, fee_bps) = newer.map(|newer| (newer.price, newer.fee_bps)).unzip();
        let lease_prices = self.lease_prices(index);
        let reply = Reply::Report(ReportReply { resync: false, price, fee_bps, next_price, lease_prices });
        if output.writes() {
            // After a durable reply, an agent reports leases as continuous, so the end of a row must not be lost.
            output.reply_durably(connection, request, reply);
        } else {
            output.reply(connection, request, Ok(reply));
        }
    }

    /// What the leases of an agent cost that have begun another billing period, if the agent does not learn it otherwise: it cannot be
    /// called, or the price changed since it connected and nobody has to agree. Each answer names them, because an answer may be
    /// lost.
    fn lease_prices(&self, index: u32) -> Vec<LeasePrice> {
        let called = |node: &Node| self.ledger.is_some() && node.callable();
        let is_called = self.agents.get(index).is_none_or(called);
        if is_called || (self.ledger.is_none() && self.newer_pricing(index).is_none()) {
            return Vec::new();
        }
        let leases = self.leases.of(index).into_iter().filter_map(|(lease, _)| self.leases.get(lease));
        let later = leases.filter(|lease| lease.is_running() && lease.row() > 0);
        let priced = later.filter_map(|lease| Some(LeasePrice { lease: lease.id(), price: self.leases.price(lease)? }));
        priced.collect()
    }

    /// Returns the hash after a report that fits the earlier reports on this socket.
    fn fits(&self, index: u32, report: &ReportRequest) -> Option<LeaseSetHash> {
        let node = self.agents.get(index)?;
        if let Some(full) = &report.full {
            let hash = LeaseSetHash::of(full.iter().map(|up| up.lease));
            return (report.seq > node.seq() && report.hash == Some(hash)).then_some(hash);
        }
        if node.seq() == 0 || Some(report.seq) != node.seq().checked_add(1) {
            return None;
        }
        if report.up.is_empty() && report.down.is_empty() {
            return report.hash.is_none_or(|hash| hash == node.hash()).then_some(node.hash());
        }
        let hash = report.down.iter().chain(&report.up).fold(node.hash(), |hash, id| hash.toggled(*id));
        (report.hash == Some(hash)).then_some(hash)
    }

    /// Handles a report of the full set. `before` is when the agent last reported before: what it no longer sees, it last
    /// saw then.
    fn take_full(&mut self, output: &mut Output, index: u32, full: &[UpLease], before: Ms) {
        let mut named: Vec<LeaseId> = full.iter().map(|up| up.lease).collect();
        named.sort_unstable();
        for (lease, side) in self.leases.of(index) {
            let Some(id) = self.leases.get(lease).map(crate::leases::lease::Lease::id) else { continue };
            if named.binary_search(&id).is_err() {
                self.side_down(output, lease, side, before);
            }
        }
        let mut unknown = Vec::new();
        for up in full {
            match self.leases.own(index, up.lease) {
                Some((lease, side)) => {
                    let goes_on = self.leases.get(lease).is_some_and(|lease| lease.sees(side));
                    if goes_on && !up.continuous {
                        self.returned(output, lease, side, before);
                    } else {
                        self.side_up(output, lease, side);
                    }
                }
                None => unknown.push(up.lease),
            }
        }
        self.evict_unknown(output, index, &unknown);
    }

    fn take_delta(&mut self, output: &mut Output, index: u32, report: &ReportRequest, before: Ms) {
        if report.up.is_empty() && report.down.is_empty() {
            return;
        }
        let mut ups = report.up.clone();
        ups.sort_unstable();
        for &id in &report.down {
            let Some((lease, side)) = self.leases.own(index, id) else { continue };
            let back = ups.binary_search(&id).is_ok();
            if back && self.leases.get(lease).is_some_and(|lease| lease.sees(side)) {
                self.returned(output, lease, side, before);
            } else if !back {
                self.side_down(output, lease, side, output.now);
            }
        }
        let mut unknown = Vec::new();
        for &id in &report.up {
            match self.leases.own(index, id) {
                Some((lease, side)) => self.side_up(output, lease, side),
                None => unknown.push(id),
            }
        }
        self.evict_unknown(output, index, &unknown);
    }

    /// Remembers what a client sees on its hosts. What a host reports of its clients counts for nothing.
    fn take_seen(&mut self, index: u32, seen: &[HostCapabilities]) {
        for seen in seen.iter().take(self.limits.leases_a_client as usize) {
            let Some((lease, Side::Client)) = self.leases.own(index, seen.lease) else { continue };
            let Some(lease) = self.leases.get(lease).filter(|lease| lease.sees(Side::Client)) else { continue };
            let (host, paired) = (lease.host(), lease.is_running());
            let sight = ObservedCapabilities {
                lease: lease.id(),
                client: index,
                host,
                paired,
                capabilities: &seen.capabilities,
            };
            self.agents.observe_capabilities(sight, &self.limits);
            let (matching, context) = self.matching();
            matching.refresh_open_hosts(host, context);
        }
    }

    /// Evicts leases that the pool does not know. The other node is unknown too, so its id is all zeros.
    fn evict_unknown(&mut self, output: &mut Output, index: u32, leases: &[LeaseId]) {
        for &lease in leases.iter().take(self.limits.unknown_a_report as usize) {
            let other = NodeId::new([0; 64]);
            self.call_evict(output, index, lease, Eviction::new(other, EvictReason::Unknown));
        }
    }
}
