use std::{collections::BTreeMap, net::IpAddr};

use vipnode_types::{Enode, EnodeHost, Ms};

use crate::{NameError, Notice, limits};

/// The host names of hosts that the user named, with their addresses. An execution client resolves a name only once,
/// when it is added.
#[derive(Debug, Clone, Default)]
pub(crate) struct DnsNames(BTreeMap<Box<str>, Name>);

#[derive(Debug, Clone)]
struct Name {
    ip: Option<IpAddr>,
    /// Since when a lookup is in progress.
    asked: Option<Ms>,
    /// When the next lookup is due.
    next: Ms,
    answered: Ms,
    /// The user was notified that it cannot be resolved.
    unresolved_announced: bool,
}

impl DnsNames {
    /// Keeps exactly the names of these hosts.
    pub(crate) fn keep(&mut self, hosts: &[Enode]) {
        let names: Vec<&str> = hosts.iter().filter_map(name_of).collect();
        self.0.retain(|name, _| names.contains(&&**name));
        for name in names {
            self.0.entry(name.into()).or_insert(Name {
                ip: None,
                asked: None,
                next: Ms::ZERO,
                answered: Ms::ZERO,
                unresolved_announced: false,
            });
        }
    }

    /// Returns the host with an IP address; `None` until its name was resolved.
    pub(crate) fn resolve(&self, host: &Enode) -> Option<Enode> {
        match name_of(host) {
            None => Some(host.clone()),
            Some(name) => self.0.get(name)?.ip.map(|ip| host.with_ip(ip)),
        }
    }

    /// Schedules a lookup soon, because the host disconnected and may have moved.
    pub(crate) fn soon(&mut self, host: &Enode, now: Ms) {
        if let Some(name) = name_of(host).and_then(|name| self.0.get_mut(name)) {
            name.next = name.next.min(now.max(name.answered.plus(limits::RESOLVE_LEAST_MS)));
        }
    }

    /// Returns when the next lookup or deadline is due.
    pub(crate) fn due(&self) -> Option<Ms> {
        self.0.values().map(Name::due).min()
    }

    /// Returns the names that are due; true for those whose lookup got no answer in time.
    pub(crate) fn all_due(&self, now: Ms) -> Vec<(Box<str>, bool)> {
        let due = self.0.iter().filter(|(_, at)| at.due() <= now);
        due.map(|(name, at)| (name.clone(), at.asked.is_some())).collect()
    }

    /// Records that a lookup began.
    pub(crate) fn ask(&mut self, now: Ms, name: &str) {
        if let Some(at) = self.0.get_mut(name) {
            at.asked = Some(now);
        }
    }

    /// Records the result of a lookup. `missing`: a host of that name is not connected and has to be tried at another
    /// address.
    pub(crate) fn resolved(
        &mut self,
        now: Ms,
        name: &str,
        result: Result<Vec<IpAddr>, NameError>,
        missing: bool,
    ) -> Resolved {
        let nothing = Resolved { moved: false, notice: None };
        let Some(at) = self.0.get_mut(name) else { return nothing };
        at.asked = None;
        at.answered = now;
        let found = result.and_then(|ips| choose(&ips, at.ip, missing).ok_or(NameError::NoAddress));
        match found {
            Ok(ip) => {
                at.next = now.plus(if missing { limits::RESOLVE_MISSING_MS } else { limits::RESOLVE_MS });
                at.unresolved_announced = false;
                Resolved { moved: at.ip.replace(ip) != Some(ip), ..nothing }
            }
            Err(why) => {
                at.next = now.plus(limits::RESOLVE_AGAIN_MS);
                let news = !std::mem::replace(&mut at.unresolved_announced, true);
                Resolved { notice: news.then(|| Notice::NameUnresolved { name: name.into(), why }), ..nothing }
            }
        }
    }
}

/// What a lookup changes.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The name resolves to another address than before.
    pub(crate) moved: bool,
    pub(crate) notice: Option<Notice>,
}

impl Name {
    fn due(&self) -> Ms {
        self.asked.map_or(self.next, |asked| asked.plus(limits::RESOLVE_DEADLINE_MS))
    }
}

/// Chooses an address: the one in use, as long as the name resolves to it (round-robin DNS); the next one if the host
/// was not reached there.
fn choose(ips: &[IpAddr], last: Option<IpAddr>, missing: bool) -> Option<IpAddr> {
    let usable = |ip: &&IpAddr| !ip.is_unspecified() && !ip.is_multicast();
    let mut ips: Vec<IpAddr> = ips.iter().filter(usable).take(limits::NAME_ADDRESSES).copied().collect();
    if missing {
        // Sorted, so that each address gets its turn.
        ips.sort_unstable();
    }
    let at = last.and_then(|last| ips.iter().position(|ip| *ip == last));
    let next = at.filter(|_| missing).and_then(|at| ips.get(at.saturating_add(1)));
    next.or(at.filter(|_| !missing).and_then(|at| ips.get(at))).or(ips.first()).copied()
}

pub(super) fn name_of(host: &Enode) -> Option<&str> {
    match &host.host {
        EnodeHost::Dns(name) => Some(name),
        EnodeHost::None | EnodeHost::Ip(_) => None,
    }
}
