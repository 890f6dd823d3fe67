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

/// A lease of this node with another, and all that was done for it at this node. A lease has one grant at most, so the
/// two share a name.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    id: LeaseId,
    side: Side,
    /// The other node, as our node knows it.
    peer: Enode,
    terms: Terms,
    /// Since when the pair ought to connect.
    since: Ms,
    /// Number of the socket on which the pool last spoke of it; 0 for one from the journal.
    socket: u64,
    life: Life,
    /// Left by an earlier run and taken to live on, as protocol 2 has no list: until the pool names the peer.
    unconfirmed: bool,
    at_node: AtNode,
    /// What the node is doing for it now.
    task: Option<Task>,
    /// A host is to dial its client there too.
    dial: Option<HostDial>,
    /// Not before then is the node told again.
    retry: Option<Ms>,
    presence: Presence,
    /// Of a peer that the user named: the user knows that it is not there.
    missing_announced: bool,
    observed: Observed,
    /// Calls of the pool that are answered once the client is let in.
    calls: Vec<RequestTag>,
}

/// What the pool said of a lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    pub(crate) price: Option<Price>,
    /// `web3_clientVersion` of the peer; empty where it is not known.
    pub(crate) peer_version: String,
    /// The peer is a light node.
    pub(crate) light: bool,
}

/// How far a lease is; the states exclude each other.
#[derive(Debug, Clone)]
pub(crate) enum Life {
    /// Left by an earlier run, or unknown to a pool that lost its data: nobody said yet whether it lives.
    Leftover {
        /// The node did what it is to do for it.
        applied: bool,
    },
    /// The node is to be told, or is at it.
    Applying,
    /// The node did it.
    Applied,
    /// It is over: everything is undone.
    Undoing(Undoing),
}

/// How a lease ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Undoing {
    /// What the user is told; none where that was said already.
    reason: Option<EvictReason>,
    /// Calls of the pool that are answered once all is undone.
    calls: Vec<RequestTag>,
    /// The trust is taken back already.
    untrusted: bool,
    /// Nobody ever said that it lives.
    leftover: bool,
}

/// What was found and done at the node.
#[derive(Debug, Clone, Default)]
struct AtNode {
    /// The node has this peer by its own settings: nothing was done and nothing is undone.
    own: bool,
    /// The pair was connected before the grant: that connection is not ours to cut.
    linked_before: bool,
    /// As what the journal has it.
    journaled: Option<ChangeKind>,
    /// The node's list was read for what comes next, and nothing was told since.
    listed: bool,
    /// The agent may have had the node dial the peer, which makes it a static one there.
    dialed: bool,
}

/// What our node sees of the peer.
#[derive(Debug, Clone, Default)]
struct Observed {
    /// It was looked at whether the peer suits.
    checked: bool,
    /// What a host serves.
    caps: Vec<Capability>,
    /// The pool was told that on this socket.
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
            life: Life::Applying,
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

    /// One that the pool gave, on its socket of that number.
    pub(crate) fn given(id: LeaseId, side: Side, peer: Enode, terms: Terms, socket: u64, now: Ms) -> Self {
        Self { terms, socket, ..Self::new(id, side, peer, now) }
    }

    /// What the journal of an earlier run says was done.
    pub(crate) fn left_over(grant: NodeChange, now: Ms) -> Self {
        let side = match grant.kind {
            ChangeKind::Admitted | ChangeKind::Trusted => Side::Host,
            ChangeKind::Dialed => Side::Client,
        };
        let linked_before = grant.kind == ChangeKind::Trusted;
        // The journal does not say whether a host dialed its client; where it may have, that is undone.
        let dialed = !linked_before;
        let at_node = AtNode { linked_before, dialed, journaled: Some(grant.kind), ..AtNode::default() };
        let life = Life::Leftover { applied: true };
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

/// Its life.
impl Lease {
    /// Not over.
    pub(crate) const fn runs(&self) -> bool {
        !matches!(self.life, Life::Undoing(_))
    }

    /// Nobody said that it lives, or ever did before it was over.
    pub(crate) const fn is_leftover(&self) -> bool {
        matches!(self.life, Life::Leftover { .. } | Life::Undoing(Undoing { leftover: true, .. }))
    }

    /// The node did what it is to do for a lease that runs.
    pub(crate) const fn is_applied(&self) -> bool {
        matches!(self.life, Life::Applied | Life::Leftover { applied: true })
    }

    /// The node did it, or has the peer by its own settings.
    pub(crate) const fn is_granted(&self) -> bool {
        self.is_applied() || self.at_node.own
    }

    fn set_applied(&mut self, to: bool) {
        match &mut self.life {
            Life::Leftover { applied } => *applied = to,
            Life::Applying | Life::Applied => self.life = if to { Life::Applied } else { Life::Applying },
            Life::Undoing(_) => {}
        }
    }

    /// The node did it.
    pub(crate) fn applied(&mut self) {
        self.set_applied(true);
        self.retry = None;
    }

    /// The pool, or the user, says that it lives; whether nobody had said so before. Trust is memory of the node only,
    /// which may have been restarted while nobody looked: it is told again.
    pub(crate) fn confirm(&mut self) -> bool {
        let leftover = matches!(self.life, Life::Leftover { .. });
        if leftover {
            self.life = Life::Applying;
        }
        leftover
    }

    /// The pool spoke of it on this socket.
    pub(crate) const fn named_on(&mut self, socket: u64) {
        self.socket = socket;
    }

    pub(crate) const fn set_price(&mut self, price: Price) {
        self.terms.price = Some(price);
    }

    /// The pair has the whole time to connect once more.
    pub(crate) const fn restart_clock(&mut self, now: Ms) {
        self.since = now;
    }

    /// The pool does not know it any more: it stands, and is not reported.
    pub(crate) fn forgotten_by_pool(&mut self) {
        if self.runs() {
            self.life = Life::Leftover { applied: self.is_applied() };
        }
        self.socket = 0;
    }

    pub(crate) const fn is_unconfirmed(&self) -> bool {
        self.unconfirmed
    }

    pub(crate) const fn set_unconfirmed(&mut self, unconfirmed: bool) {
        self.unconfirmed = unconfirmed;
    }

    /// It is over.
    pub(crate) fn end(&mut self, now: Ms, reason: Option<EvictReason>) {
        self.presence.mark_down(now);
        self.retry = None;
        // A list that is being read for it came too late.
        self.task.take_if(|task| task.lists);
        let leftover = self.is_leftover();
        self.life = Life::Undoing(Undoing { reason, leftover, ..Undoing::default() });
    }

    /// How it ended, once it is over.
    pub(crate) const fn undoing_mut(&mut self) -> Option<&mut Undoing> {
        match &mut self.life {
            Life::Undoing(undoing) => Some(undoing),
            _ => None,
        }
    }

    /// It is over and its trust is taken back already.
    pub(crate) const fn is_untrusted(&self) -> bool {
        matches!(&self.life, Life::Undoing(Undoing { untrusted: true, .. }))
    }

    /// The node was restarted and has forgotten what it was told.
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
            // What the node knows of trust by itself it shows of connected peers only, and there are none: to serve whom
            // the user named comes first.
            self.at_node.own = false;
        }
    }

    /// Whether the pool is told that the peer is seen.
    pub(crate) const fn is_reported(&self) -> bool {
        self.presence.is_up() && self.runs() && !self.is_leftover() && !self.is_direct()
    }
}

impl Undoing {
    pub(crate) const fn reason(&self) -> Option<EvictReason> {
        self.reason
    }

    /// The call is answered once all is undone.
    pub(crate) fn wait(&mut self, call: RequestTag) {
        self.calls.push(call);
    }

    pub(crate) const fn set_untrusted(&mut self) {
        self.untrusted = true;
    }

    /// The calls that wait, once.
    pub(crate) fn take_calls(&mut self) -> Vec<RequestTag> {
        std::mem::take(&mut self.calls)
    }
}
