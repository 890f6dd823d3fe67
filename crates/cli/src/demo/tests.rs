//! Snapshots of what the demo shows, at 60, 80 and 200 columns.

use std::{path::Path, time::Duration};

use serde_json::json;
use tokio::time::Instant;
use vipnode_types::{Amount, Price, wire::PoolStats};

use super::{
    display::{event, heading},
    roles::DemoRole,
    tables,
    timeline::Timeline,
    wording,
};
use crate::{
    output::{Styled, wrap},
    tests::{pages, plain},
};

const LEASE: u64 = 1_795_902_171_673_000;
const HOSTS: [DemoRole; 2] = DemoRole::HOSTS;
const CLIENTS: [DemoRole; 3] = DemoRole::CLIENTS;

/// A demo in which host A died, and the lines that were shown.
fn demo(start: Instant) -> (Timeline, Vec<Styled>) {
    let named = HOSTS.into_iter().chain(CLIENTS).map(|who| (who.slug(), who));
    let mut timeline = Timeline::new(named.collect(), Price::per_minute(100_000_000_000));
    let mut shown = Vec::new();
    let mut hear = |ms: u64, who: DemoRole, what: serde_json::Value| {
        let entry = timeline.hear(start + Duration::from_millis(ms), who, &what);
        shown.extend(entry.map(|entry| event(Duration::from_millis(ms), who, &entry)));
    };
    hear(12, DemoRole::Pool, json!({"event": "listening", "url": "ws://127.0.0.1:39081"}));
    for (number, host, client, ms) in
        [(0, 0, 0, 500), (1, 1, 1, 510), (2, 0, 2, 520), (3, 1, 0, 5_530), (4, 1, 2, 5_540)]
    {
        let (host, client, lease) = (HOSTS[host], CLIENTS[client], LEASE + number);
        hear(ms, host, json!({"event": "client_admitted", "lease": lease, "peer": client.slug()}));
        hear(ms, client, json!({"event": "host_assigned", "lease": lease, "peer": host.slug()}));
        hear(ms + 27, client, json!({"event": "host_connected", "lease": lease, "peer": host.slug(), "after_ms": 27}));
        hear(ms + 29, host, json!({"event": "client_connected", "lease": lease, "peer": client.slug()}));
        if number == 2 {
            hear(5_529, HOSTS[0], json!({"event": "ended"}));
            hear(5_529, client, json!({"event": "host_lost", "lease": lease, "peer": host.slug()}));
        }
    }
    (timeline, shown)
}

#[test]
fn snapshot_of_the_demo() {
    let start = Instant::now();
    let (timeline, events) = demo(start);
    let now = start + Duration::from_millis(10_599);
    let stats = PoolStats {
        num_metered_leases: 5,
        metered_ms: 25_000,
        metered_cost: Amount::new(41_666_666_666),
        ..PoolStats::default()
    };
    let shown = pages(|width| {
        let mut page = String::new();
        let mut add = |text: &Styled| page += &(plain(&wrap(&text.to_string(), width)) + "\n");
        for geth in [None, Some(Path::new("/usr/local/bin/geth"))] {
            wording::intro(geth).iter().for_each(|text| add(&heading(text)));
        }
        wording::paid_intro(Path::new("/usr/local/bin/anvil")).iter().for_each(|text| add(&heading(text)));
        events.iter().for_each(&mut add);
        add(&heading("3  Both sides report the connection, so the meters are running"));
        add(&tables::meters(&timeline, now).fit(width));
        add(&heading(&wording::summary("simulated")));
        add(&tables::summary(&timeline, now).fit(width));
        add(&tables::pool_sums(&stats).as_str().into());
        add(&heading(&wording::running("ws://127.0.0.1:39081", "http://127.0.0.1:39081")));
        page
    });
    insta::assert_snapshot!("demo", shown);
}

#[test]
fn the_sums_are_those_of_the_rows_that_are_shown() {
    let start = Instant::now();
    let (timeline, _) = demo(start);
    for ms in [10_000, 10_599, 12_345] {
        let table = plain(&tables::summary(&timeline, start + Duration::from_millis(ms)).fit(80).to_string());
        let numbers = |line: &str| -> Vec<u64> {
            let words: Vec<&str> = line.split_whitespace().collect();
            let before = |unit: &str| words[words.iter().position(|word| *word == unit).unwrap() - 1];
            ["s", "gwei"].iter().map(|unit| before(unit).replace('.', "").parse().unwrap()).collect()
        };
        let mut rows: Vec<Vec<u64>> = table.lines().skip(1).map(numbers).collect();
        let sums = rows.pop().unwrap();
        assert_eq!(rows.len(), 5, "{table}");
        for column in 0..2 {
            assert_eq!(rows.iter().map(|row| row[column]).sum::<u64>(), sums[column], "{table}");
        }
    }
}
