use vipnode_pool::admin::AdminLeases;
use vipnode_types::Account;

use crate::output::{Column, Styled, Table};

/// The fewest columns of an account.
const ACCOUNT: usize = 10;

/// A page of the running leases.
pub(crate) fn leases_page(leases: &AdminLeases, width: usize) -> Styled {
    if leases.leases.is_empty() {
        return "No running leases".into();
    }
    let account = |account: Option<Account>| account.map_or_else(|| "-".to_owned(), |account| account.to_string());
    let rows = leases.leases.iter().map(|lease| {
        [
            lease.lease.to_string(),
            lease.client.short(),
            lease.host.short(),
            lease.since_ms.map_or_else(|| "-".to_owned(), vipnode_types::Ms::rfc3339_seconds),
            if lease.trial { "free trial".to_owned() } else { lease.price.to_string() },
            account(lease.payer),
            account(lease.payee),
        ]
    });
    let table = Table::new([
        Column::number("LEASE"),
        Column::text("CLIENT"),
        Column::text("HOST"),
        Column::text("SINCE").rank(1),
        Column::text("PRICE").rank(2),
        Column::text("PAYER").rank(3).least(ACCOUNT),
        Column::text("PAYEE").rank(4).least(ACCOUNT),
    ]);
    let mut page = table.with_rows(rows).fit(width);
    if let Some(next) = leases.next {
        page.push(&format!("\n\nMore: --after {next}"));
    }
    page
}
