use vipnode_types::{Asset, Ms, Price, wire::NextPrice};

/// What a lease costs, and how much of it is the operator's fee. A lease keeps both until its next billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Pricing {
    /// What a client pays for a slot.
    pub price: Price,
    /// The operator's fee, in basis points of what the client pays.
    pub fee_bps: u16,
    /// Whether the lease is a trial, which is free where others are not.
    pub trial: bool,
}

impl Pricing {
    /// What a lease costs, other than a trial.
    #[must_use]
    pub const fn new(price: Price, fee_bps: u16) -> Self {
        Self { price, fee_bps, trial: false }
    }

    /// A trial at a pool that charges in an asset.
    pub(crate) const fn of_trial(asset: Asset) -> Self {
        Self { price: Price::free(asset), fee_bps: 0, trial: true }
    }
}

/// A price that was announced and has not taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextPricing {
    /// What slots will cost.
    pub pricing: Pricing,
    /// When it takes effect: for new leases at once, for others with their next row.
    pub from: Ms,
    /// When it was announced.
    pub announced: Ms,
}

impl From<NextPricing> for NextPrice {
    fn from(next: NextPricing) -> Self {
        let NextPricing { pricing: Pricing { price, fee_bps, trial: _ }, from, .. } = next;
        Self { price, fee_bps, from_ms: from }
    }
}
