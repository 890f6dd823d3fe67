//! Translates between the agent's core, which uses the messages of protocol 3, and an original pool, which uses
//! protocol 2.
//!
//! | protocol 3 | protocol 2 |
//! |---|---|
//! | connect | `vipnode_connect`; the agent's current leases stay |
//! | report | `vipnode_update` with every connected leased peer and no other (fault D46, docs/faults.md) |
//! | ask | `vipnode_peer`; each answer is a slot, under a lease ID that the agent assigns |
//! | leave | nothing: the next update does not include the peer |
//! | bye | a last update without peers |
//!
//! | from the pool | effect |
//! |---|---|
//! | `vipnode_whitelist` | admit, under a lease ID that the agent assigns |
//! | `invalid_peers` | evict, if there is a lease with that peer; other peers are ignored |
//! | `latest_block_number` | a notice when the node is behind, and when it caught up |
//!
//! The original does not notify a host when a client leaves. A client that was admitted and is not connected for
//! [`Protocol2Translation::unseen_ms`] is evicted here (fault D35, docs/faults.md). A peer that is missing from `active_peers` is
//! kept.
//!
//! The pool names peers without their role. If an earlier run left two leases with the same peer, one in each
//! direction, the agent therefore does not take them over. It undoes the leases of an earlier run over protocol 3
//! first, because the lease IDs of one protocol mean nothing in the other.

mod absent_clients;
pub(super) mod answers;
pub(super) mod hello;

use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms, NodeFacts, NodeId, Price,
    protocol2::{Balance, Call, Kind, PeerRequest, Update},
    wire::{AdmitCall, ErrorCode, WireError},
};

use crate::{Notice, ToPool, limits};

/// Settings for protocol 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol2Config {
    /// The interval of updates, in milliseconds; the original pool does not report one.
    pub update_interval_ms: u64,
}

/// The state of protocol 2, beyond the leases.
#[derive(Debug, Clone)]
pub(crate) struct Protocol2Translation {
    config: Protocol2Config,
    next_lease: u64,
    /// Admitted clients that are not connected, and since when.
    unseen: BTreeMap<LeaseId, Ms>,
    /// The user was notified that the node is behind.
    behind: bool,
    /// The balance of which the user was last notified, and when.
    balance_announced: Option<(Balance, Ms)>,
}

impl Protocol2Translation {
    /// Creates the state. Lease IDs begin after those of an earlier run.
    pub(crate) fn new(config: Protocol2Config, leases: impl Iterator<Item = LeaseId>) -> Self {
        let next_lease = leases.map(LeaseId::get).max().unwrap_or(0).saturating_add(1);
        Self { config, next_lease, unseen: BTreeMap::new(), behind: false, balance_announced: None }
    }

    fn new_lease(&mut self) -> LeaseId {
        let lease = LeaseId::new(self.next_lease);
        self.next_lease = self.next_lease.saturating_add(1);
        lease
    }

    /// Translates a whitelist call. The original sends no lease ID: the call is about the lease that is `held` with the
    /// client, which gets the full time to connect again, or about a new one.
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

    /// Returns a notice when the node falls behind, and when it caught up.
    pub(crate) fn announce_behind(&mut self, latest: u64, block: u64) -> Option<Notice> {
        let blocks = latest.saturating_sub(block);
        let behind = blocks > limits::BEHIND_BLOCKS;
        let notice = if behind { Notice::Behind { blocks, latest } } else { Notice::CaughtUp { latest } };
        (std::mem::replace(&mut self.behind, behind) != behind).then_some(notice)
    }

    /// Returns a notice of the account's balance, at once and then from time to time (fault D41, docs/faults.md).
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

/// The update with the connected peers and the newest block.
pub(super) fn update(peers: Vec<NodeId>, block_number: u64) -> ToPool {
    ToPool::Protocol2(Box::new(Call::Update(Update { peers, block_number })))
}

/// Asks for the missing hosts plus the number of avoided ones, because the pool does not know which those are. A light
/// node needs hosts that serve light nodes; a full node accepts any.
pub(super) fn peer_request(missing: u32, avoided: usize, facts: Option<&NodeFacts>) -> ToPool {
    let avoided = i64::try_from(avoided).unwrap_or(0);
    let light = facts.filter(|facts| !facts.full).map(|facts| Kind::of_client(&facts.client_version));
    let light = light.filter(|kind| *kind != Kind::Unknown);
    let kind = light.map_or_else(String::new, |kind| kind.name().to_owned());
    let request = PeerRequest { num: i64::from(missing).saturating_add(avoided), kind };
    ToPool::Protocol2(Box::new(Call::Peer(request)))
}

/// The error for a pool that does not have the calls of protocol 2.
pub(super) fn not_spoken(error: &WireError) -> WireError {
    let text = format!("the pool does not support protocol 2: {}", error.message);
    WireError::new(ErrorCode::MethodNotFound, text, "leave out --protocol 2, or check the pool's address")
}
