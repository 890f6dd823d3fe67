use vipnode_types::{AmountError, errors, payment::ChannelTermsError};

errors! {
    /// Why a client cannot pay at a pool from its payment channel.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum CannotPay {
        /// The pool's clients pay with x402, but the pool does not report the terms of a channel.
        NoTerms: local, "the pool does not report which channels it accepts",
            hint "Ask the pool's operator which channels it accepts, or use another pool: --pool URL.";
        /// The channel and the pool's escrow are on different chains.
        OtherChain {
            /// The ID of the chain of the pool.
            pool: u64,
            /// The ID of the chain of the channel.
            channel: u64,
        }: local, "the pool uses chain {pool}, but the channel is on chain {channel}",
            hint "Create a channel on chain {pool}: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE`. Then pass --pay NEW_FILE.";
        /// The pool and the channel's token have different numbers of decimals, so each limit would be in a different
        /// unit.
        OtherDecimals {
            /// The decimals that the pool states.
            pool: u8,
            /// The decimals of the channel's token.
            token: u8,
        }: local, "the pool charges in an asset with {pool} decimals, but the token of the channel has {token}",
            hint "The pool's amounts do not match those of the token. Use another pool: --pool URL.";
        /// The maximum per day cannot be converted to what the pool charges in.
        MaxSpend {
            /// What is wrong with it.
            why: AmountError,
        }: local, "--max-spend-per-day: {why}", hint_of why;
    }
    also {
        /// The channel does not fit the pool's terms.
        Channel(ChannelTermsError);
    }
}
