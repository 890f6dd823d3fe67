use vipnode_types::{
    Ms,
    wire::{EvictReason, Side},
};

use crate::{Core, leases::lease::UNSEEN, metering::row::Ends, output::Output};

impl Core {
    /// A side sees the other, as of now.
    pub(crate) fn side_up(&mut self, output: &mut Output, index: u32, side: Side) {
        let Some(lease) = self.leases.get(index) else { return };
        if lease.sees(side) {
            return;
        }
        if lease.up(side) != UNSEEN && lease.paired {
            // Only a host's "gone" waits; it came back in time.
            let end = lease.host_down;
            self.returned(output, index, side, end);
            return;
        }
        if let Some(lease) = self.leases.get_mut(index) {
            lease.set_up(side, output.now);
        }
        self.paired_if_both(index);
        self.persist_lease(output, index);
    }

    /// A side lost the other and has it again: a new row begins, without admit or evict. `end` is the
    /// last moment that the side saw it before.
    pub(crate) fn returned(&mut self, output: &mut Output, index: u32, side: Side, end: Ms) {
        let Some(lease) = self.leases.get(index) else { return };
        if !lease.paired {
            // No row ran; this side's begins anew.
            if let Some(lease) = self.leases.get_mut(index) {
                lease.set_up(side, output.now);
            }
            self.paired_if_both(index);
            self.persist_lease(output, index);
            return;
        }
        let ends = self.ends(lease);
        let (ends, ups) = match side {
            Side::Client => (Ends { client: end, ..ends }, Ends { client: output.now, host: ends.host }),
            Side::Host => (Ends { host: end, ..ends }, Ends { client: ends.client, host: output.now }),
        };
        let down = lease.host_down;
        self.next_row(output, index, ends, ups);
        if side == Side::Client
            && down != UNSEEN
            && let Some(lease) = self.leases.get_mut(index)
        {
            // The host still holds it to be gone, and its word waits as before.
            lease.host_up = down;
            lease.host_down = down;
            self.persist_lease(output, index);
        }
    }

    /// A side no longer sees the other; it last did at `end`.
    pub(crate) fn side_down(&mut self, output: &mut Output, index: u32, side: Side, end: Ms) {
        let Some(lease) = self.leases.get_mut(index) else { return };
        if !lease.sees(side) {
            return;
        }
        match side {
            Side::Client => {
                let cut = Some((Side::Client, end));
                self.end_lease(output, index, EvictReason::Disconnected, Some(Side::Client), cut);
            }
            Side::Host => {
                lease.host_down = end.max(lease.host_up);
                let (id, client) = (lease.id, lease.client);
                let armed = std::mem::replace(&mut lease.half_armed, true);
                if !armed {
                    let wait = self.half_down_wait(client);
                    self.timers.half_downs.push(output.now.plus(wait), id);
                }
                self.persist_lease(output, index);
            }
        }
    }

    /// The client's word on a host's "gone" is due.
    pub(crate) fn half_down_due(&mut self, output: &mut Output, index: u32) {
        let Some(client) = self.leases.get(index).map(|lease| lease.client) else { return };
        let wait = self.half_down_wait(client);
        let Some(lease) = self.leases.get_mut(index) else { return };
        lease.half_armed = false;
        if lease.host_down == UNSEEN {
            return;
        }
        let due = lease.host_down.plus(wait);
        if due > output.now {
            // It came back and went again meanwhile.
            lease.half_armed = true;
            self.timers.half_downs.push(due, lease.id);
        } else {
            self.end_lease(output, index, EvictReason::Disconnected, None, None);
        }
    }

    fn paired_if_both(&mut self, index: u32) {
        let Some(lease) = self.leases.get_mut(index) else { return };
        if !lease.runs() || lease.paired {
            return;
        }
        lease.paired = true;
        let (client, host, price) = (lease.client, lease.host, lease.price);
        let waited = lease.client_up.max(lease.host_up).since(lease.host_up);
        self.leases.row_begins(index);
        self.count_unpaired(client, price, waited);
        self.counters.paired = self.counters.paired.saturating_add(1);
        self.counters.running = self.counters.running.saturating_add(1);
        self.pending_offers.sub(self.nodes.get(client).and_then(|node| node.address));
        if let Some(node) = self.nodes.get_mut(host) {
            node.strikes = 0;
        }
    }
}
