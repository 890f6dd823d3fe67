use serde::{Deserialize, Serialize};
use vipnode_types::{
    Account, Amount, Asset, Ms,
    payment::VoucherClaim,
    wire::{AccountFunds, StatementRange},
};

/// Changes the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerRequest {
    /// What the operator wants changed.
    pub change: LedgerOrder,
    /// The reason, or the reference of a payment; at most 200 characters.
    pub reason: String,
    /// The idempotency key, at most 64 characters of printable ASCII: the same change with the same key is posted once.
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
        /// Who paid.
        account: Account,
        /// How much was received.
        amount: Amount,
    },
    /// An amount was returned to an account, or a credit was wrong.
    Debit {
        /// Whose balance falls.
        account: Account,
        /// By how much it falls.
        amount: Amount,
    },
    /// Sets how much an account may owe.
    Limit {
        /// Whose limit it is.
        account: Account,
        /// The most that it may owe.
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
        /// By how much.
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
    /// The number of its entry in the ledger; for a repeated change, the number of the first entry.
    pub entry: u64,
    /// When it was posted.
    pub at_ms: Ms,
    /// Whether the same request with the same key had already posted it, so that nothing changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The account that changed, with its current balances; `None` for a closed period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AdminAccount>,
    /// What was marked, for a request to mark all payouts of a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_all: Option<AdminPaidPayouts>,
    /// What the pool charges in.
    pub asset: Asset,
}

/// Payouts that were marked as paid by one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPaidPayouts {
    /// How many were marked.
    pub marked: u32,
    /// What was paid, in the asset's smallest unit.
    pub amount: Amount,
    /// How many were skipped, because less than their amount is now payable to their accounts.
    pub left_out: u32,
    /// Where the next page begins; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Requests a page of the accounts in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountsRequest {
    /// The beginning of an address; or `negative`, for accounts with a negative balance; or `due`, for accounts to
    /// which something is payable; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The address at which the list starts; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Account>,
    /// How many accounts, at most; never more than 1,000.
    pub most: u32,
}

/// A page of the accounts, by address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminAccounts {
    /// What the pool charges in.
    pub asset: Asset,
    /// The accounts on this page.
    pub accounts: Vec<AdminAccount>,
    /// Where the next page begins; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Account>,
}

/// An account that pays or earns. Amounts are in the asset's smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminAccount {
    /// Address of the payer or payee.
    pub account: Account,
    /// What its nodes can spend.
    pub funds: AccountFunds,
    /// What its finished billing periods cost.
    pub spent: Amount,
    /// The client nodes that it pays for.
    pub nodes: u64,
    /// Its running leases that cost something.
    pub leases: u32,
    /// What its hosts earned, before fees.
    pub earned: Amount,
    /// How much of `earned` its clients have secured.
    pub secured: Amount,
    /// What is payable to it: what is secured, less fees and payouts.
    pub payable: Amount,
}

/// Requests a page of the statement of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountStatementRequest {
    /// Whose statement it is.
    pub account: Account,
    /// Which part of it.
    pub range: StatementRange,
}

/// Requests a page of what can be claimed from the clients' payment channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimsRequest {
    /// [`AdminClaims::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Account>,
    /// How many claims, at most; never more than 1,000.
    pub most: u32,
}

/// A page of what can be claimed from the clients' payment channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminClaims {
    /// What the pool charges in.
    pub asset: Asset,
    /// The claims on this page, by payer authorizer. Each is cumulative.
    pub claims: Vec<VoucherClaim>,
    /// Where the next page begins; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Account>,
}

/// Requests a page of the payouts of a settlement period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PayoutsRequest {
    /// The number of the period; `None` for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
    /// [`AdminPayouts::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many payouts, at most; never more than 1,000.
    pub most: u32,
}

/// A page of the payouts of a settlement period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPayouts {
    /// What the pool charges in.
    pub asset: Asset,
    /// The payouts on this page, by number.
    pub payouts: Vec<AdminPayout>,
    /// Where the next page begins; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// What the operator has to pay to a payee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPayout {
    /// The number of the payout.
    pub payout: u64,
    /// The number of the settlement period.
    pub period: u64,
    /// Who is paid.
    pub account: Account,
    /// How much, in the asset's smallest unit.
    pub amount: Amount,
    /// Whether it is due, paid, or bounced.
    pub state: AdminPayoutState,
}

/// What the operator has marked a payout as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AdminPayoutState {
    /// It is not marked.
    Due,
    /// The operator has sent the amount.
    Paid,
    /// It did not arrive.
    Bounced,
}
