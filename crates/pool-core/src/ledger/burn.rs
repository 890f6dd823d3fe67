use std::collections::BTreeMap;

use vipnode_types::{Account, Amount, Ms, Price};

use crate::{
    collections::deadlines::Deadlines,
    ledger::{Ledger, account_figures::AccountFigures, notice_times::NoticeTimes},
};

/// How fast an amount is used, in 2^-32 of the smallest unit a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct BurnRate(u128);

/// Leases end so much before the funds are used up, so that a late step costs a payer nothing that it does not have.
pub(crate) const EARLY_MS: u64 = 2_000;
/// Bits of a rate after the point.
const FRACTION_BITS: u32 = 32;

impl BurnRate {
    /// The rate of a price, rounded up.
    pub(crate) fn of(price: Price) -> Self {
        // An amount is below 2^96.
        let units = price.amount().get() << FRACTION_BITS;
        Self(units.div_ceil(price.period_ms().get().into()))
    }

    /// The least that a payer must have left for this rate to last `ms`, in the smallest unit.
    pub(crate) fn least_for(self, ms: u64) -> Amount {
        Amount::new(self.in_ms(ms).div_ceil(1 << FRACTION_BITS).max(1))
    }

    /// What is used in a time, in 2^-32 of the smallest unit.
    const fn in_ms(self, ms: u64) -> u128 {
        self.0.saturating_mul(ms as u128)
    }
}

/// What the running leases of a payer cost until now, at most: the cost of a check does not depend on how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Burn {
    /// The sum of the rates of its running leases.
    rate: BurnRate,
    /// What they cost until `at`, in 2^-32 of the smallest unit.
    accrued: u128,
    at: Ms,
    leases: u32,
    /// The cost of finished periods that are not posted yet.
    unposted: Amount,
    /// When its funds are checked next.
    checked: Option<Ms>,
    /// Notices that its funds run low, sent since it had more.
    noticed: u8,
}

impl Burn {
    /// Advances to `now`, which may be before the last time.
    fn advance(&mut self, now: Ms) {
        self.accrued = self.accrued.saturating_add(self.rate.in_ms(now.since(self.at)));
        self.at = self.at.max(now);
    }

    /// What is used until now and not posted, in the smallest unit and rounded up; one unit for each lease, because a remainder
    /// of the period before may complete it.
    fn used(&self) -> Amount {
        let whole = self.accrued >> FRACTION_BITS;
        let units = whole.saturating_add(1).saturating_add(self.leases.into());
        let running = if self.leases == 0 { 0 } else { units };
        Amount::new(running.saturating_add(self.unposted.get()))
    }
}

/// The running costs of every payer that has any.
#[derive(Debug, Default)]
pub(crate) struct Burns {
    payers: BTreeMap<Account, Burn>,
    checks: Deadlines<Account>,
}

impl Burns {
    fn change(&mut self, payer: Account, now: Ms, change: impl FnOnce(&mut Burn)) {
        let burn = self.payers.entry(payer).or_default();
        burn.advance(now);
        change(burn);
        if burn.leases == 0 {
            // What rounding or saturation left.
            (burn.rate, burn.accrued) = (BurnRate::default(), 0);
            if burn.unposted == Amount::ZERO && burn.checked.is_none() && burn.noticed == 0 {
                self.payers.remove(&payer);
            }
        }
    }

    /// Notes that so many notices were sent to the clients of a payer with running leases. Returns whether that is new.
    pub(in crate::ledger) fn raise_noticed(&mut self, payer: Account, noticed: u8) -> bool {
        let burn = self.payers.get_mut(&payer).filter(|burn| burn.leases > 0 && burn.noticed < noticed);
        burn.is_some_and(|burn| {
            burn.noticed = noticed;
            true
        })
    }

    /// Notes that only the first `noticed` notices count as sent.
    pub(in crate::ledger) fn lower_noticed(&mut self, payer: Account, noticed: u8, now: Ms) {
        self.change(payer, now, |burn| burn.noticed = burn.noticed.min(noticed));
    }

    /// The sums of each payer, for checks: its rate and its number of leases.
    pub(crate) fn sums(&self) -> BTreeMap<Account, (BurnRate, u32)> {
        let running = self.payers.iter().filter(|(_, burn)| burn.leases > 0);
        running.map(|(payer, burn)| (*payer, (burn.rate, burn.leases))).collect()
    }

    /// The running leases of a payer that cost something.
    pub(crate) fn leases(&self, payer: Account) -> u32 {
        self.payers.get(&payer).map_or(0, |burn| burn.leases)
    }

    /// When the next funds are checked.
    pub(crate) fn next_check(&self) -> Option<Ms> {
        self.checks.next()
    }

    /// Returns a payer whose funds have to be checked.
    pub(crate) fn pop_check(&mut self, now: Ms) -> Option<Account> {
        let payer = self.checks.pop_due(now)?;
        if let Some(burn) = self.payers.get_mut(&payer)
            && burn.checked.is_some_and(|checked| checked <= now)
        {
            burn.checked = None;
        }
        Some(payer)
    }
}

impl BurnRate {
    /// The sum of two rates; at most the largest.
    #[must_use]
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Ledger {
    /// A lease of a payer runs since `since`.
    pub(crate) fn lease_runs(&mut self, payer: Account, (rate, since): (BurnRate, Ms), times: NoticeTimes, now: Ms) {
        self.burns.change(payer, now, |burn| {
            burn.rate = burn.rate.plus(rate);
            burn.accrued = burn.accrued.saturating_add(rate.in_ms(now.since(since)));
            burn.leases = burn.leases.saturating_add(1);
        });
        self.plan_check(payer, times, now);
    }

    /// A billing period ended that ran since `since`.
    pub(crate) fn lease_ended(&mut self, payer: Account, rate: BurnRate, since: Ms, now: Ms) {
        self.burns.change(payer, now, |burn| {
            burn.rate = burn.rate.minus(rate);
            burn.accrued = burn.accrued.saturating_sub(rate.in_ms(now.since(since)));
            burn.leases = burn.leases.saturating_sub(1);
        });
    }

    /// A finished period cost so much, which is posted later.
    pub(crate) fn cost_waits(&mut self, payer: Account, cost: Amount, now: Ms) {
        self.burns.change(payer, now, |burn| {
            burn.unposted = burn.unposted.checked_add(cost).unwrap_or(Amount::MAX);
        });
    }

    /// That cost is posted.
    pub(crate) fn cost_posted(&mut self, payer: Account, cost: Amount, now: Ms) {
        self.burns.change(payer, now, |burn| {
            burn.unposted = burn.unposted.checked_sub(cost).unwrap_or_default();
        });
    }

    /// What a payer can still spend after its running leases.
    pub(crate) fn left(&self, payer: Account, now: Ms) -> Amount {
        let used = self.burns.payers.get(&payer).map(|burn| {
            let mut burn = *burn;
            burn.advance(now);
            burn.used()
        });
        let available = AccountFigures::available(&self.payer(payer));
        available.checked_sub(used.unwrap_or_default()).unwrap_or_default()
    }

    /// How long what is left lasts at the rate of the running leases and of one more, in milliseconds.
    pub(crate) fn lasts_ms(&self, payer: Account, more: BurnRate, now: Ms) -> u64 {
        let rate = self.burns.payers.get(&payer).map_or(more, |burn| burn.rate.plus(more));
        let left = self.left(payer, now).get();
        if left == 0 {
            return 0;
        }
        // Beyond 2^96 units, the time is longer than any rate makes interesting.
        let units = left.saturating_mul(1 << FRACTION_BITS);
        units.checked_div(rate.0).map_or(u64::MAX, |ms| u64::try_from(ms).unwrap_or(u64::MAX))
    }

    /// Plans the next check of a payer's funds: when its clients are to be notified, or a moment before the funds are used up
    /// at the present rate.
    pub(crate) fn plan_check(&mut self, payer: Account, times: NoticeTimes, now: Ms) {
        let lasts_ms = self.lasts_ms(payer, BurnRate::default(), now);
        let noticed = self.burns.payers.get(&payer).map_or(0, |burn| burn.noticed);
        let notice_ms = times.after(noticed).map(|time| lasts_ms.saturating_sub(time));
        let end_ms = lasts_ms.saturating_sub(EARLY_MS);
        self.check_at(payer, now.plus(notice_ms.unwrap_or(end_ms).min(end_ms)));
    }

    /// Plans a check of a payer's funds at a time, unless one is planned before.
    pub(crate) fn check_at(&mut self, payer: Account, due: Ms) {
        let Some(burn) = self.burns.payers.get_mut(&payer).filter(|burn| burn.leases > 0) else { return };
        if burn.checked.is_none_or(|checked| due < checked) {
            burn.checked = Some(due);
            self.burns.checks.push(due, payer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;
    use vipnode_types::Asset;

    use super::*;

    proptest! {
        /// The bound is never below the cost, and above it by at most two units a lease.
        #[test]
        fn the_bound_covers_the_cost(amount in 0u128..1 << 60, period in 1u32.., ups in prop::collection::vec(0u64..1 << 30, 1..8), now in 1u64 << 30..1 << 31) {
            let price = Price::new(Asset::ETHER, Amount::new(amount), NonZeroU32::new(period).unwrap()).unwrap();
            let (payer, rate, mut ledger) = (Account::new([1; 20]), BurnRate::of(price), Ledger::default());
            let times = NoticeTimes::of(&crate::Limits::default());
            for up in &ups {
                ledger.lease_runs(payer, (rate, Ms::new(*up)), times, Ms::new(1 << 30));
            }
            let mut burn = ledger.burns.payers[&payer];
            burn.advance(Ms::new(now));
            let cost: u128 = ups.iter().map(|up| price.cost(now - up).unwrap().get()).sum();
            let used = burn.used().get();
            prop_assert!(used >= cost && used <= cost + 3 * ups.len() as u128 + 1, "{used} for {cost}");
            for up in &ups {
                ledger.lease_ended(payer, rate, Ms::new(*up), Ms::new(now));
            }
            prop_assert_eq!(ledger.burns.sums().len(), 0);
        }
    }
}
