use vipnode_rpc::Trust;

use crate::limits::NodeLimits;

/// How a node may be reached.
#[derive(Debug, Clone, Default)]
pub struct NodeAccess {
    /// Which certificates are valid for `https://` and `wss://`, and whether `http://` and `ws://` may go beyond loopback.
    pub trust: Trust,
    /// The limits of its calls.
    pub limits: NodeLimits,
}
