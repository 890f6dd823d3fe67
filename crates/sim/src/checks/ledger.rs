//! Checks of the ledger, computed from what the store holds and without the code of the core.

use std::collections::BTreeMap;

use vipnode_pool_core::{AccountRow, LedgerAccount, LedgerEntry, MeteredPeriod, Row, Transaction};
use vipnode_types::{Account, LeaseId};

use super::{Promise, Violation};

/// What the pool acknowledged to its operator: the number of the entry of each key.
#[derive(Debug, Clone, Default)]
pub struct AcknowledgedOrders {
    /// The entries by key.
    pub entries: BTreeMap<String, u64>,
}

/// Checks the ledger of a store against its metered rows and what was acknowledged.
///
/// # Errors
/// [`Promise::Ledger`]: money was created or lost, a period was billed twice, not at all, or without being metered, or an
/// acknowledged order is missing.
pub fn check(
    rows: &[Row],
    entries: &[LedgerEntry],
    journal: &[MeteredPeriod],
    acknowledged: &AcknowledgedOrders,
) -> Result<(), Violation> {
    let broken = |what: String| Promise::Ledger.broken(what);
    let accounts: Vec<&AccountRow> =
        rows.iter().filter_map(|row| if let Row::Account(row) = row { Some(row) } else { None }).collect();
    sums_to_zero(&accounts)?;
    let mut credited: BTreeMap<Account, u128> = BTreeMap::new();
    let mut meters: BTreeMap<Account, u128> = BTreeMap::new();
    let mut collected: BTreeMap<Account, u128> = BTreeMap::new();
    let mut billed: BTreeMap<(LeaseId, u32), (Account, Account, u128)> = BTreeMap::new();
    let mut keys: BTreeMap<&str, u64> = BTreeMap::new();
    for (entry, number) in entries.iter().zip(1..) {
        if entry.number != number {
            return broken(format!("entry {number} is missing before {entry:?}"));
        }
        if let Some(key) = entry.transaction.order().and_then(|order| order.key.as_deref())
            && keys.insert(key, number).is_some()
        {
            return broken(format!("{key} was entered twice"));
        }
        match &entry.transaction {
            Transaction::Credit { payer, amount, .. } => *credited.entry(*payer).or_default() += amount.get(),
            Transaction::Lease { payer, payee, lease, row, from, cost, collected: secured, fee } => {
                let meter = meters.entry(*payer).or_default();
                if from.get() != *meter {
                    return broken(format!("{entry:?} begins at another place of the meter than {meter}"));
                }
                *meter += cost.get();
                *collected.entry(*payer).or_default() += secured.get();
                if fee > secured || secured > cost {
                    return broken(format!("{entry:?} takes more than it secures"));
                }
                if billed.insert((*lease, *row), (*payer, *payee, cost.get())).is_some() {
                    return broken(format!("{entry:?} bills a period again"));
                }
            }
            Transaction::Collected { payer, amount, .. } => *collected.entry(*payer).or_default() += amount.get(),
            _ => {}
        }
    }
    for (payer, secured) in &collected {
        let most = credited.get(payer).copied().unwrap_or(0).min(meters.get(payer).copied().unwrap_or(0));
        if *secured > most {
            return broken(format!("{secured} of {payer} is secured, but at most {most} was credited and metered"));
        }
    }
    for period in journal {
        let key = (period.lease.id, period.lease.row);
        let owed = period.lease.payer.zip(period.lease.payee);
        let expected = owed.map(|(payer, payee)| (payer, payee, period.total_cost().get()));
        // A trial is posted without a cost.
        let expected = expected.filter(|(.., cost)| *cost > 0 || period.lease.trial);
        if billed.remove(&key) != expected {
            return broken(format!("{period:?} is billed otherwise than it was metered"));
        }
    }
    if let Some((key, _)) = billed.first_key_value() {
        return broken(format!("period {key:?} is billed and was not metered"));
    }
    for row in accounts {
        if let LedgerAccount::Payer(payer) = row.account {
            let meter = meters.get(&payer).copied().unwrap_or(0);
            if row.figures.metered.get() != meter {
                return broken(format!("the meter of {payer} is {meter}, not {}", row.figures.metered.get()));
            }
        }
    }
    let missing = acknowledged.entries.iter().find(|(key, entry)| keys.get(key.as_str()) != Some(entry));
    missing.map_or(Ok(()), |(key, entry)| broken(format!("{key} was acknowledged as entry {entry}, which is missing")))
}

/// Checks that what accounts received is what others sent.
fn sums_to_zero(accounts: &[&AccountRow]) -> Result<(), Violation> {
    let received: u128 = accounts.iter().map(|row| row.figures.received.get()).sum();
    let sent: u128 = accounts.iter().map(|row| row.figures.sent.get()).sum();
    if received == sent {
        return Ok(());
    }
    Promise::Ledger.broken(format!("accounts received {received} and sent {sent}"))
}
