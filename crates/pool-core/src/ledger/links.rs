use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Account, NodeId};

use crate::LinkRow;

/// Which account pays for the leases of which client node, and the newest counter that each account has signed.
#[derive(Debug, Default)]
pub(crate) struct Links {
    by_node: BTreeMap<NodeId, Account>,
    by_account: BTreeMap<Account, BTreeSet<NodeId>>,
    counters: BTreeMap<Account, u64>,
}

impl Links {
    /// The account that pays for a node's leases.
    pub(crate) fn payer(&self, node: &NodeId) -> Option<Account> {
        self.by_node.get(node).copied()
    }

    /// The nodes that an account pays for, by id.
    pub(crate) fn nodes(&self, payer: Account) -> impl Iterator<Item = NodeId> {
        self.by_account.get(&payer).into_iter().flatten().copied()
    }

    /// The accounts that pay for a node.
    pub(crate) fn payers(&self) -> impl Iterator<Item = Account> {
        self.by_node.values().copied()
    }

    /// Links a node with an account, or with none.
    pub(crate) fn set(&mut self, node: NodeId, payer: Option<Account>) {
        let before = match payer {
            Some(payer) => self.by_node.insert(node, payer),
            None => self.by_node.remove(&node),
        };
        if let Some(nodes) = before.and_then(|before| self.by_account.get_mut(&before)) {
            nodes.remove(&node);
        }
        if let Some(payer) = payer {
            self.by_account.entry(payer).or_default().insert(node);
        }
    }

    /// The newest counter that an account signed; 0 if it signed none.
    pub(crate) fn counter(&self, account: Account) -> u64 {
        self.counters.get(&account).copied().unwrap_or(0)
    }

    pub(crate) fn set_counter(&mut self, account: Account, counter: u64) {
        self.counters.insert(account, counter);
    }

    /// The links by node.
    pub(crate) fn rows(&self) -> impl Iterator<Item = LinkRow> {
        self.by_node.iter().map(|(node, account)| LinkRow { node: *node, account: *account })
    }

    /// The newest counter of each account that signed one, by account.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (Account, u64)> {
        self.counters.iter().map(|(account, counter)| (*account, *counter))
    }
}
