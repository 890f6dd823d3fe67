use vipnode_rpc::SessionEnd;
use vipnode_types::errors;

errors! {
    /// Why the pool closes a connection. The message is the reason in the close frame.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum CloseReason {
        /// A WebSocket was open for too long without a successful connect call.
        Unauthenticated {
            /// The limit, in seconds.
            limit_s: u64,
        }: local, "this connection did not authenticate within {limit_s} s: call vipnode_connect first",
            hint "Call vipnode_connect first, and sign it.";
        /// Too many calls or frames were refused because they exceeded the rate limit.
        Flood: local, "too many calls per second, repeatedly",
            hint "After a busy error, wait for data.retry_ms before the next call.";
        /// The agent answers the pool's calls too slowly or not at all, so the queue of calls to it is full.
        CallsUnanswered: local, "the agent does not answer the pool's calls",
            hint "Check the agent's machine and network.";
        /// The operator removed the node from the members file.
        NoLongerMember: local, "this node is no longer a member of this pool", hint "Ask the pool's operator to add the node ID to the members file again.";
        /// The operator banned the node, its agent's key, or its address.
        Banned {
            /// Who is banned, until when, and why.
            notice: String,
        }: local, "{notice}", hint "Ask the pool's operator to remove the ban.";
        /// The pool's core or its store has failed, and the pool is restoring its state.
        Restoring: local, "the pool is restoring its state; leases stay active", hint "Connect again.";
        /// The operator is stopping or restarting the pool.
        ShuttingDown: local, "the pool is shutting down; leases stay active",
            hint "Connect again once the pool is back.";
        /// The operator is stopping or restarting a pool that keeps its state in memory.
        LosingLeases: local, "the pool is shutting down; its leases are lost, since it keeps them only in memory",
            hint "Connect again once the pool is back.";
    }
}

impl From<CloseReason> for SessionEnd {
    fn from(reason: CloseReason) -> Self {
        Self::closed(reason.to_string())
    }
}
