use std::collections::BTreeSet;

use vipnode_types::{Capability, PeerRules};

use crate::{
    Limits,
    agents::{Agents, hello::Hello, node::Node},
    collections::slab::NIL,
};

/// A node's capabilities and its rules for others; many nodes share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Profile {
    pub(crate) serves: Box<[Capability]>,
    pub(crate) rules: PeerRules,
}

impl Profile {
    /// Returns the profile that an agent sent, cut to the limits. The order of capabilities does not matter.
    pub(crate) fn said(said: &Hello<'_>, limits: &Limits) -> Self {
        let serves: BTreeSet<&Capability> = said.serves.iter().take(limits.capabilities as usize).collect();
        let most = limits.rules as usize;
        let need = said.need.iter().take(most).cloned().collect();
        let rules = PeerRules { need, min_versions: said.min_versions.iter().take(most).cloned().collect() };
        Self { serves: serves.into_iter().cloned().collect(), rules }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.serves.is_empty() && self.rules.is_empty()
    }

    /// Returns the profile with the capabilities that others saw on the node, at most `most` in total: other versions of
    /// those that it names, or any if it names none. `None` if there is nothing new.
    pub(crate) fn seen(&self, caps: &[Capability], most: usize) -> Option<Self> {
        let mut set: BTreeSet<&Capability> = self.serves.iter().collect();
        for cap in caps.iter().take(most) {
            let named = self.serves.is_empty() || self.serves.iter().any(|own| own.name() == cap.name());
            if named && set.len() < most {
                set.insert(cap);
            }
        }
        let news = set.len() > self.serves.len();
        news.then(|| Self { serves: set.into_iter().cloned().collect(), rules: self.rules.clone() })
    }
}

impl Agents {
    /// Stores a node's capabilities and rules; each connect replaces both.
    pub(in crate::agents) fn set_profile(&mut self, index: u32, said: &Hello<'_>, limits: &Limits) {
        let profile = Profile::said(said, limits);
        let profile = if profile.is_empty() { None } else { self.profiles.acquire(profile) };
        self.forget_profile(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.set_profile(profile.unwrap_or(NIL));
        }
    }

    /// Releases the shared values that a node uses.
    pub(in crate::agents) fn forget_profile(&mut self, index: u32) {
        if let Some(node) = self.nodes.get_mut(index) {
            self.profiles.release(node.set_profile(NIL));
        }
        for number in self.unwanted.remove(&index).unwrap_or_default() {
            self.versions.release(number);
        }
    }

    /// A node's capabilities and rules; `None` if it sent neither.
    pub(crate) fn profile(&self, node: &Node) -> Option<&Profile> {
        self.profiles.get(node.profile())
    }

    /// Whether a node is a light node, by the capabilities that it names; in protocol 2, it names none.
    pub(crate) fn is_light(&self, node: &Node) -> bool {
        let serves =
            |name: &str| self.profile(node).is_some_and(|profile| profile.serves.iter().any(|cap| cap.name() == name));
        serves("les") && !serves("eth")
    }

    /// Whether the agent of `by` rejected a version before, by a rule that only that agent knows.
    pub(crate) fn is_unwanted(&self, by: u32, version: u32) -> bool {
        self.unwanted.get(&by).is_some_and(|list| list.contains(&version))
    }

    /// Remembers that an agent rejected a version by a rule that only it knows: nodes of that version are not offered to
    /// it again on this socket. Returns false if the version is unknown or already remembered, or if the agent rejects
    /// too many versions for these to be exceptions.
    pub(crate) fn refuse_version(&mut self, by: u32, other: u32, limits: &Limits) -> bool {
        let most = limits.unwanted_versions.max(1) as usize;
        let version = self.nodes.get(other).map(Node::client_version);
        let Some(version) = version.filter(|version| *version != NIL) else { return false };
        let list = self.unwanted.entry(by).or_default();
        if list.contains(&version) {
            return false;
        }
        let oldest = if list.len() >= most { Some(list.remove(0)) } else { None };
        list.push(version);
        self.versions.share(version);
        if let Some(oldest) = oldest {
            self.versions.release(oldest);
        }
        oldest.is_none()
    }

    /// Adds versions of capabilities that others saw on a node. They cannot remove what the node names, or add a
    /// capability that the node does not name.
    pub(crate) fn add_served(&mut self, index: u32, seen: &[Capability], limits: &Limits) {
        let Some(node) = self.nodes.get(index) else { return };
        let said = self.profile(node).cloned().unwrap_or_default();
        let Some(profile) = said.seen(seen, limits.capabilities as usize) else { return };
        let Some(after) = self.profiles.acquire(profile) else { return };
        if let Some(node) = self.nodes.get_mut(index) {
            let before = node.set_profile(after);
            self.profiles.release(before);
        }
    }
}
