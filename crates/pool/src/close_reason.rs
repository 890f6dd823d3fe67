use vipnode_rpc::SessionEnd;
use vipnode_types::errors;

errors! {
    /// Why the pool closes a connection. The message is the reason in the close frame.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum CloseReason {
        /// A WebSocket was open for too long without a connect that the core accepted.
        Unauthenticated {
            /// The limit, in seconds.
            limit_s: u64,
        }: local, "this connection did not authenticate within {limit_s} s: begin with a signed vipnode_connect",
            hint "Begin with a signed vipnode_connect.";
        /// Too many calls or frames were refused because they came too fast.
        Flood: local, "too many calls a second, again and again", hint "Wait as long as data.retry_ms of a refusal says.";
        /// The queue of calls to an agent is full.
        CallsUnanswered: local, "the agent does not answer its calls", hint "Check the agent's machine and network.";
        /// The operator took the node off the list of members.
        NoLongerMember: local, "this node is no longer a member of this pool", hint "Ask the operator of the pool.";
        /// The core is built again from the store.
        Restoring: local, "the pool is restoring its state; leases stay active, connect again", hint "Connect again.";
        /// The pool stops.
        GoingDown: local, "the pool is going down; leases stay active", hint "Connect again once it is back.";
    }
}

impl From<CloseReason> for SessionEnd {
    fn from(reason: CloseReason) -> Self {
        Self::closed(reason.to_string())
    }
}
