use vipnode_types::Ms;

use crate::{
    PricingRow,
    leases::pricing::{NextPricing, Pricing},
};

/// What slots cost from when on. The price that counts now is in the limits, which each part of the core reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PriceSchedule {
    /// What the settings say.
    pub(crate) settings: Pricing,
    /// What the settings said when the price was last announced because of them. While they say the same, they change nothing,
    /// so that a price that the operator announced meanwhile survives a restart.
    pub(crate) followed: Pricing,
    pub(crate) next: Option<NextPricing>,
    /// When the present price was announced; an agent of protocol 2 that connected later has agreed to it.
    pub(crate) announced: Ms,
    /// Since when the present price and fee count, or zero for those of a new pool: no earlier time is billed at them.
    pub(crate) since: Ms,
    /// When an announced price was last withdrawn. Not stored: at a start, no agent is connected that heard of it.
    pub(crate) withdrawn: Ms,
    /// Whether the prices are of a store: clients of this pool paid before it started.
    pub(crate) restored: bool,
}

impl PriceSchedule {
    /// The schedule of a new pool.
    pub(crate) fn new(settings: Pricing) -> Self {
        Self { settings, followed: settings, ..Self::default() }
    }

    /// Continues with a stored row.
    pub(crate) const fn restore(&mut self, row: &PricingRow) {
        let PricingRow { settings, announced, since, next, .. } = *row;
        (self.followed, self.announced, self.since, self.next) = (settings, announced, since, next);
        self.restored = true;
    }

    /// Returns the row to store, with the price that counts now.
    pub(crate) const fn row(&self, current: Pricing) -> PricingRow {
        PricingRow { settings: self.followed, current, announced: self.announced, since: self.since, next: self.next }
    }
}
