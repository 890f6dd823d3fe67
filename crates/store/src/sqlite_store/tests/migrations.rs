//! Databases of an earlier version of the schema.

use proptest::{collection::vec, prelude::*};
use rusqlite::Connection;

use super::*;
use crate::conformance::{any_row, entries_of, journal_of};

/// The version before this one.
const BEFORE: usize = schema::NEWEST - 1;

/// Copies the tables that this version changed from a database of it, which is attached as `new`, into one of the version before.
const CHANGED: &str = "
    INSERT INTO leases SELECT * FROM new.leases;
    INSERT INTO leases
        SELECT id, row, (SELECT id FROM new.node_ids WHERE number = client),
            (SELECT id FROM new.node_ids WHERE number = host), (SELECT address FROM new.addresses WHERE number = payee),
            (SELECT address FROM new.addresses WHERE number = payer), fee_bps, trial, price, carry, offered, client_up,
            client_down, host_up, host_down FROM new.numbered_leases;
    INSERT INTO journal
        SELECT position, lease, row, (SELECT id FROM new.node_ids WHERE number = client),
            (SELECT id FROM new.node_ids WHERE number = host), (SELECT address FROM new.addresses WHERE number = payee),
            (SELECT address FROM new.addresses WHERE number = payer), fee_bps, trial, price, carry, offered, client_up,
            client_down, host_up, host_down, client_from, client_to, host_from, host_to, billed_ms, cost, ended, earlier_rows,
            earlier_billed_ms, earlier_cost, folded FROM new.journal;
    DELETE FROM sqlite_sequence;
    INSERT INTO sqlite_sequence SELECT * FROM new.sqlite_sequence;
    INSERT INTO entries
        SELECT number, at, kind, (SELECT address FROM new.addresses AS of WHERE of.number = payer),
            (SELECT address FROM new.addresses AS of WHERE of.number = payee), amount, subject, lease_row, meter, collected,
            fee, by_user, reason, key, folded FROM new.entries;
    INSERT INTO accounts
        SELECT iif(number < 4, number + 1, number % 2),
            coalesce((SELECT address FROM new.addresses AS of WHERE of.number = accounts.number / 2), x''), received,
            coalesce(sent, metered), metered, coalesce(collected, metered), credit_limit
        FROM new.accounts AS accounts JOIN new.account_meters USING (number);
    INSERT INTO openings
        SELECT iif(number < 4, number + 1, number % 2),
            coalesce((SELECT address FROM new.addresses AS of WHERE of.number = openings.number / 2), x''), received, sent,
            metered, collected, credit_limit FROM new.openings AS openings;
    INSERT INTO times
        SELECT client, block, others, coalesce((
            SELECT unhex(group_concat(
                hex(coalesce((SELECT id FROM new.node_ids WHERE number = host), host))
                || iif(block IS NULL, '00', '01') || printf('%016X', coalesce(block, 0)) || hex(time), '' ORDER BY place))
            FROM new.host_times AS hosts WHERE hosts.client = times.number), x'')
        FROM new.times AS times;";

/// Copies the database of a directory into a new one of the version before.
fn version_before(dir: &Path, to: &Path) {
    const SAME: &str = "
        SELECT old.name FROM sqlite_schema AS old JOIN new.sqlite_schema AS new USING (name, sql) WHERE old.type = 'table'";
    let mut old = Connection::open(to).unwrap();
    schema::migrate_to(&mut old, 0, BEFORE).unwrap();
    old.execute("ATTACH ?1 AS new", [dir.join(DATABASE).to_str().unwrap()]).unwrap();
    let mut same = old.prepare(SAME).unwrap();
    let same: Vec<String> = same.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(same.len() >= 12, "{same:?}");
    for table in same.iter().filter(|table| !["leases", "sqlite_sequence"].contains(&table.as_str())) {
        old.execute_batch(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM new.{table}")).unwrap();
    }
    old.execute_batch(CHANGED).unwrap();
}

fn content(store: &mut SqliteStore) -> (Vec<Row>, Vec<MeteredPeriod>, Vec<LedgerEntry>) {
    (rows(store), journal_of(store), entries_of(store))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// A start converts it, and so does a restore. Nothing is lost, and a check finds what it found before.
    #[test]
    fn a_database_of_the_version_before_is_converted(batches in vec(vec(any_row(), 0..8), 0..12)) {
        let root = tempdir().unwrap();
        let (dir, old, backup) = (root.path().join("new"), root.path().join("old"), root.path().join("backup.db"));
        let mut store = open(&dir);
        for batch in &batches {
            // A batch that conflicts with an earlier one changes nothing.
            let _conflict = store.apply(batch);
        }
        // The clock of a restore is real.
        store.apply(&[Row::Clock(Ms::new(9_000))]).unwrap();
        let expected = content(&mut store);
        let problems = reader(&dir).unwrap().check().unwrap().problems;
        version_before(&dir, &backup);
        std::fs::create_dir(&old).unwrap();
        std::fs::copy(&backup, old.join(DATABASE)).unwrap();
        std::fs::copy(dir.join(acknowledged::FILE), old.join(acknowledged::FILE)).unwrap();

        let older = |file: &Path| StoreError::OlderSchema { file: file.to_owned(), found: BEFORE, newest: schema::NEWEST };
        prop_assert_eq!(reader(&old).unwrap_err(), older(&old.join(DATABASE)));
        prop_assert_eq!(SqliteReader::open_backup(&backup).unwrap_err(), older(&backup));
        let mut store = open(&old);
        prop_assert_eq!(&content(&mut store), &expected);
        prop_assert_eq!(reader(&old).unwrap().check().unwrap().problems, problems);
        drop(store);
        prop_assert_eq!(&content(&mut open(&old)), &expected);

        let restored = root.path().join("restored");
        RestoredDatabase::restore(&restored, &backup, &crate::RestoreChoice::default()).unwrap();
        let (_, journal, entries) = content(&mut open(&restored));
        prop_assert_eq!((journal, entries), (expected.1, expected.2));
    }
}

#[test]
fn positions_of_the_journal_go_on_after_those_that_were_pruned() {
    let root = tempdir().unwrap();
    let (dir, old) = (root.path().join("new"), root.path().join("old"));
    let mut store = open(&dir);
    let period = |lease| Row::Metered(Box::new(conformance::metered(lease, 0, 5)));
    store.apply(&[Row::Clock(Ms::new(9_000)), period(1), period(2)]).unwrap();
    store.connection.execute("DELETE FROM journal", []).unwrap();
    std::fs::create_dir(&old).unwrap();
    version_before(&dir, &old.join(DATABASE));
    let mut store = open(&old);
    store.apply(&[period(3)]).unwrap();
    let mut positions = Vec::new();
    store.metered(0, 9, &mut |position, _| positions.push(position)).unwrap();
    assert_eq!(positions, [3]);
}
