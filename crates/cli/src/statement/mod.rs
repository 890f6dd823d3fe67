//! A statement for people and for spreadsheets.
//!
//! May use `error` and `output`; does not call the pool.

mod page_check;
mod statement_csv;
mod statement_page;
#[cfg(test)]
mod tests;

use vipnode_types::wire::StatementKind;

pub(crate) use self::{page_check::PageCheck, statement_csv::StatementCsv, statement_page::statement_page};

/// The word for what a line is.
const fn kind(kind: StatementKind) -> &'static str {
    match kind {
        StatementKind::Credit => "credit",
        StatementKind::Debit => "debit",
        StatementKind::Limit => "limit",
        StatementKind::Lease => "lease",
        StatementKind::Secured => "secured",
        StatementKind::WriteOff => "write-off",
        StatementKind::Correction => "correction",
        StatementKind::Paid => "paid",
        StatementKind::Bounced => "bounced",
    }
}
