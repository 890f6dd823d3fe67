//! What running leases write to the disk: once a day, each finishes a billing period and begins the next one.

use std::{io, path::Path};

use vipnode_pool_core::{
    AccountFigures, AccountRow, HostTimeRow, LeaseRow, LedgerAccount, LedgerEntry, MergedPeriods, MeteredPeriod,
    PairWeek, Row, TimesRow, Transaction,
};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{Account, Amount, LeaseId, Ms, Price, meter::Seen};

use super::{
    machine::{self, written_bytes},
    measurement::Measurement,
    store_commits::id,
};

/// Running leases, each of one of the payers and with a host of one of the payees.
const LEASES: u64 = 20_480;
const PAYERS: u64 = 5_120;
const PAYEES: u64 = 500;
/// Leases of each payer, whose billing periods end at different hours. The payers of leases that began together became known
/// together for the first of them, and are in no order for the others.
const OF_PAYER: usize = 4;
const ORDERS: [u64; OF_PAYER] = [1, 1_999, 2_887, 4_001];
/// Leases whose billing periods end together: those of an hour.
const GROUP: u64 = LEASES.div_ceil(24);
/// Days before those that are measured.
const DAYS_BEFORE: u64 = 4;
/// Days that are measured. The log is copied into the database several times meanwhile.
const DAYS: u64 = 4;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Measures in directories of the system's temporary directory.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    for (is_paid, kind) in [(false, "free"), (true, "paid")] {
        let bytes = measure(machine::temporary_dir()?.path(), is_paid)?;
        let parties = if is_paid { format!(" of {PAYERS} payers with {PAYEES} payees") } else { String::new() };
        figures.push(Measurement {
            bench: "store",
            what: format!(
                "written to disk per running {kind} lease and day: a finished period and a new one, \
                 {LEASES} leases{parties}"
            ),
            figure: format!("{bytes} bytes"),
            floor: String::new(),
            ratio: String::new(),
            target: "<= 1024 bytes".to_owned(),
            reached: Some(bytes <= 1_024),
        });
    }
    Ok(())
}

/// Returns the bytes that are written for a lease a day.
fn measure(dir: &Path, is_paid: bool) -> io::Result<u64> {
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    let mut before = 0;
    for day in 0..=DAYS_BEFORE + DAYS {
        if day == DAYS_BEFORE + 1 {
            before = written_bytes(std::process::id())?;
        }
        for first in (0..LEASES).step_by(usize::try_from(GROUP).unwrap_or(usize::MAX)) {
            let group = first..(first + GROUP).min(LEASES);
            let rows: Vec<Row> = group.flat_map(|number| rollover(number, day, is_paid)).collect();
            store.apply(&rows).map_err(io::Error::other)?;
        }
    }
    Ok((written_bytes(std::process::id())? - before) / (LEASES * DAYS))
}

/// The rows of a lease that begins, and from the next day on, of one whose period ends.
fn rollover(number: u64, day: u64, is_paid: bool) -> Vec<Row> {
    let lease = |day| Row::Lease(Box::new(lease(number, day, is_paid)));
    let Some(ended) = day.checked_sub(1) else { return vec![lease(0)] };
    let period = period(number, ended, is_paid);
    let mut rows = Vec::new();
    if is_paid {
        rows.extend(posted(number, ended, &period));
        rows.push(Row::Times(Box::new(times(number, day))));
    }
    rows.extend([Row::Metered(Box::new(period)), lease(day)]);
    rows
}

fn lease(number: u64, row: u64, is_paid: bool) -> LeaseRow {
    let seen = Some((began(number, row), None));
    LeaseRow {
        id: LeaseId::new(number + 1),
        row: u32::try_from(row).unwrap_or(u32::MAX),
        client: id(payer(number)),
        host: id(PAYERS + payee(number)),
        payee: is_paid.then(|| account(PAYERS + payee(number))),
        payer: is_paid.then(|| account(payer(number))),
        fee_bps: 200,
        trial: false,
        price: Price::per_minute(60_000),
        carry: 0,
        offered: began(number, 0),
        client_seen: seen,
        host_seen: seen,
    }
}

fn period(number: u64, day: u64, is_paid: bool) -> MeteredPeriod {
    let seen = Some(Seen { up: began(number, day), end: began(number, day + 1) });
    MeteredPeriod {
        lease: lease(number, day, is_paid),
        client: seen,
        host: seen,
        billed_ms: DAY_MS,
        cost: Price::per_minute(60_000).cost(DAY_MS).unwrap_or_default(),
        ended: began(number, day + 1),
        earlier: MergedPeriods::default(),
        folded: 0,
    }
}

/// The entry that bills a period, and the sums of the accounts that it changes.
fn posted(number: u64, day: u64, period: &MeteredPeriod) -> Vec<Row> {
    let (payer, payee, cost) = (account(payer(number)), account(PAYERS + payee(number)), period.cost);
    let times = |times: u64| Amount::new(cost.get() * u128::from(times));
    // What each paid before: on each day, all its leases in the order of their numbers.
    let nth = day * (LEASES / PAYERS) + number / PAYERS;
    let (from, metered) = (times(nth), times(nth + 1));
    let (lease, row, fee) = (period.lease.id, period.lease.row, Amount::new(cost.get() / 50));
    let transaction = Transaction::Lease { payer, payee, lease, row, from, cost, collected: cost, fee };
    let entry = LedgerEntry { number: day * LEASES + number + 1, at: period.ended, transaction };
    let limit = Amount::ZERO;
    let figures = |received, sent| AccountFigures { received, sent, metered, collected: metered, limit };
    vec![
        Row::Entry(Box::new(entry)),
        Row::Account(AccountRow {
            account: LedgerAccount::Payer(payer),
            figures: figures(Amount::new(1 << 60), metered),
        }),
        Row::Account(AccountRow {
            account: LedgerAccount::Payee(payee),
            figures: AccountFigures { received: metered, ..AccountFigures::default() },
        }),
        Row::Account(AccountRow {
            account: LedgerAccount::Fee,
            figures: AccountFigures { received: metered, ..AccountFigures::default() },
        }),
    ]
}

/// The time that the client of a lease spent with its hosts, after the rollover of the lease on a day.
fn times(number: u64, day: u64) -> TimesRow {
    let (client, own) = (payer(number), number / PAYERS);
    let time = |nth: u64| {
        let day = u32::try_from(day + u64::from(nth <= own)).unwrap_or(u32::MAX);
        let billed_ms = [day.saturating_mul(1_000_000); 7];
        PairWeek { day, unpaired_ms: 0, counted_ms: 0, block_ms: 0, billed_ms }
    };
    let host = |nth| HostTimeRow { host: id(PAYERS + payee_of(client, nth)), block: None, time: time(nth) };
    // A host is known once the first period with it has ended.
    let hosts = (0..LEASES / PAYERS).filter(|nth| day > 1 || *nth <= own).map(host).collect();
    TimesRow { client: id(client), block: None, others: PairWeek::default(), hosts }
}

/// Each lease began at another time of an hour.
fn began(number: u64, day: u64) -> Ms {
    Ms::new(1_700_000_000_000 + day * DAY_MS + number * 175)
}

/// Who pays for a lease.
fn payer(number: u64) -> u64 {
    let order = usize::try_from(number / PAYERS).ok().and_then(|nth| ORDERS.get(nth));
    number % PAYERS * order.unwrap_or(&1) % PAYERS
}

/// Who is paid for a lease.
fn payee(number: u64) -> u64 {
    payee_of(payer(number), number / PAYERS)
}

/// Who is paid for the nth lease of a payer.
const fn payee_of(payer: u64, nth: u64) -> u64 {
    (payer * 7 + nth * 113) % PAYEES
}

/// Addresses are hashes, in no order.
fn account(number: u64) -> Account {
    let mut bytes = [0; 20];
    let scattered = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    bytes.iter_mut().zip(scattered.iter().cycle()).for_each(|(byte, part)| *byte = *part);
    Account::new(bytes)
}
