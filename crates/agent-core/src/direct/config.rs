use std::collections::BTreeSet;

use vipnode_types::{Enode, EnodeHost, errors};

use super::names::name_of;
use crate::limits;

/// Peers that the user named: they need no pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectConfig {
    /// Hosts that the node is kept connected to. A name is resolved again and again.
    pub hosts: Vec<Enode>,
    /// Clients that are let in; their id suffices, for clients that take one without an address.
    pub allow: Vec<Enode>,
}

errors! {
    /// Why peers cannot be used as they were named.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum DirectConfigError {
        /// More hosts are named than one agent keeps.
        Hosts {
            /// How many are named.
            given: usize,
            /// The limit.
            most: usize,
        }: local, "{given} hosts are named, and one agent keeps at most {most}",
            hint "Name fewer hosts, or run a pool for them: `vipnode pool`.";
        /// A host is named without an address.
        NoAddress {
            /// The host.
            peer: Enode,
        }: local, "{peer} has no address to dial", hint "Name it as enode://ID@HOST:PORT.";
        /// A client is named with a host name as its address.
        NamedClient {
            /// The client.
            peer: Enode,
        }: local, "--allow {peer} has a name for an address, and a client's name is not looked up",
            hint "Pass --allow with the node id alone, or with an IP address.";
        /// A node is named twice.
        Twice {
            /// The node, short.
            node: String,
        }: local, "{node} is named twice", hint "Name each node once.";
    }
}

impl DirectConfig {
    /// Whether the peers can be used as they are named.
    ///
    /// # Errors
    /// Which cannot, and how to fix it.
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

    /// Whether nobody is named.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.allow.is_empty()
    }

    /// The hosts that are known by this name.
    pub(crate) fn hosts_called(&self, name: &str) -> impl Iterator<Item = &Enode> {
        self.hosts.iter().filter(move |host| name_of(host) == Some(name))
    }

    /// Slots that are given away.
    #[must_use]
    pub fn allowed(&self) -> u32 {
        u32::try_from(self.allow.len()).unwrap_or(u32::MAX)
    }
}
