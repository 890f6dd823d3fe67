//! A node's connection begins and ends: what it uses, and for which address block it counts.

use std::net::IpAddr;

use vipnode_types::Ms;

use crate::{
    ConnectionId, Limits,
    agents::{Agents, Changed, node::Node},
    collections::{address_block::AddressBlock, slab::NIL},
};

impl Agents {
    /// Gives a node a new connection. From here on it uses its chain.
    pub(crate) fn attach(
        &mut self,
        index: u32,
        connection: ConnectionId,
        (address, callable): (IpAddr, bool),
        now: Ms,
        limits: &Limits,
    ) -> Changed {
        let before = self.vote(index);
        let (connection_before, chain) = self.get(index).map_or((None, NIL), |node| (node.connection(), node.chain()));
        self.nodes.set_connection(index, Some(connection));
        let changed = self.update(index, |node| node.begin_connection(address, callable, now));
        if connection_before.is_none() {
            self.chains.begin_use(chain, self.charged_for_node(index, limits));
        }
        self.move_to_block(index, address, limits);
        self.count_vote(index, before);
        changed
    }

    /// Counts a node for the address block where it is now. A block that has no room gets it not: then it still counts for
    /// the block where it was before, so that nodes that move do not fill a block beyond its share.
    fn move_to_block(&mut self, index: u32, address: IpAddr, limits: &Limits) {
        let known = self.len();
        let block = if limits.members_only { AddressBlock::ALL } else { AddressBlock::of(address) };
        let counted = self.counted(index);
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.block != block) else { return };
        let free = limits.members_only || node.is_proven();
        let share = || self.shares.may_join(block, !node.is_paired(), known, limits);
        let delegation = || !node.reserves_delegation() || self.delegations.may_add(block, limits);
        if free || (share() && delegation()) {
            node.block = block;
            self.count_again(index, counted);
        }
    }

    /// Forgets the profile and the versions of a node that is not connected; its next connect describes them again.
    pub(crate) fn forget_description(&mut self, index: u32) {
        self.forget_profile(index);
        self.forget_versions(index);
    }

    /// Removes a node's connection. From here on it uses no chain.
    pub(crate) fn detach(&mut self, index: u32, now: Ms) -> Changed {
        let chain = self.get(index).filter(|node| node.is_connected()).map(Node::chain);
        chain.into_iter().for_each(|chain| self.chains.end_use(chain));
        let before = self.vote(index);
        self.nodes.set_connection(index, None);
        self.count_vote(index, before);
        self.update(index, |node| node.end_connection(chain.map(|_| now)))
    }
}
