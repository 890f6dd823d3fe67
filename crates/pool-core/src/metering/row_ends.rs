use vipnode_types::{Ms, Wei, meter, meter::Seen, wire::Side};

use crate::{
    Counters, LeaseRow, MeteredRow, Row,
    agents::Agents,
    leases::lease::{Lease, UNSEEN},
    output::Output,
};

/// Where the two sides of a row end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) client: Ms,
    pub(crate) host: Ms,
}

impl Ends {
    /// The last moments that the sides of a lease saw each other, as each reported it.
    pub(crate) fn of(lease: &Lease, agents: &Agents) -> Self {
        Self { client: side_end(lease, Side::Client, agents), host: side_end(lease, Side::Host, agents) }
    }

    /// The last moment that both saw.
    pub(crate) fn common(self) -> Ms {
        self.client.min(self.host)
    }

    /// Both at one moment.
    pub(crate) const fn at(end: Ms) -> Self {
        Self { client: end, host: end }
    }
}

/// The last moment that a side saw the other: when it said "gone", else its agent's presence.
pub(crate) fn side_end(lease: &Lease, side: Side, agents: &Agents) -> Ms {
    let seen = agents.seen(lease.node(side));
    let end = if side == Side::Host && lease.host_down() != UNSEEN { lease.host_down() } else { seen };
    match lease.up(side) {
        UNSEEN => end,
        // A presence that was not flushed before a crash may be older than the row.
        up => end.max(up),
    }
}

/// Writes the row that a lease runs as over, with both ends frozen. A row that no side
/// ever saw is not written. Returns what is billed, in milliseconds.
pub(crate) fn freeze(output: &mut Output, lease: &LeaseRow, ends: Ends, counters: &mut Counters) -> u64 {
    if lease.client_seen.is_none() && lease.host_seen.is_none() {
        return 0;
    }
    let seen = |side: Option<(Ms, Option<Ms>)>, end: Ms| side.map(|(up, _)| Seen { up, end: end.max(up) });
    let (client, host) = (seen(lease.client_seen, ends.client), seen(lease.host_seen, ends.host));
    let billed_ms = meter::billed_ms(client, host);
    let cost = meter::cost(lease.price, client, host).unwrap_or(Wei::ZERO);
    counters.count_row(billed_ms, cost);
    let lease = lease.clone();
    output.persist(Row::Metered(Box::new(MeteredRow { lease, client, host, billed_ms, cost, ended: output.now })));
    billed_ms
}
