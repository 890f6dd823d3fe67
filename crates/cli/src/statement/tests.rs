mod daily;

use insta::assert_snapshot;
use vipnode_types::{
    Amount, Asset, LeaseId, Ms, Price, SignedAmount,
    wire::{LeasePeriod, Statement, StatementBalances, StatementCursor, StatementKind, StatementLine, StatementSide},
};

use super::*;
use crate::tests::{pages, plain};

const NOW: Ms = Ms::new(1_795_000_000_000);

fn minus(units: u128) -> SignedAmount {
    SignedAmount::difference(Amount::ZERO, Amount::new(units))
}

fn line(entry: u64, side: StatementSide, kind: StatementKind, change: SignedAmount) -> StatementLine {
    StatementLine {
        entry,
        at_ms: NOW.plus(entry * 1_000),
        side,
        kind,
        change,
        fee: Amount::ZERO,
        secured: Amount::ZERO,
        limit: None,
        reason: None,
        payout: None,
        secures: None,
        lease: None,
    }
}

fn statement() -> Statement {
    let asset = Asset::new("USDC", 6).unwrap();
    let price = Price::new(asset, Amount::new(500_000), 86_400_000.try_into().unwrap()).unwrap();
    let lease = |merged| LeasePeriod {
        lease: LeaseId::new(7),
        row: 2,
        node: "1f1f1f1f".to_owned(),
        counterpart: "2e2e2e2e".to_owned(),
        first_ms: Some(NOW.minus(86_400_000)),
        last_ms: Some(NOW),
        billed_ms: 86_400_000,
        merged,
        price,
        trial: false,
        cost: Amount::new(500_000),
        interval: [Amount::new(1_000_000), Amount::new(1_500_000)],
    };
    let (payer, host) = (StatementSide::Payer, StatementSide::Host);
    let lines = vec![
        StatementLine {
            reason: Some("=SUM(A1), \"bank\"".to_owned()),
            ..line(4, payer, StatementKind::Credit, minus(10_000_000).negated())
        },
        StatementLine {
            lease: Some(LeasePeriod {
                price: Price::free(asset),
                trial: true,
                cost: Amount::ZERO,
                interval: [Amount::new(1_000_000); 2],
                ..lease(0)
            }),
            ..line(4, payer, StatementKind::Lease, minus(0))
        },
        StatementLine {
            secured: Amount::new(500_000),
            lease: Some(lease(0)),
            ..line(5, payer, StatementKind::Lease, minus(500_000))
        },
        StatementLine {
            fee: Amount::new(5_000),
            secured: Amount::new(100_000),
            lease: Some(lease(3)),
            ..line(6, host, StatementKind::Lease, minus(495_000).negated())
        },
        StatementLine {
            fee: Amount::new(20_000),
            secured: Amount::new(400_000),
            secures: Some(6),
            ..line(7, host, StatementKind::Secured, minus(20_000))
        },
        StatementLine {
            payout: Some(3),
            reason: Some("-wire".to_owned()),
            ..line(8, host, StatementKind::Paid, minus(475_000))
        },
        StatementLine { limit: Some(Amount::new(5_000_000)), ..line(9, payer, StatementKind::Limit, minus(0)) },
        StatementLine {
            secures: Some(6),
            reason: Some("about 0.4 USDC is for time that did not pass".to_owned()),
            ..line(10, host, StatementKind::Overbilled, minus(0))
        },
    ];
    let closing = StatementBalances { payer: minus(9_400_000).negated(), host: minus(0) };
    let opening = StatementBalances { payer: minus(100_000), host: minus(0) };
    Statement { asset, batch: 4_711, opening: Some(opening), lines, closing: Some(closing), next: None }
}

#[test]
fn snapshot_of_a_statement() {
    let of = "account 0x5A5a5A5A5a5A5a5A5A5a5a5a5A5a5A5A5A5A5A5A at wss://pool.example";
    let empty = Statement { lines: Vec::new(), opening: None, closing: None, ..statement() };
    let shown = pages(|width| {
        let both = [statement_page(of, &statement(), true, width), statement_page(of, &empty, false, width)];
        both.map(|page| plain(&page.to_string())).join("\n---\n")
    });
    assert_snapshot!("statement", shown);
}

/// However the statement is cut into pages, its file is the same, and each balance follows from the one before.
#[test]
fn snapshot_of_the_file_for_a_spreadsheet() {
    let whole = statement();
    let text = StatementCsv::default().page(&whole);
    let (mut first, mut second) = (whole.clone(), whole);
    second.lines = first.lines.split_off(2);
    first.next = Some(StatementCursor { entry: 5, balances: None, folds: 0 });
    let mut csv = StatementCsv::default();
    assert_eq!(csv.page(&first) + &csv.page(&second), text);
    for row in text.lines() {
        // The quoted reason has a comma of its own.
        let commas = row.matches(',').count() - usize::from(row.contains("SUM"));
        assert_eq!(commas, 24, "{row}");
    }
    assert_snapshot!("statement_csv", text.replace('\r', ""));
}

/// A pool can answer anything, also pages without end.
#[test]
fn pages_that_do_not_follow_from_each_other_are_refused() {
    let cursor = |entry: u64| Some(StatementCursor { entry, balances: None, folds: 0 });
    let page = |entry| Statement { next: cursor(entry), ..statement() };
    let empty = |entry| Statement { opening: statement().closing, lines: Vec::new(), ..page(entry) };
    let check = |pages: &[Statement]| {
        let mut check = PageCheck::default();
        pages.iter().try_for_each(|page| check.check(page)).map_err(|error| error.to_string())
    };
    assert_eq!(check(&[page(9), empty(10), Statement { next: None, ..empty(0) }]), Ok(()));
    for entry in [8, 9] {
        let stuck = Err("the pool's statement does not advance".to_owned());
        assert_eq!(check(&[page(9), empty(entry)]), stuck, "{entry}");
    }
    let sums = |page: u32| Err(format!("page {page} of the pool's statement does not add up"));
    assert_eq!(check(&[page(9), page(10)]), sums(2), "it opens with other balances");
    let other = Statement { asset: Asset::ETHER, ..empty(10) };
    assert_eq!(check(&[page(9), other]), sums(2), "it is in another asset");
    let fewer = Statement { lines: statement().lines.split_off(1), ..page(9) };
    let largest = line(4, StatementSide::Payer, StatementKind::Credit, minus(u128::MAX).negated());
    let beyond = Statement { lines: vec![largest.clone(), largest], ..page(9) };
    for wrong in [fewer, beyond, Statement { opening: None, ..page(9) }, Statement { closing: None, ..page(9) }] {
        assert_eq!(check(&[wrong]), sums(1));
    }
    let (mut check, mut page) = (PageCheck::default(), empty(0));
    for entry in 1..u64::from(PageCheck::MOST) {
        page.next = cursor(entry);
        check.check(&page).unwrap();
    }
    page.next = cursor(u64::MAX);
    assert_eq!(check.check(&page).unwrap_err().to_string(), "the pool's statement has more than 100000 pages");
}

/// The lines that this release knows still have to add up.
#[test]
fn snapshot_of_a_statement_of_a_newer_pool() {
    let (payer, unknown) = (StatementSide::Payer, StatementKind::Unknown);
    let mut newer = statement();
    newer.lines = vec![
        line(4, payer, unknown, minus(250_000)),
        line(5, StatementSide::Unknown, unknown, minus(7_000_000)),
        line(6, StatementSide::Unknown, StatementKind::Credit, minus(1)),
    ];
    newer.closing = newer.opening.map(|opening| StatementBalances { payer: minus(350_000), ..opening });
    assert!(PageCheck::default().check(&newer).is_ok());
    let mut wrong = newer.clone();
    wrong.lines[0].change = minus(250_001);
    assert!(PageCheck::default().check(&wrong).is_err());
    let shown = pages(|width| plain(&statement_page("account 0x5a", &newer, false, width).to_string()));
    let csv = StatementCsv::default().page(&newer).replace('\r', "");
    assert_snapshot!("statement_of_a_newer_pool", format!("{shown}\n---\n{csv}"));
}
