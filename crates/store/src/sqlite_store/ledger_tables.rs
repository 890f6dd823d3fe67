//! What the ledger holds besides its journal: the sums of its accounts, links, unpaid costs, and payouts.

use rusqlite::{Connection, OptionalExtension as _, Result, params};
use vipnode_pool_core::{
    AccountFigures, AccountRow, LedgerAccount, LinkRow, PayoutRow, PayoutState, Row, SettlementPeriodRow, UnpaidRow,
};
use vipnode_types::{Account, Amount, NodeId, PaymentMode};

use super::{
    address_table,
    bindings::{Bindings, amount_bytes, sql_limit},
    channel_table,
    columns::Columns,
};

/// The tables of a state of the ledger: the current one, or the one before the first entry of a journal that was pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LedgerTables {
    Current,
    Opening,
}

pub(super) fn write_payment(connection: &Connection, mode: PaymentMode) -> Result<()> {
    connection.prepare_cached("UPDATE pool SET payment = ?1")?.execute([mode.name()])?;
    Ok(())
}

/// Reads how clients pay; `None` if that was never stored.
pub(super) fn read_payment(connection: &Connection) -> Result<Option<PaymentMode>> {
    let read = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of(row);
        let name: String = columns.get()?;
        name.parse().map_err(|_| columns.invalid("a payment mode"))
    };
    connection.query_row("SELECT payment FROM pool WHERE payment IS NOT NULL", [], read).optional()
}

pub(super) fn write_period(connection: &Connection, row: SettlementPeriodRow) -> Result<()> {
    let mut statement = connection.prepare_cached("UPDATE pool SET period = ?1, period_closed = ?2")?;
    statement.execute([row.number.cast_signed(), row.closed.get().cast_signed()])?;
    Ok(())
}

impl LedgerTables {
    /// The sums of accounts, as rows with all columns.
    const fn figures(self) -> &'static str {
        match self {
            Self::Current => {
                "(SELECT number, received, coalesce(sent, metered) AS sent, metered, coalesce(collected, metered) AS collected, \
                 credit_limit FROM accounts JOIN account_meters USING (number))"
            }
            Self::Opening => "openings",
        }
    }

    const fn unpaid(self) -> &'static str {
        match self {
            Self::Current => "unpaid",
            Self::Opening => "opening_unpaid",
        }
    }

    const fn payouts(self) -> &'static str {
        match self {
            Self::Current => "payouts",
            Self::Opening => "opening_payouts",
        }
    }
}

pub(super) fn write_account(connection: &Connection, tables: LedgerTables, row: AccountRow) -> Result<()> {
    let number = address_table::account_number(connection, row.account)?;
    match tables {
        LedgerTables::Current => write_current(connection, number, row.figures),
        LedgerTables::Opening => write_opening(connection, number, row.figures),
    }
}

/// A billing period that is secured at once changes only the meter of its payer.
fn write_current(connection: &Connection, number: i64, figures: AccountFigures) -> Result<()> {
    const METER: &str = "
        INSERT INTO account_meters (number, metered, entries) VALUES (?1, ?2, 0)
        ON CONFLICT (number) DO UPDATE SET metered = ?2 WHERE metered IS NOT ?2";
    const SUMS: &str = "
        INSERT INTO accounts (number, received, sent, collected, credit_limit) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (number) DO UPDATE SET received = ?2, sent = ?3, collected = ?4, credit_limit = ?5
        WHERE received IS NOT ?2 OR sent IS NOT ?3 OR collected IS NOT ?4 OR credit_limit IS NOT ?5";
    let AccountFigures { received, sent, metered, collected, limit } = figures;
    let other = |sum: Amount| (sum != metered).then(|| amount_bytes(sum));
    connection.prepare_cached(METER)?.execute(params![number, amount_bytes(metered)])?;
    let (received, limit) = (amount_bytes(received), amount_bytes(limit));
    connection.prepare_cached(SUMS)?.execute(params![number, received, other(sent), other(collected), limit])?;
    Ok(())
}

fn write_opening(connection: &Connection, number: i64, figures: AccountFigures) -> Result<()> {
    const WRITE: &str = "
        INSERT OR REPLACE INTO openings (number, received, sent, metered, collected, credit_limit)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let AccountFigures { received, sent, metered, collected, limit } = figures;
    let mut statement = connection.prepare_cached(WRITE)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.put(number)?;
    for amount in [received, sent, metered, collected, limit] {
        bindings.amount(amount)?;
    }
    bindings.execute()?;
    Ok(())
}

/// The sums of an account; zero if it has none.
pub(super) fn figures(connection: &Connection, tables: LedgerTables, account: LedgerAccount) -> Result<AccountFigures> {
    let read =
        format!("SELECT received, sent, metered, collected, credit_limit FROM {} WHERE number = ?1", tables.figures());
    let Some(number) = address_table::find_account(connection, account)? else { return Ok(AccountFigures::default()) };
    let mut statement = connection.prepare_cached(&read)?;
    let figures = statement.query_row([number], |row| figures_of(&mut Columns::of(row))).optional()?;
    Ok(figures.unwrap_or_default())
}

/// The account that pays for a node.
pub(super) fn linked_account(connection: &Connection, node: &NodeId) -> Result<Option<Account>> {
    let mut statement = connection.prepare_cached("SELECT account FROM links WHERE node = ?1")?;
    statement.query_row([&node.as_bytes()[..]], |row| address_of(&mut Columns::of(row))).optional()
}

pub(super) fn write_link(connection: &Connection, row: &LinkRow) -> Result<()> {
    let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO links (node, account) VALUES (?1, ?2)")?;
    statement.execute(params![&row.node.as_bytes()[..], &row.account.as_bytes()[..]])?;
    Ok(())
}

pub(super) fn delete_link(connection: &Connection, node: &NodeId) -> Result<()> {
    connection.prepare_cached("DELETE FROM links WHERE node = ?1")?.execute([&node.as_bytes()[..]])?;
    Ok(())
}

pub(super) fn write_link_counter(connection: &Connection, account: Account, counter: u64) -> Result<()> {
    const WRITE: &str = "INSERT OR REPLACE INTO link_counters (account, counter) VALUES (?1, ?2)";
    connection.prepare_cached(WRITE)?.execute(params![&account.as_bytes()[..], counter.cast_signed()])?;
    Ok(())
}

pub(super) fn write_unpaid(connection: &Connection, tables: LedgerTables, row: UnpaidRow) -> Result<()> {
    let write = format!(
        "INSERT OR REPLACE INTO {} (entry, payer, payee, fee_bps, cost, collected) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        tables.unpaid()
    );
    let mut statement = connection.prepare_cached(&write)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.number(row.entry)?;
    bindings.account(Some(row.payer))?;
    bindings.account(Some(row.payee))?;
    bindings.put(row.fee_bps)?;
    bindings.amount(row.cost)?;
    bindings.amount(row.collected)?;
    bindings.execute()?;
    Ok(())
}

pub(super) fn delete_unpaid(connection: &Connection, tables: LedgerTables, entry: u64) -> Result<()> {
    let delete = format!("DELETE FROM {} WHERE entry = ?1", tables.unpaid());
    connection.prepare_cached(&delete)?.execute([entry.cast_signed()])?;
    Ok(())
}

/// The unpaid cost of an entry.
pub(super) fn find_unpaid(connection: &Connection, tables: LedgerTables, entry: u64) -> Result<Option<UnpaidRow>> {
    let read =
        format!("SELECT entry, payer, payee, fee_bps, cost, collected FROM {} WHERE entry = ?1", tables.unpaid());
    let mut statement = connection.prepare_cached(&read)?;
    statement.query_row([entry.cast_signed()], |row| unpaid_of(&mut Columns::of(row))).optional()
}

pub(super) fn write_payout(connection: &Connection, tables: LedgerTables, row: PayoutRow) -> Result<()> {
    let write = format!(
        "INSERT OR REPLACE INTO {} (number, period, payee, amount, state) VALUES (?1, ?2, ?3, ?4, ?5)",
        tables.payouts()
    );
    let state = match row.state {
        PayoutState::Due => 0,
        PayoutState::Paid => 1,
        PayoutState::Bounced => 2,
    };
    let mut statement = connection.prepare_cached(&write)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.number(row.number)?;
    bindings.number(row.period)?;
    bindings.account(Some(row.payee))?;
    bindings.amount(row.amount)?;
    bindings.put(state)?;
    bindings.execute()?;
    Ok(())
}

pub(super) fn delete_payout(connection: &Connection, number: u64) -> Result<()> {
    connection.prepare_cached("DELETE FROM payouts WHERE number = ?1")?.execute([number.cast_signed()])?;
    Ok(())
}

/// Forgets the marks of payouts before the first entry that no later entry can change, of the `most` oldest ones. The pool has
/// forgotten these payouts itself: their settlement period is long over, and a payout with a larger number exists, as of
/// `period`, the newest settlement period before the first entry.
pub(super) fn forget_opening_payouts(connection: &Connection, period: u64, most: usize) -> Result<()> {
    const DELETE: &str = "
        DELETE FROM opening_payouts WHERE number IN (SELECT number FROM opening_payouts ORDER BY number LIMIT ?2)
        AND period <= ?1 AND number < (SELECT max(number) FROM opening_payouts) AND number NOT IN (SELECT number FROM payouts)";
    let old = period.saturating_sub(SettlementPeriodRow::WITH_PAYOUTS);
    connection.prepare_cached(DELETE)?.execute(params![old.cast_signed(), sql_limit(most)])?;
    Ok(())
}

/// Reads the ledger without its journal, in the order of [`Store::load`](crate::Store::load).
pub(super) fn read(connection: &Connection, each: &mut dyn FnMut(Row)) -> Result<()> {
    const PERIOD: &str =
        "SELECT period, period_closed FROM pool WHERE period IS NOT NULL AND period_closed IS NOT NULL";
    read_accounts(connection, LedgerTables::Current, each)?;
    read_rows(connection, "SELECT node, account FROM links ORDER BY node", each, |columns| {
        Ok(Row::Link(LinkRow { node: columns.id()?, account: address_of(columns)? }))
    })?;
    read_rows(connection, "SELECT account, counter FROM link_counters ORDER BY account", each, |columns| {
        Ok(Row::LinkCounter(address_of(columns)?, columns.number()?))
    })?;
    read_rows(connection, channel_table::READ, each, channel_table::row_of)?;
    read_unpaid(connection, LedgerTables::Current, each)?;
    read_rows(connection, PERIOD, each, |columns| {
        Ok(Row::Period(SettlementPeriodRow { number: columns.number()?, closed: columns.ms()? }))
    })?;
    read_payouts(connection, LedgerTables::Current, each)
}

/// Reads the state before the first entry: the sums of accounts, the unpaid costs, and the marks of payouts.
pub(super) fn read_openings(connection: &Connection, each: &mut dyn FnMut(Row)) -> Result<()> {
    read_accounts(connection, LedgerTables::Opening, each)?;
    read_unpaid(connection, LedgerTables::Opening, each)?;
    read_payouts(connection, LedgerTables::Opening, each)
}

fn read_accounts(connection: &Connection, tables: LedgerTables, each: &mut dyn FnMut(Row)) -> Result<()> {
    const FIGURES: &str = "received, sent, metered, collected, credit_limit";
    let figures = tables.figures();
    for (kind, account) in [(0, "addresses.number * 2"), (1, "addresses.number * 2 + 1")] {
        let read = format!(
            "SELECT {kind}, address, {FIGURES} FROM addresses CROSS JOIN {figures} AS figures
            ON figures.number = {account} ORDER BY address"
        );
        read_rows(connection, &read, each, |columns| account_of(columns).map(Row::Account))?;
    }
    let own = format!("SELECT number + 1, x'', {FIGURES} FROM {figures} WHERE number < 4 ORDER BY number");
    read_rows(connection, &own, each, |columns| account_of(columns).map(Row::Account))
}

fn read_unpaid(connection: &Connection, tables: LedgerTables, each: &mut dyn FnMut(Row)) -> Result<()> {
    let read = format!("SELECT entry, payer, payee, fee_bps, cost, collected FROM {} ORDER BY entry", tables.unpaid());
    read_rows(connection, &read, each, |columns| unpaid_of(columns).map(Row::Unpaid))
}

fn read_payouts(connection: &Connection, tables: LedgerTables, each: &mut dyn FnMut(Row)) -> Result<()> {
    let read = format!("SELECT number, period, payee, amount, state FROM {} ORDER BY number", tables.payouts());
    read_rows(connection, &read, each, |columns| payout_of(columns).map(Row::Payout))
}

fn read_rows(
    connection: &Connection,
    sql: &str,
    each: &mut dyn FnMut(Row),
    row_of: fn(&mut Columns<'_, '_>) -> Result<Row>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(row_of(&mut Columns::of(row))?);
    }
    Ok(())
}

fn address_of(columns: &mut Columns<'_, '_>) -> Result<Account> {
    columns.account()?.ok_or_else(|| columns.invalid("an account"))
}

fn account_of(columns: &mut Columns<'_, '_>) -> Result<AccountRow> {
    let (kind, address): (u8, Vec<u8>) = (columns.get()?, columns.get()?);
    let address = <[u8; 20]>::try_from(address).ok().map(Account::new);
    let account = match (kind, address) {
        (0, Some(account)) => LedgerAccount::Payer(account),
        (1, Some(account)) => LedgerAccount::Payee(account),
        (2, None) => LedgerAccount::Received,
        (3, None) => LedgerAccount::PaidOut,
        (4, None) => LedgerAccount::Fee,
        _ => return Err(columns.invalid("an account of the ledger")),
    };
    Ok(AccountRow { account, figures: figures_of(columns)? })
}

fn figures_of(columns: &mut Columns<'_, '_>) -> Result<AccountFigures> {
    let mut amount = || columns.amount();
    let (received, sent, metered, collected, limit): (Amount, _, _, _, _) =
        (amount()?, amount()?, amount()?, amount()?, amount()?);
    Ok(AccountFigures { received, sent, metered, collected, limit })
}

fn unpaid_of(columns: &mut Columns<'_, '_>) -> Result<UnpaidRow> {
    Ok(UnpaidRow {
        entry: columns.number()?,
        payer: address_of(columns)?,
        payee: address_of(columns)?,
        fee_bps: columns.get()?,
        cost: columns.amount()?,
        collected: columns.amount()?,
    })
}

fn payout_of(columns: &mut Columns<'_, '_>) -> Result<PayoutRow> {
    let (number, period, payee) = (columns.number()?, columns.number()?, address_of(columns)?);
    let amount = columns.amount()?;
    let state = match columns.get::<u8>()? {
        0 => PayoutState::Due,
        1 => PayoutState::Paid,
        2 => PayoutState::Bounced,
        _ => return Err(columns.invalid("the state of a payout")),
    };
    Ok(PayoutRow { number, period, payee, amount, state })
}
