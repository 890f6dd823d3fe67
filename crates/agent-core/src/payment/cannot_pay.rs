use vipnode_types::{AmountError, errors, payment::ChannelTermsError};

errors! {
    /// Why a client cannot pay at a pool from its payment channel.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum CannotPay {
        /// The pool's clients pay by x402, but the pool does not report the terms of a channel.
        NoTerms: local, "the pool does not report which channels it accepts",
            hint "Ask the pool's operator which channels it accepts, or use another pool: --pool URL.";
        /// The channel is not on the chain of the pool's escrow.
        OtherChain {
            /// The ID of the chain of the pool.
            pool: u64,
            /// The ID of the chain of the channel.
            channel: u64,
        }: local, "the pool uses chain {pool}, and the channel is on chain {channel}",
            hint "Deposit into a new channel on chain {pool} (`vipnode wallet deposit AMOUNT --channel FILE`), and pass its \
                  file: --pay FILE.";
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
