use vipnode_types::Amount;

use crate::ledger::{account_figures::AccountFigures, transaction::LedgerAccount};

/// The sums over all payers and all payees, in the asset's smallest unit. They follow each change of an account, so they can be
/// read at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LedgerTotals {
    /// What the leases of all payers cost.
    pub(crate) billed: Amount,
    /// What hosts earned, less fees and payouts, whether or not payers have secured it.
    pub(crate) owed: Amount,
    /// What the operator has to pay to hosts now: the part of that which payers have secured.
    pub(crate) payable: Amount,
}

impl LedgerTotals {
    /// An account has new sums.
    pub(in crate::ledger) fn replace(&mut self, account: LedgerAccount, old: &AccountFigures, new: &AccountFigures) {
        match account {
            LedgerAccount::Payer(_) => replace(&mut self.billed, old.metered, new.metered),
            LedgerAccount::Payee(_) => {
                replace(&mut self.owed, old.balance(), new.balance());
                replace(&mut self.payable, old.payable(), new.payable());
            }
            LedgerAccount::Received | LedgerAccount::PaidOut | LedgerAccount::Fee => {}
        }
    }
}

fn replace(total: &mut Amount, old: Amount, new: Amount) {
    let others = total.checked_sub(old).unwrap_or_default();
    *total = others.checked_add(new).unwrap_or(Amount::MAX);
}
