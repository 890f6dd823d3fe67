use std::collections::BTreeMap;

use vipnode_types::{Account, Amount, LeaseId, Ms};

use crate::{LeaseRow, collections::slab::Handle, metering::billed_period::Ends};

/// The last parts of leases that ended: from when both sides last reported each other until the lease ended.
///
/// What a side saw is known from its reports, the last of which may be a report interval old when a lease ends. Each side that
/// did not end the lease is asked to undo it. One that has done so, and had not reported the other as gone, saw it until the
/// lease ended. So the last part is billed once its sides have answered. What a side does not confirm is not billed, and counts
/// as unpaired time. A part waits no longer than a call to an agent, and there are no more of them than such calls. A crash
/// loses those that wait.
#[derive(Debug, Default)]
pub(crate) struct FinalParts(BTreeMap<LeaseId, FinalPart>);

/// The last part of a lease that ended.
#[derive(Debug)]
pub(crate) struct FinalPart {
    pub(crate) client: PartSide,
    pub(crate) host: PartSide,
    /// The billing period that it is, which begins when both sides last reported each other.
    pub(crate) lease: Box<LeaseRow>,
    /// How much of it is billed if both sides confirm it, in milliseconds.
    pub(crate) most_ms: u64,
    /// What it costs then, which its payer has to keep.
    pub(crate) cost: Amount,
}

/// A side of a lease that ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartSide {
    pub(crate) node: Handle,
    /// Until when it is known to have seen the other.
    end: Ms,
    /// Until when it saw the other if it confirms that; `None` once it has answered, and if it is not asked.
    unconfirmed: Option<Ms>,
}

impl PartSide {
    /// A side that saw the other until `end` by its own reports, and is asked whether it did until `until`.
    pub(crate) fn new(node: Handle, end: Ms, until: Ms) -> Self {
        Self { node, end, unconfirmed: Some(until).filter(|until| *until > end) }
    }

    fn latest(self) -> Ms {
        self.unconfirmed.unwrap_or(self.end)
    }

    fn answered(&mut self, confirmed: bool) {
        if let Some(until) = self.unconfirmed.take().filter(|_| confirmed) {
            self.end = until;
        }
    }
}

impl FinalPart {
    /// The part from `begins` on of the lease of a row. `None` if it has no time.
    pub(crate) fn new(mut lease: LeaseRow, begins: Ms, [client, host]: [PartSide; 2]) -> Option<Self> {
        let seen = Some((begins, None));
        lease.row = lease.row.saturating_add(1);
        (lease.client_seen, lease.host_seen) = (seen, seen);
        let most_ms = client.latest().min(host.latest()).since(begins);
        let part = Self { client, host, lease: Box::new(lease), most_ms, cost: Amount::ZERO };
        (most_ms > 0).then_some(part)
    }

    /// The same part of a lease whose earlier periods left so much of the smallest unit.
    pub(crate) fn carrying(mut self, carry: u32) -> Self {
        self.lease.carry = carry;
        self.cost = self.lease.price.cost_from(self.most_ms, carry).map_or(Amount::ZERO, |(cost, _)| cost);
        self
    }

    /// Who pays for it; `None` if nobody earns.
    pub(crate) fn payer(&self) -> Option<Account> {
        self.lease.payer.filter(|_| self.lease.payee.is_some())
    }

    /// Until when each side is known to have seen the other.
    pub(crate) const fn ends(&self) -> Ends {
        Ends { client: self.client.end, host: self.host.end }
    }
}

impl FinalParts {
    /// Keeps a part until its sides have answered.
    pub(crate) fn wait(&mut self, part: FinalPart) {
        self.0.insert(part.lease.id, part);
    }

    /// A node answered the call to undo a lease, or did not. Returns the last part of that lease if it waited for this only.
    pub(crate) fn answered(&mut self, lease: LeaseId, node: Handle, confirmed: bool) -> Option<FinalPart> {
        let part = self.0.get_mut(&lease)?;
        for side in [&mut part.client, &mut part.host] {
            if side.node == node {
                side.answered(confirmed);
            }
        }
        let waits = part.client.unconfirmed.or(part.host.unconfirmed).is_some();
        if waits { None } else { self.0.remove(&lease) }
    }

    /// The leases whose last parts wait, and the nodes whose answers they wait for, for checks.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (LeaseId, Handle)> {
        let sides = self.0.iter().flat_map(|(lease, part)| [(*lease, part.client), (*lease, part.host)]);
        sides.filter(|(_, side)| side.unconfirmed.is_some()).map(|(lease, side)| (lease, side.node))
    }
}
