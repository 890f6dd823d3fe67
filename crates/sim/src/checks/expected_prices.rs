use vipnode_types::Price;

/// What leases cost from when on: the price of the settings, after the notice before a change. Times are virtual, in ms.
#[derive(Debug)]
pub struct ExpectedPrices {
    /// How long before it counts a pool whose clients pay announces a price.
    notice_ms: u64,
    /// Each price, with the time of its announcement and the time from when on it counts; by both.
    prices: Vec<ExpectedPrice>,
}

/// Whether clients pay, before and after a start of the pool.
#[derive(Debug, Clone, Copy)]
pub struct ModeChange {
    /// Whether they paid before.
    pub paid: bool,
    /// Whether they pay now.
    pub pays: bool,
    /// The price in the store, which they paid last.
    pub stored: Option<Price>,
    /// The price of the settings in the store, which was announced last.
    pub announced: Option<Price>,
}

#[derive(Debug, Clone, Copy)]
struct ExpectedPrice {
    announced: u64,
    from: u64,
    /// When a later announcement withdrew it.
    withdrawn: Option<u64>,
    price: Price,
    /// Whether clients pay it.
    paid: bool,
}

impl ExpectedPrice {
    fn at(announced: u64, from: u64, price: Price, paid: bool) -> Self {
        Self { announced, from, withdrawn: None, price, paid }
    }

    fn counts(&self) -> bool {
        self.withdrawn.is_none_or(|withdrawn| withdrawn >= self.from)
    }
}

impl ExpectedPrices {
    /// The prices of a pool that begins with this one, and whose clients pay it or not.
    pub(super) fn new(price: Price, notice_ms: u64, pays: bool) -> Self {
        Self { notice_ms, prices: vec![ExpectedPrice::at(0, 0, price, pays)] }
    }

    /// The pool starts with this price in its settings. A pool whose clients pay again goes on with the price that they paid last.
    pub fn settings(&mut self, now: u64, price: Price, ModeChange { paid, pays, stored, announced }: ModeChange) {
        if let Some(announced) = announced.filter(|_| paid) {
            self.lose_after(announced);
        }
        let is_same = |newest: &ExpectedPrice| newest.price == price && (pays || newest.from <= now);
        if paid == pays && self.prices.last().is_some_and(is_same) {
            return;
        }
        for expected in self.prices.iter_mut().filter(|expected| expected.from > now) {
            expected.withdrawn.get_or_insert(now);
        }
        // What was not durable is lost, but the pool has charged no other price before.
        let charged = |price: &Price| self.prices.iter().any(|expected| expected.paid && expected.price == *price);
        let again = stored.filter(|price| pays && !paid && charged(price));
        if let Some(charged) = again {
            self.prices.push(ExpectedPrice::at(now, now, charged, true));
        }
        let notice_ms = if paid && pays || again.is_some() { self.notice_ms } else { 0 };
        if again != Some(price) {
            self.prices.push(ExpectedPrice::at(now, now.saturating_add(notice_ms), price, pays));
        }
    }

    /// Forgets announcements that were lost in a crash before they were durable: those after the newest one of this price.
    fn lose_after(&mut self, durable: Price) {
        let Some(newest) = self.prices.iter().rposition(|expected| expected.paid && expected.price == durable) else {
            return;
        };
        let Some(lost) = self.prices.get(newest + 1).map(|lost| lost.announced) else { return };
        self.prices.truncate(newest + 1);
        for expected in &mut self.prices {
            expected.withdrawn = expected.withdrawn.filter(|withdrawn| *withdrawn < lost);
        }
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
