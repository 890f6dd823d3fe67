use vipnode_types::Price;

/// What a lease costs, and how much of it is the operator's fee. A lease keeps both until its next billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Pricing {
    pub(crate) price: Price,
    /// In basis points of what the client pays.
    pub(crate) fee_bps: u16,
}
