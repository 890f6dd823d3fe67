use vipnode_pool::admin::{AdminAudit, AuditRecord};

use crate::output::{Column, Styled, Table};

/// The fewest columns of the command.
const ORDER: usize = 20;

/// A page of the audit log.
pub(crate) fn audit_page(audit: &AdminAudit, width: usize) -> Styled {
    if audit.records.is_empty() {
        return "No admin commands are recorded".into();
    }
    let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let rows = audit.records.iter().map(|record| {
        let method = record.method.trim_start_matches("vipnode_pool").to_lowercase();
        let outcome = record.refused.as_ref().map_or("requested", |_| "refused");
        [
            record.at_ms.rfc3339_seconds(),
            number(record.user),
            number(record.process),
            outcome.to_owned(),
            method,
            words(record),
        ]
    });
    let table = Table::new([
        Column::text("TIME"),
        Column::number("USER ID"),
        Column::number("PROCESS ID").rank(3),
        Column::text("STATE").rank(2),
        Column::text("COMMAND"),
        Column::text("ARGUMENTS").rank(1).least(ORDER),
    ]);
    let mut page = table.with_rows(rows).fit(width);
    if let Some(earlier) = audit.earlier {
        page.push(&format!("\n\nEarlier: --before {earlier}"));
    }
    page
}

/// The command, or the reason why it was refused.
fn words(record: &AuditRecord) -> String {
    record.refused.clone().unwrap_or_else(|| {
        let order = record.params.get(0).unwrap_or(&record.params);
        order.to_string()
    })
}
