//! A statement for people and for spreadsheets.
//!
//! May use `error` and `output`; does not call the pool.

mod checked_day;
mod daily_page;
mod meter_overlaps;
mod page_check;
mod statement_csv;
mod statement_page;
#[cfg(test)]
mod tests;

use vipnode_types::wire::{StatementKind, StatementLine, StatementSide};

pub(crate) use self::{
    checked_day::CheckedDay,
    daily_page::{daily_lines_page, daily_page},
    meter_overlaps::MeterOverlaps,
    page_check::PageCheck,
    statement_csv::StatementCsv,
    statement_page::statement_page,
};

/// The word for what a line is.
fn what(line: &StatementLine) -> &'static str {
    let is_trial = line.lease.as_ref().is_some_and(|lease| lease.trial);
    match line.kind {
        StatementKind::Lease if is_trial => "trial",
        StatementKind::Credit => "credit",
        StatementKind::Debit => "debit",
        StatementKind::Limit => "limit",
        StatementKind::Voucher => "voucher",
        StatementKind::Claimed => "claimed",
        StatementKind::Lease => "lease",
        StatementKind::Secured => "secured",
        StatementKind::WriteOff => "write-off",
        StatementKind::Overbilled => "overbilled",
        StatementKind::Correction => "correction",
        StatementKind::Paid => "paid",
        StatementKind::Bounced => "bounced",
        StatementKind::Unknown => "unknown (newer pool)",
    }
}

/// The word for whether a line is about what an account spends or about what it earns.
const fn side(side: StatementSide) -> &'static str {
    match side {
        StatementSide::Payer => "payer",
        StatementSide::Host => "host",
        StatementSide::Unknown => "unknown",
    }
}
