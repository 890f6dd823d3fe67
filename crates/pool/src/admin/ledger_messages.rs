use serde::{Deserialize, Serialize};
use vipnode_types::{
    Account, Amount, Asset, Ms,
    payment::VoucherClaim,
    wire::{AccountFunds, StatementRange},
};

/// Changes the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LedgerRequest {
    /// The change to post.
    pub change: LedgerOrder,
    /// The reason, or the reference of a payment; at most 200 characters.
    pub reason: String,
    /// The idempotency key, at most 64 characters of printable ASCII: the same change with the same key is posted only
    /// once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether a debit may exceed the balance of its account, which then owes the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_negative: bool,
}

/// A change to the ledger. Amounts are in the asset's smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LedgerOrder {
    /// An amount was received from an account.
    Credit {
        /// The account that paid.
        account: Account,
        /// The received amount.
        amount: Amount,
    },
    /// An amount was returned to an account, or a credit was wrong.
    Debit {
        /// The debited account.
        account: Account,
        /// The debited amount.
        amount: Amount,
    },
    /// Sets how much an account may owe.
    Limit {
        /// The account whose limit changes.
        account: Account,
        /// The most that the account may owe.
        amount: Amount,
    },
    /// Writes off the part of a billing period's cost that its payer has not secured.
    WriteOff {
        /// The number of the entry of the period.
        entry: u64,
    },
    /// Corrects what is payable to a host's account.
    Correction {
        /// The payout account of the host.
        account: Account,
        /// The amount of the correction.
        amount: Amount,
        /// Whether less is payable from then on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        takes: bool,
    },
    /// Closes the settlement period.
    ClosePeriod,
    /// Marks a payout as paid.
    Paid {
        /// The number of the payout.
        payout: u64,
    },
    /// Marks the unmarked payouts of a settlement period as paid, one page at a time.
    PaidAll {
        /// The number of the period.
        period: u64,
        /// [`AdminPaidPayouts::next`] of the previous page; `None` for the first page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    },
    /// Marks a payout as not received: it is due again in the next settlement period.
    Bounced {
        /// The number of the payout.
        payout: u64,
    },
}

/// A change that was posted and is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerPosted {
    /// The number of the ledger entry of the change; for a repeated change, the number of the first entry.
    pub entry: u64,
    /// The time at which the change was posted.
    pub at_ms: Ms,
    /// Whether an earlier request with the same key had already posted the change, so that nothing changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The account that changed, with its current balances; `None` for a closed period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AdminAccount>,
    /// The amount of the change; for a payout that bounced, what came back. `None` for a closed period, and for a request to mark
    /// all payouts of a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The number of the settlement period, if the change closed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
    /// The payouts that were marked, for a request to mark all payouts of a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_all: Option<AdminPaidPayouts>,
    /// The asset that the pool charges in.
    pub asset: Asset,
}

/// Payouts that were marked as paid by one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPaidPayouts {
    /// The number of payouts that were marked.
    pub marked: u32,
    /// The total of the payouts that were marked, in the asset's smallest unit.
    pub amount: Amount,
    /// The number of payouts that were skipped, because less than their amount is now payable to their accounts.
    pub left_out: u32,
    /// The value of `after` for the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Requests a page of the accounts in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountsRequest {
    /// The beginning of an address; or `negative`, for accounts with a negative balance; or `due`, for accounts with a
    /// payable amount; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first address of the page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Account>,
    /// The maximum number of accounts to return; never more than 1,000.
    pub most: u32,
}

/// A page of the accounts, by address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminAccounts {
    /// The asset that the pool charges in.
    pub asset: Asset,
    /// The accounts on this page.
    pub accounts: Vec<AdminAccount>,
    /// The value of `from` for the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Account>,
}

/// An account that pays or earns. Amounts are in the asset's smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminAccount {
    /// The address of the account.
    pub account: Account,
    /// The funds that the account's nodes can spend.
    pub funds: AccountFunds,
    /// The cost of the account's billing periods that have ended.
    pub spent: Amount,
    /// The number of client nodes that the account pays for.
    pub nodes: u64,
    /// The number of running leases with a cost that the account pays for.
    pub leases: u32,
    /// The earnings of the account's hosts, before fees.
    pub earned: Amount,
    /// The part of `earned` that clients have secured.
    pub secured: Amount,
    /// The amount payable to the account: its secured earnings, less fees and payouts.
    pub payable: Amount,
}

/// Requests a page of the statement of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountStatementRequest {
    /// The account whose statement is requested.
    pub account: Account,
    /// The part of the statement to return.
    pub range: StatementRange,
}

/// Requests a page of the amounts that can be claimed from the clients' payment channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimsRequest {
    /// [`AdminClaims::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Account>,
    /// The maximum number of claims to return; never more than 1,000.
    pub most: u32,
}

/// A page of the amounts that can be claimed from the clients' payment channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminClaims {
    /// The asset that the pool charges in.
    pub asset: Asset,
    /// The claims on this page, by payer authorizer. Each is cumulative.
    pub claims: Vec<VoucherClaim>,
    /// The value of `after` for the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Account>,
    /// The account with whose key the pool claims on its own; `None` if it does not. Another program that sends transactions
    /// of this account would use the same nonces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Account>,
}

/// Requests a page of the payouts of a settlement period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PayoutsRequest {
    /// The number of the period; `None` for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
    /// [`AdminPayouts::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The maximum number of payouts to return; never more than 1,000.
    pub most: u32,
}

/// A page of the payouts of a settlement period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPayouts {
    /// The asset that the pool charges in.
    pub asset: Asset,
    /// The number of the newest settlement period that is closed; 0 if none is.
    #[serde(default)]
    pub newest_period: u64,
    /// The payouts on this page, by number.
    pub payouts: Vec<AdminPayout>,
    /// The value of `after` for the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// An amount that the operator has to pay to a payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPayout {
    /// The number of the payout.
    pub payout: u64,
    /// The number of the settlement period.
    pub period: u64,
    /// The account that is paid.
    pub account: Account,
    /// The amount to pay, in the asset's smallest unit.
    pub amount: Amount,
    /// The state of the payout: due, paid, or bounced.
    pub state: AdminPayoutState,
    /// The reference of the payment, or the reason why it bounced, as the operator recorded it; `None` for a payout that is
    /// due, or if the entry was pruned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// The state of a payout, as marked by the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AdminPayoutState {
    /// The payout has not been marked.
    Due,
    /// The operator has sent the amount.
    Paid,
    /// The payment did not arrive.
    Bounced,
}
