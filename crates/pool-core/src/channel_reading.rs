use vipnode_types::Amount;

/// What the escrow holds for a channel. Deposits count once their block is safe, withdrawals as soon as they are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelReading {
    /// Deposits less refunds and withdrawals. A claim does not reduce it.
    pub deposited: Amount,
    /// What a pending withdrawal takes.
    pub withdrawing: Amount,
    /// When the pending withdrawal can be finished, in Unix seconds; 0 if there is none.
    pub withdrawable_s: u64,
    /// What was claimed in total.
    pub claimed: Amount,
}

impl ChannelReading {
    /// The most that the pool can claim in total: the deposit less what a pending withdrawal takes. A withdrawal counts until
    /// it is finished, even after its delay, because it could take a later deposit at once.
    #[must_use]
    pub fn covers(&self) -> Amount {
        self.deposited.checked_sub(self.withdrawing).unwrap_or_default()
    }
}
