use std::collections::BTreeSet;

use vipnode_types::{Enode, EnodeHost, errors};

use super::dns_names::name_of;
use crate::limits;

/// Peers that the user named. They need no pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectConfig {
    /// Hosts that the node stays connected to. Host names are resolved periodically.
    pub hosts: Vec<Enode>,
    /// Clients that are admitted. The node ID is enough for execution clients that accept a peer without an address.
    pub allow: Vec<Enode>,
}

errors! {
    /// Why the peers that the user named cannot be used.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum DirectConfigError {
        /// More hosts were named than one agent can stay connected to.
        Hosts {
            /// How many are named.
            given: usize,
            /// How many hosts one agent may have.
            most: usize,
        }: local, "{given} hosts were given, but one agent can stay connected to at most {most}",
            hint "Pass fewer hosts, or run a pool for them: `vipnode pool`.";
        /// A host is named without an address.
        NoAddress {
            /// Enode of the host without an address.
            peer: Enode,
        }: local, "{peer} has no address to dial", hint "Pass it as enode://ID@HOST:PORT.";
        /// The address of a client is a host name.
        NamedClient {
            /// Enode of the client with a host name.
            peer: Enode,
        }: local, "--allow {peer} contains a host name, but the agent does not resolve names of clients",
            hint "Pass --allow with only the node ID, or with an IP address.";
        /// A node is named twice.
        Twice {
            /// The node, short.
            node: String,
        }: local, "{node} was given twice", hint "Pass each node only once.";
    }
}

impl DirectConfig {
    /// Checks that the peers can be used as named.
    ///
    /// # Errors
    /// Which peer cannot, and how to fix it.
    pub fn check(&self) -> Result<(), DirectConfigError> {
        if self.hosts.len() > limits::DIRECT_HOSTS {
            return Err(DirectConfigError::Hosts { given: self.hosts.len(), most: limits::DIRECT_HOSTS });
        }
        if let Some(host) = self.hosts.iter().find(|host| host.host == EnodeHost::None) {
            return Err(DirectConfigError::NoAddress { peer: host.clone() });
        }
        if let Some(client) = self.allow.iter().find(|client| matches!(client.host, EnodeHost::Dns(_))) {
            return Err(DirectConfigError::NamedClient { peer: client.clone() });
        }
        for list in [&self.hosts, &self.allow] {
            let mut ids = BTreeSet::new();
            if let Some(twice) = list.iter().find(|peer| !ids.insert(peer.id)) {
                return Err(DirectConfigError::Twice { node: twice.id.short() });
            }
        }
        Ok(())
    }

    /// Returns whether no peers were given.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.allow.is_empty()
    }

    /// Returns the hosts with this host name.
    pub(crate) fn hosts_called(&self, name: &str) -> impl Iterator<Item = &Enode> {
        self.hosts.iter().filter(move |host| name_of(host) == Some(name))
    }

    /// Returns the number of slots used by `--allow`.
    #[must_use]
    pub fn allowed(&self) -> u32 {
        u32::try_from(self.allow.len()).unwrap_or(u32::MAX)
    }
}
