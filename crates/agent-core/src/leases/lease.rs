mod at_node;
mod calls;
mod observed;

use vipnode_types::{
    Capability, Enode, LeaseId, Ms, NodeId, Price,
    wire::{EvictReason, Side},
};

use super::{
    journal::{ChangeKind, NodeChange},
    presence::Presence,
    task::{DialState, HostDial, Task},
};
use crate::RequestTag;

/// A lease between this node and another, and everything that was done for it at this node. A lease has at most one
/// grant, so the two share an ID.
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
    life: LeaseLife,
    /// Left by an earlier run and assumed to be active until the pool names the peer, because protocol 2 has no list of
    /// leases.
    unconfirmed: bool,
    at_node: AtNode,
    /// The task that the node is working on.
    task: Option<Task>,
    /// On a host: the dial to the client, where the pool asked for one.
    dial: Option<HostDial>,
    /// When the failed command may be repeated.
    retry: Option<Ms>,
    presence: Presence,
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
}

/// The state of a lease.
#[derive(Debug, Clone)]
pub(crate) enum LeaseLife {
    /// Left by an earlier run, or unknown to a pool that lost its data. It is not confirmed yet.
    Leftover {
        /// The node carried out its command.
        applied: bool,
    },
    /// The command is due or in progress.
    Applying,
    /// The node carried out the command.
    Applied,
    /// It ended, and everything is being undone.
    UndoState(UndoState),
}

/// An ended lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct UndoState {
    /// The reason for the user; none if the user was already notified.
    reason: Option<EvictReason>,
    /// Calls of the pool that are answered once everything is undone.
    calls: Vec<RequestTag>,
    /// The trust is already removed.
    untrusted: bool,
    /// It was never confirmed.
    leftover: bool,
}

/// What was found and done at the node.
#[derive(Debug, Clone, Default)]
struct AtNode {
    /// The node keeps this peer by its own settings, so nothing was done and nothing is undone.
    own: bool,
    /// The two nodes were connected before the lease, so the agent must not cut that connection.
    linked_before: bool,
    /// Its kind in the journal.
    journaled: Option<ChangeKind>,
    /// The node's list was read for the next command, and no command was sent since.
    listed: bool,
    /// The agent may have had the node dial the peer, which makes it a static peer there.
    dialed: bool,
}

/// What our node sees of the peer.
#[derive(Debug, Clone, Default)]
struct Observed {
    /// The peer was checked against the rules.
    checked: bool,
    /// The capabilities of a host.
    caps: Vec<Capability>,
    /// They were reported to the pool on this socket.
    caps_reported: bool,
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
            life: LeaseLife::Applying,
            unconfirmed: false,
            at_node: AtNode::default(),
            task: None,
            dial: None,
            retry: None,
            presence: Presence::default(),
            missing_announced: false,
            observed: Observed::default(),
            calls: Vec::new(),
        }
    }

    /// A lease that the pool assigned, on the socket of that number.
    pub(crate) fn given(id: LeaseId, side: Side, peer: Enode, terms: Terms, socket: u64, now: Ms) -> Self {
        Self { terms, socket, ..Self::new(id, side, peer, now) }
    }

    /// A lease for a change in the journal of an earlier run.
    pub(crate) fn left_over(grant: NodeChange, now: Ms) -> Self {
        let side = match grant.kind {
            ChangeKind::Admitted | ChangeKind::Trusted => Side::Host,
            ChangeKind::Dialed => Side::Client,
        };
        let linked_before = grant.kind == ChangeKind::Trusted;
        // The journal does not record whether a host dialed its client; if it may have, the dial is undone.
        let dialed = !linked_before;
        let at_node = AtNode { linked_before, dialed, journaled: Some(grant.kind), ..AtNode::default() };
        let life = LeaseLife::Leftover { applied: true };
        Self { life, at_node, ..Self::new(grant.lease, side, grant.peer, now) }
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

    pub(crate) const fn presence(&self) -> &Presence {
        &self.presence
    }

    pub(crate) const fn presence_mut(&mut self) -> &mut Presence {
        &mut self.presence
    }
}

/// Its state.
impl Lease {
    /// Whether it has not ended.
    pub(crate) const fn runs(&self) -> bool {
        !matches!(self.life, LeaseLife::UndoState(_))
    }

    /// Whether it is unconfirmed, or was until it ended.
    pub(crate) const fn is_leftover(&self) -> bool {
        matches!(self.life, LeaseLife::Leftover { .. } | LeaseLife::UndoState(UndoState { leftover: true, .. }))
    }

    /// Whether the node carried out the command of an active lease.
    pub(crate) const fn is_applied(&self) -> bool {
        matches!(self.life, LeaseLife::Applied | LeaseLife::Leftover { applied: true })
    }

    /// Whether the node carried out the command, or keeps the peer by its own settings.
    pub(crate) const fn is_granted(&self) -> bool {
        self.is_applied() || self.at_node.own
    }

    fn set_applied(&mut self, to: bool) {
        match &mut self.life {
            LeaseLife::Leftover { applied } => *applied = to,
            LeaseLife::Applying | LeaseLife::Applied => {
                self.life = if to { LeaseLife::Applied } else { LeaseLife::Applying }
            }
            LeaseLife::UndoState(_) => {}
        }
    }

    /// The node did it.
    pub(crate) fn applied(&mut self) {
        self.set_applied(true);
        self.retry = None;
    }

    /// Confirms a lease for the pool or the user. Returns whether it was unconfirmed. The node, which may have been
    /// restarted since, remembers trust only in memory, so the command is repeated.
    pub(crate) fn confirm(&mut self) -> bool {
        let leftover = matches!(self.life, LeaseLife::Leftover { .. });
        if leftover {
            self.life = LeaseLife::Applying;
        }
        leftover
    }

    /// Records that the pool named it on this socket.
    pub(crate) const fn named_on(&mut self, socket: u64) {
        self.socket = socket;
    }

    pub(crate) const fn set_price(&mut self, price: Price) {
        self.terms.price = Some(price);
    }

    /// Gives the two nodes the full time to connect again.
    pub(crate) const fn restart_clock(&mut self, now: Ms) {
        self.since = now;
    }

    /// Records that the pool no longer knows it: it stays, and is not reported.
    pub(crate) fn forgotten_by_pool(&mut self) {
        if self.runs() {
            self.life = LeaseLife::Leftover { applied: self.is_applied() };
        }
        self.socket = 0;
    }

    pub(crate) const fn is_unconfirmed(&self) -> bool {
        self.unconfirmed
    }

    pub(crate) const fn set_unconfirmed(&mut self, unconfirmed: bool) {
        self.unconfirmed = unconfirmed;
    }

    /// Ends it.
    pub(crate) fn end(&mut self, now: Ms, reason: Option<EvictReason>) {
        self.presence.mark_down(now);
        self.retry = None;
        // A list that is being read for it came too late.
        self.task.take_if(|task| task.lists);
        let leftover = self.is_leftover();
        self.life = LeaseLife::UndoState(UndoState { reason, leftover, ..UndoState::default() });
    }

    /// Returns its end, once it has ended.
    pub(crate) const fn undoing_mut(&mut self) -> Option<&mut UndoState> {
        match &mut self.life {
            LeaseLife::UndoState(undoing) => Some(undoing),
            _ => None,
        }
    }

    /// Whether it has ended and its trust is already removed.
    pub(crate) const fn is_untrusted(&self) -> bool {
        matches!(&self.life, LeaseLife::UndoState(UndoState { untrusted: true, .. }))
    }

    /// Handles a restart of the node, which has forgotten its commands.
    pub(crate) fn node_restarted(&mut self, now: Ms) {
        if self.task.is_none() {
            self.set_applied(false);
            if let Some(dial) = self.dial.as_mut().filter(|dial| dial.state == DialState::Done) {
                dial.state = DialState::Due;
            }
        }
        if self.side == Side::Client {
            self.since = now;
            self.presence.node_restarted();
        } else if self.is_direct() {
            // The node reports its own trusted peers only while they are connected, and none is: serving a client that
            // the user named has priority.
            self.at_node.own = false;
        }
    }

    /// Whether it is reported to the pool as connected.
    pub(crate) const fn is_reported(&self) -> bool {
        self.presence.is_up() && self.runs() && !self.is_leftover() && !self.is_direct()
    }
}

impl UndoState {
    pub(crate) const fn reason(&self) -> Option<EvictReason> {
        self.reason
    }

    /// Adds a call that is answered once everything is undone.
    pub(crate) fn wait(&mut self, call: RequestTag) {
        self.calls.push(call);
    }

    pub(crate) const fn set_untrusted(&mut self) {
        self.untrusted = true;
    }

    /// Takes the calls that wait.
    pub(crate) fn take_calls(&mut self) -> Vec<RequestTag> {
        std::mem::take(&mut self.calls)
    }
}
