use std::{collections::BTreeSet, net::IpAddr};

use vipnode_types::NodeId;

use super::{GroundTruth, ModelNode, node::End};
use crate::AgentPlan;

/// The shortest time between two inbound attempts from a public address, in ms (geth's `inboundThrottleTime`).
const THROTTLE_MS: u64 = 30_000;

/// All nodes and the connections between them.
#[derive(Debug)]
pub struct Devp2p {
    /// The nodes, in the order of their agents.
    pub nodes: Vec<ModelNode>,
    /// Pairs that cannot reach each other.
    pub severed: BTreeSet<(usize, usize)>,
    /// Which pairs were connected when.
    pub ground_truth: GroundTruth,
    next_link: u64,
}

impl Devp2p {
    /// Nodes that have just started, without connections.
    #[must_use]
    pub fn new(plans: &[AgentPlan]) -> Self {
        Self {
            nodes: plans.iter().map(ModelNode::new).collect(),
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
