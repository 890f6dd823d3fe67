use std::collections::BTreeSet;

use vipnode_types::{Capability, PeerRules};

use crate::{
    Limits,
    agents::{Agents, hello::Hello, node::Node},
    collections::slab::NIL,
};

/// What a node serves and what it wants of others; many nodes share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Profile {
    pub(crate) serves: Box<[Capability]>,
    pub(crate) rules: PeerRules,
}

impl Profile {
    /// What an agent said, cut to the limits; the same capabilities in another order are one profile.
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

    /// With what others saw of it, at most `most` in all: versions of what it names itself, or anything where it
    /// names nothing. `None` where that is nothing new.
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
    /// Takes in what a node serves, and what it wants of others; each connect replaces both.
    pub(in crate::agents) fn set_profile(&mut self, index: u32, said: &Hello<'_>, limits: &Limits) {
        let profile = Profile::said(said, limits);
        let profile = if profile.is_empty() { None } else { self.profiles.acquire(profile) };
        self.forget_profile(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.set_profile(profile.unwrap_or(NIL));
        }
    }

    /// Gives back the shared values that a node was counted on.
    pub(in crate::agents) fn forget_profile(&mut self, index: u32) {
        if let Some(node) = self.nodes.get_mut(index) {
            self.profiles.release(node.set_profile(NIL));
        }
        for number in self.unwanted.remove(&index).unwrap_or_default() {
            self.versions.release(number);
        }
    }

    /// What a node serves and wants; `None` where it said neither.
    pub(crate) fn profile(&self, node: &Node) -> Option<&Profile> {
        self.profiles.get(node.profile())
    }

    /// Whether a node is a light one, by the capabilities that it names. By protocol 2 a node names none.
    pub(crate) fn is_light(&self, node: &Node) -> bool {
        let serves =
            |name: &str| self.profile(node).is_some_and(|profile| profile.serves.iter().any(|cap| cap.name() == name));
        serves("les") && !serves("eth")
    }

    /// Whether the agent of `by` refused the version of another node before, by a rule that it keeps to itself.
    pub(crate) fn is_unwanted(&self, by: u32, other: &Node) -> bool {
        self.unwanted.get(&by).is_some_and(|list| list.contains(&other.client_version()))
    }

    /// An agent did not take a node because of its version, by a rule that it keeps to itself: nodes of that version
    /// are not offered to it again on this socket. False where it knows so many that refusing is no exception, or
    /// refuses what it was not offered for that reason.
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

    /// Others saw what a node serves: that adds versions to what it names itself. It cannot take away what the node
    /// names, or add a capability that the node does not name.
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
