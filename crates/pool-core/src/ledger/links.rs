use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Account, NodeId};

use crate::{LinkRow, ledger::Ledger};

/// Which account pays for the leases of which client node, and the newest counter that each account has signed.
#[derive(Debug, Default)]
pub(crate) struct Links {
    by_node: BTreeMap<NodeId, Account>,
    /// One set for all accounts: most have one node, and a set of their own would take room for eleven.
    by_account: BTreeSet<(Account, NodeId)>,
    counters: BTreeMap<Account, u64>,
}

impl Links {
    /// The account that pays for a node's leases.
    pub(crate) fn payer(&self, node: &NodeId) -> Option<Account> {
        self.by_node.get(node).copied()
    }

    /// The nodes that an account pays for, by id.
    pub(crate) fn nodes(&self, payer: Account) -> impl Iterator<Item = NodeId> {
        let first = (payer, NodeId::new([0; 64]));
        self.by_account.range(first..).take_while(move |(account, _)| *account == payer).map(|(_, node)| *node)
    }

    /// The first address from one on of an account that pays for a node.
    pub(crate) fn first_from(&self, from: Account) -> Option<Account> {
        self.by_account.range((from, NodeId::new([0; 64]))..).next().map(|(account, _)| *account)
    }

    /// Links a node with an account, or with none.
    pub(crate) fn set(&mut self, node: NodeId, payer: Option<Account>) {
        let before = match payer {
            Some(payer) => self.by_node.insert(node, payer),
            None => self.by_node.remove(&node),
        };
        if let Some(before) = before {
            self.by_account.remove(&(before, node));
        }
        if let Some(payer) = payer {
            self.by_account.insert((payer, node));
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

impl Ledger {
    /// The account that pays for a node's leases.
    pub(crate) fn payer_of(&self, node: &NodeId) -> Option<Account> {
        self.links.payer(node)
    }

    /// The nodes that an account pays for, by ID.
    pub(crate) fn nodes_of(&self, payer: Account) -> impl Iterator<Item = NodeId> {
        self.links.nodes(payer)
    }

    /// Links a node with an account, or with none.
    pub(crate) fn set_link(&mut self, node: NodeId, payer: Option<Account>) {
        self.links.set(node, payer);
    }

    /// The newest counter that an account has signed; 0 if it signed none.
    pub(crate) fn link_counter(&self, account: Account) -> u64 {
        self.links.counter(account)
    }

    /// Keeps the newest counter that an account has signed.
    pub(crate) fn set_link_counter(&mut self, account: Account, counter: u64) {
        self.links.set_counter(account, counter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_of_an_account_are_its_own_by_id() {
        let (node, account) = (|byte| NodeId::new([byte; 64]), |byte| Account::new([byte; 20]));
        let mut links = Links::default();
        for (of, payer) in [(9, 1), (0, 2), (255, 2), (4, 2), (7, 3)] {
            links.set(node(of), Some(account(payer)));
        }
        links.set(node(4), Some(account(3)));
        links.set(node(9), None);
        let nodes = |payer| links.nodes(account(payer)).collect::<Vec<_>>();
        assert_eq!(nodes(1), []);
        assert_eq!(nodes(2), [node(0), node(255)]);
        assert_eq!(nodes(3), [node(4), node(7)]);
    }
}
