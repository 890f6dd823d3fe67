use vipnode_types::{
    LeaseId, LeaseSetHash, Ms, NodeId,
    wire::{EvictReason, ReportReply, ReportRequest, Side, UpLease},
};

use crate::{ConnectionId, Core, Reply, RequestId, error, leases::agent_calls::Eviction, output::Output};

impl Core {
    pub(crate) fn report(
        &mut self,
        output: &mut Output,
        peer: ConnectionId,
        request: RequestId,
        report: &ReportRequest,
    ) {
        let Some(index) = self.nodes.at_peer(peer) else {
            output.reply(peer, request, Err(error::not_connected()));
            return;
        };
        let limit = (self.limits.leases_a_client as usize).saturating_add(self.limits.slots_a_host as usize);
        let full = report.full.as_ref().map_or(0, Vec::len);
        if full.max(report.up.len()).max(report.down.len()) > limit {
            output.reply(peer, request, Err(error::too_many_leases(limit)));
            return;
        }
        let Some(hash) = self.fits(index, report) else {
            self.counters.resyncs = self.counters.resyncs.saturating_add(1);
            output.reply(peer, request, Ok(Reply::Report(ReportReply { resync: true })));
            return;
        };
        self.counters.reports = self.counters.reports.saturating_add(1);
        if self.is_silent(index) {
            self.go_down(output, index);
        }
        let before = self.nodes.get(index).map_or(Ms::ZERO, |node| node.seen);
        self.seen_now(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.seq = report.seq;
            node.hash = hash;
            node.head = report.head.unwrap_or(node.head);
        }
        if let Some(slots) = report.slots {
            self.set_slots(index, slots);
        }
        if let Some(full) = report.light_slots_full {
            self.set_light_full(index, full);
        }
        match &report.full {
            Some(full) => self.take_full(output, index, full, before),
            None => self.take_delta(output, index, report, before),
        }
        self.take_seen(index, &report.host_capabilities);
        let reply = Reply::Report(ReportReply { resync: false });
        if output.writes() {
            // An agent says "kept" of what was taken: the end of a row must not be forgotten after it was.
            output.reply_durably(peer, request, reply);
        } else {
            output.reply(peer, request, Ok(reply));
        }
    }

    /// The hash after a report that fits what the agent said before on this socket.
    fn fits(&self, index: u32, report: &ReportRequest) -> Option<LeaseSetHash> {
        let node = self.nodes.get(index)?;
        if let Some(full) = &report.full {
            let hash = LeaseSetHash::of(full.iter().map(|up| up.lease));
            return (report.seq > node.seq && report.hash == Some(hash)).then_some(hash);
        }
        if node.seq == 0 || Some(report.seq) != node.seq.checked_add(1) {
            return None;
        }
        if report.up.is_empty() && report.down.is_empty() {
            return report.hash.is_none_or(|hash| hash == node.hash).then_some(node.hash);
        }
        let hash = report.down.iter().chain(&report.up).fold(node.hash, |hash, id| hash.toggled(*id));
        (report.hash == Some(hash)).then_some(hash)
    }

    fn set_slots(&mut self, index: u32, slots: u32) {
        let most = self.limits.slots_a_host.min(1_000);
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.hosting) else { return };
        node.slots = slots.min(most);
        self.refresh_open_hosts(index);
    }

    fn set_light_full(&mut self, index: u32, full: bool) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        if std::mem::replace(&mut node.light_full, full) && !full {
            self.serve_soon();
        }
    }

    /// The whole set. `before` is the agent's presence before this report: what it does not see any
    /// more it last saw then.
    fn take_full(&mut self, output: &mut Output, index: u32, full: &[UpLease], before: Ms) {
        let mut named: Vec<LeaseId> = full.iter().map(|up| up.lease).collect();
        named.sort_unstable();
        for (lease, side) in self.leases_of(index) {
            let Some(id) = self.leases.get(lease).map(|lease| lease.id) else { continue };
            if named.binary_search(&id).is_err() {
                self.side_down(output, lease, side, before);
            }
        }
        let mut unknown = Vec::new();
        for up in full {
            match self.own(index, up.lease) {
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
            let Some((lease, side)) = self.own(index, id) else { continue };
            let back = ups.binary_search(&id).is_ok();
            if back && self.leases.get(lease).is_some_and(|lease| lease.sees(side)) {
                self.returned(output, lease, side, before);
            } else if !back {
                self.side_down(output, lease, side, output.now);
            }
        }
        let mut unknown = Vec::new();
        for &id in &report.up {
            match self.own(index, id) {
                Some((lease, side)) => self.side_up(output, lease, side),
                None => unknown.push(id),
            }
        }
        self.evict_unknown(output, index, &unknown);
    }

    /// A lease that a node is a side of.
    pub(crate) fn own(&self, index: u32, id: LeaseId) -> Option<(u32, Side)> {
        let lease = self.leases.find(id)?;
        Some((lease, self.leases.get(lease)?.side_of(index)?))
    }

    /// Has an agent take back what the pool knows nothing of. The other node is unknown too, so it
    /// stands there as zeros.
    fn evict_unknown(&mut self, output: &mut Output, index: u32, leases: &[LeaseId]) {
        for &lease in leases.iter().take(self.limits.unknown_a_report as usize) {
            let other = NodeId::new([0; 64]);
            let eviction = Eviction { other, reason: EvictReason::Unknown, fault: None, tries: 0, unpaired: None };
            self.call_evict(output, index, lease, eviction);
        }
    }
}
