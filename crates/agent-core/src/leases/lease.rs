mod at_node;
mod calls;
mod observed;
mod retry;
mod state;

use vipnode_types::{Amount, Enode, LeaseId, Ms, NodeId, Price, wire::Side};

use self::{
    at_node::AtNode,
    observed::Observed,
    retry::Retry,
    state::{LeaseState, Undoing},
};
use super::{
    node_change::{ChangeKind, NodeChange},
    peer_connection::PeerConnection,
    task::{HostDial, Task},
};
use crate::RequestTag;

/// A lease between this node and another, and everything that was done for it at this node. A lease has at most one
/// change, so the two share an ID.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    id: LeaseId,
    side: Side,
    /// The other node, as our node knows it.
    peer: Enode,
    terms: Terms,
    /// Since when the two nodes should be connecting.
    since: Ms,
    /// Number of the socket on which the pool last named it; 0 for one from the journal.
    socket: u64,
    state: LeaseState,
    /// Left by an earlier run and assumed to be active until the pool names the peer, because protocol 2 has no list of
    /// leases.
    unconfirmed: bool,
    at_node: AtNode,
    /// The task that the node is working on.
    task: Option<Task>,
    /// On a host: the dial to the client, where the pool asked for one.
    dial: Option<HostDial>,
    retry: Retry,
    connection: PeerConnection,
    /// How long this side saw the peer at earlier prices, in milliseconds, and what that cost.
    earlier_ms: u64,
    earlier_cost: Amount,
    /// For a peer that the user named: the user was notified that it is not connected.
    missing_announced: bool,
    observed: Observed,
    /// Calls of the pool that are answered once the client is admitted.
    calls: Vec<RequestTag>,
}

/// What the pool reported about a lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    pub(crate) price: Option<Price>,
    /// The peer's `web3_clientVersion`; empty if unknown.
    pub(crate) peer_version: String,
    /// The peer is a light node.
    pub(crate) light: bool,
    /// For a host: before that, neither node may dial the other.
    pub(crate) redials: Option<Ms>,
}

impl Lease {
    pub(crate) fn new(id: LeaseId, side: Side, peer: Enode, now: Ms) -> Self {
        Self {
            id,
            side,
            peer,
            terms: Terms::default(),
            since: now,
            socket: 0,
            state: LeaseState::Applying,
            unconfirmed: false,
            at_node: AtNode::default(),
            task: None,
            dial: None,
            retry: Retry::default(),
            connection: PeerConnection::default(),
            earlier_ms: 0,
            earlier_cost: Amount::ZERO,
            missing_announced: false,
            observed: Observed::default(),
            calls: Vec::new(),
        }
    }

    /// A lease that the pool assigned, on the socket of that number.
    pub(crate) fn assigned(id: LeaseId, side: Side, peer: Enode, terms: Terms, socket: u64, now: Ms) -> Self {
        Self { terms, socket, ..Self::new(id, side, peer, now) }
    }

    /// A lease for a change in the journal of an earlier run.
    pub(crate) fn unreleased(change: NodeChange, now: Ms) -> Self {
        let side = match change.kind {
            ChangeKind::Admitted | ChangeKind::Trusted => Side::Host,
            ChangeKind::Dialed => Side::Client,
        };
        let connected_before = change.kind == ChangeKind::Trusted;
        // The journal does not record whether a host dialed its client; if it may have, the dial is undone.
        let dialed = !connected_before;
        let at_node = AtNode { connected_before, dialed, journaled: Some(change.kind), ..AtNode::default() };
        let state = LeaseState::Unreleased { applied: true };
        Self { state, at_node, ..Self::new(change.lease, side, change.peer, now) }
    }

    pub(crate) const fn id(&self) -> LeaseId {
        self.id
    }

    pub(crate) const fn side(&self) -> Side {
        self.side
    }

    pub(crate) const fn is_direct(&self) -> bool {
        self.id.is_direct()
    }

    pub(crate) const fn peer(&self) -> &Enode {
        &self.peer
    }

    pub(crate) const fn peer_id(&self) -> NodeId {
        self.peer.id
    }

    pub(crate) const fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) const fn since(&self) -> Ms {
        self.since
    }

    pub(crate) const fn socket(&self) -> u64 {
        self.socket
    }

    pub(crate) const fn connection(&self) -> &PeerConnection {
        &self.connection
    }

    pub(crate) const fn connection_mut(&mut self) -> &mut PeerConnection {
        &mut self.connection
    }

    /// Records that the pool named it on this socket.
    pub(crate) const fn named_on(&mut self, socket: u64) {
        self.socket = socket;
    }

    /// The price at which it is metered now, if one is known.
    pub(crate) const fn price(&self) -> Option<Price> {
        self.terms.price
    }

    /// Records the price of the time from now on. What was seen before was at the price until now.
    pub(crate) fn set_price(&mut self, price: Price, now: Ms) {
        if let Some(old) = self.terms.price.filter(|old| *old != price) {
            self.earlier_cost = self.cost_until(Some(old), now);
            self.earlier_ms = self.connection.seen_ms(now);
        }
        self.terms.price = Some(price);
    }

    /// Since when the two nodes should be connecting, or from when on, if neither may dial the other before.
    pub(crate) fn dials_from(&self) -> Ms {
        self.terms.redials.map_or(self.since, |redials| redials.max(self.since))
    }

    /// What the time that this side saw the peer costs, each part at its price, rounded down; `None` if no price is known.
    pub(crate) fn cost(&self, now: Ms) -> Option<Amount> {
        self.terms.price.map(|price| self.cost_until(Some(price), now))
    }

    fn cost_until(&self, price: Option<Price>, now: Ms) -> Amount {
        let ms = self.connection.seen_ms(now).saturating_sub(self.earlier_ms);
        let cost = price.map_or(Amount::ZERO, |price| price.cost(ms).unwrap_or(Amount::MAX));
        self.earlier_cost.checked_add(cost).unwrap_or(Amount::MAX)
    }

    /// Gives the two nodes the full time to connect again.
    pub(crate) const fn restart_clock(&mut self, now: Ms) {
        self.since = now;
    }
}
