//! A small model of geth nodes: trust, static peers, dial slots, peer slots, the 35 s between two dials.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vipnode_types::{Direction, NodeId, PeerFact};

use super::GroundTruth;
use crate::{AgentPlan, scenarios::capabilities};

/// The shortest time between two dials of a peer, in ms (observed with geth 1.17.5).
pub const REDIAL_MS: u64 = 35_000;
/// The shortest time between two inbound attempts from a public address, in ms (geth's `inboundThrottleTime`).
const THROTTLE_MS: u64 = 30_000;
/// How long a connection is listed before a sub-protocol runs on it, in ms.
const HANDSHAKE_MS: u64 = 3;

/// All nodes and their connections.
#[derive(Debug)]
pub struct Devp2p {
    /// The nodes, in the order of their agents.
    pub nodes: Vec<Node>,
    /// Pairs that cannot reach each other.
    pub severed: BTreeSet<(usize, usize)>,
    /// Which pairs were connected when.
    pub ground_truth: GroundTruth,
    next_link: u64,
}

/// An Ethereum node.
#[derive(Debug)]
pub struct Node {
    /// Its public key.
    pub id: NodeId,
    /// Whether its process runs.
    pub up: bool,
    /// How often it was started.
    pub boot: u32,
    /// Peers that it admits beyond its limits.
    pub trusted: BTreeSet<NodeId>,
    /// Static peers, which it keeps dialing, with the token of the next attempt.
    pub statics: BTreeMap<NodeId, u64>,
    peers: BTreeMap<NodeId, End>,
    dialed: BTreeMap<NodeId, u64>,
    admitted_at: BTreeMap<IpAddr, u64>,
    ip: IpAddr,
    listens: bool,
    max_peers: u32,
    own_inbound: u32,
    own_outbound: u32,
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
    /// Whether the other node serves snap in addition to eth.
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
            dialed: BTreeMap::new(),
            admitted_at: BTreeMap::new(),
            ip: plan.ip,
            listens: plan.listens,
            max_peers: plan.max_peers,
            own_inbound: plan.own_inbound,
            own_outbound: plan.own_outbound,
            snap: plan.snap,
            next_token: 0,
        }
    }

    /// The answer to `admin_peers` at virtual time `now` (ms); at most three of its own peers are listed.
    #[must_use]
    pub fn peers(&self, now: u64) -> Vec<PeerFact> {
        let own = (0..(self.own_inbound + self.own_outbound).min(3)).map(|number| {
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
        let dialed = self.peers.values().filter(|end| !end.inbound).count();
        self.own_outbound as usize + dialed < dial_slots(self.max_peers)
    }

    fn accepts(&self, peer: NodeId, inbound: bool) -> bool {
        let inside = self.own_inbound + self.own_outbound;
        let came = self.peers.values().filter(|end| end.inbound).count() + self.own_inbound as usize;
        let inbound_slots = self.max_peers as usize - dial_slots(self.max_peers);
        !self.peers.contains_key(&peer)
            && (self.trusted.contains(&peer)
                || (self.peers.len() + (inside as usize) < self.max_peers as usize
                    && (!inbound || came < inbound_slots)))
    }

    /// The time of the next dial to a static peer (virtual ms) and its new token; `None` if it is not a static peer.
    pub fn next_dial(&mut self, peer: NodeId, now: u64) -> Option<(u64, u64)> {
        let token = self.statics.get_mut(&peer)?;
        self.next_token += 1;
        *token = self.next_token;
        let free = self.dialed.get(&peer).map_or(0, |at| at + REDIAL_MS);
        Some((free.max(now + 1), self.next_token))
    }
}

impl Devp2p {
    /// Nodes that have just started, without connections.
    #[must_use]
    pub fn new(plans: &[AgentPlan]) -> Self {
        Self {
            nodes: plans.iter().map(Node::new).collect(),
            severed: BTreeSet::new(),
            ground_truth: GroundTruth::default(),
            next_link: 0,
        }
    }

    /// The index of a node.
    #[must_use]
    pub fn number(&self, id: NodeId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Whether both ends of a connection are up.
    #[must_use]
    pub fn connected(&self, a: usize, b: usize) -> bool {
        self.link(a, b).is_some()
    }

    fn link(&self, a: usize, b: usize) -> Option<u64> {
        let [a, b] = [&self.nodes[a], &self.nodes[b]];
        let (one, other) = (a.peers.get(&b.id)?, b.peers.get(&a.id)?);
        (one.link == other.link).then_some(one.link)
    }

    /// Starts a dial if the node is up and has a free dial slot; returns whether it did.
    pub fn start_dial(&mut self, from: usize, peer: NodeId, now: u64) -> bool {
        let node = &mut self.nodes[from];
        let may = node.up && node.has_dial_slot() && !node.peers.contains_key(&peer);
        if may {
            node.dialed.insert(peer, now);
        }
        may
    }

    /// Ends a dial; returns whether it connected.
    pub fn finish_dial(&mut self, from: usize, peer: NodeId, ip: IpAddr, now: u64) -> bool {
        let Some(to) = self.number(peer).filter(|to| *to != from) else { return false };
        let caller = self.nodes[from].id;
        let (caller_ip, key) = (self.nodes[from].ip, (from.min(to), from.max(to)));
        let target = &mut self.nodes[to];
        if !target.up || !target.listens || target.ip != ip || self.severed.contains(&key) {
            return false;
        }
        let public = caller_ip != target.ip;
        let last = target.admitted_at.insert(caller_ip, now);
        if public && last.is_some_and(|last| last + THROTTLE_MS > now) {
            target.admitted_at.extend(last.map(|last| (caller_ip, last)));
            return false;
        }
        if !target.accepts(caller, true) || !self.nodes[from].up || !self.nodes[from].accepts(peer, false) {
            return false;
        }
        self.next_link += 1;
        let end = |inbound, remote, snap| End { link: self.next_link, inbound, since: now, remote, snap };
        let (of_caller, of_peer) = (end(true, caller_ip, self.nodes[from].snap), end(false, ip, self.nodes[to].snap));
        self.nodes[to].peers.insert(caller, of_caller);
        self.nodes[from].peers.insert(peer, of_peer);
        self.ground_truth.up(from, to, now);
        true
    }

    /// The link at a node's end of the connection to a peer.
    #[must_use]
    pub fn link_end(&self, node: usize, peer: NodeId) -> Option<u64> {
        self.nodes[node].peers.get(&peer).map(|end| end.link)
    }

    /// Removes one end of a connection, if it is still that connection; the other end stays until it notices. Returns
    /// whether it did.
    pub fn drop_end(&mut self, node: usize, peer: NodeId, link: u64, now: u64) -> bool {
        if self.link_end(node, peer) != Some(link) {
            return false;
        }
        if let Some(other) = self.number(peer).filter(|other| self.link(node, *other) == Some(link)) {
            self.ground_truth.down(node, other, now);
        }
        self.nodes[node].peers.remove(&peer);
        true
    }

    /// All ends of a node's connections.
    #[must_use]
    pub fn ends(&self, node: usize) -> Vec<(NodeId, u64)> {
        self.nodes[node].peers.iter().map(|(id, end)| (*id, end.link)).collect()
    }

    /// Stops a node's process, which loses all that it knew. The other ends of its connections stay.
    pub fn stop(&mut self, number: usize, now: u64) {
        for (peer, link) in self.ends(number) {
            self.drop_end(number, peer, link, now);
        }
        let node = &mut self.nodes[number];
        node.up = false;
        node.trusted.clear();
        node.statics.clear();
        node.dialed.clear();
        node.admitted_at.clear();
    }

    /// Starts a node's process again.
    pub fn start(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.up = true;
        node.boot += 1;
    }
}

/// Dial slots as geth has them: `max(1, MaxPeers/3)`.
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
