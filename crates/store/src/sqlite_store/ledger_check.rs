//! The check of the ledger: every balance computed again from the journal.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};
use vipnode_pool_core::{AccountFigures, BalanceSheet, LedgerAccount, Row};

use super::{entry_table, ledger_tables};

/// Lease entries whose billing period is not in the journal, or has another payer or payee.
const WITHOUT_PERIOD: &str = "
    SELECT count(*) FROM entries AS entry LEFT JOIN journal AS period
        ON period.lease = entry.subject AND period.row = entry.lease_row
        AND period.payer = entry.payer AND period.payee = entry.payee
    WHERE entry.kind = 'lease' AND period.lease IS NULL";

/// Passes what is wrong with the ledger to `problem`. Returns the number of its entries.
pub(super) fn check(connection: &Connection, problem: &mut dyn FnMut(String)) -> Result<u64> {
    let (mut sheet, mut number, mut overflows) = (BalanceSheet::default(), 0_u64, None);
    let mut missing = None;
    entry_table::read(connection, 0, usize::MAX, &mut |entry| {
        number = number.saturating_add(1);
        if entry.number != number {
            missing.get_or_insert(number);
            number = entry.number;
        }
        if sheet.apply(&entry.transaction, |_| AccountFigures::default()).is_none() {
            overflows.get_or_insert(entry.number);
        }
    })?;
    missing.into_iter().for_each(|number| problem(format!("entry {number} of the ledger is missing")));
    overflows.into_iter().for_each(|number| problem(format!("entry {number} of the ledger has an impossible amount")));
    let mut stored: BTreeMap<LedgerAccount, AccountFigures> = BTreeMap::new();
    ledger_tables::read(connection, &mut |row| {
        if let Row::Account(row) = row {
            stored.insert(row.account, row.figures);
        }
    })?;
    for (account, computed) in sheet.accounts() {
        if stored.remove(&account).unwrap_or_default() != computed {
            problem(format!("the sums of {account:?} are not those of the journal"));
        }
    }
    for (account, _) in stored.into_iter().filter(|(_, figures)| *figures != AccountFigures::default()) {
        problem(format!("{account:?} has sums, but no entry of the journal"));
    }
    let without: u64 = connection.query_row(WITHOUT_PERIOD, [], |row| row.get::<_, i64>(0))?.cast_unsigned();
    if without > 0 {
        problem(format!("{without} entries of the ledger bill a period that was not metered"));
    }
    Ok(number)
}
