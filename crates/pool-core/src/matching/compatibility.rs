use vipnode_types::{Capability, Misfit, wire::HostCapabilities};

use crate::{Core, agents::node::Node, agents::profile::Profile, flows::connect::Hello, leases::lease::NIL};

/// Why a host and a client do not suit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incompatibility {
    /// The host does not have what the client wants.
    Host(Misfit),
    /// The client's agent did not take this version before, by a rule that it keeps to itself.
    Unwanted,
    /// The host does not take the client's version.
    Refused,
    /// The client is a light node, and the host's places for those are taken.
    LightFull,
}

impl Core {
    /// Takes in what a node serves, and what it wants of others; both anew with each connect.
    pub(crate) fn set_profile(&mut self, index: u32, said: &Hello<'_>) {
        let profile = Profile::said(said, &self.limits);
        let profile = if profile.is_empty() { None } else { self.profiles.acquire(profile) };
        self.forget_profile(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.profile = profile.unwrap_or(NIL);
        }
    }

    /// Gives back what a node's words were counted by.
    pub(crate) fn forget_profile(&mut self, index: u32) {
        if let Some(node) = self.nodes.get_mut(index) {
            self.profiles.release(std::mem::replace(&mut node.profile, NIL));
        }
        for number in self.unwanted.remove(&index).unwrap_or_default() {
            self.versions.release(number);
        }
    }

    /// Why a host is not to be given to a client; `None` where they suit.
    pub(crate) fn incompatibility(&self, client: u32, host: u32) -> Option<Incompatibility> {
        let (wants, gives) = (self.nodes.get(client)?, self.nodes.get(host)?);
        if let Some(rules) = self.profile(wants).map(|profile| &profile.rules) {
            let served = self.profile(gives).map(|profile| &*profile.serves).unwrap_or_default();
            let outdated = || rules.outdates(self.version(gives)?);
            if let Some(misfit) = rules.misses(served).or_else(outdated) {
                return Some(Incompatibility::Host(misfit));
            }
        }
        if gives.light_full && self.is_light(wants) {
            return Some(Incompatibility::LightFull);
        }
        if self.is_unwanted(client, gives) {
            return Some(Incompatibility::Unwanted);
        }
        let outdated = || self.profile(gives)?.rules.outdates(self.version(wants)?);
        (self.is_unwanted(host, wants) || outdated().is_some()).then_some(Incompatibility::Refused)
    }

    fn profile(&self, node: &Node) -> Option<&Profile> {
        self.profiles.get(node.profile)
    }

    /// Whether a node is a light one, by what it says that it serves. By protocol 2 nobody does.
    pub(crate) fn is_light(&self, node: &Node) -> bool {
        let serves =
            |name: &str| self.profile(node).is_some_and(|profile| profile.serves.iter().any(|cap| cap.name() == name));
        serves("les") && !serves("eth")
    }

    fn version(&self, node: &Node) -> Option<&str> {
        self.versions.get(node.client_version).map(|text| &**text)
    }

    fn is_unwanted(&self, by: u32, other: &Node) -> bool {
        self.unwanted.get(&by).is_some_and(|list| list.contains(&other.client_version))
    }

    /// What a node's agent said that its node runs; empty where it did not.
    pub(crate) fn client_version(&self, index: u32) -> String {
        self.nodes.get(index).and_then(|node| self.version(node)).unwrap_or_default().to_owned()
    }

    /// An agent did not take a node because of its version, by a rule that it keeps to itself: nodes of that version
    /// are not offered to it again on this socket. False where it knows so many that refusing is no exception, or
    /// refuses what it was not offered for that reason.
    pub(crate) fn refuse_version(&mut self, by: u32, other: u32) -> bool {
        let most = self.limits.unwanted_versions.max(1) as usize;
        let version = self.nodes.get(other).map(|node| node.client_version);
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

    /// Clients saw what hosts serve: that adds versions to what a host says itself. Nobody can take from another's
    /// words, or add what the host itself does not name.
    pub(crate) fn take_seen(&mut self, index: u32, seen: &[HostCapabilities]) {
        for seen in seen.iter().take(self.limits.leases_a_client as usize) {
            let Some((lease, side)) = self.own(index, seen.lease) else { continue };
            let Some(other) = self.leases.get(lease).map(|lease| lease.node(side.other())) else { continue };
            self.add_served(other, &seen.capabilities);
        }
    }

    fn add_served(&mut self, index: u32, seen: &[Capability]) {
        let Some(node) = self.nodes.get(index) else { return };
        let before = node.profile;
        let said = self.profile(node).cloned().unwrap_or_default();
        let Some(profile) = said.seen(seen, self.limits.capabilities as usize) else { return };
        let Some(after) = self.profiles.acquire(profile) else { return };
        if let Some(node) = self.nodes.get_mut(index) {
            node.profile = after;
        }
        self.profiles.release(before);
    }
}

/// Why hosts with a free place did not suit a client, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Incompatibilities {
    looks: u32,
    reasons: Vec<(Incompatibility, u32)>,
}

/// Different reasons that are counted one by one, for a sentence; a client has not many rules.
const REASONS: usize = 8;
/// Reasons that are told, the most frequent first.
const TOLD: usize = 3;

impl Incompatibilities {
    pub(crate) const fn is_empty(&self) -> bool {
        self.looks == 0
    }

    pub(crate) fn count(&mut self, why: Incompatibility) {
        self.looks = self.looks.saturating_add(1);
        if let Some((_, count)) = self.reasons.iter_mut().find(|(other, _)| *other == why) {
            *count = count.saturating_add(1);
        } else if self.reasons.len() < REASONS {
            self.reasons.push((why, 1));
        }
    }

    /// The reasons in words, for the client's user.
    pub(crate) fn words(&self) -> String {
        let mut reasons: Vec<&(Incompatibility, u32)> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let told = reasons.into_iter().take(TOLD).map(|(why, count)| one(why, *count));
        told.collect::<Vec<String>>().join(", ")
    }
}

fn one(why: &Incompatibility, count: u32) -> String {
    match why {
        Incompatibility::Host(Misfit::Lacks(need)) => format!("{need} is not served by {count} (--need)"),
        Incompatibility::Host(Misfit::TooOld(least)) => {
            format!("older than {least} is what {count} run (--min-client-version)")
        }
        Incompatibility::Unwanted => {
            format!("of a version that your agent (--reject-client) or your node does not go with is what {count} run")
        }
        Incompatibility::Refused => format!("your node's version is refused by {count}, so update it"),
        Incompatibility::LightFull => format!("no place for a light node is left on {count}"),
    }
}
