use vipnode_types::errors;

errors! {
    /// Why an agent does not carry out a request from its pool, to its pool, or from a local user.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum RequestError {
        /// The pool called a method that agents do not support in this protocol.
        NoMethod { name: String }: MethodNotFound, "agents do not support the {name:?} method",
            hint "Update the older of the agent and the pool.";
        /// The pool's call does not have the format that agents expect.
        Params { why: String }: InvalidParams, "params must be a list with one element: {why}",
            hint "Check the params against the method's description. If vipnode sent them, update the older of the \
                  agent and the pool.";
        /// The pool is calling the agent faster than its node can carry out the calls.
        NodeBusy { retry_ms: u64 }: Busy, "too many calls are waiting for this agent's node",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The agent has more requests for the pool than the connection can transmit.
        LinkBusy { retry_ms: u64 }: Busy, "too many requests are waiting to be sent to the pool",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The disk that holds the agent's state directory is full or cannot be written to.
        VoucherUnkept { retry_ms: u64 }: Busy, "the voucher was not sent, because its record could not be written",
            hint "Free some space in the agent's state directory.", retry retry_ms;
        /// The agent core made a request in one protocol for a connection that uses the other.
        OtherProtocol: Internal, "the request belongs to a protocol that this connection does not use", hint "Please report this.";
        /// A message could not be serialized as JSON or could not be queued.
        NotSent { why: String }: Internal, "the request could not be sent: {why}", hint "Please report this.";
        /// The pool leaves too many requests of this agent unanswered.
        PoolFull { retry_ms: u64 }: Busy, "too many requests are waiting for a response from the pool",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// Another program responds at the pool's address, or the pool's response is longer than it should be.
        AnswerTooLarge { bytes: usize }: Internal, "the pool's response has more than {bytes} bytes",
            hint "Check that a pool answers at this address, and report this to its operator. The agent accepts longer responses with --limit \
                  pool_bytes=N.";
        /// Another program responds at the pool's address.
        NotJsonRpc { why: String }: Internal, "the pool's response cannot be read: {why}",
            hint "Check that a pool answers at this address, and that the pool and the agent run compatible versions.";
        /// The pool's response does not have the format that this version expects.
        Answer { method: &'static str, why: String }: Internal, "the pool's response to {method} cannot be read: {why}",
            hint "Check that the pool and the agent run compatible versions.";
        /// Another program responds at the pool's address, or the pool runs an incompatible version.
        Protocol2Answer { why: String }: Internal, "the pool's response is not a valid protocol 2 response: {why}",
            hint "Check that a protocol 2 pool answers at this address.";
        /// The pool is older than `vipnode_explain`.
        NoExplain: MethodNotFound, "this pool's version does not support vipnode status --why",
            hint "Ask the pool's operator to update vipnode.";
        /// `vipnode status --why` was run for an agent that uses protocol 2.
        NoExplainOverProtocol2: MethodNotFound, "protocol 2 has no method that explains the pool's choices",
            hint "Remove --protocol 2 if the pool supports protocol 3.";
        /// The funds of a node were requested from an agent that uses protocol 2.
        NoFundsOverProtocol2: MethodNotFound, "protocol 2 has no method that reports the funds of a node",
            hint "Remove --protocol 2 if the pool supports protocol 3.";
        /// The agent uses the pool over HTTP, or the pool runs without a data directory.
        NoProvenPool: Unsuitable, "the pool did not prove its ID, so the origin of this statement cannot be verified",
            hint "Connect over WebSocket (wss://), and ask the pool's operator to start it with a data directory (--datadir).";
        /// The pool did not answer a user's query, such as vipnode status --why.
        NoAnswer { why: String }: Server, "the pool did not answer: {why}", hint "Try again.";
        /// The connection was lost, or the pool's response was late or had an unexpected format.
        NoStatus { why: String }: Server, "the pool did not report its status: {why}", hint "Try again.";
        /// The agent core did not respond in time.
        AgentBusy { retry_ms: u64 }: Busy, "the agent is busy", hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The pool is overloaded, or the connection to it is slow.
        PoolSlow { retry_ms: u64 }: Busy, "the pool did not answer in time",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// `vipnode status --why` was run for an agent that is only a host.
        NotClient: Unsuitable, "this agent is not a client, so it has no hosts to explain",
            hint "Query an agent that is a client: `vipnode status --why --state-dir DIR`.";
        /// `vipnode status --why` was run for an agent that was started without a pool.
        NoPool: Unsuitable, "this agent runs without a pool; its hosts are the ones that you named",
            hint "To get hosts from a pool, restart the agent with the pool's URL.";
        /// A user asked for information that the agent does not store, while the pool is unreachable.
        PoolOffline: Server, "the agent is not connected to the pool, and only the pool has this information. \
                              Existing leases stay active",
            hint "Try again once the agent has reconnected.";
        /// The agent has not joined a pool, or lost its connection.
        NotJoined: Server, "this agent is currently not connected to its pool",
            hint "Run `vipnode status` to see why, and try again later.";
        /// The connection ended before the pool answered the request.
        LinkLost: Server, "the connection to the pool was lost", hint "Try again once the agent has reconnected.";
        /// The agent has begun to stop and no longer carries out requests.
        Stopping: Server, "the agent is stopping", hint "Try again after you restart it.";
        /// The agent's local socket does not support this method.
        NoLocalMethod { name: String }: MethodNotFound, "unknown method {name}",
            hint "Use the same version of vipnode as the agent.";
    }
}

/// When to try again where an agent has too much to do, in milliseconds.
pub(crate) const RETRY_MS: u64 = 1_000;
