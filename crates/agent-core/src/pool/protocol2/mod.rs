//! The mind speaks to a pool of the original vipnode: what it means is what it means to a pool of protocol 3,
//! said in the calls of protocol 2.
//!
//! | what is meant | what is said |
//! |---|---|
//! | connect | `vipnode_connect`; the leases that go on are those that stand here |
//! | report | `vipnode_update` with every leased peer that is seen (D46: and no other) |
//! | ask | `vipnode_peer`; each answer is a place, under a name of our own |
//! | leave | nothing: the next update does not name the peer |
//! | bye | a last update that names nobody |
//!
//! | what the pool says | what is meant |
//! |---|---|
//! | `vipnode_whitelist` | admit, under a name of our own |
//! | `invalid_peers` | evict, where a lease is held with that peer; others are none of the agent's |
//! | `latest_block_number` | the user is told when the node is behind, and when it caught up (A21) |
//!
//! The original never tells a host that a client left. A client that was let in and is not seen for
//! [`Protocol2::unseen_ms`] is evicted here (D35). A peer that leaves `active_peers` is kept.
//!
//! The pool names peers and no roles: of what an earlier run left, a pair held both ways is not taken over. What an
//! earlier run did by protocol 3 is undone before: names of leases of one protocol mean nothing in the other.

mod answers;
mod hello;
mod roles;
mod unseen;
mod whitelist;

use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms,
    protocol2::{Balance, Call, Kind, PeerRequest, Update},
};

use crate::{AgentCore, ToPool, limits};

/// How the agent speaks to a pool of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol2Config {
    /// An update is due this often, in milliseconds; the original's pool does not say.
    pub update_interval_ms: u64,
}

/// What is remembered beside the leases themselves.
#[derive(Debug, Clone)]
pub(crate) struct Protocol2 {
    config: Protocol2Config,
    next_lease: u64,
    /// Clients that were let in and are not seen, and since when.
    unseen: BTreeMap<LeaseId, Ms>,
    /// The user was told that the node is behind.
    behind: bool,
    /// What the user was last told to have, and when.
    balance_said: Option<(Balance, Ms)>,
}

impl Protocol2 {
    /// Names of leases begin past those of an earlier run.
    pub(crate) fn new(config: Protocol2Config, leases: impl Iterator<Item = LeaseId>) -> Self {
        let next_lease = leases.map(LeaseId::get).max().unwrap_or(0).saturating_add(1);
        Self { config, next_lease, unseen: BTreeMap::new(), behind: false, balance_said: None }
    }

    /// A client may stay unseen for two updates and a minute, which is how long a pool of ours waits for it.
    const fn unseen_ms(&self) -> u64 {
        self.config.update_interval_ms.saturating_mul(2).saturating_add(limits::UNSEEN_MS)
    }

    fn new_lease(&mut self) -> LeaseId {
        let lease = LeaseId::new(self.next_lease);
        self.next_lease = self.next_lease.saturating_add(1);
        lease
    }

    pub(crate) fn unseen(&self) -> usize {
        self.unseen.len()
    }
}

impl AgentCore {
    /// Every leased peer that is seen, once, and the newest block.
    pub(crate) fn update(&self) -> ToPool {
        let mut peers: Vec<_> = self.leases.iter().filter(|lease| lease.stated()).map(|lease| lease.peer.id).collect();
        peers.sort_unstable();
        peers.dedup();
        let block_number = self.node.head.map_or(0, |head| head.fact.number);
        ToPool::Protocol2(Box::new(Call::Update(Update { peers, block_number })))
    }

    /// The farewell: nobody is seen any more.
    pub(crate) fn last_update(&self) -> ToPool {
        let block_number = self.node.head.map_or(0, |head| head.fact.number);
        ToPool::Protocol2(Box::new(Call::Update(Update { peers: Vec::new(), block_number })))
    }

    /// The missing hosts, and as many more as are avoided: the pool does not know which those are.
    /// A light node needs hosts of its own kind, a full one takes any.
    pub(crate) fn peer_request(&self, avoided: usize) -> ToPool {
        let avoided = i64::try_from(avoided).unwrap_or(0);
        let facts = self.node.facts.as_ref();
        let light = facts.filter(|facts| !facts.full).map(|facts| Kind::of_client(&facts.client_version));
        let light = light.filter(|kind| *kind != Kind::Unknown);
        let kind = light.map_or_else(String::new, |kind| kind.name().to_owned());
        let request = PeerRequest { num: i64::from(self.missing_hosts()).saturating_add(avoided), kind };
        ToPool::Protocol2(Box::new(Call::Peer(request)))
    }
}
