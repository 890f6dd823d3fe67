use vipnode_types::{AgentPublic, Ms, NodeId, protocol2::Kind};

use crate::{Protocol2State, protocol2::dialect::AgentProtocol};

/// The signer that represents a node, and what the pool keeps when the node changes between protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The current signer.
    pub signer: Signer,
    /// When the newest delegation seen was issued; zero if there was none.
    pub issued: Ms,
    /// Further state of protocol 2, if there is any.
    pub protocol2: Option<Box<Protocol2State>>,
}

/// Whose key signs for a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// An agent with its own key (protocol 3).
    Agent {
        /// The agent's key.
        key: AgentPublic,
        /// Whether the node may also connect with protocol 2.
        protocol2: bool,
    },
    /// The node's own key (protocol 2).
    NodeKey {
        /// The newest nonce accepted.
        nonce: u64,
        /// The execution client that the node claims to be.
        kind: Kind,
        /// Whether the node claims to be a full node.
        full: bool,
    },
}

impl Credentials {
    /// Returns the credentials of a node that is new to the pool.
    #[must_use]
    pub const fn new(signer: Signer) -> Self {
        Self { signer, issued: Ms::ZERO, protocol2: None }
    }

    /// Returns the protocol that the agent speaks.
    pub(crate) const fn dialect(&self) -> AgentProtocol {
        match self.signer {
            Signer::Agent { .. } => AgentProtocol::Protocol3,
            Signer::NodeKey { .. } => AgentProtocol::Protocol2,
        }
    }

    /// Whether the agent speaks protocol 2, signed by the node's own key.
    #[must_use]
    pub const fn is_node_key(&self) -> bool {
        matches!(self.signer, Signer::NodeKey { .. })
    }

    /// Returns the execution client that the node claims to be in protocol 2; `None` in protocol 3.
    pub(crate) const fn claimed_kind(&self) -> Option<Kind> {
        match self.signer {
            Signer::NodeKey { kind, .. } => Some(kind),
            Signer::Agent { .. } => None,
        }
    }

    /// Returns the newest nonce of protocol 2, or 0.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        match self.signer {
            Signer::NodeKey { nonce, .. } => nonce,
            Signer::Agent { .. } => self.protocol2.as_ref().map_or(0, |state| state.nonce),
        }
    }

    /// Accepts a newer nonce if the agent speaks protocol 2.
    pub fn raise_nonce(&mut self, newer: u64) {
        if let Signer::NodeKey { nonce, .. } = &mut self.signer {
            *nonce = newer.max(*nonce);
        }
    }

    /// Returns the peers that the node has yet to drop, in protocol 2.
    #[must_use]
    pub fn to_drop(&self) -> &[NodeId] {
        self.protocol2.as_ref().map_or(&[], |state| &state.drop)
    }

    /// Whether the agent speaks protocol 2 and has yet to drop peers.
    pub(crate) fn drops(&self) -> bool {
        self.is_node_key() && !self.to_drop().is_empty()
    }

    /// Returns a copy for a new socket, on which no invalid peers were announced.
    pub(crate) fn on_new_socket(&self) -> Self {
        let mut credentials = self.clone();
        if let Some(state) = &mut credentials.protocol2 {
            state.announced = 0;
        }
        credentials
    }

    /// Returns a copy with another signer, on a new socket and possibly in the other protocol. It keeps the nonce
    /// (fault D9, docs/faults.md) and the peers that the node has yet to drop.
    pub(crate) fn with(&self, signer: Signer) -> Self {
        let mut credentials = self.on_new_socket();
        let nonce = self.nonce();
        credentials.signer = signer;
        if nonce > 0 && !credentials.is_node_key() {
            credentials.protocol2.get_or_insert_default().nonce = nonce;
        }
        credentials
    }
}
