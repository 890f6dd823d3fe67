use vipnode_types::{Capability, Mismatch};

use crate::{
    Limits,
    agents::{Agents, node_class::NodeClass},
};

/// Why a host and a client are incompatible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incompatibility {
    /// The host does not have what the client requires.
    Host(Mismatch),
    /// The client's agent rejected this version before, by a rule that only it knows.
    VersionRejected,
    /// The host rejects the client's version.
    Refused,
    /// The client is a light node, and the host's slots for light nodes are full.
    LightFull,
    /// The host is in a private network or on the pool's own machine, and the client is not.
    NoAddress,
}

/// Returns why a client and every host of a class are incompatible, or `None`.
pub(crate) fn class_incompatibility(client: u32, hosts: NodeClass, agents: &Agents) -> Option<Incompatibility> {
    let profile = agents.class_profile(hosts);
    let served = profile.map(|profile| &*profile.serves).unwrap_or_default();
    incompatibility_if(client, hosts, served, agents)
}

/// Returns why a client and a host of a class are incompatible if the host serves these capabilities, or `None`.
pub(crate) fn incompatibility_if(
    client: u32,
    hosts: NodeClass,
    served: &[Capability],
    agents: &Agents,
) -> Option<Incompatibility> {
    let wants = agents.get(client)?;
    if let Some(rules) = agents.profile(wants).map(|profile| &profile.rules) {
        let outdated = || rules.outdates(agents.class_version(hosts)?);
        if let Some(unmet) = rules.misses(served).or_else(outdated) {
            return Some(Incompatibility::Host(unmet));
        }
    }
    if agents.is_version_rejected(client, hosts.version()) {
        return Some(Incompatibility::VersionRejected);
    }
    agents.class_profile(hosts)?.rules.outdates(agents.version(wants)?).map(|_| Incompatibility::Refused)
}

/// Returns why a client and a host of a compatible class are incompatible, or `None`.
pub(crate) fn host_incompatibility(
    client: u32,
    host: u32,
    agents: &Agents,
    limits: &Limits,
) -> Option<Incompatibility> {
    let (wants, gives) = (agents.get(client)?, agents.get(host)?);
    if !gives.may_be_dialed_by(wants, limits.members_only) {
        return Some(Incompatibility::NoAddress);
    }
    if gives.light_full() && agents.is_light(client) {
        return Some(Incompatibility::LightFull);
    }
    agents.is_version_rejected(host, wants.client_version()).then_some(Incompatibility::Refused)
}

/// Counts of the reasons why hosts with a free slot are incompatible with a client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Incompatibilities {
    examined_hosts: u32,
    reasons: Vec<(Incompatibility, u32)>,
}

/// The number of different reasons counted for the text; a client has few rules.
const REASONS: usize = 8;
/// The number of reasons named in the text, the most frequent first.
const NAMED: usize = 3;

impl Incompatibilities {
    pub(crate) const fn is_empty(&self) -> bool {
        self.examined_hosts == 0
    }

    pub(crate) fn count(&mut self, why: Incompatibility, hosts: u32) {
        self.examined_hosts = self.examined_hosts.saturating_add(hosts);
        if let Some((_, count)) = self.reasons.iter_mut().find(|(other, _)| *other == why) {
            *count = count.saturating_add(hosts);
        } else if self.reasons.len() < REASONS {
            self.reasons.push((why, hosts));
        }
    }

    /// Returns the reasons as text, for the client's user.
    pub(crate) fn words(&self) -> String {
        let mut reasons: Vec<&(Incompatibility, u32)> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let named = reasons.into_iter().take(NAMED).map(|(why, count)| format!("{count} {}", why.words(*count)));
        named.collect::<Vec<String>>().join(", ")
    }
}

impl Incompatibility {
    /// What is wrong with so many hosts, for the client's user: a predicate of which they are the subject.
    pub(crate) fn words(&self, hosts: u32) -> String {
        let (do_not, run, reject, have) =
            if hosts == 1 { ("does not", "runs", "rejects", "has") } else { ("do not", "run", "reject", "have") };
        match self {
            Self::Host(Mismatch::Lacks(need)) => format!("{do_not} serve {need} (--need)"),
            Self::Host(Mismatch::TooOld(least)) => {
                format!("{run} a version older than {least} (--min-client-version)")
            }
            Self::VersionRejected => {
                format!("{run} a version that your agent rejects (--reject-client) or your node is incompatible with")
            }
            Self::Refused => format!("{reject} your node's version: update it"),
            Self::LightFull => format!("{have} no free slot for a light node"),
            Self::NoAddress => format!("{have} no address that your node can reach"),
        }
    }
}
