use vipnode_types::Amount;

/// What the escrow holds for a channel. Deposits count once their block is safe, withdrawals as soon as they are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelReading {
    /// Deposits less refunds and withdrawals. A claim does not reduce it.
    pub deposited: Amount,
    /// What the withdrawal under way takes.
    pub withdrawing: Amount,
    /// When that can be finished, in Unix seconds; 0 if none is under way.
    pub withdrawable_s: u64,
    /// What was claimed in all.
    pub claimed: Amount,
}

impl ChannelReading {
    /// What the pool can claim at most in all (rule R3): the deposit without what a withdrawal under way takes. One that is
    /// ready and not finished would take a later deposit at once, so it counts until it is finished.
    #[must_use]
    pub fn covers(&self) -> Amount {
        self.deposited.checked_sub(self.withdrawing).unwrap_or_default()
    }
}
