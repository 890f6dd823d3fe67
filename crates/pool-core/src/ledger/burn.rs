use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Account, Amount, Ms, Price, SignedAmount, wire::AccountFunds};

use crate::{
    collections::{by_index::ByIndex, compact_ms::CompactMs},
    ledger::{Ledger, account_figures::AccountFigures, notice_times::NoticeTimes},
};

/// What the running leases of a payer cost until now, at most: the cost of a check does not depend on how many they are.
///
/// It takes 66 bytes, because a pool may have hundreds of thousands of payers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(Rust, packed(2))]
pub(crate) struct Burn {
    /// The sum of the rates of its running leases.
    rate: BurnRate,
    /// What they cost until `at`, in 2^-32 of the smallest unit.
    accrued: u128,
    at: CompactMs,
    leases: u32,
    /// The cost of finished periods that are not posted yet.
    unposted: Amount,
    /// When its funds are checked next.
    checked: CompactMs,
    /// Notices that its funds run low, sent since it had more.
    noticed: u8,
}

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

impl Default for Burn {
    fn default() -> Self {
        let (rate, unposted) = (BurnRate::default(), Amount::ZERO);
        Self {
            rate,
            accrued: 0,
            at: CompactMs::of(Ms::new(0)),
            leases: 0,
            unposted,
            checked: CompactMs::NEVER,
            noticed: 0,
        }
    }
}

impl Burn {
    /// Advances to `now`, which may be before the last time.
    fn advance(&mut self, now: Ms) {
        let at = self.at.get();
        self.accrued = self.accrued.saturating_add(self.rate.in_ms(now.since(at)));
        self.at = CompactMs::of(at.max(now));
    }

    /// What is used until now and not posted, in the smallest unit and rounded up. The remainder of the period before may complete a
    /// unit of each lease; all of them together are less than one unit for each lease, so one lease alone needs none more.
    fn used(&self) -> Amount {
        let units = self.accrued.div_ceil(1 << FRACTION_BITS).saturating_add(self.leases.saturating_sub(1).into());
        let running = if self.leases == 0 { 0 } else { units };
        Amount::new(running.saturating_add(self.unposted.get()))
    }
}

/// The running costs of every payer, by its number.
#[derive(Debug)]
pub(crate) struct Burns {
    payers: ByIndex<Burn>,
    /// When the funds of a payer are checked next: one entry for each payer with running leases.
    checks: BTreeSet<(Ms, u32)>,
}

impl Default for Burns {
    fn default() -> Self {
        Self { payers: ByIndex::new(), checks: BTreeSet::new() }
    }
}

impl Burns {
    fn change(&mut self, payer: u32, now: Ms, change: impl FnOnce(&mut Burn)) {
        let Some(burn) = self.payers.get_mut(payer) else { return };
        burn.advance(now);
        change(burn);
        if burn.leases == 0 {
            // What rounding or saturation left.
            (burn.rate, burn.accrued) = (BurnRate::default(), 0);
            let checked = std::mem::replace(&mut burn.checked, CompactMs::NEVER);
            self.checks.remove(&(checked.get(), payer));
        }
    }

    /// Notes that so many notices were sent to the clients of a payer with running leases. Returns whether that is new.
    fn raise_noticed(&mut self, payer: u32, noticed: u8) -> bool {
        let burn = self.running(payer).filter(|burn| burn.noticed < noticed);
        burn.is_some_and(|burn| {
            burn.noticed = noticed;
            true
        })
    }

    /// The running costs of a payer with running leases. One without takes no memory.
    fn running(&mut self, payer: u32) -> Option<&mut Burn> {
        if self.leases(payer) == 0 { None } else { self.payers.get_mut(payer) }
    }

    /// The running leases of a payer that cost something.
    fn leases(&self, payer: u32) -> u32 {
        self.payers.get(payer).leases
    }

    /// When the next funds are checked.
    pub(in crate::ledger) fn next_check(&self) -> Option<Ms> {
        self.checks.first().map(|(due, _)| *due)
    }

    /// Plans a check of a payer's funds at a time, unless one is planned before.
    fn check_at(&mut self, payer: u32, due: Ms) {
        let Some(burn) = self.running(payer) else { return };
        let checked = burn.checked.get();
        // A time that does not fit in 48 bits never comes.
        let due = CompactMs::of(due);
        if due.get() < checked {
            burn.checked = due;
            self.checks.remove(&(checked, payer));
            self.checks.insert((due.get(), payer));
        }
    }

    /// Returns a payer whose funds have to be checked.
    fn pop_check(&mut self, now: Ms) -> Option<u32> {
        let (_, payer) = self.checks.first().copied().filter(|(due, _)| *due <= now)?;
        self.checks.pop_first();
        if let Some(burn) = self.payers.get_mut(payer) {
            burn.checked = CompactMs::NEVER;
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

    /// How long an amount lasts at this rate, in milliseconds.
    fn lasts_ms(self, left: Amount) -> u64 {
        if left == Amount::ZERO {
            return 0;
        }
        // Beyond 2^96 units, the time is longer than any rate makes interesting.
        let units = left.get().saturating_mul(1 << FRACTION_BITS);
        units.checked_div(self.0).map_or(u64::MAX, |ms| u64::try_from(ms).unwrap_or(u64::MAX))
    }

    const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Ledger {
    /// Changes the running costs of a payer.
    fn change_burn(&mut self, payer: Account, now: Ms, change: impl FnOnce(&mut Burn)) {
        if let Some(payer) = self.accounts.number_of_payer(payer) {
            self.burns.change(payer, now, change);
        }
    }

    /// The running costs of a payer.
    fn burn(&self, payer: Account) -> Burn {
        self.accounts.payer_number(payer).map_or_else(Burn::default, |payer| *self.burns.payers.get(payer))
    }

    /// A lease of a payer runs since `since`.
    pub(crate) fn lease_runs(&mut self, payer: Account, (rate, since): (BurnRate, Ms), times: NoticeTimes, now: Ms) {
        self.change_burn(payer, now, |burn| {
            burn.rate = burn.rate.plus(rate);
            burn.accrued = burn.accrued.saturating_add(rate.in_ms(now.since(since)));
            burn.leases = burn.leases.saturating_add(1);
        });
        self.plan_check(payer, times, now);
    }

    /// A billing period ended that ran since `since`.
    pub(crate) fn lease_ended(&mut self, payer: Account, rate: BurnRate, since: Ms, now: Ms) {
        self.change_burn(payer, now, |burn| {
            burn.rate = burn.rate.minus(rate);
            burn.accrued = burn.accrued.saturating_sub(rate.in_ms(now.since(since)));
            burn.leases = burn.leases.saturating_sub(1);
        });
    }

    /// A finished period cost so much, which is posted later.
    pub(crate) fn cost_waits(&mut self, payer: Account, cost: Amount, now: Ms) {
        self.change_burn(payer, now, |burn| {
            burn.unposted = burn.unposted.checked_add(cost).unwrap_or(Amount::MAX);
        });
    }

    /// So much of what [`Self::cost_waits`] added is posted.
    pub(crate) fn cost_posted(&mut self, payer: Account, cost: Amount, now: Ms) {
        self.change_burn(payer, now, |burn| {
            burn.unposted = burn.unposted.checked_sub(cost).unwrap_or_default();
        });
    }

    /// Notes that so many notices were sent to the clients of a payer with running leases. Returns whether that is new.
    pub(in crate::ledger) fn raise_noticed(&mut self, payer: Account, noticed: u8) -> bool {
        let payer = self.accounts.payer_number(payer);
        payer.is_some_and(|payer| self.burns.raise_noticed(payer, noticed))
    }

    /// Notes that only the first `noticed` notices count as sent.
    pub(in crate::ledger) fn lower_noticed(&mut self, payer: Account, noticed: u8, now: Ms) {
        // Most payers were never sent any, and take no memory here.
        if self.burn(payer).noticed > noticed {
            self.change_burn(payer, now, |burn| burn.noticed = noticed);
        }
    }

    /// The running leases of a payer that cost something.
    pub(in crate::ledger) fn leases_of(&self, payer: Account) -> u32 {
        self.accounts.payer_number(payer).map_or(0, |payer| self.burns.leases(payer))
    }

    /// The rate and the number of running leases of each payer that has any, for checks.
    pub(crate) fn burning(&self) -> BTreeMap<Account, (BurnRate, u32)> {
        let burns = self.accounts.payers().map(|(payer, number)| (payer, *self.burns.payers.get(number)));
        burns.filter(|(_, burn)| burn.leases > 0).map(|(payer, burn)| (payer, (burn.rate, burn.leases))).collect()
    }

    /// Returns a payer whose funds have to be checked.
    pub(crate) fn pop_check(&mut self, now: Ms) -> Option<Account> {
        self.burns.pop_check(now).map(|payer| self.accounts.address_of_payer(payer))
    }

    /// What a payer's running leases and its costs that are not posted yet come to until now, at most.
    pub(in crate::ledger) fn running_cost(&self, payer: Account, now: Ms) -> Amount {
        self.funds(payer, now).running
    }

    /// The sum of the rates of a payer's running leases.
    pub(in crate::ledger) fn burn_rate(&self, payer: Account) -> BurnRate {
        self.burn(payer).rate
    }

    /// What a payer has, and what of it its running leases use. The only place where this is computed.
    pub(crate) fn funds(&self, payer: Account, now: Ms) -> AccountFunds {
        let mut burn = self.burn(payer);
        burn.advance(now);
        let AccountFigures { received, sent, limit, .. } = self.payer(payer);
        let (all, running) = (received.checked_add(limit).unwrap_or(Amount::MAX), burn.used());
        let spent = sent.checked_add(running).unwrap_or(Amount::MAX);
        let available = all.checked_sub(spent).unwrap_or_default();
        AccountFunds { balance: SignedAmount::difference(received, sent), running, limit, available }
    }

    /// What a payer can still spend after its running leases.
    pub(crate) fn left(&self, payer: Account, now: Ms) -> Amount {
        self.funds(payer, now).available
    }

    /// How long what is left lasts at the rate of the running leases and of one more, in milliseconds.
    pub(crate) fn lasts_ms(&self, payer: Account, more: BurnRate, now: Ms) -> u64 {
        self.burn(payer).rate.plus(more).lasts_ms(self.left(payer, now))
    }

    /// How long the funds of a payer last at the rate of its running leases, in milliseconds. What is deposited in its channel
    /// counts: its agent signs for more of it when it is needed.
    pub(in crate::ledger) fn funds_last_ms(&self, payer: Account, now: Ms) -> u64 {
        self.burn(payer).rate.lasts_ms(self.deposit_left(payer, now))
    }

    /// Plans the next check of a payer's funds: when to notify its clients, or a moment before the funds are used up
    /// at the present rate.
    pub(crate) fn plan_check(&mut self, payer: Account, times: NoticeTimes, now: Ms) {
        let lasts_ms = self.lasts_ms(payer, BurnRate::default(), now);
        let funds_ms = self.funds_last_ms(payer, now);
        let notice_ms = times.after(self.burn(payer).noticed).map(|time| funds_ms.saturating_sub(time));
        let end_ms = lasts_ms.saturating_sub(EARLY_MS);
        self.check_at(payer, now.plus(notice_ms.unwrap_or(end_ms).min(end_ms)));
    }

    /// Plans a check of a payer's funds at a time, unless one is planned before.
    pub(crate) fn check_at(&mut self, payer: Account, due: Ms) {
        if let Some(payer) = self.accounts.payer_number(payer) {
            self.burns.check_at(payer, due);
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
        /// The bound is never below the cost, and above it by fewer than three units a lease.
        #[test]
        fn the_bound_covers_the_cost(amount in 0u128..1 << 60, period in 1u32.., ups in prop::collection::vec(0u64..1 << 30, 1..8), now in 1u64 << 30..1 << 31) {
            let price = Price::new(Asset::ETHER, Amount::new(amount), NonZeroU32::new(period).unwrap()).unwrap();
            let (payer, rate, mut ledger) = (Account::new([1; 20]), BurnRate::of(price), Ledger::default());
            let times = NoticeTimes::of(&crate::Limits::default());
            for up in &ups {
                ledger.lease_runs(payer, (rate, Ms::new(*up)), times, Ms::new(1 << 30));
            }
            let mut burn = ledger.burn(payer);
            burn.advance(Ms::new(now));
            let cost: u128 = ups.iter().map(|up| price.cost(now - up).unwrap().get()).sum();
            let used = burn.used().get();
            prop_assert!(used >= cost && used < cost + 3 * ups.len() as u128, "{used} for {cost}");
            for up in &ups {
                ledger.lease_ended(payer, rate, Ms::new(*up), Ms::new(now));
            }
            prop_assert_eq!(ledger.burning().len(), 0);
            prop_assert_eq!(ledger.next_check(), None);
        }

        /// Also where a remainder of the period before completes a unit: a payer is never charged more.
        #[test]
        fn the_bound_covers_remainders(amount in 1u128..1 << 40, period in 1u32.., ups in prop::collection::vec((0u64..1 << 20, any::<u32>()), 1..8)) {
            let price = Price::new(Asset::ETHER, Amount::new(amount), NonZeroU32::new(period).unwrap()).unwrap();
            let (payer, rate, mut ledger) = (Account::new([1; 20]), BurnRate::of(price), Ledger::default());
            let times = NoticeTimes::of(&crate::Limits::default());
            let now = Ms::new(1 << 21);
            for (up, _) in &ups {
                ledger.lease_runs(payer, (rate, Ms::new(*up)), times, now);
            }
            let cost = ups.iter().map(|(up, carry)| {
                let carry = carry % price.period_ms().get();
                price.cost_from(now.get() - up, carry).unwrap().0.get()
            });
            let cost: u128 = cost.sum();
            prop_assert!(ledger.funds(payer, now).running.get() >= cost);
        }
    }
}
