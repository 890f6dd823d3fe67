use vipnode_types::Amount;

/// The sums of a ledger account, in the asset's smallest unit. Only `limit` can fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountFigures {
    /// What was posted to it.
    pub received: Amount,
    /// What was posted from it.
    pub sent: Amount,
    /// Of a payer, what its leases cost; of a payee, what its leases earned. This is the account's meter.
    pub metered: Amount,
    /// How much of the metered amount was secured when the pool looked.
    pub collected: Amount,
    /// Of a payer, how far its debt may grow.
    pub limit: Amount,
}

impl AccountFigures {
    /// What a payer was credited, less what was debited: it may fall. A payer of whom more was debited than credited has secured
    /// nothing.
    #[must_use]
    pub fn secured(&self) -> Amount {
        self.received.checked_sub(self.debited()).unwrap_or_default()
    }

    /// What was debited from a payer.
    #[must_use]
    pub fn debited(&self) -> Amount {
        self.sent.checked_sub(self.metered).unwrap_or_default()
    }

    /// The balance, where it is not negative.
    #[must_use]
    pub fn balance(&self) -> Amount {
        self.received.checked_sub(self.sent).unwrap_or_default()
    }

    /// How far the balance is below zero.
    #[must_use]
    pub fn debt(&self) -> Amount {
        self.sent.checked_sub(self.received).unwrap_or_default()
    }

    /// What the operator has to pay to a payee: what was collected for it, less fees and payouts.
    #[must_use]
    pub fn payable(&self) -> Amount {
        let returned = self.received.checked_sub(self.metered).unwrap_or_default();
        let all = self.collected.checked_add(returned).unwrap_or(Amount::MAX);
        all.checked_sub(self.sent).unwrap_or_default()
    }
}
