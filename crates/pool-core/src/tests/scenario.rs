//! The states that tests begin with, and names for the agents and numbers in them.

use std::{ops::Range, str::FromStr};

use vipnode_types::{
    LeaseId,
    wire::{ClientCriteria, ConnectRequest},
};

use super::pool::{Pool, client, host, wei};
use crate::{CallId, Limits, PoolCall};

/// The host of a test.
pub(crate) const HOST: u32 = 1;
/// The client of a test.
pub(crate) const CLIENT: u32 = 2;
pub(crate) const SECOND_HOST: u32 = 3;
pub(crate) const SECOND_CLIENT: u32 = 4;
pub(crate) const THIRD_HOST: u32 = 5;
pub(crate) const THIRD_CLIENT: u32 = 6;
/// An agent in another wide address block than the agents above.
pub(crate) const OTHER_SUBNET: u32 = 256 + 1;
/// An agent in a third wide address block.
pub(crate) const FURTHER: u32 = 2 * 256 + 1;

/// The first of many agents that belong to no one else in a test; the others follow.
pub(crate) const STRANGER: u32 = 1_000;

/// The slots of a host, where their number is not what a test is about.
pub(crate) const SLOTS: u32 = 4;

pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;

/// In a full report: the peer of the lease was connected all the time since the last report.
pub(crate) const KEPT: bool = true;
/// In a full report: the peer of the lease was not connected for some time since the last report.
pub(crate) const INTERRUPTED: bool = false;

/// So many clients besides the named ones (at most 90), each in an address block of its own.
pub(crate) fn other_clients(many: u32) -> Range<u32> {
    assert!(many <= 90);
    10..10 + many
}

/// So many hosts besides the named ones (at most 100), each in an address block of its own.
pub(crate) fn other_hosts(many: u32) -> Range<u32> {
    assert!(many <= 100);
    100..100 + many
}

/// Limits of a pool that charges 1 wei for each billed millisecond.
pub(crate) fn priced() -> Limits {
    Limits { price: wei(60_000), ..Limits::default() }
}

/// `"snap/1 eth/69"` as a list.
pub(crate) fn list<T: FromStr>(text: &str) -> Vec<T> {
    text.split_whitespace().map(|one| one.parse().ok().expect(one)).collect()
}

/// A host with [`SLOTS`] whose node serves these protocols.
pub(crate) fn serving(agent: u32, serves: &str) -> ConnectRequest {
    ConnectRequest { capabilities: list(serves), ..host(agent, SLOTS) }
}

/// A host that is a client, too.
pub(crate) fn both_roles(agent: u32, slots: u32) -> ConnectRequest {
    ConnectRequest { client: client(agent).client, ..host(agent, slots) }
}

/// A client that requires these protocols of its hosts.
pub(crate) fn needing(agent: u32, need: &str) -> ConnectRequest {
    let criteria = ClientCriteria { required_capabilities: list(need), ..ClientCriteria::default() };
    ConnectRequest { client: Some(criteria), ..client(agent) }
}

/// [`CLIENT`], which pays up to this price.
pub(crate) fn paying_at_most(price: &str) -> ConnectRequest {
    let criteria = ClientCriteria { max_price: Some(price.parse().unwrap()), ..ClientCriteria::default() };
    ConnectRequest { client: Some(criteria), ..client(CLIENT) }
}

/// What a test begins with: `Pool::new().with_host(HOST, SLOTS).with_client(CLIENT)`.
impl Pool {
    /// A host with so many slots that has connected.
    pub(crate) fn with_host(self, agent: u32, slots: u32) -> Self {
        self.with_agent(agent, host(agent, slots))
    }

    /// A client that has connected.
    pub(crate) fn with_client(self, agent: u32) -> Self {
        self.with_agent(agent, client(agent))
    }

    /// An agent that has connected with this request.
    pub(crate) fn with_agent(mut self, agent: u32, hello: ConnectRequest) -> Self {
        self.connect(agent, hello).unwrap();
        self
    }

    /// The agent has sent its first report, without leases.
    pub(crate) fn reported(mut self, agent: u32) -> Self {
        self.full(agent, &[]);
        self
    }

    /// [`HOST`] with [`SLOTS`] and [`CLIENT`], both with their first report.
    pub(crate) fn paired(mut self) -> Self {
        self.pair_up();
        self
    }

    /// As [`Self::paired`], with a lease that the host admitted and neither side reports yet.
    pub(crate) fn offered(mut self) -> (Self, LeaseId) {
        self.pair_up();
        self.ask(CLIENT, 1);
        let lease = self.admit(HOST);
        (self, lease)
    }

    /// As [`Self::paired`], with a lease that both report.
    pub(crate) fn leased(mut self) -> (Self, LeaseId) {
        let lease = self.lease_up();
        (self, lease)
    }

    /// [`HOST`] with one slot that [`CLIENT`] has, and [`SECOND_CLIENT`].
    pub(crate) fn with_one_slot(self) -> (Self, LeaseId) {
        let mut pool = self.with_host(HOST, 1).reported(HOST);
        for agent in [CLIENT, SECOND_CLIENT] {
            pool = pool.with_client(agent).reported(agent);
        }
        let lease = pool.lease_between(HOST, CLIENT);
        (pool, lease)
    }

    /// As [`Self::paired`], in the middle of a test.
    pub(crate) fn pair_up(&mut self) {
        self.join(HOST, host(HOST, SLOTS));
        self.join(CLIENT, client(CLIENT));
    }

    /// As [`Self::leased`], in the middle of a test.
    pub(crate) fn lease_up(&mut self) -> LeaseId {
        self.pair_up();
        self.lease_between(HOST, CLIENT)
    }

    /// An agent connects with this request and sends its first report, without leases.
    pub(crate) fn join(&mut self, agent: u32, hello: ConnectRequest) {
        self.connect(agent, hello).unwrap();
        self.full(agent, &[]);
    }

    /// The client asks for one host, the host admits it, and both report the lease.
    pub(crate) fn lease_between(&mut self, host: u32, client: u32) -> LeaseId {
        self.ask(client, 1);
        let lease = self.admit(host);
        self.reports_up(host, lease);
        self.reports_up(client, lease);
        lease
    }

    /// The first of these hosts that has an admit call waiting, which stays waiting.
    pub(crate) fn asked(&self, hosts: impl IntoIterator<Item = u32>) -> Option<u32> {
        hosts.into_iter().find(|&agent| {
            let connection = self.connection(agent);
            self.calls.iter().any(|(to, _, call)| *to == connection && matches!(call, PoolCall::Admit(_)))
        })
    }

    /// Takes the admit call of the first of these hosts that has one.
    pub(crate) fn admitting(&mut self, hosts: &[u32]) -> Option<(u32, CallId)> {
        hosts.iter().find_map(|&host| self.take_admit(host).map(|(call, _)| (host, call)))
    }

    /// Has the client ask for one host, and takes the admit call of the first of these hosts that has one.
    pub(crate) fn given(&mut self, agent: u32, hosts: &[u32]) -> Option<(u32, CallId)> {
        self.ask(agent, 1);
        self.admitting(hosts)
    }

    /// Why the last answer to an ask has too few hosts.
    pub(crate) fn why(&self, agent: u32) -> String {
        self.last_ask(agent).unwrap().reason.unwrap_or_default()
    }
}
