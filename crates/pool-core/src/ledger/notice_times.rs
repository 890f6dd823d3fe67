use vipnode_types::{Account, Ms};

use crate::{Limits, ledger::Ledger};

/// How long before the funds of a payer are used up its clients are notified, in milliseconds: the longest time first, and 0
/// for a notice that is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoticeTimes([u64; 3]);

impl NoticeTimes {
    /// The times that the operator set.
    pub(crate) fn of(limits: &Limits) -> Self {
        let mut times = [limits.funds_notice_ms, limits.funds_second_notice_ms, limits.funds_last_notice_ms];
        times.sort_unstable_by(|one, other| other.cmp(one));
        Self(times)
    }

    /// How many notices are due if funds last for `lasts_ms`.
    fn due(self, lasts_ms: u64) -> u8 {
        let due = self.0.into_iter().filter(|&time| time > 0 && lasts_ms <= time).count();
        u8::try_from(due).unwrap_or(u8::MAX)
    }

    /// When the notice after the first `noticed` is due.
    pub(crate) fn after(self, noticed: u8) -> Option<u64> {
        self.0.get(usize::from(noticed)).copied().filter(|&time| time > 0)
    }
}

impl Ledger {
    /// Notes that the notices are sent that are due for a payer. Returns for how long its funds last, in milliseconds; `None` if
    /// no further notice is due.
    pub(crate) fn take_notice(&mut self, payer: Account, times: NoticeTimes, now: Ms) -> Option<u64> {
        let lasts_ms = self.funds_last_ms(payer, now);
        let due = times.due(lasts_ms);
        self.raise_noticed(payer, due).then_some(lasts_ms)
    }

    /// Returns for how long the funds of a payer last, in milliseconds, if that is short enough for a notice.
    pub(crate) fn low_funds_ms(&self, payer: Account, times: NoticeTimes, now: Ms) -> Option<u64> {
        let lasts_ms = self.funds_last_ms(payer, now);
        (times.due(lasts_ms) > 0).then_some(lasts_ms)
    }

    /// A payer may have more funds than before: notices that are no longer due are sent again when they are.
    pub(crate) fn reset_notices(&mut self, payer: Account, times: NoticeTimes, now: Ms) {
        let due = times.due(self.funds_last_ms(payer, now));
        self.lower_noticed(payer, due, now);
    }
}
