use serde::{Deserialize, Serialize};

use crate::{Amount, Asset, LeaseId, Ms, Price, SignedAmount, wire::AccountQuery};

/// A page of a statement, in the order in which the pool's ledger was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Statement {
    /// The asset of the amounts.
    pub asset: Asset,
    /// The number of the newest batch of changes in the pool's database.
    pub batch: u64,
    /// The balances before the first line; only for an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<StatementBalances>,
    /// The lines. For each side, the changes add up to the difference between its closing and opening balances.
    pub lines: Vec<StatementLine>,
    /// The balances after the last line; only for an account. The next page opens with the same balances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<StatementBalances>,
    /// The value of `after` for the next page; `None` on the last page. A page of a node's statement can be empty and
    /// still have a next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StatementCursor>,
}

/// Requests a page of a statement: of the account that signs, or without an account, of the agent's own node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatementRequest {
    /// The account and its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountQuery>,
    /// The part of the statement to return.
    pub range: StatementRange,
}

/// A part of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatementRange {
    /// The start of the range: only entries posted at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<Ms>,
    /// The end of the range: only entries posted before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<Ms>,
    /// [`Statement::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<StatementCursor>,
    /// The maximum number of ledger entries to return; never more than the pool's `statement_entries` limit.
    pub most: u32,
}

/// The position at which a page of a statement begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatementCursor {
    /// The number of the last entry of the previous page.
    pub entry: u64,
    /// The balances after the entry in `entry`; present only in the statement of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balances: Option<StatementBalances>,
    /// The number of times that the pool had folded billing periods into others.
    #[serde(default, skip_serializing_if = "is_never_folded")]
    pub folds: u64,
}

/// The balances of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatementBalances {
    /// The balance as a payer: credits, less debits and the spending of the account's client nodes.
    pub payer: SignedAmount,
    /// The balance as a host: the earnings of the account's hosts, less fees and payouts.
    pub host: SignedAmount,
}

/// The effect of one ledger entry on the account or the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatementLine {
    /// The number of the entry in the pool's ledger.
    pub entry: u64,
    /// The time at which the entry was posted.
    pub at_ms: Ms,
    /// The balance to which the line belongs.
    pub side: StatementSide,
    /// The kind of change that was posted.
    pub kind: StatementKind,
    /// The change in the balance.
    pub change: SignedAmount,
    /// The operator's fee, which is already deducted from `change` in a line of a host's balance.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee: Amount,
    /// The part of a lease's cost that was secured by this entry.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub secured: Amount,
    /// For a line of kind `limit`, the new credit limit of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Amount>,
    /// The operator's reason, or the reference of a payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The number of the payout to which the entry belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<u64>,
    /// The entry of the billing period that was secured or written off later, or that is overbilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secures: Option<u64>,
    /// The billing period of a lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeasePeriod>,
}

/// The balance that a line of a statement changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StatementSide {
    /// The balance of the account as a payer.
    Payer,
    /// The balance of the account as a host.
    Host,
    /// A side that this release does not know, from a newer pool. It changes neither of the balances that this release
    /// knows.
    #[serde(other)]
    Unknown,
}

/// The kind of change that a line of a statement records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StatementKind {
    /// The operator received an amount, or granted it.
    Credit,
    /// The operator returned an amount, or corrected a credit.
    Debit,
    /// The operator changed the account's credit limit.
    Limit,
    /// A voucher for the account's payment channel, or a change in the channel's deposit, changed the account's credit
    /// limit.
    Voucher,
    /// The pool claimed an amount from the account's payment channel.
    Claimed,
    /// A billing period of a lease ended.
    Lease,
    /// The cost of an earlier billing period was secured; the operator takes the fee.
    Secured,
    /// The unsecured part of the cost of an earlier billing period was written off: the payer no longer owes it to the
    /// host.
    WriteOff,
    /// A part of the cost of an earlier billing period is for time that did not pass, because the pool's clock had been
    /// ahead. The
    /// balance does not change; the reason states how much that is.
    Overbilled,
    /// The operator corrected what is payable to a host.
    Correction,
    /// The operator paid a payout.
    Paid,
    /// A payout did not arrive.
    Bounced,
    /// A kind that this release does not know, from a newer pool. Its change still counts toward the balances.
    #[serde(other)]
    Unknown,
}

/// A billing period of a lease, in a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeasePeriod {
    /// ID of the lease.
    pub lease: LeaseId,
    /// The number of the billing period within the lease.
    pub row: u32,
    /// The short ID of the node on this side, which used or provided the slot.
    pub node: String,
    /// The short ID of the node on the other side.
    pub counterpart: String,
    /// The time at which both sides were first connected to each other in the billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<Ms>,
    /// The last time at which both sides were connected to each other in the billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<Ms>,
    /// The billed time, in milliseconds, including the earlier periods that were merged into this one.
    pub billed_ms: u64,
    /// The number of earlier billing periods of the same two nodes that were merged into this one.
    #[serde(default, skip_serializing_if = "is_none_merged")]
    pub merged: u32,
    /// The price of the slot.
    pub price: Price,
    /// Whether the billing period was a free trial.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
    /// The cost of the billing period, before the fee.
    pub cost: Amount,
    /// The reading of the payer's meter before and after the billing period. The period occupies this interval.
    pub interval: [Amount; 2],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_never_folded(folds: &u64) -> bool {
    *folds == 0
}

const fn is_none_merged(merged: &u32) -> bool {
    *merged == 0
}

fn is_zero(amount: &Amount) -> bool {
    *amount == Amount::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_newer_pool_does_not_make_the_page_unreadable() {
        let text = r#"{"entry":1,"at_ms":5,"side":"lender","kind":"interest","change":"-7","rate":3}"#;
        let line: StatementLine = serde_json::from_str(text).unwrap();
        assert_eq!((line.side, line.kind), (StatementSide::Unknown, StatementKind::Unknown));
        assert_eq!(line.change, SignedAmount::difference(Amount::ZERO, Amount::new(7)));
        let text = r#"{"entry":1,"at_ms":5,"side":"host","kind":"write_off","change":"0"}"#;
        let line: StatementLine = serde_json::from_str(text).unwrap();
        assert_eq!((line.side, line.kind), (StatementSide::Host, StatementKind::WriteOff));
    }
}
