use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vipnode_types::{Enode, NodeId, REDIAL_MS};

use super::{SimFamily, SimKind, SimPeer, SimSpec};

/// From the start of a dial until both sides list the peer and say so in `peerEvents`.
const CONNECT_MS: u64 = 4;
/// From there until the sub-protocol runs.
const READY_MS: u64 = 6;
/// How long a peer shows that is thrown out by the sub-protocol.
const DOOMED_MS: u64 = 3;
/// When a light node is thrown out by a full pool of light nodes.
const LIGHT_REFUSED_MS: u64 = 2;
/// One inbound attempt per public address in this time, trusted or not.
const THROTTLE_MS: u64 = 30_000;
/// After a call, reth dials no sooner than this: at its next tick.
const RETH_TICK_MS: u64 = 2_000;
/// Dials at once (geth's default).
const MAX_ACTIVE_DIALS: u32 = 16;

/// A network of simulated nodes. The caller passes the time; nothing happens outside
/// [`World::advance`] and the calls.
#[derive(Debug, Default)]
pub struct World {
    now_ms: u64,
    nodes: BTreeMap<NodeId, Body>,
    jobs: BTreeMap<(u64, u64), Job>,
    jobs_made: u64,
    links_made: u64,
    events: Vec<SimEvent>,
}

/// A peer connected or disconnected, as `peerEvents` of one node reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimEvent {
    /// Whose table it is.
    pub node: NodeId,
    /// The peer that connected or disconnected.
    pub peer: NodeId,
    /// Came, or went.
    pub added: bool,
}

#[derive(Debug)]
struct Body {
    spec: SimSpec,
    running: bool,
    /// Counts starts; what was begun before a restart is void after it.
    boot: u64,
    trusted: BTreeSet<NodeId>,
    statics: BTreeMap<NodeId, Enode>,
    peers: BTreeMap<NodeId, Link>,
    dialing: BTreeSet<NodeId>,
    /// Not to be dialed before.
    dialed_until: BTreeMap<NodeId, u64>,
    /// No further attempt from here before.
    heard_until: BTreeMap<IpAddr, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    number: u64,
    inbound: bool,
    ready: bool,
}

#[derive(Debug, Clone)]
enum Job {
    Arrive { from: NodeId, boot: u64, to: Enode },
    Ready { a: NodeId, b: NodeId, link: u64 },
    Break { a: NodeId, b: NodeId, link: u64 },
    Redial { node: NodeId },
}

/// What becomes of a dial.
enum DialOutcome {
    Connected,
    /// Both sides list the peer for so long, not ready.
    Doomed(u64),
    Refused,
}

impl World {
    /// Adds a node and starts it. A node of the same id is replaced.
    pub fn add(&mut self, spec: SimSpec) {
        self.stop(spec.id);
        let boot = self.nodes.get(&spec.id).map_or(0, |body| body.boot);
        self.nodes.insert(spec.id, Body::new(spec, boot.saturating_add(1)));
    }

    /// What was added, running or not.
    #[must_use]
    pub fn spec(&self, node: NodeId) -> Option<&SimSpec> {
        self.nodes.get(&node).map(|body| &body.spec)
    }

    /// Changes what a node is: its head, its chain, its limits. Connections stay.
    pub fn change(&mut self, node: NodeId, change: impl FnOnce(&mut SimSpec)) {
        if let Some(body) = self.nodes.get_mut(&node) {
            change(&mut body.spec);
            body.spec.id = node;
        }
    }

    /// Whether the node is there and running.
    #[must_use]
    pub fn is_running(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|body| body.running)
    }

    /// Stops a node: its connections break, what it was asked to do is forgotten.
    pub fn stop(&mut self, node: NodeId) {
        let Some(body) = self.nodes.get_mut(&node) else { return };
        let peers: Vec<NodeId> = body.peers.keys().copied().collect();
        body.running = false;
        body.trusted.clear();
        body.statics.clear();
        body.dialing.clear();
        body.dialed_until.clear();
        body.heard_until.clear();
        for peer in peers {
            self.unlink(node, peer);
        }
    }

    /// Starts a node that was stopped.
    pub fn start(&mut self, node: NodeId) {
        if let Some(body) = self.nodes.get_mut(&node).filter(|body| !body.running) {
            body.running = true;
            body.boot = body.boot.saturating_add(1);
        }
    }

    /// `admin_addPeer`: dials, and keeps dialing, within the limits. An id added again with another address is
    /// ignored.
    pub fn add_peer(&mut self, node: NodeId, peer: Enode) {
        let Some(body) = self.running(node) else { return };
        if peer.id == node {
            return;
        }
        body.statics.entry(peer.id).or_insert(peer);
        match body.spec.family {
            SimFamily::Geth | SimFamily::Nethermind | SimFamily::Besu => self.dial(node),
            SimFamily::Reth => self.after(RETH_TICK_MS, Job::Redial { node }),
        }
    }

    /// `admin_removePeer`: stops dialing and disconnects; trust stays, and the other side may dial again.
    pub fn remove_peer(&mut self, node: NodeId, peer: NodeId) {
        let Some(body) = self.running(node) else { return };
        body.statics.remove(&peer);
        self.unlink(node, peer);
    }

    /// `admin_addTrustedPeer`: lets the peer in past the limit of peers. Never dials.
    pub fn trust(&mut self, node: NodeId, peer: NodeId) {
        if let Some(body) = self.running(node) {
            body.trusted.insert(peer);
        }
    }

    /// `admin_removeTrustedPeer`: no connection breaks.
    pub fn untrust(&mut self, node: NodeId, peer: NodeId) {
        if let Some(body) = self.running(node) {
            body.trusted.remove(&peer);
        }
    }

    /// Breaks a connection, as the network does.
    pub fn unlink(&mut self, a: NodeId, b: NodeId) {
        let mut broken = Vec::with_capacity(2);
        for (node, peer) in [(a, b), (b, a)] {
            if self.nodes.get_mut(&node).is_some_and(|body| body.peers.remove(&peer).is_some()) {
                self.events.push(SimEvent { node, peer, added: false });
                broken.push(node);
            }
        }
        for node in broken {
            self.dial(node);
        }
    }

    /// The table of a node, by id; empty for one that is stopped.
    #[must_use]
    pub fn peers(&self, node: NodeId) -> Vec<SimPeer> {
        let Some(body) = self.nodes.get(&node) else { return Vec::new() };
        let peer = |(id, link): (&NodeId, &Link)| SimPeer {
            id: *id,
            inbound: link.inbound,
            trusted: body.trusted.contains(id),
            ready: link.ready,
        };
        body.peers.iter().map(peer).collect()
    }

    /// Returns the peers that a node trusts. No RPC method of geth returns them; for checks of simulations.
    #[must_use]
    pub fn trusted(&self, node: NodeId) -> Vec<NodeId> {
        self.nodes.get(&node).map(|body| body.trusted.iter().copied().collect()).unwrap_or_default()
    }

    /// Returns the peers that a node keeps dialing. No RPC method of geth returns them; for checks of simulations.
    #[must_use]
    pub fn statics(&self, node: NodeId) -> Vec<NodeId> {
        self.nodes.get(&node).map(|body| body.statics.keys().copied().collect()).unwrap_or_default()
    }

    /// Lets everything happen that is due up to `now_ms`, each at its own moment.
    pub fn advance(&mut self, now_ms: u64) {
        while let Some(entry) = self.jobs.first_entry() {
            let (at_ms, _) = *entry.key();
            if at_ms > now_ms {
                break;
            }
            let job = entry.remove();
            self.now_ms = self.now_ms.max(at_ms);
            self.carry_out(job);
        }
        self.now_ms = self.now_ms.max(now_ms);
    }

    /// When something is due next, in the same count of milliseconds.
    #[must_use]
    pub fn next_wake_ms(&self) -> Option<u64> {
        self.jobs.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    /// What happened since the last time this was asked.
    pub fn take_events(&mut self) -> Vec<SimEvent> {
        std::mem::take(&mut self.events)
    }

    fn running(&mut self, node: NodeId) -> Option<&mut Body> {
        self.nodes.get_mut(&node).filter(|body| body.running)
    }

    fn after(&mut self, ms: u64, job: Job) {
        self.jobs_made = self.jobs_made.saturating_add(1);
        self.jobs.insert((self.now_ms.saturating_add(ms), self.jobs_made), job);
    }

    fn carry_out(&mut self, job: Job) {
        match job {
            Job::Arrive { from, boot, to } => self.arrive(from, boot, &to),
            Job::Ready { a, b, link } => {
                for (node, peer) in [(a, b), (b, a)] {
                    let peer = self.nodes.get_mut(&node).and_then(|body| body.peers.get_mut(&peer));
                    if let Some(peer) = peer.filter(|peer| peer.number == link) {
                        peer.ready = true;
                    }
                }
            }
            Job::Break { a, b, link } => {
                if self.nodes.get(&a).and_then(|body| body.peers.get(&b)).is_some_and(|peer| peer.number == link) {
                    self.unlink(a, b);
                }
            }
            Job::Redial { node } => self.dial(node),
        }
    }

    /// Dials what it has to dial while dial slots are free.
    fn dial(&mut self, node: NodeId) {
        let now_ms = self.now_ms;
        let Some(body) = self.running(node) else { return };
        body.dialed_until.retain(|_, until_ms| *until_ms > now_ms);
        let boot = body.boot;
        let due: Vec<Enode> = body.due().take(body.free_dial_slots()).cloned().collect();
        for peer in &due {
            body.dialing.insert(peer.id);
            body.dialed_until.insert(peer.id, now_ms.saturating_add(REDIAL_MS));
        }
        for peer in due {
            self.after(REDIAL_MS, Job::Redial { node });
            self.after(CONNECT_MS, Job::Arrive { from: node, boot, to: peer });
        }
    }

    fn arrive(&mut self, from: NodeId, boot: u64, to: &Enode) {
        let Some(dialler) = self.running(from).filter(|body| body.boot == boot) else { return };
        dialler.dialing.remove(&to.id);
        match self.judge(from, to) {
            DialOutcome::Refused => self.dial(from),
            DialOutcome::Connected => {
                let link = self.link(from, to.id);
                self.after(READY_MS, Job::Ready { a: from, b: to.id, link });
            }
            DialOutcome::Doomed(ms) => {
                let link = self.link(from, to.id);
                self.after(ms, Job::Break { a: from, b: to.id, link });
            }
        }
    }

    fn judge(&mut self, from: NodeId, to: &Enode) -> DialOutcome {
        let now_ms = self.now_ms;
        let Some(source) = self.nodes.get(&from).map(|body| body.spec.ip) else { return DialOutcome::Refused };
        let Some(host) = self.running(to.id).filter(|host| host.spec.answers_at(to)) else {
            return DialOutcome::Refused;
        };
        if !host.hears(source, now_ms) || !host.takes(from, true) {
            return DialOutcome::Refused;
        }
        let (Some(host), Some(dialler)) = (self.nodes.get(&to.id), self.nodes.get(&from)) else {
            return DialOutcome::Refused;
        };
        if !dialler.takes(to.id, false) {
            return DialOutcome::Refused;
        }
        self.sub_protocol(dialler, host)
    }

    /// What the sub-protocols say once both nodes have taken the connection.
    fn sub_protocol(&self, dialler: &Body, host: &Body) -> DialOutcome {
        if dialler.spec.chain != host.spec.chain {
            return DialOutcome::Doomed(DOOMED_MS);
        }
        let places = match (dialler.spec.kind, host.spec.kind) {
            (SimKind::Full { .. }, SimKind::Full { .. }) => return DialOutcome::Connected,
            (SimKind::Light, SimKind::Light) => return DialOutcome::Doomed(DOOMED_MS),
            (SimKind::Light, SimKind::Full { light_max_peers }) => (host, light_max_peers),
            (SimKind::Full { light_max_peers }, SimKind::Light) => (dialler, light_max_peers),
        };
        let (server, max) = places;
        let is_light = |id: &&NodeId| self.nodes.get(*id).is_some_and(|body| body.spec.kind == SimKind::Light);
        let light = server.peers.keys().filter(is_light).count();
        // Trust does not beat this one.
        if light < usize::try_from(max).unwrap_or(usize::MAX) {
            DialOutcome::Connected
        } else {
            DialOutcome::Doomed(LIGHT_REFUSED_MS)
        }
    }

    fn link(&mut self, dialler: NodeId, host: NodeId) -> u64 {
        self.links_made = self.links_made.saturating_add(1);
        let number = self.links_made;
        for (node, peer, inbound) in [(dialler, host, false), (host, dialler, true)] {
            if let Some(body) = self.nodes.get_mut(&node) {
                body.peers.insert(peer, Link { number, inbound, ready: false });
                self.events.push(SimEvent { node, peer, added: true });
            }
        }
        number
    }
}

impl Body {
    fn new(spec: SimSpec, boot: u64) -> Self {
        Self {
            spec,
            running: true,
            boot,
            trusted: BTreeSet::new(),
            statics: BTreeMap::new(),
            peers: BTreeMap::new(),
            dialing: BTreeSet::new(),
            dialed_until: BTreeMap::new(),
            heard_until: BTreeMap::new(),
        }
    }

    /// geth looks for twice as many as places are free, since most dials fail.
    fn free_dial_slots(&self) -> usize {
        let dialed = self.peers.values().filter(|link| !link.inbound).count();
        let slots = usize::try_from(self.spec.dial_slots()).unwrap_or(usize::MAX).saturating_sub(dialed);
        let slots = slots.saturating_mul(2).min(usize::try_from(MAX_ACTIVE_DIALS).unwrap_or(usize::MAX));
        slots.saturating_sub(self.dialing.len())
    }

    fn due(&self) -> impl Iterator<Item = &Enode> {
        self.statics.values().filter(|peer| {
            !self.peers.contains_key(&peer.id)
                && !self.dialing.contains(&peer.id)
                && !self.dialed_until.contains_key(&peer.id)
        })
    }

    /// Whether an attempt from this address is heard at all.
    fn hears(&mut self, source: IpAddr, now_ms: u64) -> bool {
        if is_lan(source) {
            return true;
        }
        self.heard_until.retain(|_, until_ms| *until_ms > now_ms);
        if self.heard_until.contains_key(&source) {
            return false;
        }
        self.heard_until.insert(source, now_ms.saturating_add(THROTTLE_MS));
        true
    }

    /// The limit of peers, for a connection with `peer`. Trusted peers pass it and count in it.
    fn takes(&self, peer: NodeId, inbound: bool) -> bool {
        if self.peers.contains_key(&peer) {
            return false;
        }
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let all = count(self.peers.len());
        let inbound_now = count(self.peers.values().filter(|link| link.inbound).count());
        self.trusted.contains(&peer)
            || (all < self.spec.max_peers && (!inbound || inbound_now < self.spec.inbound_slots()))
    }
}

impl SimSpec {
    fn answers_at(&self, enode: &Enode) -> bool {
        enode.ip() == Some(self.ip) && enode.port == self.port
    }
}

fn is_lan(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
