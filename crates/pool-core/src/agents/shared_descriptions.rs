//! What many nodes have in common and therefore share: chains, versions, and profiles.

use std::collections::BTreeMap;

use vipnode_types::{ChainSpec, protocol2::Kind, sanitize};

use crate::{
    Limits,
    agents::{Agents, node::Node},
    collections::{address_block::AddressBlock, slab::NIL},
};

impl Agents {
    pub(crate) fn chain(&self, number: u32) -> Option<&ChainSpec> {
        self.chains.get(number)
    }

    /// Returns the number of a chain; `None` if no node is on it.
    pub(crate) fn chain_number(&self, chain: &ChainSpec) -> Option<u32> {
        self.chains.number(chain)
    }

    /// Whether a connected node may be on a chain whose room `charged_to` shares.
    pub(crate) fn may_use_chain(&self, chain: &ChainSpec, charged_to: Option<AddressBlock>) -> bool {
        self.chains.may_use(chain, charged_to)
    }

    /// Whether connected nodes are on as many chains as the limit allows.
    pub(crate) const fn has_all_chains(&self) -> bool {
        self.chains.is_full()
    }

    /// Counts one more node on a chain. Only while one of its nodes is connected, a chain counts for the limit of chains.
    pub(crate) fn join_chain(&mut self, chain: ChainSpec) -> Option<u32> {
        self.chains.keep(chain)
    }

    /// Moves a node to a chain on which [`Self::join_chain`] has counted it.
    pub(crate) fn move_to_chain(&mut self, index: u32, chain: u32) {
        let before = self.vote(index);
        let Some(node) = self.nodes.get_mut(index) else { return };
        let (old, connected) = (node.set_chain(chain), node.is_connected());
        if connected {
            self.chains.begin_use(chain, Some(node.block).filter(|block| *block != AddressBlock::ALL));
            self.chains.end_use(old);
        }
        self.count_vote(index, before);
        self.chains.release(old);
    }

    /// The version of a node's execution client; `None` if its agent did not send it.
    pub(crate) fn version(&self, node: &Node) -> Option<&str> {
        self.versions.get(node.client_version()).map(|text| &**text)
    }

    /// As [`Self::version`], by index; empty if it is unknown.
    pub(crate) fn client_version(&self, index: u32) -> String {
        self.nodes.get(index).and_then(|node| self.version(node)).unwrap_or_default().to_owned()
    }

    /// The version of an agent; empty if it did not send one.
    pub(crate) fn agent_version(&self, node: &Node) -> String {
        self.versions.get(node.agent_version()).map(ToString::to_string).unwrap_or_default()
    }

    pub(super) fn intern_version(&mut self, text: &str, charged_to: Option<AddressBlock>, limits: &Limits) -> u32 {
        let cut = sanitize(text, limits.version_chars as usize);
        self.versions.acquire(cut.into_boxed_str(), charged_to).unwrap_or(NIL)
    }

    /// The kind of a node's execution client, as described by its agent.
    pub(crate) fn kind(&self, index: u32) -> Kind {
        let Some(node) = self.nodes.get(index) else { return Kind::Unknown };
        let of_version = || self.version(node).map_or(Kind::Unknown, Kind::of_client);
        node.credentials().claimed_kind().unwrap_or_else(of_version)
    }

    /// Checks the use counts of chains, versions, and profiles, and the counts of nodes by address block.
    ///
    /// # Errors
    /// A description of the first disagreement.
    pub(crate) fn check_shared(&self) -> Result<(), &'static str> {
        let (mut chains, mut used_chains) = (BTreeMap::new(), BTreeMap::new());
        let (mut versions, mut profiles) = (BTreeMap::new(), BTreeMap::new());
        let (mut held, mut reserved) = ([0_u32; 2], 0_usize);
        let add = |uses: &mut BTreeMap<u32, u32>, number: u32| {
            let count = uses.entry(number).or_default();
            *count = count.saturating_add(1);
        };
        for (_, node) in self.nodes.iter() {
            add(&mut chains, node.chain());
            if node.is_connected() {
                add(&mut used_chains, node.chain());
            }
            node.versions().into_iter().filter(|at| *at != NIL).for_each(|at| add(&mut versions, at));
            Some(node.profile()).filter(|at| *at != NIL).into_iter().for_each(|at| add(&mut profiles, at));
            reserved = reserved.saturating_add(node.reserves_delegation().into());
            let never_paired = !node.is_paired();
            for (count, counts) in held.iter_mut().zip([true, never_paired]) {
                *count = count.saturating_add(u32::from(counts && node.block != AddressBlock::ALL));
            }
        }
        for (index, list) in &self.rejected_versions {
            if self.nodes.get(*index).is_none() {
                return Err("an unknown node refuses versions");
            }
            list.iter().for_each(|number| add(&mut versions, *number));
        }
        let agree = [
            ("chains are miscounted", chains == self.chains.references()),
            ("chains in use are miscounted", used_chains == self.chains.users()),
            ("versions are miscounted", versions == self.versions.references() && versions == self.versions.users()),
            ("profiles are miscounted", profiles == self.profiles.references() && profiles == self.profiles.users()),
            ("nodes of blocks are miscounted", held == self.shares.held()),
            ("rooms for delegations are miscounted", reserved == self.delegations.reserved()),
        ];
        agree.into_iter().find(|(_, agrees)| !agrees).map_or(Ok(()), |(what, _)| Err(what))
    }

    /// The number of profiles.
    #[cfg(test)]
    pub(crate) fn profiles(&self) -> usize {
        self.profiles.references().len()
    }

    /// Of what nodes share.
    #[cfg(test)]
    pub(crate) fn shared_heap_bytes(&self) -> usize {
        self.chains.heap_bytes() + self.versions.heap_bytes() + self.profiles.heap_bytes()
    }
}
