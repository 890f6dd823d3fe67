use vipnode_types::{Account, Amount, wire::AccountFunds};

use crate::{AccountFigures, LedgerEntry, Limits, OperatorOrder, OrderError, unusable_account::UnusableAccount};

/// What the operator changes in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerChange {
    /// What the operator wants changed.
    pub kind: LedgerChangeKind,
    /// The user who made the change, and the reason.
    pub order: OperatorOrder,
    /// Whether a debit may exceed the balance of its account.
    pub allow_negative: bool,
}

/// The changes that an operator can make to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerChangeKind {
    /// An amount was received from a payer.
    Credit {
        /// Whose account changes.
        payer: Account,
        /// By how much it changes.
        amount: Amount,
    },
    /// An amount was returned to a payer, or a credit was wrong.
    Debit {
        /// Whose account changes.
        payer: Account,
        /// By how much it changes.
        amount: Amount,
    },
    /// A settlement period ends: what is payable to each payee is listed as a payout.
    ClosePeriod,
    /// A payout was paid; the reason of the order is the reference of the payment.
    Paid {
        /// The number of the payout.
        payout: u64,
    },
    /// All payouts of a settlement period that are not marked were paid with one reference. At most `payouts_a_step` of them are
    /// marked at once.
    PaidAll {
        /// The number of the period.
        period: u64,
        /// Payouts up to this number were marked before, or left out.
        after: Option<u64>,
    },
    /// A payout did not arrive: its amount is payable again in the next settlement period.
    Bounced {
        /// The number of the payout.
        payout: u64,
    },
    /// What the payer of a billing period has not secured of its cost is given up.
    WriteOff {
        /// The number of the entry of the period.
        entry: u64,
    },
    /// What is payable to a payee was wrong.
    Correction {
        /// Whose account changes.
        payee: Account,
        /// By how much it changes.
        amount: Amount,
        /// Whether less is payable from now on.
        takes: bool,
    },
    /// How far the debt of a payer may grow from now on.
    Limit {
        /// Whose account changes.
        payer: Account,
        /// The most that the payer may owe.
        limit: Amount,
    },
}

impl LedgerChangeKind {
    /// An order is for less than two to this power, so that 2^32 orders stay in the range of amounts: one mistyped order
    /// cannot block all later ones.
    const ORDER_BITS: u32 = 96;

    /// Checks an order, without looking at the ledger. The reason of a limit, or of the end of a period, may be blank.
    pub(crate) fn check(self, reason: &str) -> Result<(), OrderError> {
        let blank = reason.trim().is_empty();
        match self {
            Self::Credit { amount, .. }
            | Self::Debit { amount, .. }
            | Self::Correction { amount, .. }
            | Self::Limit { limit: amount, .. }
                if amount.get() >> Self::ORDER_BITS > 0 =>
            {
                Err(OrderError::OrderTooLarge)
            }
            Self::Credit { amount: Amount::ZERO, .. }
            | Self::Debit { amount: Amount::ZERO, .. }
            | Self::Correction { amount: Amount::ZERO, .. } => Err(OrderError::ZeroAmount),
            Self::Credit { .. }
            | Self::Debit { .. }
            | Self::WriteOff { .. }
            | Self::Correction { .. }
            | Self::Paid { .. }
            | Self::PaidAll { .. }
            | Self::Bounced { .. }
                if blank =>
            {
                Err(OrderError::BlankReason)
            }
            _ => Ok(()),
        }
    }

    /// Checks that the account can have an owner, if it is to have more than before. What was posted for another one by mistake
    /// can still be taken back.
    pub(crate) fn check_account(self, limits: &Limits) -> Result<(), OrderError> {
        let account = match self {
            Self::Credit { payer, .. } => payer,
            Self::Limit { payer, limit } if limit > Amount::ZERO => payer,
            Self::Correction { payee, takes: false, .. } => payee,
            _ => return Ok(()),
        };
        match UnusableAccount::of(account, limits) {
            Some(UnusableAccount::Reserved) => Err(OrderError::ReservedAccount { account }),
            Some(UnusableAccount::Contract) => Err(OrderError::ContractAccount { account }),
            None => Ok(()),
        }
    }
}

/// The answer to a [`LedgerChange`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerChangeReply {
    /// The entry that was posted; of a change that came again with the same key, the entry of its first time.
    pub entry: LedgerEntry,
    /// The sums of the payer or payee now; zero if the change is about none.
    pub figures: AccountFigures,
    /// The payouts that were marked, for a command to mark all payouts of a period.
    pub paid_all: Option<PaidPayouts>,
    /// Whether the entry was posted before, by the same command with the same key, so that nothing changed.
    pub repeated: bool,
}

/// Payouts that were marked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaidPayouts {
    /// How many were marked.
    pub marked: u32,
    /// What was paid.
    pub amount: Amount,
    /// How many were not, because more would have been paid than is payable to their payee by now.
    pub left_out: u32,
    /// The number of the last one, if further ones follow.
    pub next: Option<u64>,
}

/// An account, as the operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerAccountView {
    /// Address of the payer or payee.
    pub account: Account,
    /// What it paid and owes.
    pub payer: AccountFigures,
    /// What it earned.
    pub payee: AccountFigures,
    /// What its nodes can spend.
    pub funds: AccountFunds,
    /// The client nodes that it pays for.
    pub nodes: u64,
    /// Its running leases that cost something.
    pub leases: u32,
}
