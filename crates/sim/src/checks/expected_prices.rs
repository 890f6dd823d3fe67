use vipnode_types::Price;

/// What leases cost from when on: the price of the settings, after the notice before a change. Times are virtual, in ms.
#[derive(Debug)]
pub struct ExpectedPrices {
    /// How long before it counts a pool whose clients pay announces a price.
    notice_ms: u64,
    /// Each price, with the time of its announcement and the time from when on it counts; by both.
    prices: Vec<ExpectedPrice>,
}

#[derive(Debug, Clone, Copy)]
struct ExpectedPrice {
    announced: u64,
    from: u64,
    /// When a later announcement withdrew it.
    withdrawn: Option<u64>,
    price: Price,
}

impl ExpectedPrice {
    fn at(announced: u64, from: u64, price: Price) -> Self {
        Self { announced, from, withdrawn: None, price }
    }

    fn counts(&self) -> bool {
        self.withdrawn.is_none_or(|withdrawn| withdrawn >= self.from)
    }
}

impl ExpectedPrices {
    /// The prices of a pool that begins with this one.
    pub(super) fn new(price: Price, notice_ms: u64) -> Self {
        Self { notice_ms, prices: vec![ExpectedPrice::at(0, 0, price)] }
    }

    /// The pool starts with this price in its settings. `paid` is whether its clients paid before and go on to pay.
    pub fn settings(&mut self, now: u64, price: Price, paid: bool) {
        let newest = self.prices.last();
        if newest.is_some_and(|newest| newest.price == price && (paid || newest.from <= now)) {
            return;
        }
        for expected in self.prices.iter_mut().filter(|expected| expected.from > now) {
            expected.withdrawn.get_or_insert(now);
        }
        let from = if paid { now.saturating_add(self.notice_ms) } else { now };
        self.prices.push(ExpectedPrice::at(now, from, price));
    }

    /// The pool goes on with a backup of this time.
    pub fn restored(&mut self, backed_up: u64) {
        self.prices.retain(|expected| expected.announced <= backed_up);
        for expected in &mut self.prices {
            expected.withdrawn = expected.withdrawn.filter(|withdrawn| *withdrawn <= backed_up);
        }
    }

    /// The prices that counted at some moment from `from` to `until`.
    pub(super) fn between(&self, from: u64, until: u64) -> impl Iterator<Item = Price> {
        let counted = || self.prices.iter().filter(|expected| expected.counts());
        let ends = counted().skip(1).map(|next| next.from).chain([u64::MAX]);
        let with_ends = counted().zip(ends);
        with_ends.filter(move |(price, end)| price.from <= until && *end > from).map(|(price, _)| price.price)
    }
}
