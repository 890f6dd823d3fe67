use std::collections::BTreeMap;

use vipnode_types::Account;

use crate::{
    AccountRow,
    collections::by_index::ByIndex,
    ledger::{
        account_figures::AccountFigures,
        balance_sheet::BalanceSheet,
        ledger_totals::LedgerTotals,
        transaction::{LedgerAccount, Transaction},
    },
};

/// The sums of every ledger account.
///
/// Payers and payees have numbers, so that the rest of the core can name one in four bytes. An account keeps its number until the
/// pool restarts.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    payers: NumberedAccounts,
    payees: NumberedAccounts,
    received: AccountFigures,
    paid_out: AccountFigures,
    fee: AccountFigures,
    totals: LedgerTotals,
}

/// The accounts of one kind, each with a number.
#[derive(Debug)]
struct NumberedAccounts {
    figures: ByIndex<AccountFigures>,
    numbers: BTreeMap<Account, u32>,
    /// The address of each number.
    addresses: ByIndex<[u8; 20]>,
}

impl Default for NumberedAccounts {
    fn default() -> Self {
        Self { figures: ByIndex::new(), numbers: BTreeMap::new(), addresses: ByIndex::new() }
    }
}

impl NumberedAccounts {
    fn figures(&self, account: Account) -> AccountFigures {
        self.numbers.get(&account).map_or_else(AccountFigures::default, |number| *self.figures.get(*number))
    }

    /// The number of an account, which gets one if it has none. `None` at 2^32 accounts.
    fn number(&mut self, account: Account) -> Option<u32> {
        if let Some(number) = self.numbers.get(&account) {
            return Some(*number);
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        *self.addresses.get_mut(number)? = *account.as_bytes();
        self.numbers.insert(account, number);
        Some(number)
    }

    fn set(&mut self, account: Account, figures: AccountFigures) {
        let number = self.number(account);
        if let Some(entry) = number.and_then(|number| self.figures.get_mut(number)) {
            *entry = figures;
        }
    }

    /// The accounts by address.
    fn iter(&self) -> impl Iterator<Item = (Account, AccountFigures)> {
        self.numbers.iter().map(|(account, number)| (*account, *self.figures.get(*number)))
    }
}

impl Accounts {
    /// Applies a transaction. Returns the changed accounts; `None`, with nothing changed, if a sum would leave the range of
    /// amounts.
    pub(crate) fn apply(&mut self, transaction: &Transaction) -> Option<Vec<AccountRow>> {
        let mut changed = BalanceSheet::default();
        changed.apply(transaction, |account| self.figures(account))?;
        // A trial costs nothing, and changes no sum.
        let changed = changed.accounts().filter(|(account, figures)| *figures != self.figures(*account));
        let rows: Vec<AccountRow> = changed.map(|(account, figures)| AccountRow { account, figures }).collect();
        rows.iter().for_each(|row| self.restore(row));
        Some(rows)
    }

    /// Sets the sums of an account.
    pub(crate) fn restore(&mut self, row: &AccountRow) {
        let AccountRow { account, figures } = *row;
        let before = self.figures(account);
        self.totals.replace(account, &before, &figures);
        match account {
            LedgerAccount::Payer(account) => self.payers.set(account, figures),
            LedgerAccount::Payee(account) => self.payees.set(account, figures),
            LedgerAccount::Received => self.received = figures,
            LedgerAccount::PaidOut => self.paid_out = figures,
            LedgerAccount::Fee => self.fee = figures,
        }
    }

    /// The sums of an account; zero for one that no transaction has named.
    pub(crate) fn figures(&self, account: LedgerAccount) -> AccountFigures {
        match account {
            LedgerAccount::Payer(account) => self.payers.figures(account),
            LedgerAccount::Payee(account) => self.payees.figures(account),
            LedgerAccount::Received => self.received,
            LedgerAccount::PaidOut => self.paid_out,
            LedgerAccount::Fee => self.fee,
        }
    }

    /// The sums over all payers and all payees.
    pub(crate) const fn totals(&self) -> LedgerTotals {
        self.totals
    }

    /// The payees by address, with their sums.
    pub(crate) fn payees(&self) -> impl Iterator<Item = (Account, AccountFigures)> {
        self.payees.iter()
    }

    /// The number of a payer, if it has one.
    pub(crate) fn payer_number(&self, payer: Account) -> Option<u32> {
        self.payers.numbers.get(&payer).copied()
    }

    /// The number of a payer, which gets one if it has none. `None` at 2^32 accounts.
    pub(crate) fn number_of_payer(&mut self, payer: Account) -> Option<u32> {
        self.payers.number(payer)
    }

    /// The address of a payer's number.
    pub(crate) fn address_of_payer(&self, number: u32) -> Account {
        Account::new(*self.payers.addresses.get(number))
    }

    /// The payers by address, with their numbers.
    pub(crate) fn payers(&self) -> impl Iterator<Item = (Account, u32)> {
        self.payers.numbers.iter().map(|(account, number)| (*account, *number))
    }

    /// The first address from one on of a payer or a payee.
    pub(crate) fn first_from(&self, from: Account) -> Option<Account> {
        let of = |accounts: &NumberedAccounts| accounts.numbers.range(from..).next().map(|(account, _)| *account);
        [&self.payers, &self.payees].into_iter().filter_map(of).min()
    }

    /// Every account that has sums, by order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = AccountRow> {
        use LedgerAccount::{Fee, PaidOut, Payee, Payer, Received};
        let payers = self.payers.iter().map(|(account, figures)| (Payer(account), figures));
        let payees = self.payees.iter().map(|(account, figures)| (Payee(account), figures));
        let own = [(Received, self.received), (PaidOut, self.paid_out), (Fee, self.fee)];
        let all = payers.chain(payees).chain(own).filter(|(_, figures)| *figures != AccountFigures::default());
        all.map(|(account, figures)| AccountRow { account, figures })
    }
}

#[cfg(test)]
impl Accounts {
    /// Bytes on the heap for the payers, at most: the leaves of their index are at least five elevenths full.
    pub(crate) fn payer_heap_bytes(&self) -> usize {
        let of_index = self.payers.numbers.len().div_ceil(5) * 11 * size_of::<(Account, u32)>();
        self.payers.figures.heap_bytes() + self.payers.addresses.heap_bytes() + of_index
    }
}
