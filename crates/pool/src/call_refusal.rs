use vipnode_store::StoreError;
use vipnode_types::{Account, NodeId, UtcDay, errors, sanitize};

errors! {
    /// Why the pool refuses a call before it reaches the core.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum CallRefusal {
        /// The caller did not call vipnode_connect first, or the core closed the session.
        NotAuthenticated: Unauthorized, "this connection has not authenticated",
            hint "Call vipnode_connect first, and sign it.";
        /// A connection can be used for only one node and one protocol.
        OtherNode: Unauthorized, "this connection is already authenticated for another node",
            hint "Open one connection for each node.";
        /// Over HTTP, an agent key can be used for only one node.
        AgentOfOtherNode: Unauthorized, "this agent key is already used for another node",
            hint "Give each node an agent key of its own: run `vipnode link` for each.";
        /// The caller sent only the object, although this method requires a signed envelope.
        NotSigned: Unauthorized, "this call is not signed", hint "Sign the call: params are [object, envelope].";
        /// The connect call was signed for another connection, or its nonce is not a challenge at all.
        Challenge: Unauthorized, "the nonce is not the challenge of this connection",
            hint "Sign the value of the vipnode-challenge header of this connection's 101 response.";
        /// The agent connected to the pool at a URL that the pool does not recognize as its own.
        Audience {
            /// The URL that was signed.
            audience: String,
            /// The pool's own URLs.
            known: String,
        }: Unauthorized, "this call is signed for {audience}, but this pool's URLs are {known}",
            hint "Connect to one of these URLs, or ask the operator to add yours with --public-url.";
        /// The pool runs behind a proxy and was started without --public-url.
        NoAudience {
            /// The URL that was signed.
            audience: String,
        }: Unauthorized, "this call is signed for {audience}, and this pool does not know its own URL because it is behind a proxy",
            hint "Ask the operator to start the pool with --public-url {audience}.";
        /// The nonce is not a number, for example because the call was signed for a WebSocket.
        NonceForm: Unauthorized, "over HTTP, the nonce must be the Unix time in milliseconds",
            hint "Send the Unix time in milliseconds as the nonce.";
        /// Over HTTP, the nonce is too far ahead of the pool's clock.
        NonceAhead {
            /// How far it may be, in seconds.
            limit_s: u64,
        }: Unauthorized, "the nonce is more than {limit_s} s in the future",
            hint "Check the clocks of both machines, then call again.";
        /// Over HTTP, the nonce is too far behind the pool's clock.
        NonceBehind {
            /// How far it may be, in seconds.
            limit_s: u64,
        }: Unauthorized, "the nonce is more than {limit_s} s old",
            hint "Check the clocks of both machines, then call again.";
        /// Over HTTP, the pool does not know which nonces were used before it started.
        NonceBeforeStart: Unauthorized, "the nonce is older than this pool's start",
            hint "Check the clocks of both machines, then call again.";
        /// Over HTTP, each nonce must be greater than the previous one.
        NonceUsed: Unauthorized, "this nonce, or a greater one, was already used",
            hint "Send a greater nonce with each call, from one agent only.";
        /// The pool has a members file, and the node is not in it.
        NotMember {
            /// ID of the node that is not a member.
            node: NodeId,
        }: NotMember, "this pool is closed, and this node is not one of its members",
            hint "Ask the operator to add the node ID {node}.";
        /// The operator banned the node, its agent's key, or its address.
        Banned {
            /// Who is banned, until when, and why.
            notice: String,
        }: NotMember, "{notice}", hint "Ask the pool's operator to remove the ban.";
        /// The pool requires a join secret, and the proof was made with a different one.
        WrongSecret: NotMember, "this pool is closed, and the join secret is wrong",
            hint "Check the join secret.";
        /// The agent was started without the join secret.
        NoSecret: NotMember, "this pool is closed and requires a join secret",
            hint "Pass the secret that the operator gave you: --join-secret-file FILE.";
        /// The pool requires a join secret, but an agent cannot prove over protocol 2 that it has one.
        SecretInProtocol2: NotMember, "this pool requires a join secret, and protocol 2 has no field for it",
            hint "Use an agent that supports protocol 3, or ask the operator to use --members instead.";
        /// Only members can read the status, and the caller is not connected as a member.
        StatusForMembers: NotMember, "this pool shows its status only to members",
            hint "Run `vipnode status --pool` on a machine whose agent has joined this pool, or ask the operator to set --status public.";
        /// The pool runs with --status off.
        StatusOff: Unsuitable, "this pool does not publish its status",
            hint "Ask the operator to set --status public or --status members.";
        /// The operator restricted the pool to one network (--restrict-network).
        Network {
            /// The pool's network.
            own: String,
            /// The node's network.
            theirs: String,
        }: Unsuitable, "this pool is for nodes on {own}, and this node is on {theirs}",
            hint "Run a node on {own}, or join a pool for {theirs}.";
        /// The pool runs without a data directory, so it has no key and no ID.
        NoPoolId: Unsuitable, "this pool has no ID, so no account can sign anything for it",
            hint "Ask the operator to start the pool with a data directory (--datadir).";
        /// An agent tried to end the link of another node.
        OtherNodeUnlinked: Unauthorized, "an agent can end only the link of its own node",
            hint "Sign the request with the account, or send it from that node's agent.";
        /// The query was signed too long ago, or one of the clocks is wrong.
        OldQuery {
            /// How far it may be in the future, in seconds.
            ahead_s: u64,
        }: Unauthorized, "this signature of the account is more than one hour old, or more than {ahead_s} s in the future",
            hint "Check the clocks of both machines, then sign again: `vipnode account show`.";
        /// The requested part of the statement has too many entries to be read at once.
        SlowStatement {
            /// How long it may take, in seconds.
            limit_s: u128,
        }: Unsuitable, "reading this statement took longer than {limit_s} s",
            hint "Ask for a later part of it: --from DATE.";
        /// The pool runs without a data directory, so it has no key to sign with.
        NoKey: Unsuitable, "this pool has no key, so it does not sign statements",
            hint "Ask the operator to start the pool with a data directory (--datadir).";
        /// The pool signs the statement of a day only once the day (UTC) is over.
        DayNotOver {
            /// The day that was asked for.
            day: UtcDay,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "{day} has not ended yet according to the pool's clock", hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The pool no longer has everything that it posted on the day of a daily statement, or has folded some of it.
        DayPruned {
            /// The day that was asked for.
            day: UtcDay,
        }: Unsuitable, "this pool no longer has all entries of {day}",
            hint "Ask for a later day, or ask the operator for the file that `vipnode pool prune` wrote.";
        /// The number of the requested page is 0, or larger than the number of pages of the day.
        NoDailyPage {
            /// How many it has.
            pages: u32,
        }: InvalidParams, "the statement has no such page; its pages are 1 to {pages}",
            hint "Ask for a page from 1 to {pages}.";
        /// The command was repeated, or has the number of another payout.
        MarkedPaid {
            /// The number of the payout.
            payout: u64,
            /// Whom it was paid to.
            account: Account,
            /// The reference of the payment.
            reference: String,
            /// The number of the ledger entry.
            entry: u64,
        }: InvalidParams, "payout {payout} to {account} is already marked as paid, with the reference {reference:?} (entry {entry} of the ledger)",
            hint "If that is your payment, there is nothing left to do. If it is another one, check the number of the payout: `vipnode \
                  pool admin payouts`. If it did not arrive, run `vipnode pool admin payout bounced {payout} REASON`." (payout = payout);
        /// The command was repeated, or has the number of another payout.
        MarkedBounced {
            /// The number of the payout.
            payout: u64,
            /// The account that did not receive it.
            account: Account,
            /// Why it bounced, in the operator's words.
            reason: String,
            /// The number of the ledger entry.
            entry: u64,
        }: InvalidParams, "payout {payout} to {account} is already marked as bounced, with the reason {reason:?} (entry {entry} of the ledger)",
            hint "Pay its amount with the payout of a later settlement period: run `vipnode pool admin close-period`, and list the payouts with \
                  `vipnode pool admin payouts`.";
        /// All payouts of a settlement period are marked.
        PeriodMarked {
            /// The number of the period.
            period: u64,
            /// Its first payout.
            payout: u64,
            /// What that is marked as.
            state: &'static str,
            /// With which reference or reason.
            reference: String,
        }: InvalidParams, "settlement period {period} has no more payouts to mark; payout {payout} is marked as {state}, with the text {reference:?}",
            hint "List its payouts: `vipnode pool admin payouts --period {period}`." (period = period);
        /// The store cannot carry out the operator's command.
        Store {
            /// What it reports.
            why: StoreError,
        }: Unsuitable, "{why}", hint_of why;
        /// The audit log cannot be written or read. No command is executed unless it can be recorded.
        AuditLog {
            /// What the system reports.
            why: String,
        }: Unsuitable, "the audit log of the pool cannot be used: {why}",
            hint "Check the disk and the audit.log file in the data directory, then run the command again.";
        /// The pool keeps its data in memory, so it has no file for the audit log.
        NoAuditLog: Unsuitable, "this pool does not keep an audit log, because it has no data directory",
            hint "Run the pool without --store memory.";
        /// The idempotency key of an admin command is empty, too long, or contains characters that look alike or are
        /// invisible.
        OrderKey {
            /// How many characters it may have.
            most: usize,
        }: InvalidParams,
            "an idempotency key must have 1 to {most} printable ASCII characters and no leading or trailing space",
            hint "Pass a different --key.";
        /// A wallet tried to claim a node.
        WalletClaim: Unsuitable, "a wallet alone cannot claim a node: the node has to consent, and protocol 2 has no \
                                  message for that",
            hint "Run the node's agent with protocol 3. On the same machine, run `vipnode account link --keystore FILE`, or to pay from a payment channel, `vipnode client --pay FILE`.";
        /// A wallet requested a withdrawal.
        NothingToWithdraw: Unsuitable,
            "this pool does not support withdrawals: if it charges, its operator pays out what hosts earned",
            hint "Run `vipnode account show` to see what is due, and ask the pool's operator when it is paid.";
        /// The params do not have the format that the method expects.
        InvalidParams {
            /// What is wrong.
            why: String,
        }: InvalidParams, "the params do not match this method: {why}",
            hint "Check the params against the method's description, or update the older of the agent and the pool.";
        /// The method name is misspelled, or belongs to another version of vipnode.
        UnknownMethod {
            /// The name, shortened.
            method: String,
        }: MethodNotFound, "this pool has no method {method}",
            hint "Check the method name, or update the older of the agent and the pool.";
        /// A connection exceeded its call rate.
        TooFast {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "too many calls per second on this connection", hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The connections of an address block exceeded their call rate.
        BlockTooFast {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "too many calls per second from your address block",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The answers to an address block exceeded its byte rate.
        BlockBytes {
            /// When the next one may be sent, in milliseconds.
            retry_ms: u64,
        }: Busy, "too many bytes per second for your address block",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// Reading statements for the callers in an address block took too much time.
        StatementTime {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "your address block has used too much time for reading statements",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The callers in an address block requested too many port tests.
        PortsTried {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "too many port tests for your address block",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The call came through a proxy that the pool does not know, or that did not name its client, so the pool does not know
        /// the caller's address.
        HiddenCaller: Unsuitable,
            "the pool does not know your address, because this call came through a proxy that the pool is not configured to \
             trust, or that did not name you",
            hint "Ask the operator to start the pool with --proxy and --proxy-header.";
        /// The pool's core or its store has failed, and the pool is restoring its state.
        Rebuilding {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "the pool is restoring its state", hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// A limit on queued work was reached.
        Overloaded {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "the pool is overloaded", hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The operator is stopping or restarting the pool, which no longer carries out calls.
        ShuttingDown {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "the pool is shutting down", hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The disk of the pool's store is full or does not respond, or the store is damaged. The log has the cause.
        StoreUnread: Internal, "the pool cannot read its store", hint "Try again later. If it still fails, ask the pool's operator, whose log has the cause.";
        /// A reply cannot be serialized as JSON.
        Internal {
            /// What is wrong.
            why: String,
        }: Internal, "the pool cannot serialize its answer: {why}", hint "Report this with the pool's log.";
    }
}

impl CallRefusal {
    /// The params do not match the method.
    pub(crate) fn invalid_params(why: &impl ToString) -> Self {
        Self::InvalidParams { why: why.to_string() }
    }

    /// No method has the name that the caller sent.
    pub(crate) fn unknown_method(method: &str) -> Self {
        Self::UnknownMethod { method: sanitize(method, 64) }
    }
}
