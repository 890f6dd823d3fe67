use std::collections::BTreeMap;

use vipnode_types::Amount;

use crate::ledger::{
    account_figures::AccountFigures,
    transaction::{LedgerAccount, Transaction},
};

/// The sums of some accounts, to which transactions are applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BalanceSheet {
    accounts: BTreeMap<LedgerAccount, AccountFigures>,
}

impl BalanceSheet {
    /// Applies a transaction. `figures` returns the sums of an account that is not in the sheet yet. Returns `None` if a sum
    /// would leave the range of amounts; the sheet must not be used then.
    #[must_use]
    pub fn apply(
        &mut self,
        transaction: &Transaction,
        figures: impl Fn(LedgerAccount) -> AccountFigures,
    ) -> Option<()> {
        let mut account = |account: LedgerAccount, change: &dyn Fn(&mut AccountFigures) -> Option<()>| {
            change(self.accounts.entry(account).or_insert_with(|| figures(account)))
        };
        for posting in transaction.postings() {
            account(posting.from, &|from| add(&mut from.sent, posting.amount))?;
            account(posting.to, &|to| add(&mut to.received, posting.amount))?;
        }
        match *transaction {
            Transaction::Lease { payer, payee, cost, collected, .. } => {
                for side in [LedgerAccount::Payer(payer), LedgerAccount::Payee(payee)] {
                    account(side, &|side| {
                        add(&mut side.metered, cost)?;
                        add(&mut side.collected, collected)
                    })?;
                }
                Some(())
            }
            // What is written off counts as secured, because neither side waits for it anymore.
            Transaction::Collected { payer, payee, amount, .. }
            | Transaction::WriteOff { payer, payee, amount, .. } => {
                for side in [LedgerAccount::Payer(payer), LedgerAccount::Payee(payee)] {
                    account(side, &|side| add(&mut side.collected, amount))?;
                }
                Some(())
            }
            Transaction::Limit { payer, limit, .. }
            | Transaction::Voucher { payer, limit, .. }
            | Transaction::Claimed { payer, limit, .. } => account(LedgerAccount::Payer(payer), &|payer| {
                payer.limit = limit;
                Some(())
            }),
            _ => Some(()),
        }
    }

    /// Sets the sums of an account, before any transaction is applied.
    pub fn open(&mut self, account: LedgerAccount, figures: AccountFigures) {
        self.accounts.insert(account, figures);
    }

    /// The sums of an account; zero for one that no transaction has named.
    #[must_use]
    pub fn figures(&self, account: LedgerAccount) -> AccountFigures {
        self.accounts.get(&account).copied().unwrap_or_default()
    }

    /// The accounts by order, with their sums.
    pub fn accounts(&self) -> impl Iterator<Item = (LedgerAccount, AccountFigures)> {
        self.accounts.iter().map(|(account, figures)| (*account, *figures))
    }
}

fn add(sum: &mut Amount, amount: Amount) -> Option<()> {
    *sum = sum.checked_add(amount)?;
    Some(())
}
