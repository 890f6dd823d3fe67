use vipnode_types::{Amount, Ms, payment::ChannelId};

/// What an agent signed on a channel. It is durable before a voucher leaves, and is never rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherRecord {
    /// The payment channel that it is about.
    pub channel: ChannelId,
    /// The largest amount that was signed.
    pub signed: Amount,
    /// By how much vouchers of the last 24 hours raised it, the oldest first.
    pub raised: Vec<SignedAmountAt>,
}

/// By how much a voucher raised what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedAmountAt {
    /// When, by the agent's clock.
    pub at: Ms,
    /// By how much.
    pub amount: Amount,
}

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Vouchers of a day are kept one by one; those of one of these times are kept as one.
const MERGED_MS: u64 = 10 * 60 * 1_000;

impl VoucherRecord {
    /// The record of a channel on which nothing was signed.
    #[must_use]
    pub const fn new(channel: ChannelId) -> Self {
        Self { channel, signed: Amount::ZERO, raised: Vec::new() }
    }

    /// What was signed for in the last 24 hours.
    #[must_use]
    pub fn raised_in_a_day(&self, now: Ms) -> Amount {
        // A clock that was set back must not free anything: what is dated later counts.
        let recent = self.raised.iter().filter(|raised| now.since(raised.at) < DAY_MS);
        recent.fold(Amount::ZERO, |sum, raised| sum.checked_add(raised.amount).unwrap_or(Amount::MAX))
    }

    /// Records a larger voucher. A smaller one changes nothing.
    pub(crate) fn raise(&mut self, signed: Amount, now: Ms) {
        let Some(amount) = signed.checked_sub(self.signed).filter(|amount| *amount > Amount::ZERO) else { return };
        self.signed = signed;
        self.raised.retain(|raised| now.since(raised.at) < DAY_MS);
        match self.raised.last_mut().filter(|last| now.since(last.at) < MERGED_MS) {
            // Its time moves forward, so nothing is free too early.
            Some(last) => {
                last.amount = last.amount.checked_add(amount).unwrap_or(Amount::MAX);
                last.at = last.at.max(now);
            }
            None => self.raised.push(SignedAmountAt { at: now, amount }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vipnode_types::Hash256;

    use super::*;

    fn record() -> VoucherRecord {
        VoucherRecord::new(ChannelId::new(Hash256([1; 32])))
    }

    proptest! {
        /// Of any vouchers, those of the last 24 hours count in full, and what is signed never falls.
        #[test]
        fn each_voucher_counts_for_a_day(vouchers in prop::collection::vec((0u64..100_000_000, 0u128..1_000), 1..40)) {
            let (mut record, mut now, mut all) = (record(), Ms::new(1 << 40), Vec::new());
            for (after, signed) in vouchers {
                now = now.plus(after);
                let before = record.signed;
                record.raise(Amount::new(signed), now);
                prop_assert!(record.signed >= before);
                all.push((now, record.signed.checked_sub(before).unwrap()));
                let exact: u128 = all.iter().filter(|(at, _)| now.since(*at) < DAY_MS).map(|(_, amount)| amount.get()).sum();
                prop_assert!(record.raised_in_a_day(now).get() >= exact);
                prop_assert!(record.raised.len() <= 200, "bounded: {}", record.raised.len());
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_frees_nothing() {
        let mut record = record();
        record.raise(Amount::new(5), Ms::new(DAY_MS * 9));
        assert_eq!(record.raised_in_a_day(Ms::new(1)), Amount::new(5));
        assert_eq!(record.raised_in_a_day(Ms::new(DAY_MS * 10)), Amount::ZERO);
    }
}
