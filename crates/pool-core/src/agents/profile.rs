use std::collections::BTreeSet;

use vipnode_types::{Capability, MinVersion, PeerRules};

use crate::{
    Limits,
    agents::{Agents, hello::Hello, node::Node},
    collections::slab::NIL,
};

/// A node's capabilities and its rules for others; many nodes share one. The capabilities of a host that names none are
/// those that enough [`CapabilityObservations`](super::observations::CapabilityObservations) saw.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Profile {
    pub(crate) serves: Box<[Capability]>,
    pub(crate) rules: PeerRules,
}

impl Profile {
    /// Returns the profile that an agent sent, cut to the limits. The order of capabilities does not matter.
    pub(crate) fn said(said: &Hello<'_>, limits: &Limits) -> Self {
        let serves: BTreeSet<&Capability> = said.serves.iter().take(limits.capabilities as usize).collect();
        let rules = Self::rules(said.need, said.min_versions, limits);
        Self { serves: serves.into_iter().cloned().collect(), rules }
    }

    /// Returns the rules that an agent sent, cut to the limit.
    pub(crate) fn rules(need: &[Capability], min_versions: &[MinVersion], limits: &Limits) -> PeerRules {
        let most = limits.rules as usize;
        let need = need.iter().take(most).cloned().collect();
        PeerRules { need, min_versions: min_versions.iter().take(most).cloned().collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.serves.is_empty() && self.rules.is_empty()
    }
}

impl Agents {
    /// Stores a node's capabilities and rules; each connect replaces both.
    pub(in crate::agents) fn set_profile(&mut self, index: u32, said: &Hello<'_>, limits: &Limits) {
        let profile = Profile::said(said, limits);
        let profile = if profile.is_empty() {
            None
        } else {
            self.profiles.acquire(profile, self.charged_for_node(index, limits))
        };
        self.forget_profile(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.set_profile(profile.unwrap_or(NIL));
        }
        self.declared_itself(index, limits);
    }

    /// Releases the shared values that a node uses.
    pub(in crate::agents) fn forget_profile(&mut self, index: u32) {
        if let Some(node) = self.nodes.get_mut(index) {
            self.profiles.give_back(node.set_profile(NIL));
        }
        for number in self.rejected_versions.remove(&index).unwrap_or_default() {
            self.versions.give_back(number);
        }
    }

    /// A node's capabilities and rules; `None` if it sent neither.
    pub(crate) fn profile(&self, node: &Node) -> Option<&Profile> {
        self.profiles.get(node.profile())
    }

    /// Whether a node is a light node, by the capabilities that it names itself; in protocol 2, it names none.
    pub(crate) fn is_light(&self, index: u32) -> bool {
        let serves = |name: &str| self.own_capabilities(index).iter().any(|cap| cap.name() == name);
        serves("les") && !serves("eth")
    }

    /// Whether the agent of `by` rejected a version before, by a rule that only that agent knows.
    pub(crate) fn is_version_rejected(&self, by: u32, version: u32) -> bool {
        self.rejected_versions.get(&by).is_some_and(|list| list.contains(&version))
    }

    /// Remembers that an agent rejected a version by a rule that only it knows: nodes of that version are not offered to
    /// it again on this socket. Returns false if the version is unknown or already remembered, or if the agent rejects
    /// too many versions for these to be exceptions.
    pub(crate) fn reject_version(&mut self, by: u32, other: u32, limits: &Limits) -> bool {
        let most = limits.rejected_versions.max(1) as usize;
        let version = self.nodes.get(other).map(Node::client_version);
        let Some(version) = version.filter(|version| *version != NIL) else { return false };
        let list = self.rejected_versions.entry(by).or_default();
        if list.contains(&version) {
            return false;
        }
        let oldest = if list.len() >= most { Some(list.remove(0)) } else { None };
        list.push(version);
        self.versions.share(version);
        if let Some(oldest) = oldest {
            self.versions.give_back(oldest);
        }
        oldest.is_none()
    }
}
