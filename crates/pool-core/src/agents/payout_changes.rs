use std::collections::BTreeSet;

use vipnode_types::{Account, Ms, wire::LeavingNode};

use crate::agents::{Agents, host_payout::HostPayout};

/// The hosts whose node key ordered another payout account that has not taken effect.
#[derive(Debug, Default)]
pub(crate) struct PayoutChanges {
    due: BTreeSet<(Ms, u32)>,
    /// By the account that loses the host.
    leaving: BTreeSet<(Account, u32)>,
}

impl PayoutChanges {
    /// Replaces what is known of a host.
    pub(in crate::agents) fn set(&mut self, host: u32, before: Option<HostPayout>, now: Option<HostPayout>) {
        if let Some((payout, (_, from))) = before.and_then(|payout| Some((payout, payout.next?))) {
            self.due.remove(&(from, host));
            self.leaving.remove(&(payout.account, host));
        }
        if let Some((payout, (_, from))) = now.and_then(|payout| Some((payout, payout.next?))) {
            self.due.insert((from, host));
            self.leaving.insert((payout.account, host));
        }
    }
}

impl Agents {
    /// Sets a host's payout account, and the one that follows. The caller stores the row.
    pub(crate) fn set_payout(&mut self, host: u32, payout: HostPayout) {
        let Some(node) = self.nodes.get_mut(host) else { return };
        let before = node.set_payout(Some(payout));
        self.payout_changes.set(host, before, Some(payout));
    }

    /// A host whose next payout account takes effect by now.
    pub(crate) fn next_payout_by(&self, now: Ms) -> Option<u32> {
        self.payout_changes.due.first().filter(|(due, _)| *due <= now).map(|(_, host)| *host)
    }

    /// When the next payout account takes effect.
    pub(crate) fn next_payout(&self) -> Option<Ms> {
        self.payout_changes.due.first().map(|(due, _)| *due)
    }

    /// The hosts whose earnings an account receives now and another one later; at most so many.
    pub(crate) fn leaving(&self, account: Account, most: u32) -> Vec<LeavingNode> {
        let hosts = self.payout_changes.leaving.range((account, 0)..=(account, u32::MAX)).take(most as usize);
        let nodes = hosts.filter_map(|(_, host)| self.nodes.get(*host));
        let leaving = nodes.filter_map(|node| {
            let next = node.host_payout()?.view().next?;
            Some(LeavingNode { node: node.id(), next })
        });
        leaving.collect()
    }
}
