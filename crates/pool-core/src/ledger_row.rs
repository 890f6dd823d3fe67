//! The durable state of the ledger, as plain values.

use vipnode_types::{
    Account, Amount, Ms, NodeId,
    payment::{ChannelConfig, TypedDataSignature},
};

use crate::ChannelReading;
use crate::ledger::{
    account_figures::AccountFigures,
    transaction::{LedgerAccount, Transaction},
};

/// An entry of the ledger's journal. Immutable: the same number is never written with a different value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its number; the first is 1, and each is one more than the one before.
    pub number: u64,
    /// When it was posted.
    pub at: Ms,
    /// What changed, from which the postings follow.
    pub transaction: Transaction,
}

/// The sums of a ledger account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRow {
    /// Whose sums they are.
    pub account: LedgerAccount,
    /// Its sums after the newest entry of the journal.
    pub figures: AccountFigures,
}

/// An account that pays for the leases of a client node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRow {
    /// Public key of the node.
    pub node: NodeId,
    /// The account that pays.
    pub account: Account,
}

/// A payment channel that client nodes spend from, with its newest voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelRow {
    /// The channel. Its payer authorizer is the payer in the ledger.
    pub config: ChannelConfig,
    /// The amount of the newest voucher.
    pub signed: Amount,
    /// The signature of the newest voucher.
    pub signature: TypedDataSignature,
    /// What the escrow holds for it.
    pub state: ChannelReading,
    /// When that was read.
    pub read: Ms,
    /// The payer's meter when the pool accepted the channel.
    pub metered_before: Amount,
    /// What had been claimed of the channel then.
    pub claimed_before: Amount,
    /// The total that was claimed of it and posted.
    pub claimed: Amount,
}

impl ChannelRow {
    /// What the payer may owe because of it: what is signed and deposited, and not claimed yet.
    #[must_use]
    pub fn promised(&self) -> Amount {
        self.signed.min(self.state.covers()).checked_sub(self.claimed).unwrap_or_default()
    }
}

/// A cost that is not fully secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpaidRow {
    /// The number of the journal entry of its billing period.
    pub entry: u64,
    /// Who owes it.
    pub payer: Account,
    /// Who earned it.
    pub payee: Account,
    /// The operator's fee, in basis points.
    pub fee_bps: u16,
    /// The whole cost.
    pub cost: Amount,
    /// How much of it is secured.
    pub collected: Amount,
}

impl UnpaidRow {
    /// A fee of this many basis points is everything.
    const WHOLE_BPS: u128 = 10_000;

    /// The operator's fee on the collected part, rounded down in the host's favor: `floor(collected × bps / 10,000)`.
    #[must_use]
    pub fn fee(&self) -> Amount {
        let bps = u128::from(self.fee_bps).min(Self::WHOLE_BPS);
        let (whole, rest) = (self.collected.get() / Self::WHOLE_BPS, self.collected.get() % Self::WHOLE_BPS);
        // Neither product is above the amount or 10^8.
        let of_rest = rest.saturating_mul(bps) / Self::WHOLE_BPS;
        Amount::new(whole.saturating_mul(bps).saturating_add(of_rest))
    }
}

/// A settlement period that the operator closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettlementPeriodRow {
    /// Its number; the first is 1.
    pub number: u64,
    /// When it was closed.
    pub closed: Ms,
}

impl SettlementPeriodRow {
    /// Payouts of this many periods can be marked. The journal has what became of the older ones.
    pub const WITH_PAYOUTS: u64 = 12;
}

/// What the operator has to pay to a payee for a settlement period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutRow {
    /// Its number; the first is 1.
    pub number: u64,
    /// The number of the settlement period.
    pub period: u64,
    /// Who is paid.
    pub payee: Account,
    /// How much the operator has to pay.
    pub amount: Amount,
    /// What became of it.
    pub state: PayoutState,
}

/// What became of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutState {
    /// The operator has not marked it.
    Due,
    /// The operator paid it.
    Paid,
    /// It did not arrive. The amount is due again in the next settlement period.
    Bounced,
}
