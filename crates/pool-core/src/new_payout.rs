use vipnode_types::{Account, Ms};

use crate::{Limits, core_error::CoreError, unusable_account::UnusableAccount};

/// A payout account that a node's key ordered. The caller has checked the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPayout {
    /// The account that is to receive what the node earns.
    pub account: Account,
    /// The counter that was signed, in Unix milliseconds.
    pub counter: Ms,
}

impl NewPayout {
    /// Checks what does not depend on the node.
    pub(crate) fn check(self, now: Ms, limits: &Limits) -> Result<(), CoreError> {
        let account = self.account;
        match UnusableAccount::of(account, limits) {
            Some(UnusableAccount::Reserved) => return Err(CoreError::ReservedPayout { account }),
            Some(UnusableAccount::Contract) => return Err(CoreError::ContractPayout { account }),
            None => {}
        }
        // Later orders have to be newer: one that is far ahead would block them.
        if self.counter > now.plus(limits.nonce_ahead_ms) {
            return Err(CoreError::PayoutAhead { limit_s: limits.nonce_ahead_ms / 1_000 });
        }
        Ok(())
    }
}
