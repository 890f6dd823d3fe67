use vipnode_types::{
    Amount, Asset, Ms, SignedAmount,
    wire::{Statement, StatementBalances, StatementSide},
};

use super::{side, statement_page::minutes, what};
use crate::output::csv_line;

/// A statement as comma-separated values (RFC 4180), page by page. Amounts are in the asset's largest unit, exact.
#[derive(Debug, Default)]
pub(crate) struct StatementCsv {
    /// The balances after the lines so far; `None` before the first page, and for a node.
    balances: Option<StatementBalances>,
    begun: bool,
}

const HEADINGS: &str = "entry,posted,as,what,change,balance,fee,secured,limit,asset,lease,period,node,with,first,last,\
                        minutes,merged,price,cost,interval_from,interval_to,payout,secures,reason";

impl StatementCsv {
    /// The text of the next page.
    pub(crate) fn page(&mut self, statement: &Statement) -> String {
        let mut text = String::new();
        if !self.begun {
            (self.begun, self.balances) = (true, statement.opening);
            text += &csv_line(HEADINGS.split(',').map(str::to_owned));
            self.balance_rows(&mut text, "opening", statement.asset);
        }
        for entry in &statement.lines {
            let balance = self.balances.as_mut().and_then(|balances| match entry.side {
                StatementSide::Payer => Some(&mut balances.payer),
                StatementSide::Host => Some(&mut balances.host),
                StatementSide::Unknown => None,
            });
            let balance = balance.map(|balance| {
                *balance = balance.checked_add(entry.change).unwrap_or(*balance);
                signed(statement.asset, *balance)
            });
            text += &csv_line(cells(statement.asset, entry, balance));
        }
        if statement.next.is_none() {
            self.balances = statement.closing;
            self.balance_rows(&mut text, "closing", statement.asset);
        }
        text
    }

    fn balance_rows(&self, text: &mut String, what: &str, asset: Asset) {
        let Some(StatementBalances { payer, host }) = self.balances else { return };
        for (side, balance) in [("payer", payer), ("host", host)] {
            let mut cells = vec![String::new(); HEADINGS.split(',').count()];
            let filled =
                [(2, side.to_owned()), (3, what.to_owned()), (5, signed(asset, balance)), (9, asset.to_string())];
            for (column, value) in filled {
                if let Some(cell) = cells.get_mut(column) {
                    *cell = value;
                }
            }
            *text += &csv_line(cells.into_iter());
        }
    }
}

fn cells(
    asset: Asset,
    entry: &vipnode_types::wire::StatementLine,
    balance: Option<String>,
) -> impl Iterator<Item = String> {
    let exact = |amount: Amount| asset.decimal(amount);
    let some = |amount: Amount| if amount == Amount::ZERO { String::new() } else { exact(amount) };
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let time = |time: Option<Ms>| time.map(Ms::rfc3339).unwrap_or_default();
    let of_entry = [
        entry.entry.to_string(),
        entry.at_ms.rfc3339(),
        side(entry.side).to_owned(),
        what(entry).to_owned(),
        signed(asset, entry.change),
        balance.unwrap_or_default(),
        some(entry.fee),
        some(entry.secured),
        entry.limit.map(exact).unwrap_or_default(),
        asset.to_string(),
    ];
    let of_lease = entry.lease.as_ref().map(|lease| {
        let [from, to] = lease.interval;
        [
            lease.lease.to_string(),
            lease.row.to_string(),
            lease.node.clone(),
            lease.counterpart.clone(),
            time(lease.first_ms),
            time(lease.last_ms),
            minutes(lease.billed_ms),
            lease.merged.to_string(),
            lease.price.to_string(),
            exact(lease.cost),
            exact(from),
            exact(to),
        ]
    });
    let reason = entry.reason.clone().unwrap_or_default();
    let rest = [number(entry.payout), number(entry.secures), reason];
    of_entry.into_iter().chain(of_lease.unwrap_or_default()).chain(rest)
}

fn signed(asset: Asset, amount: SignedAmount) -> String {
    format!("{}{}", if amount.is_negative() { "-" } else { "" }, asset.decimal(amount.magnitude()))
}
