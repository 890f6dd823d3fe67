use vipnode_types::{Account, Amount};

use crate::{AccountFigures, LedgerEntry, OperatorOrder};

/// What the operator changes in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerChange {
    /// What changes.
    pub kind: LedgerChangeKind,
    /// Who ordered it, and why.
    pub order: OperatorOrder,
}

/// The changes of the ledger that an operator can order.
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
    /// How far the debt of a payer may grow from now on.
    Limit {
        /// Whose account changes.
        payer: Account,
        /// The most that the payer may owe.
        limit: Amount,
    },
}

/// The answer to a [`LedgerChange`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerChangeReply {
    /// The entry that was posted; of an order that came again with the same key, the entry of its first time.
    pub entry: LedgerEntry,
    /// The sums of the payer now.
    pub figures: AccountFigures,
}
