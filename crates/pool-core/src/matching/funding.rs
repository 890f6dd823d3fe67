use std::net::IpAddr;

use vipnode_types::NodeId;

use crate::{
    collections::address_block::AddressBlock,
    ledger::shortage::{NoTrial, Shortage},
    matching::Context,
};

/// How a client would pay for one more lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Funding {
    /// It can, or need not.
    Paid,
    /// It cannot, but has a trial left.
    Trial,
    /// It cannot, and its trial runs: that is one lease at a time, or each host would be a trial of its own.
    InTrial,
    /// It cannot.
    Short(Shortage),
}

impl Context<'_> {
    /// Returns how a client would pay for one more lease.
    pub(crate) fn funding(&self, client: u32) -> Funding {
        let Some(node) = self.agents.get(client) else { return Funding::Paid };
        self.funding_of(&node.id(), Some(client), node.address())
    }

    /// The same for a node that may be unknown, at an address.
    pub(crate) fn funding_of(&self, id: &NodeId, index: Option<u32>, address: Option<IpAddr>) -> Funding {
        let Some(shortage) = self.shortage_of(id) else { return Funding::Paid };
        if index.is_some_and(|client| self.leases.trial_of(client).is_some()) {
            return Funding::InTrial;
        }
        match self.no_trial(index, address) {
            None => Funding::Trial,
            Some(no_trial) => Funding::Short(shortage.without_trial(no_trial)),
        }
    }

    /// Returns why a client that cannot pay gets no trial; `None` if it may have one.
    fn no_trial(&self, client: Option<u32>, address: Option<IpAddr>) -> Option<NoTrial> {
        let Self { now, limits, agents, metering, .. } = *self;
        let used_ms = client.and_then(|client| agents.get(client)).map_or(0, |node| node.trial_used_ms());
        if limits.trial_ms == 0 {
            return Some(NoTrial::NotOffered);
        }
        if u64::from(used_ms) >= limits.trial_ms {
            return Some(NoTrial::UsedUp { trial_ms: limits.trial_ms });
        }
        let block = address.map(AddressBlock::of).filter(|_| !limits.members_only);
        let handle = client.and_then(|client| agents.handle(client));
        let allowed = block.is_none_or(|block| metering.allows_trial(now, block, handle, limits));
        (!allowed).then_some(NoTrial::Block)
    }
}
