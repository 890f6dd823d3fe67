use serde::{Deserialize, Serialize};

use crate::{Amount, SignedAmount};

/// The funds that an account has for its nodes to spend, in the asset's smallest unit. All commands show these figures
/// under these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountFunds {
    /// The posted balance: credits, less debits and the cost of billing periods that have ended. If it is negative, the
    /// account owes this amount.
    pub balance: SignedAmount,
    /// An upper bound on the cost of the account's running leases so far, which has not been posted yet.
    pub running: Amount,
    /// The credit limit: the most that the account may owe.
    pub limit: Amount,
    /// The amount that the account's nodes can still spend: the balance and the limit, less the running cost; never
    /// below zero.
    pub available: Amount,
}
