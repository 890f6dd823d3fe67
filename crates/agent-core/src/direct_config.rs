use std::collections::BTreeSet;

use vipnode_types::{Enode, EnodeHost};

use crate::limits;

/// Peers that the user named: they need no pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectConfig {
    /// Hosts that the node is kept connected to. A name is resolved again and again.
    pub hosts: Vec<Enode>,
    /// Clients that are let in; their id suffices, for clients that take one without an address.
    pub allow: Vec<Enode>,
}

/// Why peers cannot be used as they were named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectConfigError {
    /// More hosts than one agent keeps.
    #[error("{given} hosts are named, and one agent keeps at most {most}")]
    Hosts {
        /// How many.
        given: usize,
        /// The limit.
        most: usize,
    },
    /// A host without an address.
    #[error("{0} says no address to dial")]
    NoAddress(Enode),
    /// A client with a name for an address.
    #[error("--allow {0} has a name for an address, and a client is not looked up")]
    NamedClient(Enode),
    /// One node twice.
    #[error("{0} is named twice")]
    Twice(String),
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
            return Err(DirectConfigError::NoAddress(host.clone()));
        }
        if let Some(client) = self.allow.iter().find(|client| matches!(client.host, EnodeHost::Dns(_))) {
            return Err(DirectConfigError::NamedClient(client.clone()));
        }
        for list in [&self.hosts, &self.allow] {
            let mut ids = BTreeSet::new();
            if let Some(twice) = list.iter().find(|peer| !ids.insert(peer.id)) {
                return Err(DirectConfigError::Twice(twice.id.short()));
            }
        }
        Ok(())
    }

    /// Whether nobody is named.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.allow.is_empty()
    }

    /// Places that are given away.
    #[must_use]
    pub fn allowed(&self) -> u32 {
        u32::try_from(self.allow.len()).unwrap_or(u32::MAX)
    }
}
