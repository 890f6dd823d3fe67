use std::collections::BTreeMap;

use rusqlite::{Connection, Result, params};
use vipnode_pool_core::LedgerEntry;

use super::{
    address_table,
    entry_chain::{ChainSide, EntryChain, EntryLink},
};

/// The check that the chain of each account contains the entries that name it, and no others.
#[derive(Default)]
pub(super) struct ChainCheck {
    /// The number of the newest entry of each ledger account so far.
    newest: BTreeMap<i64, i64>,
    /// The number of the last entry that was pruned.
    pruned: i64,
}

impl ChainCheck {
    /// The check of a journal that begins after an entry.
    pub(super) const fn after(pruned: u64) -> Self {
        Self { newest: BTreeMap::new(), pruned: pruned.cast_signed() }
    }

    /// Takes the next entry. Returns whether its links lead to the one before, of each of its accounts.
    pub(super) fn entry(&mut self, connection: &Connection, entry: &LedgerEntry) -> Result<bool> {
        let number = entry.number.cast_signed();
        let parties = [entry.transaction.payer(), entry.transaction.payee()];
        for (side, account) in ChainSide::BOTH.into_iter().zip(parties) {
            let Some(address) = account.map_or(Ok(None), |account| address_table::find(connection, account))? else {
                continue;
            };
            let account = side.account(address);
            let before = self.newest.insert(account, number);
            let Some(mut chain) = EntryChain::of(connection, side, account)? else { return Ok(false) };
            let link = chain.link(number)?;
            if !self.leads_to(connection, &mut chain, link, before)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a link leads to an entry, or to none, over entries that were folded into others.
    fn leads_to(
        &self,
        connection: &Connection,
        chain: &mut EntryChain<'_>,
        link: EntryLink,
        entry: Option<i64>,
    ) -> Result<bool> {
        let mut before = link.before.filter(|before| *before > self.pruned || entry == Some(*before));
        // An earlier entry, from which the chain goes on.
        if before.is_some() {
            let jump = link.jump.filter(|jump| *jump > self.pruned);
            let next = before.map(|before| chain.link(before)).transpose()?.unwrap_or_default();
            let far = next.jump.map(|jump| chain.link(jump)).transpose()?.unwrap_or_default().jump;
            if jump.is_some() && jump != before && jump != far {
                return Ok(false);
            }
        }
        while let Some(number) = before.filter(|number| Some(*number) != entry) {
            let mut folded = connection.prepare_cached("SELECT 1 FROM entries WHERE number = ?1")?;
            if folded.exists(params![number])? {
                return Ok(false);
            }
            before = chain.link(number)?.before.filter(|before| *before > self.pruned && *before < number);
        }
        Ok(before == entry)
    }

    /// Returns whether each account has the number of its newest entry.
    pub(super) fn finish(self, connection: &Connection) -> Result<bool> {
        let mut statement = connection.prepare("SELECT number, newest FROM account_meters WHERE newest IS NOT NULL")?;
        let mut rows = statement.query([])?;
        let (mut fits, mut found) = (true, 0_usize);
        while let Some(row) = rows.next()? {
            let (account, newest): (i64, i64) = (row.get(0)?, row.get(1)?);
            let known = self.newest.get(&account);
            found = found.saturating_add(usize::from(known.is_some()));
            fits &= known.map_or(newest <= self.pruned, |known| *known == newest);
        }
        Ok(fits && found == self.newest.len())
    }
}
