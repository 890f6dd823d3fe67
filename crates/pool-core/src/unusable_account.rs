use vipnode_types::{Account, payment::contracts};

use crate::Limits;

/// Why an account can neither be paid nor pay: nobody has its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnusableAccount {
    /// The zero address, a precompiled contract, or an address to burn ether.
    Reserved,
    /// The token that the pool charges in, or a contract of x402.
    Contract,
}

impl UnusableAccount {
    /// Returns why a pool with these limits cannot use an account; `None` if it can.
    pub(crate) fn of(account: Account, limits: &Limits) -> Option<Self> {
        let token = limits.channel.map(|channel| channel.token);
        if account.is_reserved() {
            Some(Self::Reserved)
        } else if contracts::ALL.contains(&account) || token == Some(account) {
            Some(Self::Contract)
        } else {
            None
        }
    }
}
