//! A small, naive model of geth nodes: trust, static peers, dial slots, places, the 35 s between dials.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vipnode_types::{Direction, NodeId, PeerFact};

use super::Truth;
use crate::{AgentPlan, scenarios::capabilities};

/// A peer is dialled again no sooner than this (geth 1.17.5, seen).
pub const REDIAL_MS: u64 = 35_000;
/// One attempt from a public address is let in in this time (geth's `inboundThrottleTime`).
const THROTTLE_MS: u64 = 30_000;
/// A connection shows for this long before a sub-protocol runs.
const HANDSHAKE_MS: u64 = 3;

/// All nodes and what connects them.
#[derive(Debug)]
pub struct Devp2p {
    /// By number, as the agents are.
    pub nodes: Vec<Node>,
    /// Pairs that cannot reach each other.
    pub severed: BTreeSet<(usize, usize)>,
    /// Who was connected when.
    pub truth: Truth,
    next_link: u64,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub id: NodeId,
    /// Whether its process runs.
    pub up: bool,
    /// How often it was started.
    pub boot: u32,
    /// Whom it lets in past its limits.
    pub trusted: BTreeSet<NodeId>,
    /// Whom it dials again and again, with the token of the next attempt.
    pub statics: BTreeMap<NodeId, u64>,
    peers: BTreeMap<NodeId, End>,
    dialled: BTreeMap<NodeId, u64>,
    let_in: BTreeMap<IpAddr, u64>,
    ip: IpAddr,
    listens: bool,
    max_peers: u32,
    own_in: u32,
    own_out: u32,
    snap: bool,
    next_token: u64,
}

/// One end of a connection.
#[derive(Debug, Clone, Copy)]
struct End {
    link: u64,
    inbound: bool,
    since: u64,
    remote: IpAddr,
    /// The other serves snap beside eth.
    snap: bool,
}

impl Node {
    fn new(plan: &AgentPlan) -> Self {
        Self {
            id: plan.id,
            up: true,
            boot: 0,
            trusted: BTreeSet::new(),
            statics: BTreeMap::new(),
            peers: BTreeMap::new(),
            dialled: BTreeMap::new(),
            let_in: BTreeMap::new(),
            ip: plan.ip,
            listens: plan.listens,
            max_peers: plan.max_peers,
            own_in: plan.own_in,
            own_out: plan.own_out,
            snap: plan.snap,
            next_token: 0,
        }
    }

    /// `admin_peers`; of its own peers it shows three.
    #[must_use]
    pub fn peers(&self, now: u64) -> Vec<PeerFact> {
        let own = (0..(self.own_in + self.own_out).min(3)).map(|number| {
            let mut id = [0xee; 64];
            id[..4].copy_from_slice(&number.to_be_bytes());
            fact(NodeId::new(id), true, true, false, self.ip)
        });
        let given = self.peers.iter().map(|(id, end)| {
            let serves: &[&str] = if end.snap { &["eth/69", "snap/1"] } else { &["eth/69"] };
            let ready = end.since + HANDSHAKE_MS <= now;
            let fact = fact(*id, ready, end.inbound, self.trusted.contains(id), end.remote);
            PeerFact { caps: capabilities(serves), ..fact }
        });
        own.chain(given).collect()
    }

    fn has_dial_slot(&self) -> bool {
        let dialled = self.peers.values().filter(|end| !end.inbound).count();
        self.own_out as usize + dialled < dial_slots(self.max_peers)
    }

    fn takes(&self, peer: NodeId, inbound: bool) -> bool {
        let inside = self.own_in + self.own_out;
        let came = self.peers.values().filter(|end| end.inbound).count() + self.own_in as usize;
        let places = self.max_peers as usize - dial_slots(self.max_peers);
        !self.peers.contains_key(&peer)
            && (self.trusted.contains(&peer)
                || (self.peers.len() + (inside as usize) < self.max_peers as usize && (!inbound || came < places)))
    }

    /// When a dial to a static peer is due, under a new token; `None` where it is no static peer.
    pub fn next_dial(&mut self, peer: NodeId, now: u64) -> Option<(u64, u64)> {
        let token = self.statics.get_mut(&peer)?;
        self.next_token += 1;
        *token = self.next_token;
        let free = self.dialled.get(&peer).map_or(0, |at| at + REDIAL_MS);
        Some((free.max(now + 1), self.next_token))
    }
}

impl Devp2p {
    /// Nodes that just started, unconnected.
    #[must_use]
    pub fn new(plans: &[AgentPlan]) -> Self {
        Self {
            nodes: plans.iter().map(Node::new).collect(),
            severed: BTreeSet::new(),
            truth: Truth::default(),
            next_link: 0,
        }
    }

    /// The number of a node.
    #[must_use]
    pub fn number(&self, id: NodeId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Whether both ends of a connection stand.
    #[must_use]
    pub fn connected(&self, a: usize, b: usize) -> bool {
        self.link(a, b).is_some()
    }

    fn link(&self, a: usize, b: usize) -> Option<u64> {
        let [a, b] = [&self.nodes[a], &self.nodes[b]];
        let (one, other) = (a.peers.get(&b.id)?, b.peers.get(&a.id)?);
        (one.link == other.link).then_some(one.link)
    }

    /// Whether a dial may begin now; notes that it did.
    pub fn begins_dial(&mut self, from: usize, peer: NodeId, now: u64) -> bool {
        let node = &mut self.nodes[from];
        let may = node.up && node.has_dial_slot() && !node.peers.contains_key(&peer);
        if may {
            node.dialled.insert(peer, now);
        }
        may
    }

    /// A dial comes to its end; says whether it connected.
    pub fn ends_dial(&mut self, from: usize, peer: NodeId, ip: IpAddr, now: u64) -> bool {
        let Some(to) = self.number(peer).filter(|to| *to != from) else { return false };
        let caller = self.nodes[from].id;
        let (caller_ip, key) = (self.nodes[from].ip, (from.min(to), from.max(to)));
        let target = &mut self.nodes[to];
        if !target.up || !target.listens || target.ip != ip || self.severed.contains(&key) {
            return false;
        }
        let public = caller_ip != target.ip;
        let last = target.let_in.insert(caller_ip, now);
        if public && last.is_some_and(|last| last + THROTTLE_MS > now) {
            target.let_in.extend(last.map(|last| (caller_ip, last)));
            return false;
        }
        if !target.takes(caller, true) || !self.nodes[from].up || !self.nodes[from].takes(peer, false) {
            return false;
        }
        self.next_link += 1;
        let end = |inbound, remote, snap| End { link: self.next_link, inbound, since: now, remote, snap };
        let (of_caller, of_peer) = (end(true, caller_ip, self.nodes[from].snap), end(false, ip, self.nodes[to].snap));
        self.nodes[to].peers.insert(caller, of_caller);
        self.nodes[from].peers.insert(peer, of_peer);
        self.truth.up(from, to, now);
        true
    }

    /// The link of a node's end towards a peer.
    #[must_use]
    pub fn end_of(&self, node: usize, peer: NodeId) -> Option<u64> {
        self.nodes[node].peers.get(&peer).map(|end| end.link)
    }

    /// Takes one end of a connection away, if it is still that connection; the other end lives on for
    /// as long as it does not notice.
    pub fn drop_end(&mut self, node: usize, peer: NodeId, link: u64, now: u64) -> bool {
        if self.end_of(node, peer) != Some(link) {
            return false;
        }
        if let Some(other) = self.number(peer).filter(|other| self.link(node, *other) == Some(link)) {
            self.truth.down(node, other, now);
        }
        self.nodes[node].peers.remove(&peer);
        true
    }

    /// Everything a node holds, to be dropped.
    #[must_use]
    pub fn ends(&self, node: usize) -> Vec<(NodeId, u64)> {
        self.nodes[node].peers.iter().map(|(id, end)| (*id, end.link)).collect()
    }

    /// A node's process is gone, and all that it knew. The other ends live on.
    pub fn stop(&mut self, number: usize, now: u64) {
        for (peer, link) in self.ends(number) {
            self.drop_end(number, peer, link, now);
        }
        let node = &mut self.nodes[number];
        node.up = false;
        node.trusted.clear();
        node.statics.clear();
        node.dialled.clear();
        node.let_in.clear();
    }

    /// A node's process is there again.
    pub fn start(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.up = true;
        node.boot += 1;
    }
}

/// `max(1, MaxPeers/3)`.
fn dial_slots(max_peers: u32) -> usize {
    (max_peers as usize / 3).max(1)
}

fn fact(id: NodeId, ready: bool, inbound: bool, trusted: bool, remote: IpAddr) -> PeerFact {
    PeerFact {
        id,
        ready,
        direction: if inbound { Direction::Inbound } else { Direction::Outbound },
        trusted: Some(trusted),
        is_static: Some(false),
        remote: Some(remote),
        client_version: String::new(),
        caps: Vec::new(),
    }
}
