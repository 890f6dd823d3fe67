use vipnode_types::{
    Amount, Asset,
    wire::{LeasePeriod, Statement, StatementBalances, StatementKind, StatementLine},
};

use super::{side, what};
use crate::output::{Column, Styled, Table, format::counted};

/// The fewest columns of a note.
const NOTE: usize = 12;

/// A statement as a table, fitted to `width` columns. `more` is whether the pool has further lines.
pub(crate) fn statement_page(of: &str, statement: &Statement, more: bool, width: usize) -> Styled {
    let asset = statement.asset;
    let mut page: Styled = format!("Statement of {of}, as of change {}\n\n", statement.batch).as_str().into();
    let mut balance = |name: &str, balances: Option<StatementBalances>| {
        let Some(StatementBalances { payer, host }) = balances else { return };
        page.push(&format!("{name}: as payer {}, as host {}\n", asset.show_signed(payer), asset.show_signed(host)));
    };
    balance("Opening balance", statement.opening);
    balance(if more { "Balance after these lines" } else { "Closing balance" }, statement.closing);
    page.push("\n");
    if statement.lines.is_empty() {
        page.push("No entries");
        return page.wrapped(width);
    }
    let rows = statement.lines.iter().map(|line| row(asset, line));
    let table = Table::new([
        Column::text("POSTED"),
        Column::number("ENTRY").rank(5),
        Column::text("AS").rank(6),
        Column::text("WHAT"),
        Column::text("WITH").rank(2),
        Column::text("FIRST").rank(9),
        Column::text("LAST").rank(8),
        Column::number("MINUTES").rank(3),
        Column::text("PRICE").rank(7),
        Column::number("FEE").rank(10),
        Column::number("CHANGE"),
        Column::text("INTERVAL").rank(11),
        Column::text("NOTE").rank(4).least(NOTE),
    ]);
    page = page.wrapped(width);
    page.append(&table.with_rows(rows).fit(width));
    if more {
        let lines = counted(u64::try_from(statement.lines.len()).unwrap_or(u64::MAX), "line");
        let text = format!("\n\nOnly the first {lines}. To get all of them, pass --csv or --json");
        page.append(&Styled::from(text.as_str()).wrapped(width));
    }
    page
}

fn row(asset: Asset, line: &StatementLine) -> [String; 13] {
    let lease = line.lease.as_ref();
    let of = |show: &dyn Fn(&LeasePeriod) -> String| lease.map(show).unwrap_or_default();
    [
        line.at_ms.rfc3339_seconds(),
        line.entry.to_string(),
        side(line.side).to_owned(),
        what(line).to_owned(),
        of(&|lease| lease.counterpart.clone()),
        of(&|lease| lease.first_ms.map(vipnode_types::Ms::rfc3339_seconds).unwrap_or_default()),
        of(&|lease| lease.last_ms.map(vipnode_types::Ms::rfc3339_seconds).unwrap_or_default()),
        of(&|lease| minutes(lease.billed_ms)),
        of(&|lease| lease.price.to_string()),
        if line.fee > Amount::ZERO { asset.show(line.fee).to_string() } else { String::new() },
        asset.show_signed(line.change),
        of(&|lease| interval(asset, lease)),
        note(asset, line),
    ]
}

/// The part of the payer's meter that a period takes.
fn interval(asset: Asset, lease: &LeasePeriod) -> String {
    let [from, to] = lease.interval.map(|end| asset.show(end));
    format!("{from} to {to}")
}

/// What a line is about, besides a lease.
fn note(asset: Asset, line: &StatementLine) -> String {
    let limit = line.limit.map(|limit| format!("may owe {}", asset.show(limit)));
    let payout = line.payout.map(|payout| format!("payout {payout}"));
    let secured = line.secures.map(|entry| match line.kind {
        StatementKind::Secured => format!("{} of entry {entry}", asset.show(line.secured)),
        _ => format!("of entry {entry}"),
    });
    let merged = line.lease.as_ref().map(|lease| lease.merged).filter(|merged| *merged > 0);
    let merged = merged.map(|merged| format!("with {}", counted(merged.into(), "earlier period")));
    let parts = [limit, payout, secured, merged, line.reason.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// A time in minutes, rounded down to hundredths.
pub(super) fn minutes(ms: u64) -> String {
    format!("{}.{:02}", ms / 60_000, ms % 60_000 / 600)
}
