//! The tables, and how those of an older version become those of this one.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{epoch_table, narrow_tables, sqlite_error::store_error};
use crate::StoreError;

/// `application_id` of a pool's database: "vipn".
const APPLICATION: i32 = 0x7669_706e;

/// Makes the schema of one version that of the next.
struct Migration {
    tables: &'static str,
    /// What SQL cannot compute.
    fill: Option<Fill>,
}

/// Fills tables that were just made.
type Fill = fn(&Connection) -> Result<(), rusqlite::Error>;

/// The first one begins with an empty file. A released one never changes.
const MIGRATIONS: &[Migration] = &[
    Migration { tables: VERSION_1, fill: None },
    Migration { tables: epoch_table::VERSION_2, fill: None },
    Migration { tables: narrow_tables::TABLES, fill: Some(narrow_tables::fill) },
];

const VERSION_1: &str = "
    CREATE TABLE pool (
        only INTEGER PRIMARY KEY CHECK (only = 0), seq INTEGER NOT NULL, clock INTEGER, next_lease INTEGER,
        pool_id TEXT, asset_symbol TEXT, asset_decimals INTEGER, payment TEXT, period INTEGER, period_closed INTEGER,
        incarnation INTEGER NOT NULL DEFAULT 0, restored_at INTEGER, restore_settled INTEGER NOT NULL DEFAULT 0,
        pruned_entry INTEGER NOT NULL DEFAULT 0, pruned_period INTEGER NOT NULL DEFAULT 0,
        folds INTEGER NOT NULL DEFAULT 0, folded_entry INTEGER NOT NULL DEFAULT 0,
        set_price INTEGER, set_fee_bps INTEGER, price INTEGER, fee_bps INTEGER, price_announced INTEGER,
        price_since INTEGER, next_price INTEGER, next_fee_bps INTEGER, next_from INTEGER, next_announced INTEGER
    ) STRICT;
    INSERT INTO pool (only, seq) VALUES (0, 0);

    CREATE TABLE prices (
        number INTEGER PRIMARY KEY, symbol TEXT NOT NULL, decimals INTEGER NOT NULL, amount BLOB NOT NULL,
        period_ms INTEGER NOT NULL, UNIQUE (symbol, decimals, amount, period_ms)
    ) STRICT;

    CREATE TABLE nodes (
        number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,
        agent_key BLOB, protocol2 INTEGER NOT NULL, kind TEXT, full INTEGER NOT NULL, issued INTEGER NOT NULL,
        stored_nonce INTEGER, to_drop BLOB, chain_id INTEGER NOT NULL, genesis BLOB NOT NULL,
        enode_port INTEGER, enode_disc_port INTEGER, enode_host ANY, enode_id BLOB,
        payout BLOB, payout_counter INTEGER, payout_changed INTEGER, next_payout BLOB, next_payout_from INTEGER,
        host INTEGER NOT NULL, client INTEGER NOT NULL,
        proven INTEGER NOT NULL, paired BLOB, replaced INTEGER NOT NULL, block INTEGER,
        trial_used INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE last_reports (node INTEGER PRIMARY KEY, seen INTEGER NOT NULL, nonce INTEGER) STRICT;

    CREATE TABLE leases (
        id INTEGER PRIMARY KEY, row INTEGER NOT NULL, client BLOB NOT NULL, host BLOB NOT NULL, payee BLOB,
        payer BLOB, fee_bps INTEGER NOT NULL, trial INTEGER NOT NULL, price INTEGER NOT NULL, carry INTEGER NOT NULL,
        offered INTEGER NOT NULL,
        client_up INTEGER, client_down INTEGER, host_up INTEGER, host_down INTEGER
    ) STRICT;
    CREATE TABLE journal (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        lease INTEGER NOT NULL, row INTEGER NOT NULL, client BLOB NOT NULL, host BLOB NOT NULL, payee BLOB,
        payer BLOB, fee_bps INTEGER NOT NULL, trial INTEGER NOT NULL, price INTEGER NOT NULL, carry INTEGER NOT NULL,
        offered INTEGER NOT NULL,
        client_up INTEGER, client_down INTEGER, host_up INTEGER, host_down INTEGER,
        client_from INTEGER, client_to INTEGER, host_from INTEGER, host_to INTEGER,
        billed_ms INTEGER NOT NULL, cost BLOB NOT NULL, ended INTEGER NOT NULL,
        earlier_rows INTEGER NOT NULL, earlier_billed_ms INTEGER NOT NULL, earlier_cost BLOB NOT NULL,
        folded INTEGER NOT NULL DEFAULT 0,
        UNIQUE (lease, row)
    ) STRICT;
    CREATE TABLE deferred (
        lease INTEGER NOT NULL, row INTEGER NOT NULL, client BLOB NOT NULL, host BLOB NOT NULL, payee BLOB,
        payer BLOB, fee_bps INTEGER NOT NULL, trial INTEGER NOT NULL, price INTEGER NOT NULL, carry INTEGER NOT NULL,
        offered INTEGER NOT NULL,
        client_up INTEGER, client_down INTEGER, host_up INTEGER, host_down INTEGER,
        client_from INTEGER, client_to INTEGER, host_from INTEGER, host_to INTEGER,
        billed_ms INTEGER NOT NULL, cost BLOB NOT NULL, ended INTEGER NOT NULL,
        earlier_rows INTEGER NOT NULL, earlier_billed_ms INTEGER NOT NULL, earlier_cost BLOB NOT NULL,
        PRIMARY KEY (client, host)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE times (client BLOB PRIMARY KEY, block INTEGER, others BLOB NOT NULL, hosts BLOB NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE TABLE delegations (node BLOB PRIMARY KEY, issued INTEGER NOT NULL, block INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;

    CREATE TABLE entries (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, payer BLOB, payee BLOB, amount BLOB NOT NULL,
        subject INTEGER, lease_row INTEGER, meter BLOB, collected BLOB, fee BLOB, by_user INTEGER, reason TEXT, key TEXT,
        folded BLOB
    ) STRICT;
    CREATE INDEX entries_of_payers ON entries (payer, number) WHERE payer IS NOT NULL;
    CREATE INDEX entries_of_payees ON entries (payee, number) WHERE payee IS NOT NULL;
    CREATE INDEX entries_by_key ON entries (key) WHERE key IS NOT NULL;
    CREATE INDEX entries_of_periods ON entries (number) WHERE kind = 'period';
    CREATE INDEX entries_of_overbilled ON entries (subject) WHERE kind = 'overbilled';
    CREATE TABLE accounts (
        kind INTEGER NOT NULL, address BLOB NOT NULL, received BLOB NOT NULL, sent BLOB NOT NULL, metered BLOB NOT NULL,
        collected BLOB NOT NULL, credit_limit BLOB NOT NULL, PRIMARY KEY (kind, address)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE openings (
        kind INTEGER NOT NULL, address BLOB NOT NULL, received BLOB NOT NULL, sent BLOB NOT NULL, metered BLOB NOT NULL,
        collected BLOB NOT NULL, credit_limit BLOB NOT NULL, PRIMARY KEY (kind, address)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE opening_unpaid (
        entry INTEGER PRIMARY KEY, payer BLOB NOT NULL, payee BLOB NOT NULL, fee_bps INTEGER NOT NULL, cost BLOB NOT NULL,
        collected BLOB NOT NULL
    ) STRICT;
    CREATE TABLE opening_payouts (
        number INTEGER PRIMARY KEY, period INTEGER NOT NULL, payee BLOB NOT NULL, amount BLOB NOT NULL, state INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE links (node BLOB PRIMARY KEY, account BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE link_counters (account BLOB PRIMARY KEY, counter INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE unpaid (
        entry INTEGER PRIMARY KEY, payer BLOB NOT NULL, payee BLOB NOT NULL, fee_bps INTEGER NOT NULL, cost BLOB NOT NULL,
        collected BLOB NOT NULL
    ) STRICT;
    CREATE TABLE channels (
        signer BLOB PRIMARY KEY, payer BLOB NOT NULL, receiver BLOB NOT NULL, receiver_authorizer BLOB NOT NULL,
        token BLOB NOT NULL, withdraw_delay INTEGER NOT NULL, salt BLOB NOT NULL, signed BLOB NOT NULL, signature BLOB NOT NULL,
        deposited BLOB NOT NULL, withdrawing BLOB NOT NULL, withdrawable INTEGER NOT NULL, chain_claimed BLOB NOT NULL,
        read INTEGER NOT NULL, metered_before BLOB NOT NULL, claimed_before BLOB NOT NULL, claimed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE payouts (
        number INTEGER PRIMARY KEY, period INTEGER NOT NULL, payee BLOB NOT NULL, amount BLOB NOT NULL, state INTEGER NOT NULL
    ) STRICT;
";

/// The version that this program writes.
pub(super) const NEWEST: usize = MIGRATIONS.len();

/// Returns the version of a database; 0 for an empty file. Changes nothing.
///
/// # Errors
/// [`StoreError::Foreign`] if it is not a pool's, [`StoreError::NewerSchema`] if this version does not know its schema.
pub(super) fn version(connection: &Connection, file: &Path) -> Result<usize, StoreError> {
    let failed = |error| store_error(&error, file);
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).map_err(failed);
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let tables = tables.map_err(failed)?;
    match usize::try_from(version) {
        Ok(0) if application == 0 && tables == 0 => Ok(0),
        Ok(version) if application == APPLICATION && version > NEWEST => {
            Err(StoreError::NewerSchema { file: file.to_owned(), found: version, newest: NEWEST })
        }
        Ok(version @ 1..) if application == APPLICATION => Ok(version),
        _ => Err(StoreError::Foreign { file: file.to_owned() }),
    }
}

/// Checks that a database can be read as it is.
///
/// # Errors
/// [`StoreError::OlderSchema`].
pub(super) fn check_newest(version: usize, file: &Path) -> Result<(), StoreError> {
    if version < NEWEST {
        return Err(StoreError::OlderSchema { file: file.to_owned(), found: version, newest: NEWEST });
    }
    Ok(())
}

/// Returns the number of the newest batch in a database of any version from 1 on.
pub(super) fn seq(connection: &Connection) -> Result<u64, rusqlite::Error> {
    connection.query_row("SELECT seq FROM pool", [], |row| row.get(0)).map(i64::cast_unsigned)
}

/// Brings the database from a version to the newest one, all steps or none.
pub(super) fn migrate(connection: &mut Connection, version: usize) -> Result<(), rusqlite::Error> {
    migrate_to(connection, version, NEWEST)
}

/// Brings the database from a version to a later one, all steps or none.
pub(super) fn migrate_to(connection: &mut Connection, version: usize, to: usize) -> Result<(), rusqlite::Error> {
    let steps = MIGRATIONS.get(version..to).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for Migration { tables, fill } in steps {
        transaction.execute_batch(tables)?;
        fill.map_or(Ok(()), |fill| fill(&transaction))?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", i64::try_from(to).unwrap_or(i64::MAX))?;
    transaction.commit()
}
