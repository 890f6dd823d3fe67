use vipnode_pool_core::Transaction;
use vipnode_types::Account;

/// Whose entries a statement lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatementParties {
    /// Entries in which this account pays.
    pub payer: Option<Account>,
    /// Entries in which this account is paid.
    pub payee: Option<Account>,
}

impl StatementParties {
    /// All entries of an account.
    #[must_use]
    pub const fn both(account: Account) -> Self {
        Self { payer: Some(account), payee: Some(account) }
    }

    /// Whether a transaction is one of theirs.
    #[must_use]
    pub fn are_of(self, transaction: &Transaction) -> bool {
        let own = |own: Option<Account>, of: Option<Account>| own.is_some() && own == of;
        own(self.payer, transaction.payer()) || own(self.payee, transaction.payee())
    }
}
