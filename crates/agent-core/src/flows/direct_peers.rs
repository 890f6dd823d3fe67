//! Peers that the user named, which need no pool. Each is a lease with an ID that no pool knows. It has no price and is
//! never given up: the node itself keeps dialing a host that disconnected.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vipnode_types::{Enode, Failure, LeaseId, Ms, NodeId, wire::Side};

use crate::{Action, AgentCore, DirectConfig, NameError, Notice, leases::Lease, limits};

/// Node and side (true: host side); one node may be named as host and as client.
type Key = (NodeId, bool);

impl AgentCore {
    /// Returns the peers that the user named, with their addresses; `None` while a name is not resolved.
    fn direct_wanted(&self) -> BTreeMap<Key, Option<Enode>> {
        let itself = self.node.id();
        let DirectConfig { hosts, allow } = &self.config.direct;
        let hosts = hosts.iter().map(|host| ((host.id, false), self.direct.names().resolve(host)));
        let allow = allow.iter().map(|client| ((client.id, true), Some(client.clone())));
        hosts.chain(allow).filter(|((id, _), _)| Some(*id) != itself).collect()
    }

    /// Returns how many hosts the user named, not counting the node itself.
    pub(crate) fn direct_hosts(&self) -> u32 {
        let itself = self.node.id();
        let others = self.config.direct.hosts.iter().filter(|host| Some(host.id) != itself);
        u32::try_from(others.count()).unwrap_or(u32::MAX)
    }

    /// Ends leases that are no longer wanted and begins missing ones. A peer with a new address is removed first and
    /// added once that is done: geth ignores a new address of a peer that it already has.
    pub(crate) fn keep_direct(&mut self, now: Ms, out: &mut Vec<Action>) {
        self.resolve_names(now, out);
        // A list shows which peers were connected already; the agent must not cut those connections.
        if !self.direct.is_due() || self.stopping.is_some() || !self.node.is_known(now) {
            return;
        }
        self.direct.looked();
        let mut wanted = self.direct_wanted();
        let mut held: BTreeSet<Key> = BTreeSet::new();
        // Without a pool, its leases of an earlier run are never confirmed.
        for id in self.leases.ids(|lease| lease.is_direct() || !self.config.pool) {
            let Some(lease) = self.leases.get_mut(id) else { continue };
            let key = (lease.peer_id(), lease.side() == Side::Host);
            // A connected host stays at its address, whatever its name resolves to: another of the name's hosts may be
            // missing.
            let stays = lease.side() == Side::Client && lease.connection().is_up();
            let there = |at: &Option<Enode>| at.as_ref().is_none_or(|at| stays || at == lease.peer());
            let fits = wanted.get(&key).is_some_and(there);
            if !id.is_direct() {
                self.end(id, None, out);
                continue;
            }
            if lease.runs() && fits && !held.contains(&key) {
                if lease.confirm() {
                    lease.restart_clock(now);
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
                // Tried again at the next event.
                self.direct.look_again();
                break;
            }
            let side = if is_host { Side::Host } else { Side::Client };
            self.leases.insert(Lease::new(self.direct.new_lease(), side, peer, now));
        }
    }

    /// Whether the user named this host.
    pub(crate) fn is_direct_host(&self, host: NodeId) -> bool {
        self.config.direct.hosts.iter().any(|named| named.id == host)
    }

    /// Handles a named host that disconnected: notifies the user once; the node keeps dialing it.
    pub(crate) fn direct_went_down(&mut self, now: Ms, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs() && lease.side() == Side::Client) else {
            return;
        };
        let host = lease.peer_id();
        lease.restart_clock(now);
        lease.take_over_from_node();
        if lease.connection_mut().forget_first() {
            out.push(Action::Notice(Notice::HostLost { lease: id, host, reason: None }));
        }
        self.look_for(host, now);
        self.direct.look_again();
    }

    /// Has the host's name resolved soon, because a missing host may have moved.
    fn look_for(&mut self, host: NodeId, now: Ms) {
        if let Some(named) = self.config.direct.hosts.iter().find(|named| named.id == host) {
            self.direct.names_mut().soon(named, now);
        }
    }

    /// The node may have done half of it, so it stays in the journal and is tried again.
    pub(crate) fn direct_not_applied(&mut self, now: Ms, id: LeaseId, why: Failure, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.retry_later(now, limits::DIRECT_AGAIN_MS, limits::DIRECT_AGAIN_MOST_MS);
        if lease.announce_missing() {
            let (side, peer) = (lease.side(), lease.peer_id());
            out.push(Action::Notice(Notice::DirectRefused { side, peer, why }));
        }
    }

    /// Notifies the user why a host has not been connected for a while, once until it is.
    pub(crate) fn direct_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        if !self.node.is_up() {
            return;
        }
        for id in self.leases.ids(|lease| missing_due(lease).is_some_and(|at| at <= now)) {
            let Some(lease) = self.leases.get(id) else { continue };
            let Some(cause) = self.why_not_connected(lease) else { continue };
            let (host, version) = (lease.peer_id(), lease.terms().peer_version.clone());
            out.push(Action::Notice(Notice::HostNotConnected { lease: id, host, version, cause }));
            if let Some(lease) = self.leases.get_mut(id) {
                lease.announce_missing();
            }
            self.look_for(host, now);
        }
    }

    /// Returns when a notice or a lookup is due.
    pub(crate) fn direct_due(&self) -> impl Iterator<Item = Ms> {
        let missing = self.leases.iter().filter_map(missing_due).filter(|_| self.node.is_up());
        let names = self.stopping.is_none().then(|| self.direct.names().due()).flatten();
        missing.chain(names)
    }

    fn resolve_names(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            return;
        }
        for (name, asked) in self.direct.names().all_due(now) {
            if asked {
                let expired = NameError::Expired { seconds: limits::RESOLVE_DEADLINE_MS / 1_000 };
                self.resolved(now, &name, Err(expired), out);
            } else {
                self.direct.names_mut().ask(now, &name);
                out.push(Action::Resolve { name });
            }
        }
    }

    pub(crate) fn resolved(
        &mut self,
        now: Ms,
        name: &str,
        result: Result<Vec<IpAddr>, NameError>,
        out: &mut Vec<Action>,
    ) {
        let missing = self.config.direct.hosts_called(name).any(|host| self.is_missing(host.id));
        let resolved = self.direct.names_mut().resolved(now, name, result, missing);
        if resolved.moved {
            self.direct.look_again();
        }
        out.extend(resolved.notice.map(Action::Notice));
    }

    /// Whether a missing host should be tried at another of its addresses.
    fn is_missing(&self, host: NodeId) -> bool {
        let missing =
            |lease: &Lease| lease.side() == Side::Client && lease.is_missing_announced() && !lease.connection().is_up();
        self.leases.iter().any(|lease| lease.is_direct() && lease.peer_id() == host && missing(lease))
    }
}

/// Returns when to notify the user that a host is not connected.
fn missing_due(lease: &Lease) -> Option<Ms> {
    let waits = lease.is_direct() && lease.side() == Side::Client && lease.runs() && !lease.connection().is_up();
    let news = !lease.is_unreleased() && !lease.is_missing_announced();
    (waits && news).then(|| lease.since().plus(limits::CONNECT_ALONE_MS))
}
