//! The version of the schema in which a billing period changes fewer pages of the database, and how a database of the one before gets
//! it.

use rusqlite::{Connection, Result};
use vipnode_pool_core::{AddressBlock, HostTimeRow, TimesRow};
use vipnode_types::NodeId;

use super::{
    columns::Columns,
    entry_chain,
    times_table::{self, TIME, time_of},
};

/// Rows have the numbers of nodes and accounts, and so have leases from their second billing period on, in a table of their own: a row
/// that becomes narrow stays on its page, and leaves it nearly empty. Chains take the place of the indexes of entries by account. Of an account, what
/// each billing period changes is in a table of its own; a sum that is NULL is the same as the metered amount.
pub(super) const TABLES: &str = "
    CREATE TABLE node_ids (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
    INSERT INTO node_ids (id) SELECT client FROM journal UNION SELECT host FROM journal;
    CREATE TABLE addresses (number INTEGER PRIMARY KEY, address BLOB NOT NULL UNIQUE) STRICT;
    INSERT INTO addresses (number, address) SELECT 1 + row_number() OVER (ORDER BY address), address FROM (
        SELECT payer AS address FROM entries UNION SELECT payee FROM entries UNION SELECT payer FROM journal
        UNION SELECT payee FROM journal UNION SELECT address FROM accounts UNION SELECT address FROM openings
    ) WHERE length(address) = 20;

    CREATE TABLE numbered_leases (
        id INTEGER PRIMARY KEY, row INTEGER NOT NULL, client INTEGER NOT NULL, host INTEGER NOT NULL, payee INTEGER,
        payer INTEGER, fee_bps INTEGER NOT NULL, trial INTEGER NOT NULL, price INTEGER NOT NULL, carry INTEGER NOT NULL,
        offered INTEGER NOT NULL,
        client_up INTEGER, client_down INTEGER, host_up INTEGER, host_down INTEGER
    ) STRICT;

    CREATE TABLE new_journal (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        lease INTEGER NOT NULL, row INTEGER NOT NULL, client INTEGER NOT NULL, host INTEGER NOT NULL, payee INTEGER,
        payer INTEGER, fee_bps INTEGER NOT NULL, trial INTEGER NOT NULL, price INTEGER NOT NULL, carry INTEGER NOT NULL,
        offered INTEGER NOT NULL,
        client_up INTEGER, client_down INTEGER, host_up INTEGER, host_down INTEGER,
        client_from INTEGER, client_to INTEGER, host_from INTEGER, host_to INTEGER,
        billed_ms INTEGER NOT NULL, cost BLOB NOT NULL, ended INTEGER NOT NULL,
        earlier_rows INTEGER NOT NULL, earlier_billed_ms INTEGER NOT NULL, earlier_cost BLOB NOT NULL,
        folded INTEGER NOT NULL DEFAULT 0,
        UNIQUE (row, lease)
    ) STRICT;
    INSERT INTO new_journal SELECT position, lease, row, (SELECT number FROM node_ids WHERE id = client),
        (SELECT number FROM node_ids WHERE id = host), (SELECT number FROM addresses WHERE address = payee),
        (SELECT number FROM addresses WHERE address = payer), fee_bps, trial, price, carry, offered, client_up, client_down,
        host_up, host_down, client_from, client_to, host_from, host_to, billed_ms, cost, ended, earlier_rows,
        earlier_billed_ms, earlier_cost, folded
        FROM journal ORDER BY position;
    DELETE FROM sqlite_sequence WHERE name = 'new_journal';
    INSERT INTO sqlite_sequence (name, seq) SELECT 'new_journal', seq FROM sqlite_sequence WHERE name = 'journal';
    DROP TABLE journal;
    ALTER TABLE new_journal RENAME TO journal;

    CREATE TABLE new_entries (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, payer INTEGER, payee INTEGER,
        amount BLOB NOT NULL, subject INTEGER, lease_row INTEGER, meter BLOB, collected BLOB, fee BLOB, by_user INTEGER,
        reason TEXT, key TEXT, folded BLOB
    ) STRICT;
    INSERT INTO new_entries SELECT number, at, kind, (SELECT addresses.number FROM addresses WHERE address = payer),
        (SELECT addresses.number FROM addresses WHERE address = payee), amount, subject, lease_row, meter, collected, fee,
        by_user, reason, key, folded
        FROM entries ORDER BY number;
    DROP TABLE entries;
    ALTER TABLE new_entries RENAME TO entries;
    CREATE INDEX entries_by_key ON entries (key) WHERE key IS NOT NULL;
    CREATE INDEX entries_of_periods ON entries (number) WHERE kind = 'period';
    CREATE INDEX entries_of_overbilled ON entries (subject) WHERE kind = 'overbilled';
    CREATE TABLE entry_links (
        number INTEGER PRIMARY KEY, payer_before INTEGER, payer_jump INTEGER, payee_before INTEGER, payee_jump INTEGER
    ) STRICT;

    CREATE TABLE account_meters (
        number INTEGER PRIMARY KEY, metered BLOB NOT NULL, entries INTEGER NOT NULL, newest INTEGER
    ) STRICT;
    CREATE TABLE new_accounts (
        number INTEGER PRIMARY KEY, received BLOB NOT NULL, sent BLOB, collected BLOB, credit_limit BLOB NOT NULL
    ) STRICT;
    INSERT INTO account_meters (number, metered, entries)
        SELECT CASE kind WHEN 0 THEN 2 * number WHEN 1 THEN 2 * number + 1 ELSE kind - 1 END, metered, 0
        FROM accounts LEFT JOIN addresses USING (address);
    INSERT INTO new_accounts (number, received, sent, collected, credit_limit)
        SELECT CASE kind WHEN 0 THEN 2 * number WHEN 1 THEN 2 * number + 1 ELSE kind - 1 END, received,
            nullif(sent, metered), nullif(collected, metered), credit_limit
        FROM accounts LEFT JOIN addresses USING (address);
    DROP TABLE accounts;
    ALTER TABLE new_accounts RENAME TO accounts;
    CREATE TABLE new_openings (
        number INTEGER PRIMARY KEY, received BLOB NOT NULL, sent BLOB NOT NULL, metered BLOB NOT NULL,
        collected BLOB NOT NULL, credit_limit BLOB NOT NULL
    ) STRICT;
    INSERT INTO new_openings
        SELECT CASE kind WHEN 0 THEN 2 * number WHEN 1 THEN 2 * number + 1 ELSE kind - 1 END, received, sent, metered,
            collected, credit_limit
        FROM openings LEFT JOIN addresses USING (address);
    DROP TABLE openings;
    ALTER TABLE new_openings RENAME TO openings;

    ALTER TABLE times RENAME TO old_times;
    CREATE TABLE times (
        number INTEGER PRIMARY KEY, client BLOB NOT NULL UNIQUE, block INTEGER, others BLOB NOT NULL
    ) STRICT;
    CREATE TABLE host_times (
        number INTEGER PRIMARY KEY, client INTEGER NOT NULL, place INTEGER NOT NULL, host ANY NOT NULL, block INTEGER,
        time BLOB NOT NULL, UNIQUE (client, place)
    ) STRICT;
";

/// A host in the version before: its id, whether it has a block, the block, its time.
const HOST: usize = 64 + 1 + 8 + TIME;

/// Fills the tables that SQL cannot compute.
pub(super) fn fill(connection: &Connection) -> Result<()> {
    entry_chain::rebuild(connection)?;
    let mut statement = connection.prepare("SELECT client, block, others, hosts FROM old_times ORDER BY client")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        times_table::write(connection, &times_of(&mut Columns::of(row))?)?;
    }
    drop(rows);
    drop(statement);
    connection.execute_batch("DROP TABLE old_times")
}

fn times_of(columns: &mut Columns<'_, '_>) -> Result<TimesRow> {
    let (client, block) = (columns.id()?, columns.block()?);
    let others = time_of(&columns.get::<[u8; TIME]>()?).ok_or_else(|| columns.invalid("a time"))?;
    let list: Vec<u8> = columns.get()?;
    let (hosts, []) = list.as_chunks::<HOST>() else { return Err(columns.invalid("a cut list of hosts")) };
    let hosts: Option<Vec<HostTimeRow>> = hosts.iter().map(host_of).collect();
    let hosts = hosts.ok_or_else(|| columns.invalid("a time with a host"))?;
    Ok(TimesRow { client, block, others, hosts })
}

fn host_of(bytes: &[u8; HOST]) -> Option<HostTimeRow> {
    let (host, rest) = bytes.split_first_chunk::<64>()?;
    let ([has_block, block @ ..], time) = rest.split_first_chunk::<9>()?;
    let block = (*has_block == 1).then(|| AddressBlock::from_bits(u64::from_be_bytes(*block)));
    Some(HostTimeRow { host: NodeId::new(*host), block, time: time_of(time)? })
}
