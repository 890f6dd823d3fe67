use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use vipnode_agent::{AgentError, state::KeptStatement};
use vipnode_types::{
    Account, Amount, Asset, LeaseId, Ms, NodeId, PoolKey, Price, ShortNodeId, UtcDay,
    wire::{CollectedSums, DailyCollected, DailyLine, DailyStatement, DailySums, SignedDailyStatement},
};

use crate::{
    statement::*,
    tests::{pages, plain},
};

const HOST: NodeId = NodeId::new([0x1f; 64]);
const URL: &str = "wss://pool.example/";

fn key() -> PoolKey {
    PoolKey::from_random([6; 32]).unwrap()
}

fn day() -> UtcDay {
    "2026-11-29".parse().unwrap()
}

fn line(entry: u64, from: u128) -> DailyLine {
    let asset = Asset::new("USDC", 6).unwrap();
    let units = |units: u128| Amount::new(units);
    DailyLine {
        entry,
        lease: LeaseId::new(1_795_000_000_000_001),
        row: 2,
        counterpart: ShortNodeId::of(&NodeId::new([0x2e; 64])),
        first_ms: Some(Ms::new(1_795_900_000_000)),
        last_ms: Some(Ms::new(1_795_986_400_000)),
        billed_ms: 86_400_000,
        merged: 0,
        price: Price::new(asset, units(500_000), 86_400_000.try_into().unwrap()).unwrap(),
        cost: units(500_000),
        secured: units(400_000),
        fee: units(10_000),
        meter: key().meter_of(&Account::new([9; 20])),
        interval: [units(from), units(from + 500_000)],
    }
}

/// The pages of a day with a line each.
fn signed(day: UtcDay, lines: &[DailyLine]) -> Vec<SignedDailyStatement> {
    let day_sums = DailySums::of(lines).unwrap();
    let pages = u32::try_from(lines.len()).unwrap().max(1);
    let (pool, host, asset) = (key().id(), HOST, Asset::new("USDC", 6).unwrap());
    let page = |(page, lines): (u32, &[DailyLine])| {
        let lines = lines.to_vec();
        let (incarnation, day_collected, collected) = (0, CollectedSums::default(), Vec::new());
        DailyStatement { pool, incarnation, host, day, asset, page, pages, day_sums, day_collected, lines, collected }
            .sign(&key())
    };
    if lines.is_empty() { vec![page((1, lines))] } else { (1..).zip(lines.chunks(1)).map(page).collect() }
}

fn checked(day: UtcDay, pages: Vec<SignedDailyStatement>) -> CheckedDay {
    let file = PathBuf::from(format!("/home/ana/.local/state/vipnode/{}/statements/{day}-0a1b2c3d.json", HOST.short()));
    CheckedDay::of(day, &HOST.short(), file, Ok(&KeptStatement { url: URL.to_owned(), pages }))
}

fn problem(pages: Vec<SignedDailyStatement>) -> String {
    checked(day(), pages).problem.unwrap_or_default()
}

#[test]
fn snapshot_of_daily_statements() {
    let lines = [line(7, 0), line(9, 500_000)];
    let mut forged = signed(day(), &lines);
    forged[1].statement.lines[0].cost = Amount::new(1);
    let mut part = signed(day().minus_days(1), &lines);
    part.truncate(1);
    let unreadable = AgentError::Damaged { path: PathBuf::from("/state/x.json"), why: "it is not JSON".to_owned() };
    let days = [
        CheckedDay::of(day().minus_days(3), &HOST.short(), PathBuf::from("/state/x.json"), Err(&unreadable)),
        checked(day().minus_days(2), signed(day().minus_days(2), &[])),
        checked(day().minus_days(1), part),
        checked(day(), forged),
    ];
    let mut overlaps = MeterOverlaps::default();
    signed(day(), &[line(7, 0), line(9, 1)]).iter().for_each(|page| overlaps.add(&page.statement));
    let overlaps = overlaps.found();
    let statements: Vec<DailyStatement> = signed(day(), &lines).into_iter().map(|page| page.statement).collect();
    let root = Path::new("/home/ana/.local/state/vipnode");
    let shown = pages(|width| {
        let all = [
            daily_page(root, &days, &overlaps, width),
            daily_page(root, &days[1..3], &[], width),
            daily_lines_page(&statements, width),
            daily_page(root, &[], &[], width),
        ];
        all.map(|page| plain(&page.to_string())).join("\n---\n")
    });
    assert_snapshot!("daily_statements", shown);
}

/// The files are on a machine that others may write to, and the pool can sign anything.
#[test]
fn what_is_wrong_with_a_statement_is_found() {
    let whole = || signed(day(), &[line(7, 0), line(9, 500_000)]);
    assert_eq!(problem(whole()), "");
    assert_eq!(problem(whole()[..1].to_vec()), "", "a page is missing");
    assert_eq!(problem(Vec::new()), "the file has no pages");
    let mut swapped = whole();
    swapped.swap(0, 1);
    assert_eq!(problem(swapped), "page 1: it is not the next page of this statement");
    let other = signed(day(), &[line(7, 0), line(9, 500_000), line(11, 1_000_000)]);
    assert_eq!(
        problem(vec![whole()[0].clone(), other[1].clone()]),
        "page 2: it is not the next page of this statement"
    );
    assert_eq!(problem(signed(day().minus_days(1), &[])), "page 1: it is for a different day or node");
    let mut forged = whole();
    forged[1].statement.lines[0].fee = Amount::ZERO;
    assert_eq!(problem(forged), "page 2: the pool's signature does not match");
    let resigned = |change: fn(&mut DailyStatement)| {
        let statements = whole().into_iter().map(|page| page.statement);
        let changed = statements.map(|mut statement| {
            change(&mut statement);
            statement.sign(&key())
        });
        problem(changed.collect())
    };
    assert_eq!(resigned(|page| page.lines[0].fee = Amount::MAX), "page 1: the amounts of a line do not fit together");
    assert_eq!(resigned(|page| page.day_sums.cost = Amount::new(9_000_000)), "the lines of its pages do not add up");
}

#[test]
fn funds_that_were_billed_twice_are_found() {
    let overlaps = |statements: &[&[&DailyLine]]| {
        let mut overlaps = MeterOverlaps::default();
        for lines in statements {
            let lines: Vec<DailyLine> = lines.iter().copied().cloned().collect();
            signed(day(), &lines).iter().for_each(|page| overlaps.add(&page.statement));
        }
        overlaps.found().len()
    };
    let (one, next, same) = (line(7, 0), line(8, 500_000), line(9, 499_999));
    assert_eq!(overlaps(&[&[&one, &next], &[&one]]), 0, "two URLs of one pool");
    assert_eq!(overlaps(&[&[&one], &[&same]]), 1);
    assert_eq!(overlaps(&[&[&same], &[&next, &one]]), 2, "in any order");
    let other = DailyLine { meter: key().meter_of(&Account::new([8; 20])), ..same };
    assert_eq!(overlaps(&[&[&one], &[&other]]), 0, "another payer");
}

#[test]
fn what_was_collected_later_is_shown_with_the_entry_of_its_period() {
    let day = "2026-11-29".parse().unwrap();
    let mut page = signed(day, &[]).remove(0).statement;
    let payment = DailyCollected {
        entry: 4_720,
        period: 4_711,
        lease: LeaseId::new(1_795_000_000_000_001),
        row: 2,
        amount: Amount::new(100_000),
        fee: Amount::new(1_000),
        meter: key().meter_of(&Account::new([9; 20])),
    };
    (page.day_collected, page.collected) = (CollectedSums::of([&payment]).unwrap(), vec![payment]);
    let shown = daily_lines_page(std::slice::from_ref(&page), 200).to_string();
    for text in ["4720", "entry 4711", "0.1 USDC", "0.001 USDC"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
}
