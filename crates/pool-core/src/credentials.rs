use vipnode_types::{AgentPublic, Ms, NodeId, protocol2::Kind};

use crate::{Protocol2State, protocol2::dialect::Dialect};

/// Who speaks for a node, and what outlives a change from one protocol to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who does now.
    pub signer: Signer,
    /// The newest delegation seen; zero where there was none.
    pub issued: Ms,
    /// What is remembered of protocol 2 apart from the signer, where there is anything.
    pub protocol2: Option<Box<Protocol2State>>,
}

/// Whose signature it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// That of an agent with a key of its own, by protocol 3.
    Agent {
        /// Its key.
        key: AgentPublic,
        /// Whether the node may come by protocol 2 too.
        protocol2: bool,
    },
    /// That of the node's own key, by protocol 2.
    NodeKey {
        /// The newest nonce that a call was taken with.
        nonce: u64,
        /// The execution client that it claims to be.
        kind: Kind,
        /// Whether it claims to be a full node.
        full: bool,
    },
}

impl Credentials {
    /// One of which nothing was heard before.
    #[must_use]
    pub const fn new(signer: Signer) -> Self {
        Self { signer, issued: Ms::ZERO, protocol2: None }
    }

    /// The protocol that its agent speaks.
    pub(crate) const fn dialect(&self) -> Dialect {
        match self.signer {
            Signer::Agent { .. } => Dialect::Protocol3,
            Signer::NodeKey { .. } => Dialect::Protocol2,
        }
    }

    /// Whether it speaks protocol 2, signed by the node's own key.
    #[must_use]
    pub const fn is_node_key(&self) -> bool {
        matches!(self.signer, Signer::NodeKey { .. })
    }

    /// The newest nonce of protocol 2, 0 for none.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        match self.signer {
            Signer::NodeKey { nonce, .. } => nonce,
            Signer::Agent { .. } => self.protocol2.as_ref().map_or(0, |state| state.nonce),
        }
    }

    /// Takes a nonce that is newer, where it speaks protocol 2.
    pub fn raise_nonce(&mut self, newer: u64) {
        if let Signer::NodeKey { nonce, .. } = &mut self.signer {
            *nonce = newer.max(*nonce);
        }
    }

    /// Peers that it is to drop should it speak protocol 2.
    #[must_use]
    pub fn to_drop(&self) -> &[NodeId] {
        self.protocol2.as_ref().map_or(&[], |state| &state.drop)
    }

    /// Whether there are peers that it is to drop, and hears of in its answers.
    pub(crate) fn drops(&self) -> bool {
        self.is_node_key() && !self.to_drop().is_empty()
    }

    /// As it is on a new socket.
    pub(crate) fn untold(&self) -> Self {
        let mut credentials = self.clone();
        if let Some(state) = &mut credentials.protocol2 {
            state.told = 0;
        }
        credentials
    }

    /// Another signer speaks for it, on a new socket, perhaps in the other protocol. Nonces (D9), and the peers that it is to
    /// drop, are not forgotten meanwhile.
    pub(crate) fn with(&self, signer: Signer) -> Self {
        let mut credentials = self.untold();
        let nonce = self.nonce();
        credentials.signer = signer;
        if nonce > 0 && !credentials.is_node_key() {
            credentials.protocol2.get_or_insert_default().nonce = nonce;
        }
        credentials
    }
}
