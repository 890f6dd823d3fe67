use vipnode_types::{
    Account, AccountError, Amount, AmountError, Asset, ChainSpec, EnodeError, Price, QuotedPrice, errors,
    payment::ChannelId,
};

use crate::OrderError;

errors! {
    /// Why the pool refuses an agent's request.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum CoreError {
        /// The call arrived on a connection without an agent, or on one that a newer connection of the node has
        /// replaced.
        NotConnected: Unauthorized, "this connection is not authenticated, or a newer connection replaced it",
            hint "Call vipnode_connect first.";
        /// Two agents are serving the same node, and the other one has the newer delegation.
        OldDelegation: Unauthorized, "another agent is now serving this node: a newer delegation of the node replaced this one",
            hint "Stop one of the two agents. If another machine may use the same node key, such as a clone of this one, delete the node key of the clone's node, and restart that node and its agent. To keep using this agent, stop it, run `vipnode link`, and start it again.";
        /// The agent and the pool run releases with different protocol versions.
        Protocol {
            /// The agent's version.
            theirs: u32,
            /// The pool's version.
            ours: u32,
        }: Unsuitable, "the agent uses protocol {theirs}, but this pool uses protocol {ours}",
            hint "Use the release of vipnode that the pool runs.";
        /// The agent was started with the enode or the key of another node.
        ForeignEnode: Unsuitable, "the enode belongs to a different node than the one that signed",
            hint "Check --enode and --nodekey: both must belong to the same node.";
        /// A client's maximum price is not in the asset that the pool charges in.
        MaxPrice {
            /// The price, as the client sent it.
            quoted: Box<QuotedPrice>,
            /// What the pool charges in.
            asset: Asset,
            /// Why it is not a price in that asset.
            source: Box<AmountError>,
        }: Unsuitable, "this pool charges in {asset}, and cannot use the maximum price {quoted}: {source}",
            hint "Write --max-price in {units}, or leave it out." (units = asset.unit_names());
        /// After a node has used protocol 3, the pool accepts the weaker authentication of protocol 2 only with its
        /// owner's consent.
        SpeaksProtocol3: Unauthorized, "this node uses protocol 3, and its owner has not allowed protocol 2",
            hint "Run the agent with --allow-protocol-2 once, or stay with protocol 3.";
        /// A host that speaks protocol 2 connects over HTTP.
        HostOverHttp: Unsuitable, "the pool cannot call a host over HTTP",
            hint "Connect over a WebSocket: ws:// or wss:// instead of http:// or https://.";
        /// The network ID in a protocol 2 call is negative.
        Network {
            /// The network id, as sent.
            network: i64,
        }: InvalidParams, "{network} is not a valid network ID",
            hint "Set node_info.network to net_version as a number, 1 for mainnet.";
        /// The enode in a protocol 2 call is not valid.
        NodeUri {
            /// Why it is not valid.
            source: EnodeError,
        }: InvalidParams, "node_uri is not a valid enode: {source}",
            hint "Pass --enode enode://<id>@<host>:<port>, or leave it out.";
        /// The payout account in a protocol 2 call is not valid.
        Payout {
            /// Why it is not valid.
            source: AccountError,
        }: InvalidParams, "payout is not a valid account: {source}",
            hint "Pass an address to --payout, or leave it out.";
        /// The payout account is the zero address, a precompiled contract, or a burn address.
        ReservedPayout {
            /// The account that was named.
            account: Account,
        }: InvalidParams, "nobody has the key of {account}, so it cannot be the payout account",
            hint "Pass an address of your own to --payout, or leave it out.";
        /// The payout account is the token that the pool charges in, or an x402 contract: nobody can withdraw what is
        /// sent to such an address.
        ContractPayout {
            /// The account that was named.
            account: Account,
        }: InvalidParams, "{account} is a contract that payments pass through, so it cannot be the payout account",
            hint "Pass an address of your own to --payout, or leave it out.";
        /// A protocol 2 call requests fewer than one peer.
        TooFew {
            /// The number, as sent.
            num: i64,
        }: InvalidParams, "the call requests {num} peers, but the minimum is 1", hint "Set num to at least 1.";
        /// An agent that is only a host asked for hosts.
        NoClient: Unsuitable, "this agent did not connect as a client", hint "Run `vipnode client` or `vipnode agent`.";
        /// The pool remembers the maximum number of nodes and cannot forget any of them yet.
        PoolFull {
            /// How many nodes this pool remembers at most.
            nodes: u32,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "this pool remembers at most {nodes} nodes and is full",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The node is on a chain that is new to the pool, and the limit on chains has been reached.
        ChainsFull {
            /// The chain of the node.
            chain: Box<ChainSpec>,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy,
            "this pool has reached its limit on chains and cannot add {chain}",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The node was started with a different genesis file for this chain ID, or the operator passed a different
        /// genesis block with --chain.
        OtherGenesis {
            /// The chain ID.
            id: u64,
            /// The genesis block of the node.
            theirs: String,
            /// The pinned one.
            ours: String,
        }: Unsuitable,
            "this pool serves chain {id} with the genesis block {ours}, and the genesis block of this node is {theirs}",
            hint "Start the node with the genesis file of that chain, or ask the pool's operator about --chain.";
        /// The address block of a new node has used up its share of the nodes that the pool remembers.
        NodesOfBlock {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "this pool already remembers the maximum number of nodes in your address block",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// A node that the pool will soon forget presented a different delegation, and its address block has used up
        /// its share of the delegations that the pool remembers for longer.
        DelegationsOfBlock {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "this pool already remembers the maximum number of replaced delegations in your address block",
            hint "Try again in {retry}, or use the agent that this node used before." (retry = vipnode_types::RetryIn(*retry_ms)),
            retry retry_ms;
        /// The node is on a chain that is new to the pool, and its address block has used up its share of the limit of
        /// chains.
        ChainsOfBlock {
            /// The chain of the node.
            chain: Box<ChainSpec>,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy,
            "nodes in your address block have reached their limit on chains, so {chain} cannot be added",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// A message lists more leases than one agent can have.
        TooManyLeases {
            /// How many leases one message may name.
            limit: usize,
        }: InvalidParams, "a message may name at most {limit} leases",
            hint "Update vipnode; if it is the newest release, report this as a bug.";
        /// Many clients in the address block were offered slots and have not connected to their hosts.
        OffersInBlock {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy,
            "clients in your address block have too many pending offers: slots that they have not connected to yet",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The nodes in an address block have reached the limit of billing periods for this hour, and the limit on
        /// those that are waiting for the next hour.
        PeriodsOfBlock {
            /// When the next hour begins, in milliseconds from now.
            retry_ms: u64,
        }: Busy, "nodes in your address block ended too many billing periods in this hour",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// A client, or its address block, has used up today's allowance of time that only hosts reported.
        Unpaired {
            /// The limit of a day, in milliseconds.
            limit_ms: u64,
            /// When the next day begins (UTC), in milliseconds from now.
            retry_ms: u64,
        }: Unpaired,
            "hosts reported your node, or others in your address block, as connected for more than {seconds} s today \
             without a matching report from the node's own agent" (seconds = limit_ms / 1_000),
            hint "Keep the agent running as long as the node has peers from the pool.", retry retry_ms;
        /// The pool charges a price, and no account is linked to the client's node.
        NoPayer {
            /// The price of a slot.
            price: Price,
            /// What follows: why it gets no free trial, where the pool offers one.
            no_trial: String,
            /// When the pool looks again, in milliseconds.
            retry_ms: u64,
        }: PaymentRequired, "a slot costs {price} here, and no account pays for this node{no_trial}",
            hint "Run `vipnode account link --keystore FILE` on the machine of the agent.", retry retry_ms;
        /// The account that pays for a client's node has too little left for one more lease.
        NoFunds {
            /// The account that pays.
            payer: Account,
            /// What it has available, or owes.
            has: String,
            /// The price of a slot.
            price: Price,
            /// How long what is left has to last with one more lease, in milliseconds.
            last_ms: u64,
            /// When the pool looks again, in milliseconds.
            retry_ms: u64,
        }: PaymentRequired,
            "account {payer} {has}; a slot costs {price} here, and the account must have enough for {minutes} min of all its slots"
                (minutes = last_ms.div_ceil(60_000).max(1)),
            hint "Pay the operator of this pool, who then runs `vipnode pool admin credit {payer} AMOUNT --reason TEXT`." (payer = payer),
            retry retry_ms;
        /// The pool charges a price, and the client's agent has no payment channel there.
        NoChannel {
            /// The price of a slot.
            price: Price,
            /// What follows: why it gets no free trial, where the pool offers one.
            no_trial: String,
            /// When the pool looks again, in milliseconds.
            retry_ms: u64,
        }: PaymentRequired, "a slot costs {price} here, and no payment channel pays for this node{no_trial}",
            hint "Deposit with `vipnode wallet deposit AMOUNT --channel FILE`, then start the client with --pay FILE --max-spend-per-day AMOUNT.",
            retry retry_ms;
        /// What the client's agent signed for its payment channel, or what is deposited in it, is too little for one more
        /// lease.
        ChannelUsedUp {
            /// The payment channel that pays.
            channel: Box<ChannelId>,
            /// Its deposit, and how much of that is signed and used, as text.
            has: String,
            /// The price of a slot.
            price: Price,
            /// How long what is left has to last with one more lease, in milliseconds.
            last_ms: u64,
            /// When the pool looks again, in milliseconds.
            retry_ms: u64,
        }: PaymentRequired,
            "the payment channel {channel} {has}; a slot costs {price} here, and what is signed must be enough for {minutes} min of all its slots"
                (minutes = last_ms.div_ceil(60_000).max(1)),
            hint "Deposit more with `vipnode wallet deposit AMOUNT --channel FILE`. If the deposit is not used up, raise --max-spend-per-day or --ahead.",
            retry retry_ms;
        /// The pool runs with --payment none.
        NoLedger: Unsuitable, "this pool has no ledger, because it does not charge for slots",
            hint "Ask the pool's operator to restart it with --payment credit or --payment x402.";
        /// The pool received a voucher but does not use x402.
        NoChannels: Unsuitable, "this pool does not accept payment channels", hint "Restart the client without --pay.";
        /// The channel was created for the key of another agent.
        ChannelSigner {
            /// The channel's payer authorizer.
            authorizer: Account,
            /// The account of the agent's key.
            agent: Account,
        }: Unauthorized, "the channel's payer authorizer is {authorizer}, but the address of this agent's key is {agent}",
            hint "Create a channel for this agent: `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL --keystore FILE \
                  --authorizer {agent}`. Then pass --pay NEW_FILE." (agent = agent);
        /// The channel holds nothing that the pool could claim.
        EmptyChannel {
            /// The payment channel that it is about.
            channel: ChannelId,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: PaymentRequired, "the payment channel {channel} does not have a confirmed deposit",
            hint "Deposit with `vipnode wallet deposit AMOUNT --channel FILE`. A deposit counts once its block is safe, which can take several minutes.",
            retry retry_ms;
        /// The agent signed a smaller amount than before, for example because it lost its own record of the channel.
        LowerVoucher {
            /// The amount of the newest voucher.
            signed: Amount,
            /// What the pool charges in.
            asset: Asset,
        }: InvalidParams, "the pool already has a voucher for this channel with a larger amount: {amount}" (amount = asset.show(*signed)),
            hint "Update vipnode: an agent must continue from the pool's newest voucher (`vipnode_funds`).";
        /// The agent changed to another channel before the pool had claimed the cost of the earlier one.
        ChannelInUse {
            /// The earlier channel.
            channel: Box<ChannelId>,
            /// What is not claimed of it yet.
            owed: Amount,
            /// What the pool charges in.
            asset: Asset,
        }: Unsuitable, "the pool has not yet claimed {amount} from the agent's earlier channel {channel}" (amount = asset.show(*owed)),
            hint "Pass the file of the earlier channel with --pay until the pool has claimed this amount.";
        /// Vouchers for the channel are arriving too fast; the pool stores each of them.
        VoucherTooSoon {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "the pool accepted a voucher for this channel a moment ago",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The chain could not be read in time, or too many channels are waiting to be read.
        ChainBusy {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "the pool could not read the payment channel from the chain in time",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The counter of a payout account change is too far ahead of the pool's clock.
        PayoutAhead {
            /// The limit in seconds.
            limit_s: u64,
        }: InvalidParams, "the payout account change was signed more than {limit_s} s in the future",
            hint "Set the clock of the machine that signs (timedatectl), and sign again.";
        /// Each payout account change of a node needs a higher counter than the previous one.
        OldPayout {
            /// The newest counter.
            newest: u64,
        }: InvalidParams, "the node key already signed a newer payout account change (counter {newest})",
            hint "Sign again.";
        /// The operator announced a price in an asset other than the pool's.
        OtherAsset {
            /// What the price is in.
            given: Asset,
            /// What the pool charges in.
            asset: Asset,
        }: InvalidParams, "the price is in {given}, but this pool charges in {asset}",
            hint "Write the price in {units}." (units = asset.unit_names());
        /// An account can be linked only after the operator has credited it for the first time.
        UnknownAccount {
            /// The account that was named.
            account: Account,
        }: Unsuitable, "the operator of this pool has not credited account {account} yet",
            hint "Ask the pool's operator how to pay for account {account}, then link again.";
        /// The pool limits the number of nodes that one account can pay for.
        LinksOfAccount {
            /// The most nodes of one account.
            most: u32,
        }: Unsuitable, "this account already pays for {most} nodes",
            hint "Run `vipnode account unlink` for a node that no longer needs it.";
        /// Some billing periods of the node, which another account pays for or nobody pays for, are not written until
        /// the next hour.
        PeriodsWait {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "this node ended so many billing periods this hour that it cannot be linked to another account until \
                  the next hour",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The link has already ended, or another account pays for the node.
        NotLinked {
            /// The account that was named.
            account: Account,
        }: Unsuitable, "account {account} does not pay for this node",
            hint "Run `vipnode account show` to list the nodes that it pays for.";
        /// A node can be linked only after its agent has connected to the pool.
        UnknownNode: Unsuitable, "this pool does not know the node",
            hint "Start the node's agent, wait until it has connected, then try again.";
        /// The node has moved to a different chain since the link was signed, or the link was signed for the wrong
        /// chain.
        LinkChain {
            /// The ID of the chain that the account signed.
            signed: u64,
            /// The ID of the chain that the node follows.
            ours: u64,
        }: Unsuitable, "the account signed for chain {signed}, but the node follows chain {ours}",
            hint "Sign a new link: run `vipnode account link` again.";
        /// The clock of the machine that signed the link is ahead, or the pool's clock is behind.
        LinkAhead {
            /// How far it may be, in seconds.
            limit_s: u64,
        }: Unauthorized, "the signed counter is more than {limit_s} s in the future",
            hint "Check the clocks of both machines, then sign again.";
        /// The link was sent to the pool too long after the account had signed it.
        LinkBehind {
            /// How far it may be, in seconds.
            limit_s: u64,
        }: Unauthorized, "the signed counter is more than {limit_s} s old",
            hint "Sign a new one: run `vipnode account link` again.";
        /// The pool does not have the key of the claimer.
        NoEpochs: Unsuitable, "this pool does not claim on its own",
            hint "Start the pool with --chain.keystore FILE, or run `vipnode pool admin claim`.";
        /// An epoch is not finished.
        EpochRuns: Unsuitable, "an epoch is running", hint "Show what it is waiting for: `vipnode pool admin epoch`.";
        /// The link was already used, or the account has signed a newer one.
        LinkCounter {
            /// The highest counter that the account signed.
            newest: u64,
        }: Unauthorized, "the account has already signed the counter {newest}, and the counter of this link is not higher",
            hint "Sign a new link: run `vipnode account link` again.";
        /// The account signed a counter in the future, because a clock was wrong. Until then, the pool accepts no other
        /// link from the account.
        LinkCounterAhead {
            /// The highest counter that the account signed.
            newest: u64,
            /// How far that is ahead of the pool's clock, in seconds.
            seconds: u64,
        }: Unauthorized, "the account has already signed the counter {newest}, which is {seconds} s in the future, and the \
                          counter of this link is not higher",
            hint "Check the clock of the machine that signed it, and try again in {seconds} s. To end the link of a node earlier, \
                  run `vipnode account unlink` next to its agent.";
        /// Otherwise, a link that the account had ended could be used again.
        LinkBeforeRestore {
            /// How far ahead of the pool's clock a link has to be signed at least, in seconds.
            seconds: u64,
        }: Unauthorized, "the pool was restored from a backup after this link was signed, and may have lost the record that the link was ended",
            hint "Sign a new link in {seconds} s: run `vipnode account link` again.";
        /// The nonce of a protocol 2 call is in the future.
        NonceAhead {
            /// How far, in seconds.
            seconds: u64,
        }: Unauthorized, "the nonce is {seconds} s ahead of this pool's clock",
            hint "Set this machine's clock, and check that the nonce is in nanoseconds.";
        /// The nonce of a protocol 2 call is too old.
        NonceBehind {
            /// How far, in seconds.
            seconds: u64,
        }: Unauthorized, "the nonce is {seconds} s behind this pool's clock",
            hint "Set this machine's clock, and send each call right after it is signed.";
        /// Two agents are using the same node key over protocol 2, or an earlier call was sent again.
        NonceOld: Unauthorized, "the nonce is not greater than that of the previous call",
            hint "Run only one agent per node; each call needs a greater nonce.";
        /// The pool writes the newest nonce of a node with a delay, so it can lose nonces in a restart.
        NonceBeforeStart: Unauthorized,
            "the pool restarted after this call was signed, and cannot know whether it had already accepted the call",
            hint "Connect again.";
        /// The pool started after a protocol 2 connect call was signed, or the caller's clock is behind.
        ConnectBeforeStart {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Unauthorized,
            "the pool restarted after this connect call was signed, and cannot know whether it had already accepted \
                  the call",
            hint "Connect again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
    }
    also {
        /// The order of an operator about the ledger cannot be carried out.
        Order(OrderError);
    }
}

/// Why a request that waited as long as allowed got fewer hosts than it wanted.
pub(crate) const NO_ANSWER: &str = "no host answered in time; the pool keeps trying";
/// Why a request of an agent that left got fewer hosts than it wanted.
pub(crate) const LEFT: &str = "the agent left before a host admitted it";
/// Why a request of an agent that is no longer a client got fewer hosts than it wanted.
pub(crate) const NO_LONGER_CLIENT: &str = "the agent is no longer a client";
/// Why a request that was replaced got fewer hosts than it wanted.
pub(crate) const NEWER_ASK: &str = "a newer request replaced this one";
