use vipnode_types::Misfit;

use crate::agents::Agents;

/// Why a host and a client do not suit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incompatibility {
    /// The host does not have what the client wants.
    Host(Misfit),
    /// The client's agent did not take this version before, by a rule that it keeps to itself.
    Unwanted,
    /// The host does not take the client's version.
    Refused,
    /// The client is a light node, and the host's slots for those are taken.
    LightFull,
}

/// Why a host is not to be given to a client; `None` where they are compatible.
pub(crate) fn incompatibility(client: u32, host: u32, agents: &Agents) -> Option<Incompatibility> {
    let (wants, gives) = (agents.get(client)?, agents.get(host)?);
    if let Some(rules) = agents.profile(wants).map(|profile| &profile.rules) {
        let served = agents.profile(gives).map(|profile| &*profile.serves).unwrap_or_default();
        let outdated = || rules.outdates(agents.version(gives)?);
        if let Some(misfit) = rules.misses(served).or_else(outdated) {
            return Some(Incompatibility::Host(misfit));
        }
    }
    if gives.light_full() && agents.is_light(wants) {
        return Some(Incompatibility::LightFull);
    }
    if agents.is_unwanted(client, gives) {
        return Some(Incompatibility::Unwanted);
    }
    let outdated = || agents.profile(gives)?.rules.outdates(agents.version(wants)?);
    (agents.is_unwanted(host, wants) || outdated().is_some()).then_some(Incompatibility::Refused)
}

/// Why hosts with a free slot are not compatible with a client, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Incompatibilities {
    looks: u32,
    reasons: Vec<(Incompatibility, u32)>,
}

/// Different reasons that are counted one by one, for a sentence; a client has not many rules.
const REASONS: usize = 8;
/// Reasons that are named, the most frequent first.
const NAMED: usize = 3;

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

    /// The reasons as text, for the client's user.
    pub(crate) fn words(&self) -> String {
        let mut reasons: Vec<&(Incompatibility, u32)> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let named = reasons.into_iter().take(NAMED).map(|(why, count)| one(why, *count));
        named.collect::<Vec<String>>().join(", ")
    }
}

fn one(why: &Incompatibility, count: u32) -> String {
    match why {
        Incompatibility::Host(Misfit::Lacks(need)) => format!("{need} is not served by {count} (--need)"),
        Incompatibility::Host(Misfit::TooOld(least)) => {
            format!("{count} run a version older than {least} (--min-client-version)")
        }
        Incompatibility::Unwanted => {
            format!("{count} run a version that your agent rejects (--reject-client) or your node is incompatible with")
        }
        Incompatibility::Refused => format!("your node's version is refused by {count}: update it"),
        Incompatibility::LightFull => format!("no slot for a light node is free on {count}"),
    }
}
