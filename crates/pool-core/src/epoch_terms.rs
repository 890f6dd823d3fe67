use vipnode_types::{Amount, Ms};

/// How a pool claims on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochTerms {
    /// The time between the cuts of two epochs, in milliseconds.
    pub epoch_ms: u64,
    /// What a whole coin of the chain (10^18 wei) is worth in the pool's asset, in smallest units. Decides only which claims are worth
    /// their gas.
    pub coin_price: Amount,
}

/// The parts of a coin in which its price is applied: 10^9 gwei.
const GWEI_A_COIN: u128 = 1_000_000_000;
/// 10^9 wei are the smallest unit that is priced.
const WEI_A_GWEI: u128 = 1_000_000_000;

impl EpochTerms {
    /// When the epoch after the one that was cut at this time is cut.
    pub(crate) fn next_cut(&self, cut: Ms) -> Ms {
        cut.plus(self.epoch_ms)
    }

    /// What gas of this cost is worth in the pool's asset, rounded up twice (to whole gwei, then to smallest units); the most if that
    /// is beyond the range of amounts.
    pub(crate) fn worth(&self, cost_wei: u128) -> Amount {
        let gwei = cost_wei.div_ceil(WEI_A_GWEI);
        let units = gwei.checked_mul(self.coin_price.get()).map(|units| units.div_ceil(GWEI_A_COIN));
        units.map_or(Amount::MAX, Amount::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worth_of_gas_is_rounded_up_and_never_wraps() {
        // 3,000 USDC with 6 decimals.
        let terms = EpochTerms { epoch_ms: 1, coin_price: Amount::new(3_000_000_000) };
        assert_eq!(terms.worth(1_000_000_000_000_000_000), Amount::new(3_000_000_000));
        // 30,000 gas at 0.01 gwei: 300 gwei.
        assert_eq!(terms.worth(300_000_000_000), Amount::new(900));
        assert_eq!((terms.worth(1), terms.worth(0)), (Amount::new(3), Amount::ZERO));
        assert_eq!(EpochTerms { coin_price: Amount::MAX, ..terms }.worth(u128::MAX), Amount::MAX);
        assert_eq!(terms.next_cut(Ms::new(5)), Ms::new(6));
    }
}
