//! The addresses that the ledger names. Rows refer to them by number: a number is shorter, and accounts with neighboring numbers are
//! on one page of the database. No number is used again.

use rusqlite::{Connection, OptionalExtension as _, Result};
use vipnode_pool_core::LedgerAccount;
use vipnode_types::Account;

const FIND: &str = "SELECT number FROM addresses WHERE address = ?1";
/// Smaller numbers are those of the pool's own accounts.
const ADD: &str = "
    INSERT INTO addresses (number, address) SELECT coalesce(max(number), 1) + 1, ?1 FROM addresses RETURNING number";

/// The number of an address, if it has one.
pub(super) fn find(connection: &Connection, account: Account) -> Result<Option<i64>> {
    connection.prepare_cached(FIND)?.query_row([&account.as_bytes()[..]], |row| row.get(0)).optional()
}

/// The number of an address, which gets one if it has none.
pub(super) fn number(connection: &Connection, account: Account) -> Result<i64> {
    match find(connection, account)? {
        Some(number) => Ok(number),
        None => connection.prepare_cached(ADD)?.query_row([&account.as_bytes()[..]], |row| row.get(0)),
    }
}

/// The number of a ledger account, if its address has one.
pub(super) fn find_account(connection: &Connection, account: LedgerAccount) -> Result<Option<i64>> {
    Ok(match account {
        LedgerAccount::Payer(account) => find(connection, account)?.map(payer),
        LedgerAccount::Payee(account) => find(connection, account)?.map(payee),
        LedgerAccount::Received => Some(1),
        LedgerAccount::PaidOut => Some(2),
        LedgerAccount::Fee => Some(3),
    })
}

/// The number of a ledger account, whose address gets one if it has none.
pub(super) fn account_number(connection: &Connection, account: LedgerAccount) -> Result<i64> {
    if let LedgerAccount::Payer(account) | LedgerAccount::Payee(account) = account {
        number(connection, account)?;
    }
    find_account(connection, account)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// The ledger account of the payer whose address has a number.
pub(super) const fn payer(address: i64) -> i64 {
    address.saturating_mul(2)
}

/// The ledger account of the payee whose address has a number.
pub(super) const fn payee(address: i64) -> i64 {
    payer(address).saturating_add(1)
}
