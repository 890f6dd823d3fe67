use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Account, Amount, LeaseId, Ms};

use crate::{
    LeaseRow,
    collections::slab::Handle,
    metering::{Metering, billed_period::Ends},
};

/// The last parts of leases that ended: from when both sides last reported each other until the lease ended.
///
/// What a side saw is known from its reports, the last of which may be a report interval old when a lease ends. Each side that
/// did not end the lease is asked to undo it. One that has done so, and had not reported the other as gone, saw it until the
/// lease ended, and so did one that stops. So the last part is billed once its sides have answered. What a side does not confirm
/// is not billed, and counts as unpaired time. A report that arrives after the end may name an interruption, which is mostly the end
/// of the lease itself, so it changes nothing. A part waits no longer than a call to an agent, and there are no more of them than
/// such calls. A crash loses those that wait.
#[derive(Debug, Default)]
pub(crate) struct FinalParts {
    parts: BTreeMap<LeaseId, FinalPart>,
    /// The nodes that have not answered, and the leases.
    waiting: BTreeSet<(Handle, LeaseId)>,
}

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
        let id = part.lease.id;
        let asked = [part.client, part.host].into_iter().filter(|side| side.unconfirmed.is_some());
        self.waiting.extend(asked.map(|side| (side.node, id)));
        self.parts.insert(id, part);
    }

    /// The leases whose last parts wait for a node.
    pub(crate) fn awaited_from(&self, node: Handle) -> Vec<LeaseId> {
        let of_node = self.waiting.range((node, LeaseId::new(0))..=(node, LeaseId::new(u64::MAX)));
        of_node.map(|(_, lease)| *lease).collect()
    }

    /// A node answered the call to undo a lease, or did not. Returns the last part of that lease if it waited for this only.
    pub(crate) fn answered(&mut self, lease: LeaseId, node: Handle, confirmed: bool) -> Option<FinalPart> {
        let part = self.parts.get_mut(&lease)?;
        let nodes = [part.client.node, part.host.node];
        for side in [&mut part.client, &mut part.host] {
            if side.node == node {
                side.answered(confirmed);
            }
        }
        self.waiting.remove(&(node, lease));
        if nodes.into_iter().any(|node| self.waiting.contains(&(node, lease))) {
            return None;
        }
        self.parts.remove(&lease)
    }

    /// The leases whose last parts wait, and the nodes whose answers they wait for, for checks.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (LeaseId, Handle)> {
        self.waiting.iter().map(|(node, lease)| (*lease, *node))
    }
}

impl Metering {
    /// Keeps the last part of a lease until its sides have answered.
    pub(crate) fn wait_for_final_part(&mut self, part: FinalPart) {
        self.final_parts.wait(part);
    }

    /// The leases whose last parts wait for a node.
    pub(crate) fn final_parts_awaited_from(&self, node: Handle) -> Vec<LeaseId> {
        self.final_parts.awaited_from(node)
    }

    /// A node answered the call to undo a lease, or did not. Returns the last part of that lease if it waited for this only.
    pub(crate) fn final_part_answered(&mut self, lease: LeaseId, node: Handle, confirmed: bool) -> Option<FinalPart> {
        self.final_parts.answered(lease, node, confirmed)
    }

    /// The leases whose last parts wait, and the nodes whose answers they wait for, for checks.
    pub(crate) fn awaited_final_parts(&self) -> impl Iterator<Item = (LeaseId, Handle)> {
        self.final_parts.waiting()
    }
}
