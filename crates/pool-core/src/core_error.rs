use vipnode_types::{AccountError, ChainSpec, EnodeError, errors};

errors! {
    /// Why the pool refuses what an agent asks.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum CoreError {
        /// A call came on a connection on which no agent has connected, or whose node has connected on another since.
        NotConnected: Unauthorized, "this connection is not authenticated, or a newer connection replaced it",
            hint "Call vipnode_connect first.";
        /// A newer delegation of the node is known than the one that connects.
        OldDelegation: Unauthorized, "this delegation was replaced by a newer one of the same node",
            hint "Run vipnode link again on this machine.";
        /// The agent speaks another protocol than the pool.
        Protocol {
            /// Of the agent.
            theirs: u32,
            /// Of this pool.
            ours: u32,
        }: Unsuitable, "the agent speaks protocol {theirs}, this pool speaks {ours}",
            hint "Use the release of vipnode that the pool runs.";
        /// The enode that an agent names is not the node that signed.
        ForeignEnode: Unsuitable, "the enode has the id of another node than the one that signed",
            hint "Check --enode and --nodekey: both must be of the same node.";
        /// A node that came by protocol 3 comes by protocol 2, which its owner has not allowed.
        SpeaksProtocol3: Unauthorized, "this node uses protocol 3, and its owner has not allowed protocol 2 since",
            hint "Run the agent with --allow-protocol-2 once, or stay with protocol 3.";
        /// A host of protocol 2 connects over HTTP.
        HostOverHttp: Unsuitable, "a host cannot be called over HTTP",
            hint "Connect by WebSocket: ws:// or wss:// instead of http:// or https://.";
        /// A network id of protocol 2 is negative.
        Network {
            /// As it was sent.
            network: i64,
        }: InvalidParams, "{network} is not a valid network id",
            hint "Set node_info.network to net_version as a number, 1 for mainnet.";
        /// The enode of a call of protocol 2 cannot be read.
        NodeUri {
            /// What is wrong with it.
            source: EnodeError,
        }: InvalidParams, "node_uri is not a valid enode: {source}",
            hint "Pass --enode enode://<id>@<host>:<port>, or leave it out.";
        /// The payout account of a call of protocol 2 cannot be read.
        Payout {
            /// What is wrong with it.
            source: AccountError,
        }: InvalidParams, "payout: {source}",
            hint "Pass an address to --payout, or leave it out.";
        /// A call of protocol 2 asks for less than one peer.
        TooFew {
            /// As it was sent.
            num: i64,
        }: InvalidParams, "{num} peers were asked for", hint "Ask for at least 1 (num).";
        /// An agent that did not connect as a client asks for hosts.
        NoClient: Unsuitable, "this agent did not connect as a client", hint "Run vipnode client or vipnode agent.";
        /// The pool remembers as many nodes as its limit allows, and none of them may be forgotten.
        PoolFull {
            /// The limit.
            nodes: u32,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "this pool remembers at most {nodes} nodes and is full",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The node is on a further chain than the pool's limit allows.
        ChainsFull {
            /// The chain of the node.
            chain: Box<ChainSpec>,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy,
            "this pool has no room for another chain ({chain})", hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// A message names more leases than one agent can have.
        TooManyLeases {
            /// The limit.
            limit: usize,
        }: InvalidParams, "a message can name at most {limit} leases here",
            hint "Update vipnode; if it is the newest release, report this.";
        /// The clients of an address block have as many pending offers as the limit allows.
        OffersInBlock {
            /// The limit.
            limit: u32,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy,
            "{limit} slots are offered to clients of your address block and not connected yet",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// A client, or its address block, has used up the time of today that only hosts saw.
        Unpaired {
            /// The limit of a day, in milliseconds.
            limit_ms: u64,
            /// When the next day begins (UTC), in milliseconds from now.
            retry_ms: u64,
        }: Unpaired,
            "hosts saw your node, or others of your address block, connected for more than {seconds} s today while \
             its agent did not report it" (seconds = limit_ms / 1_000),
            hint "Keep the agent running for as long as the node has peers of the pool.", retry retry_ms;
        /// The nonce of a call of protocol 2 is of the future.
        NonceAhead {
            /// By how much, in seconds.
            seconds: u64,
        }: Unauthorized, "the nonce is {seconds} s ahead of this pool's clock",
            hint "Set this machine's clock: it runs ahead, or the nonce is not in nanoseconds.";
        /// The nonce of a call of protocol 2 is too old.
        NonceBehind {
            /// By how much, in seconds.
            seconds: u64,
        }: Unauthorized, "the nonce is {seconds} s behind this pool's clock",
            hint "Set this machine's clock: it runs behind, or the call was kept for too long.";
        /// The nonce of a call of protocol 2 was used before, or is older than one that was.
        NonceOld: Unauthorized, "the nonce is not newer than the one before",
            hint "Let one agent at a time speak for a node; each call needs a greater nonce.";
        /// The pool started after a call of protocol 2 was signed.
        NonceBeforeStart: Unauthorized,
            "this pool has started since, and cannot know whether it took this call before", hint "Connect again.";
        /// As before, for a call that connects by a clock that runs behind.
        ConnectBeforeStart {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Unauthorized,
            "this pool has started since, and cannot know whether it took this connect before",
            hint "Connect again in {retry_ms} ms.", retry retry_ms;
    }
}

/// Why a request got fewer hosts than it wanted, where it waited as long as it may.
pub(crate) const NO_ANSWER: &str = "no host answered in time; the pool keeps trying";
/// Why a request got fewer hosts than it wanted, where the same client made another.
pub(crate) const NEWER_ASK: &str = "a newer request replaced this one";
