use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vipnode_types::{Direction, NodeId, PeerFact};

use crate::{AgentPlan, scenarios::capabilities};

/// The shortest time between two dials of a peer, in ms (observed with geth 1.17.5).
pub const REDIAL_MS: u64 = 35_000;
/// How long a connection is listed before a sub-protocol runs on it, in ms.
const HANDSHAKE_MS: u64 = 3;

/// An Ethereum node.
#[derive(Debug)]
pub struct ModelNode {
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
    pub(super) peers: BTreeMap<NodeId, End>,
    pub(super) dialed: BTreeMap<NodeId, u64>,
    pub(super) admitted_at: BTreeMap<IpAddr, u64>,
    pub(super) ip: IpAddr,
    pub(super) listens: bool,
    max_peers: u32,
    own_inbound: u32,
    own_outbound: u32,
    pub(super) snap: bool,
    next_token: u64,
}

/// One end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) link: u64,
    pub(super) inbound: bool,
    pub(super) since: u64,
    pub(super) remote: IpAddr,
    /// Whether the other node serves snap in addition to eth.
    pub(super) snap: bool,
}

impl ModelNode {
    pub(super) fn new(plan: &AgentPlan) -> Self {
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

    pub(super) fn has_dial_slot(&self) -> bool {
        let dialed = self.peers.values().filter(|end| !end.inbound).count();
        self.own_outbound as usize + dialed < dial_slots(self.max_peers)
    }

    pub(super) fn accepts(&self, peer: NodeId, inbound: bool) -> bool {
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
