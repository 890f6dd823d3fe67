use crate::{
    agents::{Agents, node::Node, profile::Profile},
    collections::slab::{Handle, NIL},
};

/// What a node serves, wants and runs. Nodes of one class are alike to every rule of a profile, so a rule is checked once
/// for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeClass {
    /// The number of its profile; [`NIL`] for none.
    profile: u32,
    /// The number of its client version; [`NIL`] for none.
    version: u32,
}

/// A class that can be remembered: once its profile or version is forgotten, no other class is equal to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LastingClass {
    profile: Option<Handle>,
    version: Option<Handle>,
}

impl NodeClass {
    /// The class of a node that describes nothing.
    pub(crate) const UNKNOWN: Self = Self { profile: NIL, version: NIL };

    pub(crate) const fn of(node: &Node) -> Self {
        Self { profile: node.profile(), version: node.client_version() }
    }

    pub(crate) const fn version(self) -> u32 {
        self.version
    }
}

#[cfg(test)]
impl LastingClass {
    pub(crate) const fn of_handles(profile: Option<Handle>, version: Option<Handle>) -> Self {
        Self { profile, version }
    }
}

impl Agents {
    /// The profile of a class, if it has one.
    pub(crate) fn class_profile(&self, class: NodeClass) -> Option<&Profile> {
        self.profiles.get(class.profile)
    }

    /// The client version of a class, if it is known.
    pub(crate) fn class_version(&self, class: NodeClass) -> Option<&str> {
        self.versions.get(class.version).map(|text| &**text)
    }

    /// A class as it can be remembered.
    pub(crate) fn lasting_class(&self, class: NodeClass) -> LastingClass {
        LastingClass { profile: self.profiles.handle(class.profile), version: self.versions.handle(class.version) }
    }
}
