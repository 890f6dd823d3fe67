use vipnode_types::{Account, Amount, Price};

use crate::CoreError;

/// Why a client cannot pay for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// No account is linked to its node.
    NoPayer {
        /// What a slot costs.
        price: Price,
    },
    /// Its account has too little left.
    Funds {
        /// Who pays for the client's node.
        payer: Account,
        /// What is left after the running leases.
        left: Amount,
        /// What it owes.
        debt: Amount,
        /// What a slot costs.
        price: Price,
        /// How long what is left has to last with one more lease, in milliseconds.
        last_ms: u64,
    },
}

impl Shortage {
    /// The refusal of a request for hosts. `retry_ms` is when the pool looks again.
    pub(crate) fn error(self, retry_ms: u64) -> CoreError {
        match self {
            Self::NoPayer { price } => CoreError::NoPayer { price, retry_ms },
            Self::Funds { payer, left, debt, price, last_ms } => {
                let asset = price.asset();
                let has = if debt > Amount::ZERO {
                    format!("owes {}", asset.show(debt))
                } else {
                    format!("has {} left", asset.show(left))
                };
                CoreError::NoFunds { payer, has, price, last_ms, retry_ms }
            }
        }
    }
}
