//! Statements: what the ledger contains about an account or a node, page by page, as lines that add up to its balances.
//! May read snapshots. What may be shown to whom does not belong here.

mod account_statement;
mod daily_statement;
mod node_statement;
mod statement_line;
mod statement_parties;
#[cfg(test)]
mod tests;

pub use self::{
    account_statement::account_statement,
    daily_statement::{DailyRead, daily_statement},
    node_statement::node_statement,
    statement_parties::StatementParties,
};
