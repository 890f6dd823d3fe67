use vipnode_types::{Amount, Ms, meter, meter::Seen, wire::Side};

use crate::{
    LeaseRow, MergedPeriods, MeteredPeriod,
    agents::Agents,
    leases::{
        Leases,
        lease::{Lease, UNSEEN},
    },
};

/// The ends of a row on both sides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) client: Ms,
    pub(crate) host: Ms,
}

impl Ends {
    /// Returns when each side of a lease last reported to be connected to the other.
    pub(crate) fn of(lease: &Lease, agents: &Agents) -> Self {
        Self { client: side_end(lease, Side::Client, agents), host: side_end(lease, Side::Host, agents) }
    }

    /// Returns the last time that both sides were connected to each other.
    pub(crate) fn common(self) -> Ms {
        self.client.min(self.host)
    }

    /// Returns the same end for both sides.
    pub(crate) const fn at(end: Ms) -> Self {
        Self { client: end, host: end }
    }
}

/// Returns when a side last saw the other: when it reported "gone", or else its agent's last report.
pub(crate) fn side_end(lease: &Lease, side: Side, agents: &Agents) -> Ms {
    let seen = agents.seen(lease.node(side));
    let end = if side == Side::Host && lease.host_down() != UNSEEN { lease.host_down() } else { seen };
    match lease.up(side) {
        UNSEEN => end,
        // A last report that was not written before a crash may be older than the row.
        up => end.max(up),
    }
}

/// Returns how long the priced rows of a client that still run are billed by now, in milliseconds, without those with one
/// host.
pub(crate) fn running_ms(client: u32, except: Option<u32>, leases: &Leases, agents: &Agents) -> u64 {
    let running = leases.of_client(client).map(|(_, lease)| lease).filter(|lease| lease.is_running());
    let priced = running.filter(|lease| leases.price(lease).is_some_and(|price| !price.is_free()));
    let others = priced.filter(|lease| Some(lease.host()) != except);
    others.fold(0, |sum, lease| sum.saturating_add(Ends::of(lease, agents).common().since(lease.both_up())))
}

/// Returns the running period of a lease as finished, with both ends fixed, and what its cost leaves of the smallest unit; `None` if
/// nothing is billed on it.
pub(crate) fn freeze(lease: LeaseRow, ends: Ends, now: Ms) -> Option<(MeteredPeriod, u32)> {
    let seen = |side: Option<(Ms, Option<Ms>)>, end: Ms| side.map(|(up, _)| Seen { up, end: end.max(up) });
    let (client, host) = (seen(lease.client_seen, ends.client), seen(lease.host_seen, ends.host));
    let billed_ms = meter::billed_ms(client, host);
    let (cost, carry) = lease.price.cost_from(billed_ms, lease.carry).unwrap_or((Amount::ZERO, 0));
    let (earlier, folded) = (MergedPeriods::default(), 0);
    let row = MeteredPeriod { lease, client, host, billed_ms, cost, ended: now, earlier, folded };
    (billed_ms > 0).then_some((row, carry))
}
