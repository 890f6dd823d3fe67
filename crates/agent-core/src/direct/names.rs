use std::{collections::BTreeMap, net::IpAddr};

use vipnode_types::{Enode, EnodeHost, Ms};

use crate::{Action, AgentCore, Notice, limits};

/// The names of hosts that the user named, and where they point: no execution client resolves one twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<Box<str>, Name>);

#[derive(Debug, Clone)]
struct Name {
    ip: Option<IpAddr>,
    /// Since when it is being looked up.
    asked: Option<Ms>,
    /// When it is looked up again.
    next: Ms,
    answered: Ms,
    /// The user knows that it cannot be resolved.
    unresolved_said: bool,
}

impl Names {
    /// Exactly the names of these.
    pub(crate) fn keep(&mut self, hosts: &[Enode]) {
        let names: Vec<&str> = hosts.iter().filter_map(name_of).collect();
        self.0.retain(|name, _| names.contains(&&**name));
        for name in names {
            self.0.entry(name.into()).or_insert(Name {
                ip: None,
                asked: None,
                next: Ms::ZERO,
                answered: Ms::ZERO,
                unresolved_said: false,
            });
        }
    }

    /// The host with an address that can be dialled; `None` before its name was resolved.
    pub(crate) fn place(&self, host: &Enode) -> Option<Enode> {
        match name_of(host) {
            None => Some(host.clone()),
            Some(name) => self.0.get(name)?.ip.map(|ip| host.with_ip(ip)),
        }
    }

    /// The host is gone: it may have moved.
    pub(crate) fn soon(&mut self, host: &Enode, now: Ms) {
        if let Some(name) = name_of(host).and_then(|name| self.0.get_mut(name)) {
            name.next = name.next.min(now.max(name.answered.plus(limits::RESOLVE_LEAST_MS)));
        }
    }

    /// When the first of them is due.
    pub(crate) fn due(&self) -> Option<Ms> {
        self.0.values().map(Name::due).min()
    }
}

impl Name {
    fn due(&self) -> Ms {
        self.asked.map_or(self.next, |asked| asked.plus(limits::RESOLVE_DEADLINE_MS))
    }
}

impl AgentCore {
    pub(crate) fn say_resolve(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            return;
        }
        let due = self.direct.names.0.iter().filter(|(_, at)| at.due() <= now);
        let due: Vec<(Box<str>, bool)> = due.map(|(name, at)| (name.clone(), at.asked.is_some())).collect();
        for (name, asked) in due {
            if asked {
                self.resolved(now, &name, Err("nothing answered in time".to_owned()), out);
            } else if let Some(at) = self.direct.names.0.get_mut(&name) {
                at.asked = Some(now);
                out.push(Action::Resolve { name });
            }
        }
    }

    pub(crate) fn resolved(&mut self, now: Ms, name: &str, result: Result<Vec<IpAddr>, String>, out: &mut Vec<Action>) {
        let of_name = |host: &&Enode| name_of(host) == Some(name);
        let missing = self.config.direct.hosts.iter().filter(of_name).any(|host| self.is_missing(host.id));
        let Some(at) = self.direct.names.0.get_mut(name) else { return };
        at.asked = None;
        at.answered = now;
        let found = result.and_then(|ips| choose(&ips, at.ip, missing).ok_or_else(|| "it has no address".to_owned()));
        match found {
            Ok(ip) => {
                at.next = now.plus(if missing { limits::RESOLVE_MISSING_MS } else { limits::RESOLVE_MS });
                at.unresolved_said = false;
                if at.ip.replace(ip) != Some(ip) {
                    self.direct.look_again();
                }
            }
            Err(why) => {
                at.next = now.plus(limits::RESOLVE_AGAIN_MS);
                if !std::mem::replace(&mut at.unresolved_said, true) {
                    out.push(Action::Notice(Notice::NameUnresolved { name: name.into(), why }));
                }
            }
        }
    }
}

/// The address that was used so far as long as the name has it, for names that turn round their addresses; the one
/// behind it where no host was found there.
fn choose(ips: &[IpAddr], last: Option<IpAddr>, missing: bool) -> Option<IpAddr> {
    let usable = |ip: &&IpAddr| !ip.is_unspecified() && !ip.is_multicast();
    let mut ips: Vec<IpAddr> = ips.iter().filter(usable).take(limits::NAME_ADDRESSES).copied().collect();
    if missing {
        // In one order, so that each has its turn.
        ips.sort_unstable();
    }
    let at = last.and_then(|last| ips.iter().position(|ip| *ip == last));
    let next = at.filter(|_| missing).and_then(|at| ips.get(at.saturating_add(1)));
    next.or(at.filter(|_| !missing).and_then(|at| ips.get(at))).or(ips.first()).copied()
}

fn name_of(host: &Enode) -> Option<&str> {
    match &host.host {
        EnodeHost::Dns(name) => Some(name),
        EnodeHost::None | EnodeHost::Ip(_) => None,
    }
}
