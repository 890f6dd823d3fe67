use vipnode_types::{Account, Amount, PaymentMode, Price, payment::ChannelId, wire::AccountFunds};

use crate::CoreError;

/// Why a client cannot pay for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// No account is linked to its node, and no payment channel pays for it.
    NoPayer {
        /// How clients of the pool pay.
        payment: PaymentMode,
        /// What a slot costs.
        price: Price,
        /// Why it gets no trial.
        no_trial: NoTrial,
    },
    /// Its account has too little left.
    Funds {
        /// Who pays for the client's node.
        payer: Account,
        /// The funds of that account.
        funds: AccountFunds,
        /// What a slot costs.
        price: Price,
        /// How long what is left has to last with one more lease, in milliseconds.
        last_ms: u64,
    },
    /// What is signed for its payment channel, or deposited in it, is used up.
    Channel(ChannelShortage),
}

/// What a payment channel has, which is too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChannelShortage {
    /// The payment channel that pays for the client.
    pub(crate) channel: ChannelId,
    /// What the newest voucher is for.
    pub(crate) signed: Amount,
    /// What the pool could claim of the deposit.
    pub(crate) deposited: Amount,
    /// What its leases cost in all.
    pub(crate) used: Amount,
    /// What a slot costs.
    pub(crate) price: Price,
    /// How long what is left has to last with one more lease, in milliseconds.
    pub(crate) last_ms: u64,
}

/// Why a client that cannot pay gets no trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTrial {
    /// The pool offers none.
    NotOffered,
    /// It has used all of it.
    UsedUp {
        /// How long it was, in milliseconds.
        trial_ms: u64,
    },
    /// The clients in its address block have as many in this hour as they may.
    Block,
}

impl NoTrial {
    /// What follows "no account pays for this node", or "no payment channel".
    fn words(self) -> String {
        match self {
            Self::NotOffered => String::new(),
            Self::UsedUp { trial_ms } => format!("; its free trial is over ({} min)", trial_ms.div_ceil(60_000)),
            Self::Block => {
                "; the nodes in its address block have as many free trials as they may in this hour".to_owned()
            }
        }
    }
}

impl Shortage {
    /// The same, of a client that gets no trial for this reason.
    pub(crate) const fn without_trial(self, no_trial: NoTrial) -> Self {
        match self {
            Self::NoPayer { payment, price, .. } => Self::NoPayer { payment, price, no_trial },
            short @ (Self::Funds { .. } | Self::Channel(_)) => short,
        }
    }

    /// As [`Self::error`], without what the account has: a client shows the refusal until its next request, and the running leases of
    /// the account go on costing.
    pub(crate) fn lasting_error(self, retry_ms: u64) -> CoreError {
        match self.error(retry_ms) {
            CoreError::NoFunds { payer, price, last_ms, retry_ms, .. } => {
                CoreError::NoFunds { payer, has: "has too little available".to_owned(), price, last_ms, retry_ms }
            }
            error => error,
        }
    }

    /// The refusal of a request for hosts. `retry_ms` is when the pool looks again.
    pub(crate) fn error(self, retry_ms: u64) -> CoreError {
        match self {
            Self::NoPayer { payment: PaymentMode::X402, price, no_trial } => {
                CoreError::NoChannel { price, no_trial: no_trial.words(), retry_ms }
            }
            Self::NoPayer { price, no_trial, .. } => CoreError::NoPayer { price, no_trial: no_trial.words(), retry_ms },
            Self::Channel(ChannelShortage { channel, signed, deposited, used, price, last_ms }) => {
                let [signed, deposited, used] =
                    [signed, deposited, used].map(|amount| price.asset().show(amount).to_string());
                let has = format!("has a deposit of {deposited}, of which {signed} is signed and {used} is used");
                CoreError::ChannelUsedUp { channel: Box::new(channel), has, price, last_ms, retry_ms }
            }
            Self::Funds { payer, funds: AccountFunds { balance, available, .. }, price, last_ms } => {
                let asset = price.asset();
                // What is available includes the credit limit.
                let has = if balance.is_negative() && available == Amount::ZERO {
                    format!("owes {}", asset.show(balance.magnitude()))
                } else {
                    format!("has {} available", asset.show(available))
                };
                CoreError::NoFunds { payer, has, price, last_ms, retry_ms }
            }
        }
    }
}
