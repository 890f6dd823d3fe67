//! The states that tests begin with, and names for the agents in them.

use std::str::FromStr;

use vipnode_types::{
    LeaseId,
    wire::{ClientCriteria, ConnectRequest},
};

use super::pool::{Pool, client, host};
use crate::{CallId, PoolCall};

/// The host of a test.
pub(crate) const HOST: u32 = 1;
/// The client of a test.
pub(crate) const CLIENT: u32 = 2;
/// Another host. A test has this one or [`SECOND_CLIENT`], never both.
pub(crate) const SECOND_HOST: u32 = 3;
/// Another client. A test has this one or [`SECOND_HOST`], never both.
pub(crate) const SECOND_CLIENT: u32 = 3;

/// `"snap/1 eth/69"` as a list.
pub(crate) fn list<T: FromStr>(text: &str) -> Vec<T> {
    text.split_whitespace().map(|one| one.parse().ok().expect(one)).collect()
}

/// A host with 4 slots whose node serves these protocols.
pub(crate) fn serving(agent: u32, serves: &str) -> ConnectRequest {
    ConnectRequest { capabilities: list(serves), ..host(agent, 4) }
}

/// A client that requires these protocols of its hosts.
pub(crate) fn needing(agent: u32, need: &str) -> ConnectRequest {
    let criteria = ClientCriteria { required_capabilities: list(need), ..ClientCriteria::default() };
    ConnectRequest { client: Some(criteria), ..client(agent) }
}

/// What a test begins with: `Pool::new().with_host(HOST, 4).with_client(CLIENT)`.
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

    /// [`HOST`] with 4 slots and [`CLIENT`], both with their first report.
    pub(crate) fn paired(mut self) -> Self {
        self.pair_up();
        self
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

    /// The client asks for one host, the host admits it, and both report the lease.
    pub(crate) fn lease_between(&mut self, host: u32, client: u32) -> LeaseId {
        self.ask(client, 1);
        let lease = self.admit(host);
        self.delta(host, &[lease], &[]);
        self.delta(client, &[lease], &[]);
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
