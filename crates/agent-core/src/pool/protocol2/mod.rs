//! The agent speaks to a pool of the original vipnode: what it means is what it means to a pool of protocol 3, said in
//! the calls of protocol 2.
//!
//! | what is meant | what is said |
//! |---|---|
//! | connect | `vipnode_connect`; the leases that go on are those that stand here |
//! | report | `vipnode_update` with every leased peer that is seen (D46: and no other) |
//! | ask | `vipnode_peer`; each answer is a slot, under a name of our own |
//! | leave | nothing: the next update does not name the peer |
//! | bye | a last update that names nobody |
//!
//! | what the pool says | what is meant |
//! |---|---|
//! | `vipnode_whitelist` | admit, under a name of our own |
//! | `invalid_peers` | evict, where a lease is held with that peer; others are none of the agent's |
//! | `latest_block_number` | the user is told when the node is behind, and when it caught up |
//!
//! The original never tells a host that a client left. A client that was let in and is not seen for
//! [`Protocol2::unseen_ms`] is evicted here (D35). A peer that leaves `active_peers` is kept.
//!
//! The pool names peers and no roles: of what an earlier run left, a pair held both ways is not taken over. What an
//! earlier run did by protocol 3 is undone before: names of leases of one protocol mean nothing in the other.

pub(super) mod answers;
pub(super) mod hello;
mod unseen;

use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms, NodeFacts, NodeId, Price,
    protocol2::{Balance, Call, Kind, PeerRequest, Update},
    wire::{AdmitCall, ErrorCode, WireError},
};

use crate::{Notice, ToPool, limits};

/// How the agent speaks to a pool of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol2Config {
    /// An update is due this often, in milliseconds; the original's pool does not say.
    pub update_interval_ms: u64,
}

/// What is remembered for protocol 2 beyond the leases themselves.
#[derive(Debug, Clone)]
pub(crate) struct Protocol2 {
    config: Protocol2Config,
    next_lease: u64,
    /// Clients that were let in and are not seen, and since when.
    unseen: BTreeMap<LeaseId, Ms>,
    /// The user was told that the node is behind.
    behind: bool,
    /// The balance that the user was last told, and when.
    balance_announced: Option<(Balance, Ms)>,
}

impl Protocol2 {
    /// Names of leases begin past those of an earlier run.
    pub(crate) fn new(config: Protocol2Config, leases: impl Iterator<Item = LeaseId>) -> Self {
        let next_lease = leases.map(LeaseId::get).max().unwrap_or(0).saturating_add(1);
        Self { config, next_lease, unseen: BTreeMap::new(), behind: false, balance_announced: None }
    }

    fn new_lease(&mut self) -> LeaseId {
        let lease = LeaseId::new(self.next_lease);
        self.next_lease = self.next_lease.saturating_add(1);
        lease
    }

    /// The pool has a client let in. The original names no lease: it is the one that is `held` with the client,
    /// which is given the whole time to connect once more, or a new one.
    pub(crate) fn admit(&mut self, client: NodeId, held: Option<LeaseId>) -> AdmitCall {
        let lease = match held {
            Some(lease) => {
                self.unseen.remove(&lease);
                lease
            }
            None => self.new_lease(),
        };
        AdmitCall { lease, client, price: Price::FREE, client_enode: None, client_version: String::new(), light: false }
    }

    /// The user is told once that the node is behind, and once that it caught up.
    pub(crate) fn announce_behind(&mut self, latest: u64, block: u64) -> Option<Notice> {
        let blocks = latest.saturating_sub(block);
        let behind = blocks > limits::BEHIND_BLOCKS;
        let notice = if behind { Notice::Behind { blocks, latest } } else { Notice::CaughtUp { latest } };
        (std::mem::replace(&mut self.behind, behind) != behind).then_some(notice)
    }

    /// The user is told what the account has (D41), at once and then now and again.
    pub(crate) fn announce_balance(&mut self, now: Ms, balance: Balance) -> Option<Notice> {
        let fresh = |(announced, at): &(Balance, Ms)| {
            let same = (announced.credit, announced.deposit) == (balance.credit, balance.deposit);
            now.since(*at) < limits::BALANCE_MS || same
        };
        if self.balance_announced.as_ref().is_some_and(fresh) {
            return None;
        }
        let notice = Notice::Balance { credit_wei: balance.credit, deposit_wei: balance.deposit };
        self.balance_announced = Some((balance, now));
        Some(notice)
    }
}

/// The peers that are seen, and the newest block.
pub(super) fn update(peers: Vec<NodeId>, block_number: u64) -> ToPool {
    ToPool::Protocol2(Box::new(Call::Update(Update { peers, block_number })))
}

/// The missing hosts, and as many more as are avoided: the pool does not know which those are. A light node needs hosts
/// of its own kind, a full one takes any.
pub(super) fn peer_request(missing: u32, avoided: usize, facts: Option<&NodeFacts>) -> ToPool {
    let avoided = i64::try_from(avoided).unwrap_or(0);
    let light = facts.filter(|facts| !facts.full).map(|facts| Kind::of_client(&facts.client_version));
    let light = light.filter(|kind| *kind != Kind::Unknown);
    let kind = light.map_or_else(String::new, |kind| kind.name().to_owned());
    let request = PeerRequest { num: i64::from(missing).saturating_add(avoided), kind };
    ToPool::Protocol2(Box::new(Call::Peer(request)))
}

/// The pool does not know the calls of protocol 2.
pub(super) fn not_spoken(error: &WireError) -> WireError {
    let text = format!("the pool does not speak protocol 2: {}", error.message);
    WireError::new(ErrorCode::MethodNotFound, text, "leave out --protocol 2, or check the pool's address")
}
