use std::path::Path;

use vipnode_types::{Amount, Ms, wire::DailyStatement};

use super::{CheckedDay, statement_page::minutes};
use crate::output::{Column, Styled, Table, Tone, format::counted};

/// The fewest columns of a URL and of what is wrong.
const TEXT: usize = 12;

/// The daily statements that are kept below a directory, fitted to `width` columns.
pub(crate) fn daily_page(root: &Path, days: &[CheckedDay], overlaps: &[String], width: usize) -> Styled {
    if days.is_empty() {
        let text = format!(
            "No daily statements in {}. A host of a pool that charges asks for the first one after the end of the day (UTC)",
            root.display()
        );
        return Styled::from(text.as_str()).wrapped(width);
    }
    let mut table = Table::new([
        Column::text("DAY"),
        Column::text("NODE").rank(4),
        Column::text("POOL").rank(3).least(TEXT),
        Column::text("POOL ID").rank(5),
        Column::number("PERIODS").rank(6),
        Column::number("COST"),
        Column::number("SECURED").rank(1),
        Column::number("FEE").rank(2),
        Column::text("PAGES").rank(7),
        Column::text("CHECK").least(TEXT),
    ]);
    for day in days {
        let tone = if day.problem.is_some() { Tone::Bad } else { Tone::Good };
        table.add(Some(tone), row(day));
    }
    let mut page = table.fit(width);
    let wrong = days.iter().filter(|day| day.problem.is_some()).count().saturating_add(overlaps.len());
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let checked = counted(number(days.len()), "statement");
    let summary = match wrong {
        0 => format!("\n\nChecked {checked}: no problems"),
        wrong => format!("\n\nChecked {checked}: {}", counted(number(wrong), "problem")),
    };
    page.append(&Styled::from(summary.as_str()).wrapped(width));
    let unreadable = days.iter().filter_map(|day| Some(format!("{}: {}", day.file.display(), day.problem.as_ref()?)));
    for line in unreadable.chain(overlaps.iter().cloned()) {
        page.push("\n");
        page.append(&Styled::from(line.as_str()).wrapped(width));
    }
    page
}

fn row(day: &CheckedDay) -> [String; 10] {
    let read = |text: String| day.pool.map(|_| text).unwrap_or_default();
    let show = |amount: Amount| read(day.asset.show(amount).to_string());
    let pages = read(format!("{} of {}", day.kept, day.pages));
    let is_whole = u32::try_from(day.kept) == Ok(day.pages);
    let check = match &day.problem {
        Some(_) => "not valid",
        None if is_whole => "valid",
        None => "valid in part",
    };
    [
        day.day.to_string(),
        day.node.clone(),
        day.url.clone(),
        day.pool.map(|pool| pool.short()).unwrap_or_default(),
        read(day.sums.lines.to_string()),
        show(day.sums.cost),
        // With what was paid that day for earlier periods.
        show(sum(day.sums.secured, day.collected.amount)),
        show(sum(day.sums.fee, day.collected.fee)),
        pages,
        check.to_owned(),
    ]
}

fn sum(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(Amount::MAX)
}

/// The billing periods of statements, and then the payments for earlier ones, fitted to `width` columns.
pub(crate) fn daily_lines_page(pages: &[DailyStatement], width: usize) -> Styled {
    let time = |time: Option<Ms>| time.map(Ms::rfc3339_seconds).unwrap_or_default();
    let rows = pages.iter().flat_map(|page| {
        page.lines.iter().map(move |line| {
            let show = |amount: Amount| page.asset.show(amount).to_string();
            [
                line.entry.to_string(),
                line.lease.to_string(),
                line.counterpart.to_string(),
                time(line.first_ms),
                time(line.last_ms),
                minutes(line.billed_ms),
                line.price.to_string(),
                show(line.cost),
                show(line.secured),
                show(line.fee),
            ]
        })
    });
    let collected = pages.iter().flat_map(|page| {
        page.collected.iter().map(move |payment| {
            let show = |amount: Amount| page.asset.show(amount).to_string();
            let (entry, lease) = (payment.entry.to_string(), payment.lease.to_string());
            let with = format!("entry {}", payment.period);
            let [first, last, minutes, price, cost] = <[String; 5]>::default();
            [entry, lease, with, first, last, minutes, price, cost, show(payment.amount), show(payment.fee)]
        })
    });
    let table = Table::new([
        Column::number("ENTRY").rank(4),
        Column::number("LEASE").rank(6),
        Column::text("WITH"),
        Column::text("FIRST").rank(8),
        Column::text("LAST").rank(7),
        Column::number("MINUTES").rank(1),
        Column::text("PRICE").rank(5),
        Column::number("COST"),
        Column::number("SECURED").rank(2),
        Column::number("FEE").rank(3),
    ]);
    table.with_rows(rows.chain(collected)).fit(width)
}
