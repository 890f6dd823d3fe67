use vipnode_types::errors;

errors! {
    /// Why an agent does not carry out a request: of its pool, to its pool, or of a user of this machine.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum RequestError {
        /// The pool calls a method that an agent of this protocol does not have.
        NoMethod { name: String }: MethodNotFound, "an agent has no method {name:?}",
            hint "Update whichever of agent and pool is older.";
        /// The params of a call are not a list of one element of the expected form.
        Params { why: String }: InvalidParams, "params are a list of one element: {why}",
            hint "Write them as this method takes them; if a vipnode wrote them, update whichever of agent and pool is older.";
        /// Too many calls of the pool wait for the node.
        NodeBusy { retry_ms: u64 }: Busy, "too many calls wait for this agent's node",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// Too many requests wait to be sent to the pool.
        LinkBusy { retry_ms: u64 }: Busy, "too many requests wait to be sent to the pool",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The agent core made a request of one protocol for a connection of the other.
        OtherProtocol: Internal, "a request of another protocol than this connection speaks", hint "Please report this.";
        /// A message could not be written as JSON, or not be queued.
        NotSent { why: String }: Internal, "the request could not be sent: {why}", hint "Please report this.";
        /// The pool's answer has another form than this version expects.
        Answer { method: &'static str, why: String }: Internal, "the pool's answer to {method} cannot be read: {why}",
            hint "Check that pool and agent run versions that fit.";
        /// The pool's answer is not one of protocol 2.
        Protocol2Answer { why: String }: Internal, "the pool's answer is not one of protocol 2: {why}",
            hint "Check that a protocol 2 pool answers at this address.";
        /// The pool is older than `vipnode_explain`.
        NoExplain: MethodNotFound, "the pool's version cannot explain its choices",
            hint "Ask the pool's operator to update vipnode.";
        /// Protocol 2 has no call that explains the pool's choices.
        NoExplainOverProtocol2: MethodNotFound, "protocol 2 has no way to ask a pool why",
            hint "Leave out --protocol 2 if the pool speaks protocol 3.";
        /// The pool did not answer a question of the user.
        NoAnswer { why: String }: Server, "the pool did not answer: {why}", hint "Try again.";
        /// The pool did not report its status.
        NoStatus { why: String }: Server, "the pool did not report its status: {why}", hint "Try again.";
        /// The agent core does not answer in time.
        AgentBusy { retry_ms: u64 }: Busy, "the agent is busy", hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The pool does not answer in time.
        PoolSlow { retry_ms: u64 }: Busy, "the pool did not answer in time",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The agent does not seek hosts.
        NotClient: Unsuitable, "this agent is not a client: it seeks no hosts, so there is nothing to explain",
            hint "Ask the agent of a client: vipnode status --why --state-dir DIR.";
        /// The agent has no pool.
        NoPool: Unsuitable, "there is no pool: these hosts are the ones that were named",
            hint "Name other hosts, or pass the address of a pool.";
        /// The agent is not connected to its pool.
        PoolOffline: Server, "the agent is not connected to the pool, which alone knows why; existing leases stay active",
            hint "Try again once the agent has reconnected.";
        /// The agent has not joined a pool.
        NotJoined: Server, "this agent has not joined a pool", hint "Try again once it has joined.";
        /// The connection to the pool was lost.
        LinkLost: Server, "the connection to the pool is gone", hint "Try again once the agent has reconnected.";
        /// The agent is stopping.
        Stopping: Server, "the agent is stopping", hint "Ask again once it has been started again.";
        /// A method that the agent's local socket does not offer.
        NoLocalMethod { name: String }: MethodNotFound, "there is no method {name} here",
            hint "Use the vipnode release that the agent runs.";
    }
}

/// When to try again where an agent has too much to do, in milliseconds.
pub(crate) const RETRY_MS: u64 = 1_000;
