use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{CollectedSums, DailyCollected};
use crate::{
    Amount, Asset, LeaseId, MeterId, Ms, NodeId, PoolId, PoolKey, Price, ShortNodeId, UtcDay, errors, signed::Signature,
};

/// A page of a pool's statement of what a host earned on one day (UTC), with a line for each billing period that was
/// posted on that day.
///
/// The pool signs each page separately, with its number and the sums of the whole day. Each page therefore proves its
/// own contents even if others are missing, and any page proves the totals of the whole day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DailyStatement {
    /// The pool that issued the statement.
    pub pool: PoolId,
    /// A number that changes each time the pool restores a backup of its ledger; 0 if it never did.
    pub incarnation: u64,
    /// The node that provided the slots.
    pub host: NodeId,
    /// The day on which the billing periods were posted, by the pool's clock.
    pub day: UtcDay,
    /// The asset of the amounts.
    pub asset: Asset,
    /// The number of this page; the first is 1.
    pub page: u32,
    /// The number of pages of the day; at least 1.
    pub pages: u32,
    /// The totals of the lines on all pages.
    pub day_sums: DailySums,
    /// The totals of the payments for earlier billing periods, over all pages.
    #[serde(default, skip_serializing_if = "CollectedSums::is_empty")]
    pub day_collected: CollectedSums,
    /// The lines on this page, in the order in which they were posted.
    pub lines: Vec<DailyLine>,
    /// The payments on this page for earlier billing periods, in the order in which they were posted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collected: Vec<DailyCollected>,
}

/// Totals of the lines of a daily statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DailySums {
    /// The number of lines of the whole day.
    pub lines: u64,
    /// The amount that the clients owe for the billing periods.
    pub cost: Amount,
    /// The part of `cost` that was secured when the billing periods were posted.
    pub secured: Amount,
    /// The operator's fee on the secured amounts.
    pub fee: Amount,
}

/// A billing period of a lease, in a [`DailyStatement`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DailyLine {
    /// The number of the ledger entry that posted the billing period.
    pub entry: u64,
    /// ID of the lease.
    pub lease: LeaseId,
    /// The number of the billing period within the lease.
    pub row: u32,
    /// The beginning of the client's node ID.
    pub counterpart: ShortNodeId,
    /// The time at which both sides were first connected to each other in the billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<Ms>,
    /// The last time at which both sides were connected to each other in the billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<Ms>,
    /// The billed time, in milliseconds, including the earlier periods that were merged into this one.
    pub billed_ms: u64,
    /// The number of earlier billing periods of the same two nodes that were merged into this one.
    pub merged: u32,
    /// The price of the slot.
    pub price: Price,
    /// The amount that the client owes for the billing period, before the fee.
    pub cost: Amount,
    /// The part of `cost` that was secured when the period was posted.
    pub secured: Amount,
    /// The operator's fee on the secured amount.
    pub fee: Amount,
    /// The meter of the payer.
    pub meter: MeterId,
    /// The reading of `meter` before and after the period. No other period overlaps this interval.
    pub interval: [Amount; 2],
}

/// A [`DailyStatement`] and the pool's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedDailyStatement {
    /// The page that the pool signed.
    pub statement: DailyStatement,
    /// The signature by the pool's key, over the text that the "Protocol 3" page of the book describes.
    pub signature: Signature,
}

/// Requests a page of the pool's signed statement for the caller's node and one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DailyStatementRequest {
    /// The day, which must be over.
    pub day: UtcDay,
    /// The number of the page; the first is 1.
    pub page: u32,
}

errors! {
    /// Why a page of a daily statement does not prove anything.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum DailyStatementError {
        /// The statement was signed with a different key, or changed after it was signed.
        Signature: Unauthorized, "the pool's signature does not match the statement",
            hint "Do not rely on the statement, and report this to the pool's operator.";
        /// The pool returned a different statement from the one that was requested.
        Other: Unauthorized, "the statement is for a different pool, node, day, or page",
            hint "Do not rely on the statement, and report this to the pool's operator.";
    }
}

impl DailyStatement {
    /// The text that the pool signs, from the fields alone. keccak256 of the line `vipnode/3 daily statement` and this
    /// text
    /// is the digest.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { pool, incarnation, host, day, asset, page, pages, day_sums, day_collected, lines, collected } = self;
        let DailySums { lines: count, cost, secured, fee } = *day_sums;
        let mut text = format!(
            "pool {pool}\nincarnation {incarnation}\nhost {host}\nday {day}\nasset {} {}\npage {page} of {pages}\n\
             day lines {count} cost {} secured {} fee {}\n",
            asset.symbol(),
            asset.decimals(),
            cost.get(),
            secured.get(),
            fee.get()
        );
        day_collected.write(&mut text);
        lines.iter().for_each(|line| line.write(&mut text));
        collected.iter().for_each(|payment| payment.write(&mut text));
        text
    }

    /// Signs the page.
    ///
    /// ```
    /// # fn of(statement: vipnode_types::wire::DailyStatement, key: vipnode_types::PoolKey) {
    /// let signed = statement.sign(&key);
    /// assert!(signed.verify().is_ok());
    /// # }
    /// ```
    #[must_use]
    pub fn sign(self, key: &PoolKey) -> SignedDailyStatement {
        let signature = key.sign_statement(&self.text());
        SignedDailyStatement { statement: self, signature }
    }

    /// Whether the other one is a page of the same statement.
    #[must_use]
    pub fn is_of_same_day(&self, other: &Self) -> bool {
        let of = |page: &Self| {
            let sums = (page.day_sums, page.day_collected);
            (page.pool, page.incarnation, page.host, page.day, page.asset, page.pages, sums)
        };
        of(self) == of(other)
    }

    /// What is wrong with a page, also one with a valid signature: a pool can sign what cannot be true.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let sums = DailySums::of(&self.lines);
        let (all, all_collected) = (&self.day_sums, &self.day_collected);
        let collected = CollectedSums::of(&self.collected);
        let fits = |sums: DailySums| {
            sums.lines <= all.lines && sums.cost <= all.cost && sums.secured <= all.secured && sums.fee <= all.fee
        };
        if self.page == 0 || self.page > self.pages {
            Some("its page number is not valid")
        } else if !self.lines.is_sorted_by(|one, next| one.entry < next.entry)
            || !self.collected.is_sorted_by(|one, next| one.entry < next.entry)
        {
            Some("its lines are not in order")
        } else if !self.lines.iter().all(|line| line.adds_up(self.asset))
            || !self.collected.iter().all(|payment| payment.fee <= payment.amount)
        {
            Some("the amounts of a line do not fit together")
        } else if !sums.is_some_and(|sums| if self.pages == 1 { sums == *all } else { fits(sums) })
            || !collected.is_some_and(|sums| {
                if self.pages == 1 { sums == *all_collected } else { sums.is_part_of(all_collected) }
            })
        {
            Some("its lines do not add up")
        } else {
            None
        }
    }
}

impl DailySums {
    /// The sums of lines; `None` beyond the range of amounts.
    #[must_use]
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a DailyLine>) -> Option<Self> {
        lines.into_iter().try_fold(Self::default(), |sums, line| sums.with(line.cost, line.secured, line.fee))
    }

    /// The sums with a further line; `None` beyond the range of amounts.
    #[must_use]
    pub fn with(self, cost: Amount, secured: Amount, fee: Amount) -> Option<Self> {
        Some(Self {
            lines: self.lines.checked_add(1)?,
            cost: self.cost.checked_add(cost)?,
            secured: self.secured.checked_add(secured)?,
            fee: self.fee.checked_add(fee)?,
        })
    }
}

impl DailyLine {
    /// Each field is without a space, so that no two lines have the same text.
    fn write(&self, text: &mut String) {
        let Self { entry, lease, row, counterpart, billed_ms, merged, price, cost, secured, fee, meter, .. } = self;
        let time = |time: Option<Ms>| time.map_or_else(|| "-".to_owned(), |time| time.get().to_string());
        let (first, last) = (time(self.first_ms), time(self.last_ms));
        let (amount, period) = (price.amount().get(), price.period_ms());
        let ([cost, secured, fee], [from, to]) = ([cost, secured, fee].map(|amount| amount.get()), self.interval);
        let _infallible = writeln!(
            text,
            "{entry} {lease} {row} {counterpart} {first} {last} {billed_ms} {merged} {amount}/{period} {cost} {secured} {fee} \
             {meter} {} {}",
            from.get(),
            to.get()
        );
    }

    /// Whether its amounts fit together.
    fn adds_up(&self, asset: Asset) -> bool {
        let [from, to] = self.interval;
        self.price.asset() == asset
            && from.checked_add(self.cost) == Some(to)
            && self.secured <= self.cost
            && self.fee <= self.secured
    }
}

impl SignedDailyStatement {
    /// Checks the signature of the pool that the statement names. The caller checks which pool that is.
    ///
    /// # Errors
    /// [`DailyStatementError::Signature`].
    pub fn verify(&self) -> Result<(), DailyStatementError> {
        let valid = self.statement.pool.signed_statement(&self.statement.text(), &self.signature);
        valid.then_some(()).ok_or(DailyStatementError::Signature)
    }

    /// Checks that this pool signed it for this host, and that it is the page that was asked for.
    ///
    /// # Errors
    /// See [`DailyStatementError`].
    pub fn answers(
        &self,
        pool: PoolId,
        host: &NodeId,
        request: DailyStatementRequest,
    ) -> Result<(), DailyStatementError> {
        let of = &self.statement;
        if of.pool != pool || of.host != *host || (of.day, of.page) != (request.day, request.page) {
            return Err(DailyStatementError::Other);
        }
        self.verify()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeKey;

    fn key() -> PoolKey {
        PoolKey::from_random([6; 32]).unwrap()
    }

    fn line(entry: u64, first_ms: Option<Ms>) -> DailyLine {
        let units = |units: u128| Amount::new(units);
        DailyLine {
            entry,
            lease: LeaseId::new(1_795_000_000_000_001),
            row: 2,
            counterpart: "1f1f1f1f1f1f".parse().unwrap(),
            first_ms,
            last_ms: first_ms.map(|first| first.plus(60_000)),
            billed_ms: 60_000,
            merged: 0,
            price: Price::per_minute(500),
            cost: units(500),
            secured: units(400),
            fee: units(10),
            meter: key().meter_of(&crate::Account::new([9; 20])),
            interval: [units(1_000), units(1_500)],
        }
    }

    fn page() -> DailyStatement {
        let lines = vec![line(7, Some(Ms::new(1_795_900_000_000))), line(8, None)];
        DailyStatement {
            pool: key().id(),
            incarnation: 0,
            host: NodeKey::read(&[7; 32]).unwrap().id(),
            day: "2026-11-29".parse().unwrap(),
            asset: Asset::ETHER,
            page: 1,
            pages: 1,
            day_sums: DailySums::of(&lines).unwrap(),
            day_collected: CollectedSums::default(),
            lines,
            collected: Vec::new(),
        }
    }

    /// A page with payments for earlier periods.
    fn collected_page() -> DailyStatement {
        let payment = |entry| DailyCollected {
            entry,
            period: 3,
            lease: LeaseId::new(5),
            row: 1,
            amount: Amount::new(100),
            fee: Amount::new(2),
            meter: key().meter_of(&crate::Account::new([9; 20])),
        };
        let collected = vec![payment(9), payment(11)];
        DailyStatement { day_collected: CollectedSums::of(&collected).unwrap(), collected, ..page() }
    }

    const GOLDEN: &str = "576ea78684a5add813446ca0a7a51abd5898c4065d53703537c11f9d3353e4e2305e631a78a6fa65dea4f4735be3c7b6dc1db4cd50e1742bf08f0139ccd3c7f8";
    const METER: &str = "26f7861612f42e7b144dc2c31e5b2058";

    /// Made on 2026-11-30 by an implementation of its own in Python; a change of it makes the statements that hosts keep
    /// worthless.
    #[test]
    fn golden_vector() {
        let host = page().host;
        let text = format!(
            "pool {}\nincarnation 0\nhost {host}\nday 2026-11-29\nasset ETH 18\npage 1 of 1\n\
             day lines 2 cost 1000 secured 800 fee 20\n\
             7 1795000000000001 2 1f1f1f1f1f1f 1795900000000 1795900060000 60000 0 1/120 500 400 10 {meter} 1000 1500\n\
             8 1795000000000001 2 1f1f1f1f1f1f - - 60000 0 1/120 500 400 10 {meter} 1000 1500\n",
            key().id(),
            meter = METER,
        );
        assert_eq!(page().text(), text);
        assert_eq!(page().sign(&key()).signature.to_string(), GOLDEN);
    }

    #[test]
    fn a_signature_covers_every_field() {
        let signed = page().sign(&key());
        assert_eq!((signed.verify(), page().problem()), (Ok(()), None));
        let other = PoolKey::from_random([5; 32]).unwrap();
        let changes: &[fn(&mut DailyStatement)] = &[
            |page| page.pool = PoolKey::from_random([5; 32]).unwrap().id(),
            |page| page.incarnation = 1,
            |page| page.host = NodeId::new([1; 64]),
            |page| page.day = page.day.minus_days(1),
            |page| page.asset = Asset::new("ETH", 6).unwrap(),
            |page| page.page = 2,
            |page| page.pages = 2,
            |page| page.day_sums.lines = 3,
            |page| page.day_sums.cost = Amount::new(1),
            |page| page.day_sums.secured = Amount::new(1),
            |page| page.day_sums.fee = Amount::new(1),
            |page| page.lines.truncate(1),
            |page| page.lines.swap(0, 1),
            |page| page.lines[0].entry = 1,
            |page| page.lines[0].lease = LeaseId::new(1),
            |page| page.lines[0].row = 1,
            |page| page.lines[0].counterpart = "000000000000".parse().unwrap(),
            |page| page.lines[0].first_ms = None,
            |page| page.lines[0].last_ms = None,
            |page| page.lines[0].billed_ms = 1,
            |page| page.lines[0].merged = 1,
            |page| page.lines[0].price = Price::per_minute(1),
            |page| page.lines[0].cost = Amount::new(1),
            |page| page.lines[0].secured = Amount::new(1),
            |page| page.lines[0].fee = Amount::new(1),
            |page| page.lines[0].meter = "00".repeat(16).parse().unwrap(),
            |page| page.lines[0].interval = [Amount::new(1), Amount::new(1_500)],
            |page| page.lines[0].interval = [Amount::new(1_000), Amount::new(1)],
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut forged = signed.clone();
            change(&mut forged.statement);
            assert_eq!(forged.verify(), Err(DailyStatementError::Signature), "change {number}");
        }
        assert_eq!(page().sign(&other).verify(), Err(DailyStatementError::Signature), "signed by another pool");
    }

    #[test]
    fn a_signature_covers_what_was_collected_for_earlier_periods() {
        let text = collected_page().text();
        assert!(text.contains("fee 20\nday collected 2 amount 200 fee 4\n7 "), "{text}");
        assert!(
            text.ends_with(&format!("collected 9 3 5 1 100 2 {METER}\ncollected 11 3 5 1 100 2 {METER}\n")),
            "{text}"
        );
        let signed = collected_page().sign(&key());
        assert_eq!((signed.verify(), signed.statement.problem()), (Ok(()), None));
        let changes: &[fn(&mut DailyStatement)] = &[
            |page| page.day_collected.payments = 3,
            |page| page.day_collected.amount = Amount::new(1),
            |page| page.day_collected.fee = Amount::new(1),
            |page| page.collected.truncate(1),
            |page| page.collected.swap(0, 1),
            |page| page.collected[0].entry = 1,
            |page| page.collected[0].amount = Amount::new(1),
            |page| page.collected[0].fee = Amount::new(101),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut forged = signed.clone();
            change(&mut forged.statement);
            assert_eq!(forged.verify(), Err(DailyStatementError::Signature), "change {number}");
            if number != 5 {
                assert!(forged.statement.problem().is_some(), "change {number}");
            }
        }
        let unsummed: &[fn(&mut DailyStatement)] = &[
            |page| page.collected[0].period = 1,
            |page| page.collected[0].lease = LeaseId::new(1),
            |page| page.collected[0].row = 2,
            |page| page.collected[0].meter = "00".repeat(16).parse().unwrap(),
        ];
        for change in unsummed {
            let mut forged = signed.clone();
            change(&mut forged.statement);
            assert_eq!(forged.verify(), Err(DailyStatementError::Signature));
        }
        let json = serde_json::to_string(&signed).unwrap();
        assert_eq!(serde_json::from_str::<SignedDailyStatement>(&json).unwrap(), signed);
        let part = DailyStatement { pages: 2, ..collected_page() };
        assert_eq!(part.problem(), None, "a page of two");
        assert!(!part.is_of_same_day(&DailyStatement { pages: 2, ..page() }));
    }

    #[test]
    fn the_answer_is_about_what_was_asked() {
        let signed = page().sign(&key());
        let DailyStatement { pool, host, day, .. } = signed.statement;
        let asked = DailyStatementRequest { day, page: 1 };
        assert_eq!(signed.answers(pool, &host, asked), Ok(()));
        let other = PoolKey::from_random([5; 32]).unwrap().id();
        for (pool, host, request) in [
            (other, host, asked),
            (pool, NodeId::new([1; 64]), asked),
            (pool, host, DailyStatementRequest { day: day.minus_days(1), ..asked }),
            (pool, host, DailyStatementRequest { page: 2, ..asked }),
        ] {
            assert_eq!(signed.answers(pool, &host, request), Err(DailyStatementError::Other));
        }
        let json = serde_json::to_string(&signed).unwrap();
        assert_eq!(serde_json::from_str::<SignedDailyStatement>(&json).unwrap(), signed);
    }

    #[test]
    fn what_cannot_be_true_is_found() {
        let changes: &[fn(&mut DailyStatement)] = &[
            |page| page.page = 0,
            |page| page.page = 2,
            |page| page.lines.reverse(),
            |page| page.lines[0].interval[1] = Amount::new(1_501),
            |page| page.lines[0].interval = [Amount::MAX, Amount::new(1)],
            |page| page.lines[0].secured = Amount::new(501),
            |page| page.lines[0].fee = Amount::new(401),
            |page| page.lines[0].price = Price::free(Asset::new("USDC", 6).unwrap()),
            |page| page.day_sums.cost = Amount::new(1_001),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut wrong = page();
            change(&mut wrong);
            assert!(wrong.problem().is_some(), "change {number}");
        }
        let part = DailyStatement { pages: 2, lines: vec![line(7, None)], ..page() };
        assert_eq!(part.problem(), None, "a page of two");
        assert!(part.is_of_same_day(&DailyStatement { page: 2, lines: Vec::new(), ..part.clone() }));
        assert!(!part.is_of_same_day(&DailyStatement { incarnation: 1, ..part.clone() }));
        let few = DailyStatement { day_sums: DailySums { cost: Amount::new(499), ..part.day_sums }, ..part };
        assert!(few.problem().is_some(), "more than the day has");
    }
}
