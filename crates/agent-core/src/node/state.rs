use std::collections::BTreeMap;

use vipnode_types::{Direction, HeadFact, Ms, NodeFacts, NodeId, PeerFact};

use crate::limits;

/// The agent's view of its node.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeState {
    /// From the last probe; kept while the node is down.
    facts: Option<NodeFacts>,
    up: bool,
    /// The user was notified that it is down.
    down_announced: bool,
    /// Peers that run a sub-protocol, with the node's flags for them; empty while the node is down.
    peers: BTreeMap<NodeId, ConnectedPeer>,
    /// How many of these the node dialed.
    dialed: u32,
    /// Whether the peers were listed since it came up.
    listed: bool,
    /// Whether they were listed at all.
    ever_listed: bool,
    /// When the peers were last listed, or the node came up.
    watched: Ms,
    head: Option<Head>,
}

/// A connected peer, as the execution client reports it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectedPeer {
    pub(crate) trusted: bool,
    /// The node dials it and keeps it connected.
    pub(crate) is_static: bool,
    /// Since when it is listed; [`Ms::ZERO`] if it was on the first list.
    since: Ms,
}

/// The newest block, and how old it was when the node reported it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) fact: HeadFact,
    age_ms: u64,
    reported: Ms,
}

impl Head {
    /// Returns the block's age, in milliseconds.
    pub(crate) const fn age_ms(&self, now: Ms) -> u64 {
        self.age_ms.saturating_add(now.since(self.reported))
    }

    /// Returns when the block will be older than `ms` milliseconds.
    pub(crate) fn is_older_at(&self, ms: u64) -> Ms {
        self.reported.plus(ms.saturating_sub(self.age_ms)).plus(1)
    }
}

/// What changed when the node came up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CameUp {
    /// Its facts differ from those before.
    pub(crate) another: bool,
    /// The user was notified that it was down.
    pub(crate) down_announced: bool,
}

impl NodeState {
    pub(crate) fn came_up(&mut self, now: Ms, facts: NodeFacts) -> CameUp {
        let another = self.facts.as_ref().is_some_and(|old| *old != facts);
        self.facts = Some(facts);
        self.up = true;
        self.watched = now;
        CameUp { another, down_announced: std::mem::take(&mut self.down_announced) }
    }

    /// Records that the node is down. Returns whether to notify the user.
    pub(crate) fn went_down(&mut self) -> bool {
        self.up = false;
        self.peers.clear();
        self.listed = false;
        self.dialed = 0;
        self.head = None;
        !std::mem::replace(&mut self.down_announced, true)
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.up
    }

    /// Returns the facts of the last probe, whether or not the node is up.
    pub(crate) const fn facts(&self) -> Option<&NodeFacts> {
        self.facts.as_ref()
    }

    pub(crate) fn facts_if_up(&self) -> Option<&NodeFacts> {
        self.facts.as_ref().filter(|_| self.up)
    }

    pub(crate) fn id(&self) -> Option<NodeId> {
        self.facts.as_ref().map(|facts| facts.id)
    }

    /// Whether the node is known to be a light node.
    pub(crate) fn is_light(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| !facts.full)
    }

    pub(crate) const fn head(&self) -> Option<Head> {
        self.head
    }

    /// Returns the number of the newest block.
    pub(crate) fn block(&self) -> Option<u64> {
        self.head.map(|head| head.fact.number)
    }

    pub(crate) fn see_head(&mut self, now: Ms, fact: HeadFact, wall_s: u64) {
        let age_ms = wall_s.saturating_sub(fact.timestamp_s).saturating_mul(1_000);
        self.head = Some(Head { fact, age_ms, reported: now });
    }

    /// Records the connected peers. Returns whether the last list is so old that a peer may have come and gone
    /// unnoticed.
    pub(crate) fn see_peers(&mut self, now: Ms, peers: &[PeerFact]) -> bool {
        let gap = now.since(self.watched) > limits::UNWATCHED_MS;
        self.watched = now;
        self.listed = true;
        let ready = peers.iter().filter(|peer| peer.ready).take(limits::PEERS);
        let new = if std::mem::replace(&mut self.ever_listed, true) { now } else { Ms::ZERO };
        let linked = |peer: &PeerFact| ConnectedPeer {
            trusted: peer.trusted == Some(true),
            is_static: peer.is_static == Some(true),
            since: self.peers.get(&peer.id).map_or(new, |before| before.since),
        };
        self.peers = ready.clone().map(|peer| (peer.id, linked(peer))).collect();
        let dialed = ready.filter(|peer| peer.direction == Direction::Outbound).count();
        self.dialed = u32::try_from(dialed).unwrap_or(u32::MAX);
        gap
    }

    pub(crate) fn peer(&self, id: NodeId) -> Option<ConnectedPeer> {
        self.peers.get(&id).copied()
    }

    pub(crate) fn is_connected(&self, id: NodeId) -> bool {
        self.peers.contains_key(&id)
    }

    /// Whether a connected peer was so before the two nodes should have been connecting, since this moment.
    pub(crate) fn was_connected(&self, id: NodeId, since: Ms) -> bool {
        // The host's node may dial before the agent hears of the lease.
        self.peers.get(&id).is_some_and(|peer| peer.since.plus(limits::CONNECTED_BEFORE_MS) <= since)
    }

    pub(crate) fn peers(&self) -> impl ExactSizeIterator<Item = &NodeId> {
        self.peers.keys()
    }

    /// Removes a peer that the node disconnected after the last list.
    pub(crate) fn forget_peer(&mut self, id: NodeId) {
        self.peers.remove(&id);
    }

    /// Returns how many peers the node dialed.
    pub(crate) const fn dialed(&self) -> u32 {
        self.dialed
    }

    /// Whether the list of peers is current.
    pub(crate) const fn is_known(&self, now: Ms) -> bool {
        self.up && self.listed && now.since(self.watched) < limits::UNWATCHED_MS
    }

    /// Returns from when on no peer counts as seen, unless the peers are listed before.
    pub(crate) fn unwatched_at(&self) -> Ms {
        self.watched.plus(limits::UNWATCHED_MS)
    }
}
