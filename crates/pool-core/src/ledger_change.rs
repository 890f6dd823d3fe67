use vipnode_types::{Account, Amount};

use crate::{AccountFigures, LedgerEntry, OperatorOrder};

/// What the operator changes in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerChange {
    /// The change.
    pub kind: LedgerChangeKind,
    /// Who ordered it, and why.
    pub order: OperatorOrder,
}

/// The changes of the ledger that an operator can order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerChangeKind {
    /// An amount was received from a payer.
    Credit {
        /// The payer.
        payer: Account,
        /// How much.
        amount: Amount,
    },
    /// An amount was returned to a payer, or a credit was wrong.
    Debit {
        /// The payer.
        payer: Account,
        /// How much.
        amount: Amount,
    },
    /// How far the debt of a payer may grow from now on.
    Limit {
        /// The payer.
        payer: Account,
        /// The limit.
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
