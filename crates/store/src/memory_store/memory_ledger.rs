use std::collections::BTreeMap;

use vipnode_pool_core::{
    AccountFigures, AccountRow, ChainTransactionRow, ChannelRow, EpochClaimRow, EpochRow, LedgerAccount, LedgerEntry,
    LinkRow, PayoutRow, PricingRow, Row, RowKey, SettlementPeriodRow, UnpaidRow,
};
use vipnode_types::{Account, NodeId, PaymentMode};

/// What a store in memory holds of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MemoryLedger {
    pub(super) payment: Option<PaymentMode>,
    pub(super) pricing: Option<PricingRow>,
    accounts: BTreeMap<LedgerAccount, AccountFigures>,
    links: BTreeMap<NodeId, Account>,
    link_counters: BTreeMap<Account, u64>,
    /// By payer authorizer.
    channels: BTreeMap<Account, ChannelRow>,
    unpaid: BTreeMap<u64, UnpaidRow>,
    period: Option<SettlementPeriodRow>,
    payouts: BTreeMap<u64, PayoutRow>,
    epoch: Option<EpochRow>,
    epoch_claims: BTreeMap<Account, EpochClaimRow>,
    chain_transactions: BTreeMap<u64, ChainTransactionRow>,
    pub(super) entries: BTreeMap<u64, LedgerEntry>,
}

impl MemoryLedger {
    pub(super) fn write(&mut self, row: &Row) {
        match row {
            Row::Payment(mode) => self.payment = Some(*mode),
            Row::Pricing(row) => self.pricing = Some(**row),
            Row::Entry(entry) => {
                self.entries.insert(entry.number, (**entry).clone());
            }
            Row::Account(AccountRow { account, figures }) => {
                self.accounts.insert(*account, *figures);
            }
            Row::Link(LinkRow { node, account }) => {
                self.links.insert(*node, *account);
            }
            Row::LinkCounter(account, counter) => {
                self.link_counters.insert(*account, *counter);
            }
            Row::Channel(row) => {
                self.channels.insert(row.config.payer_authorizer, **row);
            }
            Row::Unpaid(row) => {
                self.unpaid.insert(row.entry, *row);
            }
            Row::Period(row) => self.period = Some(*row),
            Row::Payout(row) => {
                self.payouts.insert(row.number, *row);
            }
            Row::Epoch(row) => self.epoch = Some((**row).clone()),
            Row::EpochClaim(row) => {
                self.epoch_claims.insert(row.signer, (**row).clone());
            }
            Row::ChainTransaction(row) => {
                self.chain_transactions.insert(row.nonce, (**row).clone());
            }
            Row::Delete(RowKey::EpochClaim(signer)) => {
                self.epoch_claims.remove(signer);
            }
            Row::Delete(RowKey::ChainTransaction(nonce)) => {
                self.chain_transactions.remove(nonce);
            }
            Row::Delete(RowKey::Link(node)) => {
                self.links.remove(node);
            }
            Row::Delete(RowKey::Unpaid(entry)) => {
                self.unpaid.remove(entry);
            }
            Row::Delete(RowKey::Payout(number)) => {
                self.payouts.remove(number);
            }
            _ => {}
        }
    }

    pub(super) fn figures(&self, account: LedgerAccount) -> AccountFigures {
        self.accounts.get(&account).copied().unwrap_or_default()
    }

    pub(super) fn linked_account(&self, node: &NodeId) -> Option<Account> {
        self.links.get(node).copied()
    }

    pub(super) fn load(&self, each: &mut dyn FnMut(Row)) {
        let account =
            |(account, figures): (&LedgerAccount, &AccountFigures)| AccountRow { account: *account, figures: *figures };
        self.accounts.iter().for_each(|of| each(Row::Account(account(of))));
        self.links.iter().for_each(|(node, account)| each(Row::Link(LinkRow { node: *node, account: *account })));
        self.link_counters.iter().for_each(|(account, counter)| each(Row::LinkCounter(*account, *counter)));
        self.channels.values().for_each(|row| each(Row::Channel(Box::new(*row))));
        self.unpaid.values().for_each(|row| each(Row::Unpaid(*row)));
        self.period.into_iter().for_each(|row| each(Row::Period(row)));
        self.payouts.values().for_each(|row| each(Row::Payout(*row)));
        self.epoch.iter().for_each(|row| each(Row::Epoch(Box::new(row.clone()))));
        self.epoch_claims.values().for_each(|row| each(Row::EpochClaim(Box::new(row.clone()))));
        self.chain_transactions.values().for_each(|row| each(Row::ChainTransaction(Box::new(row.clone()))));
        let newest = self.entries.last_key_value().map(|(number, _)| *number);
        let keyed = |entry: &LedgerEntry| entry.transaction.order().is_some_and(|order| order.key.is_some());
        let kept = self.entries.values().filter(|entry| keyed(entry) || Some(entry.number) == newest);
        kept.for_each(|entry| each(Row::Entry(Box::new(entry.clone()))));
    }
}
