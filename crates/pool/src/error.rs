use vipnode_types::{NodeId, errors, sanitize};

errors! {
    /// Why the pool refuses a call, before its core decides anything.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum Refusal {
        /// The call needs a connect before it, or the core closed the session.
        NotAuthenticated: Unauthorized, "this connection has not authenticated",
            hint "Begin with a signed vipnode_connect.";
        /// One connection speaks for one node, in one protocol.
        OtherNode: Unauthorized, "this connection already speaks for another node",
            hint "Open one connection for each node.";
        /// A call that has to be signed comes without an envelope.
        NotSigned: Unauthorized, "this call is not signed", hint "Sign it: params are [object, envelope].";
        /// A connect on a WebSocket signs something else than the challenge.
        Challenge: Unauthorized, "the nonce is not the challenge of this connection",
            hint "Sign the value of the header vipnode-challenge of this very connection.";
        /// The signature names another pool.
        Audience {
            /// The URL that was signed.
            audience: String,
            /// The pool's own URLs.
            known: String,
        }: Unauthorized, "this call is signed for {audience}, and this pool is known as {known}",
            hint "Connect by one of these URLs, or have the operator add yours with --public-url.";
        /// Over HTTP the nonce is another text than a number.
        NonceForm: Unauthorized, "over HTTP the nonce is the time in Unix milliseconds",
            hint "Check the clocks of both machines, then call again.";
        /// Over HTTP the nonce is too far ahead of the pool's clock.
        NonceAhead {
            /// How far it may be, in seconds.
            limit_s: u64,
        }: Unauthorized, "the nonce is more than {limit_s} s in the future",
            hint "Check the clocks of both machines, then call again.";
        /// Over HTTP the nonce is too far behind the pool's clock.
        NonceBehind {
            /// How far it may be, in seconds.
            limit_s: u64,
        }: Unauthorized, "the nonce is more than {limit_s} s old",
            hint "Check the clocks of both machines, then call again.";
        /// Over HTTP, which nonces were used before the pool's start is not known.
        NonceBeforeStart: Unauthorized, "the nonce is older than this pool's start",
            hint "Check the clocks of both machines, then call again.";
        /// Over HTTP each nonce may be used once, and they only grow.
        NonceUsed: Unauthorized, "this nonce, or a later one, was used already",
            hint "Check the clocks of both machines, then call again.";
        /// The pool has a list of members.
        NotMember {
            /// The node that is not on it.
            node: NodeId,
        }: NotMember, "this pool is closed, and this node is not one of its members",
            hint "Ask the operator to add the node id {node}.";
        /// The pool has a join secret, and the proof is not for it.
        WrongSecret: NotMember, "this pool is closed, and the join secret is not the right one",
            hint "Check the join secret.";
        /// The pool has a join secret, and the connect has no proof.
        NoSecret: NotMember, "this pool is closed: it asks for a join secret",
            hint "Pass the secret that the operator gave you: --join-secret-file FILE.";
        /// The pool has a join secret, which a node that speaks protocol 2 cannot prove to know.
        SecretInProtocol2: NotMember, "this pool is closed by a join secret, for which protocol 2 has no field",
            hint "Use an agent that speaks protocol 3, or ask the operator for a pool with --members.";
        /// The status is for members, and this caller has not connected.
        StatusForMembers: NotMember, "this pool shows its status to its members only",
            hint "Ask on the WebSocket of an agent that has connected, or ask the operator for --status public.";
        /// The status is off.
        StatusOff: Unsuitable, "this pool shows its status to nobody",
            hint "Ask the operator for --status public or --status members.";
        /// The pool is for another network.
        Network {
            /// The pool's network.
            own: String,
            /// The node's.
            theirs: String,
        }: Unsuitable, "this pool is for nodes on {own}, and this node is on {theirs}",
            hint "Run a node on {own}, or ask for a pool for {theirs}.";
        /// D7: a wallet claims a node.
        WalletClaim: Unsuitable, "a wallet cannot claim a node by its own word; the node has to name it",
            hint "Run the node's agent with --payout and the wallet's address.";
        /// A wallet withdraws.
        NothingToWithdraw: Unsuitable, "this pool collects nothing, so there is nothing to withdraw",
            hint "Ask the operator of the pool how its hosts are paid.";
        /// The params cannot be read.
        InvalidParams {
            /// What is wrong.
            why: String,
        }: InvalidParams, "the params are not what this method takes: {why}",
            hint "Check the params against the method's description, or update whichever of agent and pool is older.";
        /// No method has this name.
        UnknownMethod {
            /// The name, shortened.
            method: String,
        }: MethodNotFound, "this pool has no method {method}",
            hint "Check the method name, or update whichever of agent and pool is older.";
        /// Calls come faster than a connection may make them.
        TooFast {
            /// When the next one may come.
            retry_ms: u64,
        }: Busy, "too many calls a second on this connection", hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// Calls come faster than an address block may make them.
        BlockTooFast {
            /// When the next one may come.
            retry_ms: u64,
        }: Busy, "too many calls a second from your address and its neighbors",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// Ports of an address block were tried too often.
        PortsTried {
            /// When the next one may be.
            retry_ms: u64,
        }: Busy, "this pool has tried many ports for your address and its neighbors",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The core is built again from the store.
        Rebuilding {
            /// When it may be done.
            retry_ms: u64,
        }: Busy, "the pool is restoring its state", hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// A limit is reached on what waits.
        Overloaded {
            /// When there may be room.
            retry_ms: u64,
        }: Busy, "the pool has too much to do", hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The pool stops.
        GoingDown {
            /// When it may be back.
            retry_ms: u64,
        }: Busy, "the pool is going down", hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// A reply cannot be written as JSON.
        Internal {
            /// What is wrong.
            why: String,
        }: Internal, "the pool cannot write its answer: {why}", hint "Please report this, with the pool's log.";
    }
}

impl Refusal {
    /// The params cannot be read, for this reason.
    pub(crate) fn invalid_params(why: &impl ToString) -> Self {
        Self::InvalidParams { why: why.to_string() }
    }

    /// No method has this name, which the caller wrote.
    pub(crate) fn unknown_method(method: &str) -> Self {
        Self::UnknownMethod { method: sanitize(method, 64) }
    }
}
