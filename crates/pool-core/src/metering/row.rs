use vipnode_types::{Ms, Wei, meter, meter::Seen, wire::Side};

use crate::{
    Core, LeaseRow, MeteredRow, Row,
    leases::lease::{Lease, UNSEEN},
    output::Output,
};

/// Where the two sides of a row end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) client: Ms,
    pub(crate) host: Ms,
}

impl Core {
    /// The last moment that a side saw the other: when it said "gone", else its agent's presence.
    pub(crate) fn side_end(&self, lease: &Lease, side: Side) -> Ms {
        let seen = self.nodes.get(lease.node(side)).map_or(Ms::ZERO, |node| node.seen);
        let end = if side == Side::Host && lease.host_down != UNSEEN { lease.host_down } else { seen };
        match lease.up(side) {
            UNSEEN => end,
            // A presence that was not flushed before a crash may be older than the row.
            up => end.max(up),
        }
    }

    pub(crate) fn ends(&self, lease: &Lease) -> Ends {
        Ends { client: self.side_end(lease, Side::Client), host: self.side_end(lease, Side::Host) }
    }

    /// The last moment that both saw.
    pub(crate) fn common_end(&self, lease: &Lease) -> Ms {
        let ends = self.ends(lease);
        ends.client.min(ends.host)
    }

    pub(crate) fn lease_row(&self, lease: &Lease) -> Option<LeaseRow> {
        let host = self.nodes.get(lease.host)?;
        let seen = |up: Ms, down: Ms| (up != UNSEEN).then(|| (up, (down != UNSEEN).then_some(down)));
        Some(LeaseRow {
            id: lease.id,
            row: lease.row,
            client: self.nodes.get(lease.client)?.id,
            host: host.id,
            payee: host.payout,
            price: self.prices.get(lease.price).copied()?,
            offered: lease.offered,
            client_seen: seen(lease.client_up, UNSEEN),
            host_seen: seen(lease.host_up, lease.host_down),
        })
    }

    /// Writes the row that a lease runs as over, with both ends frozen. What nobody ever saw leaves no
    /// row.
    pub(crate) fn freeze(&mut self, output: &mut Output, lease: &LeaseRow, ends: Ends) {
        if lease.client_seen.is_none() && lease.host_seen.is_none() {
            return;
        }
        let seen = |side: Option<(Ms, Option<Ms>)>, end: Ms| side.map(|(up, _)| Seen { up, end: end.max(up) });
        let (client, host) = (seen(lease.client_seen, ends.client), seen(lease.host_seen, ends.host));
        let billed_ms = meter::billed_ms(client, host);
        let cost = meter::cost(lease.price, client, host).unwrap_or(Wei::ZERO);
        self.counters.metered_ms = self.counters.metered_ms.saturating_add(billed_ms);
        self.counters.metered_cost = self.counters.metered_cost.checked_add(cost).unwrap_or(Wei::new(u128::MAX));
        self.counters.metered_rows = self.counters.metered_rows.saturating_add(1);
        let lease = lease.clone();
        output.persist(Row::Metered(Box::new(MeteredRow { lease, client, host, billed_ms, cost, ended: output.now })));
    }

    /// Ends the row that runs and begins the next one of the same grant, seen by the two sides from
    /// `ups` on. Nobody is admitted or evicted.
    pub(crate) fn next_row(&mut self, output: &mut Output, index: u32, ends: Ends, ups: Ends) {
        let Some(row) = self.leases.get(index).and_then(|lease| self.lease_row(lease)) else { return };
        self.freeze(output, &row, ends);
        if let Some(lease) = self.leases.get_mut(index) {
            lease.row = lease.row.saturating_add(1);
            lease.client_up = ups.client;
            lease.host_up = ups.host;
            lease.host_down = UNSEEN;
        }
        self.leases.row_begins(index);
        self.persist_lease(output, index);
    }
}
