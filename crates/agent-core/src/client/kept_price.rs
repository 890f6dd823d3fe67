use vipnode_types::{Price, QuotedPrice};

/// The price at the client's first start at a pool whose clients pay. It is the maximum price of a client whose user set none,
/// so that a pool cannot raise its price without the user's consent.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeptPrice {
    price: Option<Price>,
    /// The pool did not get the maximum on the present socket.
    unsent: bool,
}

impl KeptPrice {
    /// Sets the price that an earlier run kept.
    pub(crate) const fn restore(&mut self, price: Price) {
        self.price = Some(price);
    }

    /// Keeps a price, unless one is kept. Returns whether that is new.
    pub(crate) const fn keep(&mut self, price: Price) -> bool {
        if self.price.is_some() {
            return false;
        }
        (self.price, self.unsent) = (Some(price), true);
        true
    }

    /// The maximum that follows.
    pub(crate) fn maximum(&self) -> Option<QuotedPrice> {
        // A price is read as it is printed.
        self.price?.to_string().parse().ok()
    }

    /// Returns whether the maximum has yet to be sent to the pool; then it counts as sent.
    pub(crate) const fn take_unsent(&mut self) -> bool {
        std::mem::replace(&mut self.unsent, false)
    }
}
