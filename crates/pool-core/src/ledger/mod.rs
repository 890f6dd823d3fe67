//! Who owes what: the ledger of a pool whose clients pay. It owns the ledger accounts, the numbers of the journal, the
//! costs that nobody has secured yet, which account pays for which node, and the epochs in which the pool claims. It may call
//! `output`. The meter of a lease does
//! not belong here, and neither does the decision which lease ends.
//!
//! A transaction is a list of postings, each of which moves an amount from one account to another. A transaction
//! therefore cannot create money. Each account keeps sums that never fall; a balance is a difference of two.

pub(crate) mod account_figures;
pub(crate) mod accounts;
pub(crate) mod balance_sheet;
pub(crate) mod burn;
pub(crate) mod channels;
pub(crate) mod entries;
pub(crate) mod epoch_confirm;
pub(crate) mod epoch_cut;
pub(crate) mod epoch_redeem;
pub(crate) mod epochs;
pub(crate) mod ledger_totals;
pub(crate) mod links;
pub(crate) mod notice_times;
pub(crate) mod settlement;
pub(crate) mod shortage;
pub(crate) mod transaction;
pub(crate) mod unpaid_costs;

use std::collections::BTreeSet;

use vipnode_types::{Account, Amount, Ms};

use crate::{
    LedgerAccountView, LedgerEntry, Row, RowKey,
    ledger::{
        account_figures::AccountFigures,
        accounts::Accounts,
        burn::Burns,
        channels::Channels,
        entries::Entries,
        epochs::Epochs,
        ledger_totals::LedgerTotals,
        links::Links,
        settlement::Settlement,
        transaction::{LedgerAccount, Transaction},
        unpaid_costs::UnpaidCosts,
    },
    output::Output,
};

/// The ledger of a pool.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    accounts: Accounts,
    entries: Entries,
    unpaid: UnpaidCosts,
    settlement: Settlement,
    /// Payers whose earlier costs a step did not secure completely.
    collecting: BTreeSet<Account>,
    burns: Burns,
    links: Links,
    channels: Channels,
    epochs: Epochs,
}

impl Ledger {
    /// Posts a transaction: writes its journal entry and the new sums of each account that it changes. Returns the entry. At the
    /// end of the range of amounts it returns `None` and changes nothing.
    pub(crate) fn post(&mut self, output: &mut Output, transaction: Transaction) -> Option<LedgerEntry> {
        let changed = self.accounts.apply(&transaction)?;
        let entry = LedgerEntry { number: self.entries.next(), at: output.now, transaction };
        output.persist(Row::Entry(Box::new(entry.clone())));
        self.entries.take(entry.clone());
        changed.into_iter().for_each(|row| output.persist(Row::Account(row)));
        Some(entry)
    }

    /// The number of the newest entry; 0 if there is none.
    pub(crate) fn newest(&self) -> u64 {
        self.entries.next().saturating_sub(1)
    }

    /// When the next funds are checked.
    pub(crate) fn next_check(&self) -> Option<Ms> {
        self.burns.next_check()
    }

    /// The sums of an account.
    pub(crate) fn figures(&self, account: LedgerAccount) -> AccountFigures {
        self.accounts.figures(account)
    }

    /// The sums over all payers and all payees.
    pub(crate) const fn totals(&self) -> LedgerTotals {
        self.accounts.totals()
    }

    /// The entry with an idempotency key.
    pub(crate) fn keyed(&self, key: &str) -> Option<&LedgerEntry> {
        self.entries.keyed(key)
    }

    /// The number of entries with an idempotency key.
    pub(crate) fn keys(&self) -> usize {
        self.entries.keys()
    }

    /// Forgets the idempotency keys of the entries up to a number, which are no longer in the journal.
    pub(crate) fn forget_keys(&mut self, last: u64) {
        self.entries.forget(last);
    }

    /// What the operator has to pay to each payee, by address, without those to whom less than `smallest` is payable.
    pub(crate) fn payable(&self, smallest: Amount) -> Vec<(Account, Amount)> {
        let payable = self.accounts.payees().map(|(payee, figures)| (payee, figures.payable()));
        payable.filter(|(_, amount)| *amount >= smallest).collect()
    }

    /// Accounts from an address on, as the operator sees them.
    pub(crate) fn views(&self, from: Option<Account>, most: usize, now: Ms) -> Vec<LedgerAccountView> {
        let of = |account: Account| LedgerAccountView {
            account,
            payer: self.payer(account),
            payee: self.figures(LedgerAccount::Payee(account)),
            funds: self.funds(account, now),
            nodes: u64::try_from(self.links.nodes(account).count()).unwrap_or(u64::MAX),
            leases: self.leases_of(account),
        };
        let first = self.first_from(from.unwrap_or(Account::new([0; 20])));
        let accounts = std::iter::successors(first, |last| self.first_from(following(*last)?));
        accounts.take(most).map(of).collect()
    }

    /// The first account from an address on. The time does not grow with their number: the core's thread does nothing else meanwhile.
    fn first_from(&self, from: Account) -> Option<Account> {
        [self.accounts.first_from(from), self.links.first_from(from)].into_iter().flatten().min()
    }

    /// The sums of the account of a payer.
    pub(crate) fn payer(&self, account: Account) -> AccountFigures {
        self.figures(LedgerAccount::Payer(account))
    }

    /// The sums of the payout account of a host.
    pub(crate) fn payee(&self, account: Account) -> AccountFigures {
        self.figures(LedgerAccount::Payee(account))
    }

    /// Whether the operator ever credited an account, or set its limit, or it had a link before. Anyone can create accounts,
    /// so only these may have links.
    pub(crate) fn knows(&self, account: Account) -> bool {
        self.payer(account) != AccountFigures::default() || self.links.counter(account) > 0
    }

    /// The rows that a store returns of the ledger when it is loaded, in that order.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let accounts = self.accounts.rows().map(Row::Account);
        let links = self.links.rows().map(Row::Link);
        let counters = self.links.counters().map(|(account, counter)| Row::LinkCounter(account, counter));
        let channels = self.channels.rows().map(|row| Row::Channel(Box::new(*row)));
        let unpaid = self.unpaid.rows().map(Row::Unpaid);
        let entries = self.entries.kept().map(|entry| Row::Entry(Box::new(entry)));
        accounts
            .chain(links)
            .chain(counters)
            .chain(channels)
            .chain(unpaid)
            .chain(self.settlement.rows())
            .chain(self.epochs.rows())
            .chain(entries)
            .collect()
    }

    /// Takes in a row of a store. Ignores rows that are not of the ledger.
    pub(crate) fn restore(&mut self, row: Row) {
        match row {
            Row::Entry(entry) => self.entries.take(*entry),
            Row::Account(row) => self.accounts.restore(&row),
            Row::Link(row) => self.links.set(row.node, Some(row.account)),
            Row::LinkCounter(account, counter) => self.links.set_counter(account, counter),
            Row::Channel(row) => self.channels.restore(*row),
            Row::Unpaid(row) => {
                self.unpaid.restore(row);
                self.collecting.insert(row.payer);
            }
            Row::Period(row) => self.settlement.restore(row),
            Row::Payout(row) => self.settlement.restore_payout(row),
            row @ (Row::Epoch(_)
            | Row::EpochClaim(_)
            | Row::ChainTransaction(_)
            | Row::Delete(RowKey::EpochClaim(_) | RowKey::ChainTransaction(_))) => self.epochs.restore(row),
            Row::Delete(RowKey::Link(node)) => self.links.set(node, None),
            Row::Delete(RowKey::Unpaid(entry)) => self.unpaid.delete(entry),
            Row::Delete(RowKey::Payout(number)) => self.settlement.delete(number),
            _ => {}
        }
    }
}

/// The address after one; `None` after the last.
fn following(account: Account) -> Option<Account> {
    let mut bytes = *account.as_bytes();
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte > 0 {
            return Some(Account::new(bytes));
        }
    }
    None
}
