use serde::{Deserialize, Serialize};

use crate::{Amount, SignedAmount};

/// What an account has for its nodes to spend, in the asset's smallest unit. Whatever shows an account shows these figures, by these
/// names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountFunds {
    /// What is posted: what was credited, less what was debited and what billing periods cost that ended. Below zero, the account
    /// owes it.
    pub balance: SignedAmount,
    /// What is not posted yet: the cost of the account's running leases until now, at most.
    pub running: Amount,
    /// The credit limit: how much the account may owe.
    pub limit: Amount,
    /// What the account's nodes can still spend: the balance and the limit, less the running cost; never below zero.
    pub available: Amount,
}
