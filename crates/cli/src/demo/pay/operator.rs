use std::{collections::BTreeMap, path::Path};

use vipnode_chain::EvmReceipt;
use vipnode_pool::admin::{
    AccountsRequest, AdminAccount, AdminClient, AdminEpoch, AdminPayout, AdminPayoutState, EpochRequest, LedgerOrder,
    LedgerRequest, PayoutsRequest, admin_socket,
};
use vipnode_types::Account;

use super::chain::DemoChain;
use crate::error::CliError;

/// Acts as the pool's operator: over the pool's admin socket, as `vipnode pool admin` does, and with the treasury.
#[derive(Debug, Clone)]
pub(super) struct DemoOperator {
    admin: AdminClient,
}

/// Accounts and payouts of a page; a demo has five.
const PAGE: u32 = 100;

impl DemoOperator {
    /// The operator of the pool in this data directory.
    pub(super) fn of(datadir: &Path) -> Self {
        Self { admin: AdminClient::new(admin_socket(datadir)) }
    }

    /// Returns the accounts in the ledger.
    ///
    /// # Errors
    /// The pool does not answer; so for all below.
    pub(super) async fn accounts(&self) -> Result<BTreeMap<Account, AdminAccount>, CliError> {
        let page = self.admin.accounts(&AccountsRequest { most: PAGE, ..AccountsRequest::default() }).await?;
        Ok(page.accounts.into_iter().map(|account| (account.account, account)).collect())
    }

    /// Returns the newest epoch, and what the next one would claim.
    pub(super) async fn epoch(&self) -> Result<AdminEpoch, CliError> {
        Ok(self.admin.epoch(EpochRequest { run: false }).await?)
    }

    /// Has the pool begin an epoch now, whenever the next one is due.
    pub(super) async fn begin_epoch(&self) -> Result<AdminEpoch, CliError> {
        Ok(self.admin.epoch(EpochRequest { run: true }).await?)
    }

    /// Returns the payouts of the newest period that are marked so.
    pub(super) async fn payouts(&self, state: AdminPayoutState) -> Result<Vec<AdminPayout>, CliError> {
        let request = PayoutsRequest { period: None, after: None, most: PAGE };
        let page = self.admin.payouts(&request).await?;
        Ok(page.payouts.into_iter().filter(|payout| payout.state == state).collect())
    }

    /// Transfers a payout from the treasury, and marks it with the hash of the transaction.
    pub(super) async fn pay(&self, chain: &DemoChain, payout: &AdminPayout) -> Result<EvmReceipt, CliError> {
        let receipt = chain.transfer(payout.account, payout.amount).await?;
        let change = LedgerOrder::Paid { payout: payout.payout };
        let reason = receipt.transaction_hash.to_string();
        self.admin.change_ledger(&LedgerRequest { change, reason, key: None, allow_negative: false }).await?;
        Ok(receipt)
    }
}
