use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Result, params};

use super::address_table;

/// The entries of a ledger account, from the newest to the oldest.
///
/// An account has the number of its newest entry, and each entry has the numbers of the one before and of an earlier one, to which a
/// search jumps. An index by account would need no search, but each entry would change another page of it: accounts are in no order.
/// The links of an entry are in a narrow table in the order of the entries, and stay when its billing period is folded.
pub(super) struct EntryChain<'connection> {
    links: CachedStatement<'connection>,
    /// How many entries it ever had.
    len: u64,
    /// The number of the newest one.
    newest: i64,
}

/// In which chain of an entry an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChainSide {
    Payer,
    Payee,
}

/// What an entry has of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct EntryLink {
    /// The number of the entry before.
    pub(super) before: Option<i64>,
    /// The number of an earlier entry, which is the [`jump`] of its place.
    pub(super) jump: Option<i64>,
}

const HEAD: &str = "SELECT entries, newest FROM account_meters WHERE number = ?1 AND newest IS NOT NULL";

impl ChainSide {
    pub(super) const BOTH: [Self; 2] = [Self::Payer, Self::Payee];

    /// The ledger account whose address has a number.
    pub(super) const fn account(self, address: i64) -> i64 {
        match self {
            Self::Payer => address_table::payer(address),
            Self::Payee => address_table::payee(address),
        }
    }

    const fn read(self) -> &'static str {
        match self {
            Self::Payer => "SELECT payer_before, payer_jump FROM entry_links WHERE number = ?1",
            Self::Payee => "SELECT payee_before, payee_jump FROM entry_links WHERE number = ?1",
        }
    }
}

/// The place to which the search jumps from the n-th entry; the first entry is the first. Places whose jumps are longer are rarer, so
/// a search takes steps as the logarithm of the number of entries, and the jump of the next entry follows from two others.
fn jump(nth: u64) -> u64 {
    let mut rest = nth;
    while rest > 0 {
        // The largest number of this kind (1, 3, 7, ...) in the rest.
        let part = u64::MAX.checked_shr(rest.saturating_add(1).leading_zeros().saturating_add(1)).unwrap_or(0);
        rest = rest.saturating_sub(part);
        if rest == 0 || rest == part {
            return nth.saturating_sub(part);
        }
    }
    0
}

impl<'connection> EntryChain<'connection> {
    /// The chain of an account; `None` if no entry names it.
    pub(super) fn of(connection: &'connection Connection, side: ChainSide, account: i64) -> Result<Option<Self>> {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
        let Some((len, newest)) = connection.prepare_cached(HEAD)?.query_row([account], read).optional()? else {
            return Ok(None);
        };
        Ok(Some(Self { links: connection.prepare_cached(side.read())?, len, newest }))
    }

    /// What an entry has of the account; nothing if it was pruned.
    pub(super) fn link(&mut self, number: i64) -> Result<EntryLink> {
        let read = |row: &rusqlite::Row<'_>| Ok(EntryLink { before: row.get(0)?, jump: row.get(1)? });
        Ok(self.links.query_row([number], read).optional()?.unwrap_or_default())
    }

    /// What a newer entry has to have of the account.
    fn next(&mut self) -> Result<EntryLink> {
        let before = Some(self.newest);
        if jump(self.len.saturating_add(1)) == self.len {
            return Ok(EntryLink { before, jump: before });
        }
        let jump = self.link(self.newest)?.jump.map(|jump| self.link(jump)).transpose()?;
        Ok(EntryLink { before, jump: jump.and_then(|link| link.jump) })
    }

    /// The numbers of at most `most` entries after the one with the number `after`, ascending. Entries that were folded into others are
    /// among them.
    pub(super) fn after(&mut self, after: i64, most: usize) -> Result<Vec<i64>> {
        if self.newest <= after || most == 0 {
            return Ok(Vec::new());
        }
        let (mut first, mut number) = (self.len, self.newest);
        loop {
            let link = self.link(number)?;
            (first, number) = match (link.jump, link.before) {
                (Some(earlier), _) if earlier > after => (jump(first), earlier),
                (_, Some(before)) if before > after => (first.saturating_sub(1), before),
                _ => break,
            };
        }
        let last = first.saturating_add(u64::try_from(most).unwrap_or(u64::MAX)).saturating_sub(1).min(self.len);
        let mut numbers = self.down_to(last, first)?;
        numbers.reverse();
        Ok(numbers)
    }

    /// The numbers of the entries from the `last` to the `first`, descending.
    fn down_to(&mut self, last: u64, first: u64) -> Result<Vec<i64>> {
        let (mut nth, mut number) = (self.len, self.newest);
        while nth > last {
            let link = self.link(number)?;
            let earlier = jump(nth);
            (nth, number) = match link.jump {
                Some(jump) if earlier >= last => (earlier, jump),
                _ => (nth.saturating_sub(1), link.before.ok_or(rusqlite::Error::QueryReturnedNoRows)?),
            };
        }
        let mut numbers = vec![number];
        while nth > first {
            number = self.link(number)?.before.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            numbers.push(number);
            nth = nth.saturating_sub(1);
        }
        Ok(numbers)
    }
}

/// Adds a new entry to the chains of its payer and of its payee, whose addresses have these numbers.
pub(super) fn append(connection: &Connection, number: i64, parties: [Option<i64>; 2]) -> Result<()> {
    const LINK: &str = "
        INSERT INTO entry_links (number, payer_before, payer_jump, payee_before, payee_jump) VALUES (?1, ?2, ?3, ?4, ?5)";
    const NOTE: &str = "
        INSERT INTO account_meters (number, metered, entries, newest) VALUES (?1, x'', ?2, ?3)
        ON CONFLICT (number) DO UPDATE SET entries = ?2, newest = ?3";
    let mut links = [EntryLink::default(); 2];
    for ((side, address), link) in ChainSide::BOTH.into_iter().zip(parties).zip(&mut links) {
        let Some(account) = address.map(|address| side.account(address)) else { continue };
        let mut len = 0_u64;
        if let Some(mut chain) = EntryChain::of(connection, side, account)? {
            if chain.newest >= number {
                drop(chain);
                return rebuild(connection);
            }
            *link = chain.next()?;
            len = chain.len;
        }
        let len = len.saturating_add(1).cast_signed();
        connection.prepare_cached(NOTE)?.execute([account, len, number])?;
    }
    let [payer, payee] = links;
    connection.prepare_cached(LINK)?.execute(params![number, payer.before, payer.jump, payee.before, payee.jump])?;
    Ok(())
}

/// Makes all chains again: for a database that had none, and for an entry that is not the newest, which no pool writes.
pub(super) fn rebuild(connection: &Connection) -> Result<()> {
    connection.execute_batch("DELETE FROM entry_links; UPDATE account_meters SET entries = 0, newest = NULL")?;
    let mut entries = connection.prepare("SELECT number, payer, payee FROM entries ORDER BY number")?;
    let mut rows = entries.query([])?;
    while let Some(row) = rows.next()? {
        append(connection, row.get(0)?, [row.get(1)?, row.get(2)?])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_follow_from_those_of_earlier_entries() {
        assert_eq!((1..=15).map(jump).collect::<Vec<_>>(), [0, 1, 0, 3, 4, 3, 0, 7, 8, 7, 10, 11, 10, 7, 0]);
        for nth in 1..10_000 {
            assert!(jump(nth + 1) == nth || jump(nth + 1) == jump(jump(nth)), "{nth}");
        }
    }
}
