//! Peers that the user named, which need no pool. Each is a lease of its own, under a name that no pool knows. It has
//! no price and is never given up: a host that goes is dialled on, by the node itself.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Enode, LeaseId, Ms, NodeId, wire::Side};

use crate::{
    Action, AgentCore, DirectConfig, Notice, direct::names::Names, leases::lease::Lease, leases::table::Leases, limits,
};

/// What is remembered beside the leases themselves.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    /// What stands may be something else than what is wanted.
    due: bool,
    next: u64,
    pub(crate) names: Names,
}

/// One node may be named as host and as client.
type Key = (NodeId, bool);

impl Direct {
    /// Names of leases begin past those of an earlier run.
    pub(crate) fn new(config: &DirectConfig, leases: &Leases) -> Self {
        let last = leases.iter().map(|lease| lease.id).filter(|id| id.is_direct()).map(LeaseId::get).max();
        let mut names = Names::default();
        names.keep(&config.hosts);
        Self { due: true, next: last.map_or(0, |last| last.saturating_add(1)), names }
    }

    pub(crate) fn configured(&mut self, config: &DirectConfig) {
        self.names.keep(&config.hosts);
        self.due = true;
    }

    /// Something that was in the way of what is wanted may be gone.
    pub(crate) const fn look_again(&mut self) {
        self.due = true;
    }

    pub(crate) const fn is_due(&self) -> bool {
        self.due
    }

    const fn new_lease(&mut self) -> LeaseId {
        let lease = LeaseId::direct(self.next);
        self.next = self.next.saturating_add(1);
        lease
    }
}

impl AgentCore {
    /// Whom the user wants, and where: `None` while a name was never resolved.
    fn direct_wanted(&self) -> BTreeMap<Key, Option<Enode>> {
        let itself = self.node.facts.as_ref().map(|facts| facts.id);
        let DirectConfig { hosts, allow } = &self.config.direct;
        let hosts = hosts.iter().map(|host| ((host.id, false), self.direct.names.place(host)));
        let allow = allow.iter().map(|client| ((client.id, true), Some(client.clone())));
        hosts.chain(allow).filter(|((id, _), _)| Some(*id) != itself).collect()
    }

    /// Hosts that the user named; a node is none of itself.
    pub(crate) fn named_hosts(&self) -> u32 {
        let itself = self.node.facts.as_ref().map(|facts| facts.id);
        let others = self.config.direct.hosts.iter().filter(|host| Some(host.id) != itself);
        u32::try_from(others.count()).unwrap_or(u32::MAX)
    }

    /// Ends what is not wanted any more and begins what is missing. Who moved is removed first and added once that is
    /// done: geth takes no new address of a node that it has.
    pub(crate) fn keep_direct(&mut self, now: Ms, out: &mut Vec<Action>) {
        self.say_resolve(now, out);
        // Who is connected already is known after a look: such a connection is not the agent's to cut.
        let looked = self.node.up && self.node.looked && now.since(self.node.watched) < limits::UNWATCHED_MS;
        if !self.direct.due || self.stopping.is_some() || !looked {
            return;
        }
        self.direct.due = false;
        let mut wanted = self.direct_wanted();
        let mut held: BTreeSet<Key> = BTreeSet::new();
        // Without a pool nobody says which of its leases live.
        for id in self.leases.ids(|lease| lease.id.is_direct() || !self.config.pool) {
            let Some(lease) = self.leases.get_mut(id) else { continue };
            let key = (lease.peer.id, lease.side == Side::Host);
            // A host that is connected is where it is, whatever its name points to: another of that name may be missing.
            let stays = lease.side == Side::Client && lease.up.is_some();
            let there = |place: &Option<Enode>| place.as_ref().is_none_or(|place| stays || *place == lease.peer);
            let fits = wanted.get(&key).is_some_and(there);
            if !id.is_direct() {
                self.end(id, None, out);
                continue;
            }
            if lease.runs() && fits && !held.contains(&key) {
                if std::mem::take(&mut lease.leftover) {
                    // Trust is memory of the node only: it may have restarted while nobody looked.
                    lease.applied = false;
                    lease.given = now;
                }
            } else {
                self.end(id, None, out);
                if self.forget_unbegun(id, out) {
                    continue;
                }
            }
            held.insert(key);
        }
        wanted.retain(|key, _| !held.contains(key));
        for ((_, is_host), peer) in wanted {
            let Some(peer) = peer else { continue };
            if self.leases.len() >= limits::LEASES {
                // Tried again with whatever happens next.
                self.direct.due = true;
                break;
            }
            self.begin_direct(now, if is_host { Side::Host } else { Side::Client }, peer);
        }
    }

    fn begin_direct(&mut self, now: Ms, side: Side, peer: Enode) {
        self.leases.insert(Lease::new(self.direct.new_lease(), side, peer, now));
    }

    /// Whether the user named that host.
    pub(crate) fn is_named_host(&self, host: NodeId) -> bool {
        self.config.direct.hosts.iter().any(|named| named.id == host)
    }

    /// A host is told about once, and dialled on.
    pub(crate) fn direct_went_down(&mut self, now: Ms, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs() && lease.side == Side::Client) else {
            return;
        };
        let host = lease.peer.id;
        lease.given = now;
        // What the node kept by itself and lost is from now on kept by the agent.
        lease.nodes_own = false;
        if std::mem::take(&mut lease.ever_up) {
            out.push(Action::Notice(Notice::HostGone { lease: id, host }));
        }
        self.look_for(host, now);
        self.direct.look_again();
    }

    /// A host that is not there may have moved.
    fn look_for(&mut self, host: NodeId, now: Ms) {
        if let Some(named) = self.config.direct.hosts.iter().find(|named| named.id == host) {
            self.direct.names.soon(named, now);
        }
    }

    /// Whether the node did half of it is not known: it stays in the journal, and is tried again.
    pub(crate) fn direct_not_applied(&mut self, now: Ms, id: LeaseId, why: &str, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.again = Some(now.plus(limits::DIRECT_AGAIN_MS));
        if !std::mem::replace(&mut lease.missing_said, true) {
            let (side, peer) = (lease.side, lease.peer.id);
            out.push(Action::Notice(Notice::DirectRefused { side, peer, why: why.to_owned() }));
        }
    }

    /// Says why a host is not connected for a while, once until it is.
    pub(crate) fn direct_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        if !self.node.up {
            return;
        }
        for id in self.leases.ids(|lease| missing_due(lease).is_some_and(|at| at <= now)) {
            let Some(lease) = self.leases.get(id) else { continue };
            let Some(cause) = self.why_not_connected(lease) else { continue };
            let (host, version) = (lease.peer.id, lease.peer_version.clone());
            out.push(Action::Notice(Notice::HostNotConnected { lease: id, host, version, cause }));
            if let Some(lease) = self.leases.get_mut(id) {
                lease.missing_said = true;
            }
            self.look_for(host, now);
        }
    }

    /// When something of it is due by the clock.
    pub(crate) fn direct_due(&self) -> impl Iterator<Item = Ms> {
        let missing = self.leases.iter().filter_map(missing_due).filter(|_| self.node.up);
        let names = self.stopping.is_none().then(|| self.direct.names.due()).flatten();
        missing.chain(names)
    }

    /// Whether a host that moves about is to be looked for at another of its addresses.
    pub(crate) fn is_missing(&self, host: NodeId) -> bool {
        let missing = |lease: &Lease| lease.side == Side::Client && lease.missing_said && lease.up.is_none();
        self.leases.iter().any(|lease| lease.id.is_direct() && lease.peer.id == host && missing(lease))
    }
}

/// When a host that is not connected is told about.
fn missing_due(lease: &Lease) -> Option<Ms> {
    let waits = lease.id.is_direct() && lease.side == Side::Client && lease.runs() && lease.up.is_none();
    (waits && !lease.leftover && !lease.missing_said).then(|| lease.given.plus(limits::CONNECT_ALONE_MS))
}
