//! What outlives the process, as plain values. A store keeps the newest value of each key.

use vipnode_types::{Account, ChainSpec, Enode, LeaseId, Ms, NodeId, Price, Wei, meter::Seen};

use crate::{Credentials, Proven};

/// One durable fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A node and its newest delegation.
    Node(Box<NodeRow>),
    /// A running lease.
    Lease(Box<LeaseRow>),
    /// A row of the meter that is over. Immutable: the same key is never written with another value.
    Metered(Box<MeteredRow>),
    /// Presences: the last moment that each of these nodes reported. Flushed every few minutes.
    Presence(Vec<Presence>),
    /// Floor of pool time, so that it never runs backwards over a restart.
    Clock(Ms),
    /// The next lease to be named.
    NextLease(u64),
    /// Removes the row with a key.
    Delete(RowKey),
}

/// What a [`Row`] is stored under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKey {
    /// A node.
    Node(NodeId),
    /// A running lease.
    Lease(LeaseId),
}

/// When a node last reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// The node.
    pub id: NodeId,
    /// The last moment at which its agent reported.
    pub seen: Ms,
    /// The newest nonce of protocol 2; 0 where there was none.
    pub nonce: u64,
}

/// A node as the pool remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its id.
    pub id: NodeId,
    /// Whose signature spoke for it last.
    pub credentials: Credentials,
    /// When it last reported, as far as flushed.
    pub seen: Ms,
    /// The chain that it follows.
    pub chain: ChainSpec,
    /// Where it may be dialed.
    pub enode: Option<Enode>,
    /// The account that earns by its slots.
    pub payout: Option<Account>,
    /// Whether it ever offered slots.
    pub host: bool,
    /// Whether it ever asked for hosts.
    pub client: bool,
    /// Whether it was paired with others for long enough.
    pub proven: Proven,
}

/// A running lease: everything its meter needs, fixed when its row began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The lease's name, which stays the same from row to row.
    pub id: LeaseId,
    /// Which row of the lease's meter runs: 0, then one more after each rollover or return.
    pub row: u32,
    /// The node that has the slot.
    pub client: NodeId,
    /// The node that gives it.
    pub host: NodeId,
    /// The account that earns.
    pub payee: Option<Account>,
    /// What the slot costs.
    pub price: Price,
    /// When it was offered.
    pub offered: Ms,
    /// When the client first saw the host, and when it said that it was gone.
    pub client_seen: Option<(Ms, Option<Ms>)>,
    /// When the host first saw the client, and when it said that it was gone.
    pub host_seen: Option<(Ms, Option<Ms>)>,
}

/// A row of the meter that is over, with both ends frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeteredRow {
    /// The lease, as it last was.
    pub lease: LeaseRow,
    /// What the client saw.
    pub client: Option<Seen>,
    /// What the host saw.
    pub host: Option<Seen>,
    /// `meter::billed_ms` of both.
    pub billed_ms: u64,
    /// `meter::cost` of both; 0 where the product would not fit.
    pub cost: Wei,
    /// When it ended.
    pub ended: Ms,
}
