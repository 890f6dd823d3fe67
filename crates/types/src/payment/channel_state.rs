use crate::Amount;

/// What the escrow has recorded of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelState {
    /// Deposits minus refunds and withdrawals. A claim does not lower it.
    pub balance: Amount,
    /// What was claimed in all.
    pub total_claimed: Amount,
}

/// A withdrawal that was started and is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingWithdrawal {
    /// How much it takes out, at most.
    pub amount: Amount,
    /// When it was started, in Unix seconds of the chain.
    pub initiated_at_s: u64,
}

/// What was claimed for a receiver and token, and what of it was paid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiverTotals {
    /// What was claimed in all, over all channels.
    pub total_claimed: Amount,
    /// The total that was transferred to the receiver.
    pub total_settled: Amount,
}

impl ChannelState {
    /// What is neither claimed nor withdrawn.
    #[must_use]
    pub fn unclaimed(&self) -> Amount {
        self.balance.checked_sub(self.total_claimed).unwrap_or_default()
    }

    /// The most that the channel's vouchers can be worth in total: the balance less what is being withdrawn. A withdrawal
    /// whose delay is over still counts, because it could take a new deposit at once.
    #[must_use]
    pub fn secured(&self, pending: Option<PendingWithdrawal>) -> Amount {
        let leaving = pending.map(|pending| pending.amount).unwrap_or_default();
        self.balance.checked_sub(leaving).unwrap_or_default()
    }
}

impl PendingWithdrawal {
    /// When it can be finished, in Unix seconds of the chain, with the delay of its channel.
    #[must_use]
    pub fn finalize_after_s(&self, delay_s: u32) -> u64 {
        self.initiated_at_s.saturating_add(delay_s.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_withdrawn_does_not_secure_a_voucher() {
        let state = ChannelState { balance: Amount::new(100), total_claimed: Amount::new(30) };
        let pending = |amount| Some(PendingWithdrawal { amount: Amount::new(amount), initiated_at_s: 5 });
        assert_eq!(state.unclaimed(), Amount::new(70));
        assert_eq!(state.secured(None), Amount::new(100), "cumulative: what was claimed counts");
        assert_eq!(state.secured(pending(70)), Amount::new(30));
        // After a claim, more may be pending than is left.
        assert_eq!(state.secured(pending(101)), Amount::ZERO);
        assert_eq!(pending(1).unwrap().finalize_after_s(900), 905);
    }
}
