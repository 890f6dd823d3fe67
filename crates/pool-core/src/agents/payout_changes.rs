use std::collections::BTreeMap;

use vipnode_types::{Account, Ms};

use crate::{Limits, agents::Agents};

/// When hosts last changed their payout account, by index, since the pool started.
#[derive(Debug, Default)]
pub(crate) struct PayoutChanges {
    changed: BTreeMap<u32, Ms>,
}

impl PayoutChanges {
    pub(in crate::agents) fn forget(&mut self, host: u32) {
        self.changed.remove(&host);
    }
}

impl Agents {
    /// For how many milliseconds a host that passes this payout account keeps the one that it has; 0 if it may change it.
    ///
    /// Each change writes billing periods that wait, and begins an account that the operator pays on its own.
    pub(crate) fn payout_kept_ms(&self, host: u32, payout: Option<Account>, now: Ms, limits: &Limits) -> u64 {
        let differs = self.nodes.get(host).is_some_and(|node| node.payout() != payout);
        let changed = self.payout_changes.changed.get(&host).filter(|_| differs);
        changed.map_or(0, |changed| changed.plus(limits.payout_change_ms).since(now))
    }

    /// Sets a host's payout account. The first one counts as no change.
    pub(crate) fn set_payout(&mut self, host: u32, payout: Option<Account>, now: Ms) {
        let Some(node) = self.nodes.get_mut(host) else { return };
        if node.payout().is_some() {
            self.payout_changes.changed.insert(host, now);
        }
        node.set_payout(payout);
    }
}
