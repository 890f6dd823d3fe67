use vipnode_types::{Account, Ms, NodeId};

/// A change of the link between a node and an account. The caller has checked the signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLink {
    /// The client's node.
    pub node: NodeId,
    /// The account that pays, or paid, for its leases.
    pub account: Account,
    /// The counter that was signed.
    pub counter: Ms,
    /// Who signed what.
    pub consent: LinkConsent,
}

/// Who agreed to which change of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkConsent {
    /// The account and the node's agent link the two.
    Both {
        /// When the delegation to the agent was issued.
        issued: Ms,
        /// The ID of the chain that the account signed.
        chain_id: u64,
    },
    /// The account ends the link.
    AccountEnds,
    /// The node's agent ends the link.
    NodeEnds {
        /// When the delegation to the agent was issued.
        issued: Ms,
    },
}
