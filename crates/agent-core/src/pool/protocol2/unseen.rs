use std::collections::BTreeSet;

use vipnode_types::{
    LeaseId, Ms,
    wire::{EvictReason, Side},
};

use crate::{Action, AgentCore, leases::lease::Lease};

impl AgentCore {
    /// Evicts clients that were let in and do not come, or do not come back (D35). While node or pool is away
    /// nobody's absence counts.
    pub(crate) fn unseen_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let counts = self.node.up && self.link.is_live() && self.stopping.is_none();
        let Some(protocol2) = &mut self.protocol2 else { return };
        if !counts {
            protocol2.unseen.clear();
            return;
        }
        let unseen =
            |lease: &&Lease| lease.side == Side::Host && lease.runs() && lease.up.is_none() && !lease.id.is_direct();
        let ids: BTreeSet<LeaseId> = self.leases.iter().filter(unseen).map(|lease| lease.id).collect();
        protocol2.unseen.retain(|id, _| ids.contains(id));
        for id in ids {
            protocol2.unseen.entry(id).or_insert(now);
        }
        let most_ms = protocol2.unseen_ms();
        let late: Vec<LeaseId> =
            protocol2.unseen.extract_if(.., |_, since| since.plus(most_ms) <= now).map(|(id, _)| id).collect();
        for id in late {
            self.end(id, Some(EvictReason::NotConnected), out);
        }
    }

    /// When the first of them is evicted.
    pub(crate) fn unseen_due(&self) -> Option<Ms> {
        let protocol2 = self.protocol2.as_ref()?;
        protocol2.unseen.values().min().map(|since| since.plus(protocol2.unseen_ms()))
    }
}
