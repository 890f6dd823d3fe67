use vipnode_types::{
    Capability, DropCause, Enode, LeaseId, Ms, Price,
    wire::{EvictReason, Side},
};

use crate::{Grant, GrantKind, NodeTask, RequestTag};

/// One lease of this node and all that was done for it. A lease has one grant at most, so the two
/// share a name.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) id: LeaseId,
    pub(crate) side: Side,
    /// The other node, as our node was told.
    pub(crate) peer: Enode,
    pub(crate) price: Option<Price>,
    /// Since when the pair ought to connect.
    pub(crate) given: Ms,
    /// Number of the socket on which the pool last spoke of it; 0 for one from the journal.
    pub(crate) socket: u64,
    /// Left by an earlier run; the pool has not said yet whether it lives.
    pub(crate) leftover: bool,
    /// Left by an earlier run and taken to live on, as protocol 2 has no list: until the pool names the peer.
    pub(crate) unconfirmed: bool,
    /// The node has this peer by its own settings: nothing was done and nothing is undone.
    pub(crate) nodes_own: bool,
    /// The pair was connected before the grant: that connection is not ours to cut.
    pub(crate) linked_before: bool,
    /// As what the journal has it.
    pub(crate) journaled: Option<GrantKind>,
    /// The node's list was read for what comes next, and nothing was told since.
    pub(crate) listed: bool,
    /// The agent may have had the node dial the peer, which makes it a static one there.
    pub(crate) dialled: bool,
    /// The node did it.
    pub(crate) applied: bool,
    /// What the node is doing for it now.
    pub(crate) task: Option<Task>,
    /// A host is to dial its client there too.
    pub(crate) dial: Option<HostDial>,
    /// Set once it is over: then everything is undone.
    pub(crate) over: Option<Over>,
    /// It is over, and its trust is taken back already.
    pub(crate) untrusted: bool,
    /// Not before then is the node told again.
    pub(crate) again: Option<Ms>,
    /// Since when the peer is seen.
    pub(crate) up: Option<Ms>,
    /// For how long it was seen before that, in milliseconds.
    pub(crate) seen_before_ms: u64,
    /// The peer was seen before.
    pub(crate) ever_up: bool,
    /// Of a peer that the user named: he knows that it is not there.
    pub(crate) missing_said: bool,
    /// The peer showed, or came and went, without a protocol that ran, and since then none did: why, as far as the
    /// node tells.
    pub(crate) doomed: Option<DropCause>,
    /// `web3_clientVersion` of the peer, as the pool told it.
    pub(crate) peer_version: String,
    /// The peer is a light node, as the pool told it.
    pub(crate) light: bool,
    /// The peer went since the last report that the pool took.
    pub(crate) blinked: bool,
    /// Somebody said that the peer is gone; the next list of peers decides.
    pub(crate) suspect: Option<Ms>,
    /// The node came back: the peer may be missing for a while without being gone.
    pub(crate) returning: bool,
    /// It was looked at whether the peer suits, as our node sees it.
    pub(crate) judged: bool,
    /// What a host serves, as our node sees it.
    pub(crate) caps: Vec<Capability>,
    /// The pool was told that on this socket.
    pub(crate) caps_said: bool,
    /// Calls of the pool that are answered once the node has done what they ask for.
    pub(crate) waiting: Vec<RequestTag>,
}

/// What the node was told for a lease and has not ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    pub(crate) id: NodeTask,
    pub(crate) what: Work,
    pub(crate) since: Ms,
    /// The node's list of peers is being read for it; nothing was told yet.
    pub(crate) lists: bool,
    /// It ends the connection, where there is one.
    pub(crate) cuts: bool,
}

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Admit or dial.
    Apply,
    /// A host dials its client.
    HostDial,
    /// Evict, untrust or drop.
    Undo,
    /// Take back the trust of a lease that is over; what it dialled is undone later.
    Untrust,
}

/// A host's dial to its client.
#[derive(Debug, Clone)]
pub(crate) struct HostDial {
    pub(crate) peer: Enode,
    pub(crate) state: DialState,
    pub(crate) waiting: Vec<RequestTag>,
}

/// How far a host's dial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialState {
    /// The node is to be told, or is at it.
    Due,
    /// The node did it.
    Done,
    /// The node said no, or nothing; what it did is not known, so it counts when all is undone.
    Failed,
}

/// How a lease ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Over {
    /// For the notice about a client.
    pub(crate) reason: Option<EvictReason>,
    /// Evict calls that are answered once all is undone.
    pub(crate) waiting: Vec<RequestTag>,
}

impl Lease {
    pub(crate) fn new(id: LeaseId, side: Side, peer: Enode, now: Ms) -> Self {
        Self {
            id,
            side,
            peer,
            price: None,
            given: now,
            socket: 0,
            leftover: false,
            unconfirmed: false,
            nodes_own: false,
            linked_before: false,
            journaled: None,
            listed: false,
            dialled: false,
            applied: false,
            task: None,
            dial: None,
            over: None,
            untrusted: false,
            again: None,
            up: None,
            seen_before_ms: 0,
            ever_up: false,
            missing_said: false,
            doomed: None,
            peer_version: String::new(),
            light: false,
            blinked: false,
            suspect: None,
            returning: false,
            judged: false,
            caps: Vec::new(),
            caps_said: false,
            waiting: Vec::new(),
        }
    }

    /// What the journal of an earlier run says was done.
    pub(crate) fn left_over(grant: Grant, now: Ms) -> Self {
        let side = match grant.kind {
            GrantKind::Admitted | GrantKind::Trusted => Side::Host,
            GrantKind::Dialled => Side::Client,
        };
        let lease = Self::new(grant.lease, side, grant.peer, now);
        let linked_before = grant.kind == GrantKind::Trusted;
        // The journal does not say whether a host dialled its client; where it may have, that is undone.
        let dialled = !linked_before;
        Self { leftover: true, journaled: Some(grant.kind), applied: true, linked_before, dialled, ..lease }
    }

    /// What is done for it, as the journal is to say it.
    pub(crate) const fn kind(&self) -> GrantKind {
        match self.side {
            Side::Host if self.linked_before => GrantKind::Trusted,
            Side::Host => GrantKind::Admitted,
            Side::Client => GrantKind::Dialled,
        }
    }

    pub(crate) fn grant(&self) -> Grant {
        Grant { lease: self.id, peer: self.peer.clone(), kind: self.kind() }
    }

    /// The journal has it.
    pub(crate) const fn is_journaled(&self) -> bool {
        self.journaled.is_some()
    }

    /// Not over.
    pub(crate) const fn runs(&self) -> bool {
        self.over.is_none()
    }

    /// Whether the pool is told that the peer is seen.
    pub(crate) const fn stated(&self) -> bool {
        self.up.is_some() && self.over.is_none() && !self.leftover && !self.id.is_direct()
    }

    /// Answers that the pool waits for.
    pub(crate) fn pending(&self) -> usize {
        let dial = self.dial.as_ref().map_or(0, |dial| dial.waiting.len());
        let over = self.over.as_ref().map_or(0, |over| over.waiting.len());
        self.waiting.len().saturating_add(dial).saturating_add(over)
    }

    /// The peer is seen from now on; returns since when it was before.
    pub(crate) fn mark_up(&mut self, now: Ms) -> Option<Ms> {
        self.seen_before_ms = self.seen_ms(now);
        self.up.replace(now)
    }

    /// For how long the peer was seen, in milliseconds.
    pub(crate) fn seen_ms(&self, now: Ms) -> u64 {
        self.seen_before_ms.saturating_add(self.up.map_or(0, |up| now.since(up)))
    }

    /// The peer is not seen any more.
    pub(crate) fn mark_down(&mut self, now: Ms) {
        self.seen_before_ms = self.seen_ms(now);
        if self.up.take().is_some() {
            self.blinked = true;
        }
        self.suspect = None;
        self.returning = false;
    }
}
