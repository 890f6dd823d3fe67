use serde_json::Value;
use vipnode_pool::admin::{AdminAudit, AuditRecord};
use vipnode_types::{Amount, Asset};

use crate::output::{Column, Styled, Table};

/// The fewest columns of the target of a ban, and of the reason.
const TARGET: usize = 15;
const REASON: usize = 20;
/// Whole accounts are shown on a terminal with so many columns.
const WIDE: usize = 110;

/// A page of the audit log. The pool records a command before it carries it out, and again if it refuses it; here, these are one row.
/// `asset` is what the pool charges in; `None` if it has no ledger.
pub(crate) fn audit_page(audit: &AdminAudit, asset: Option<Asset>, width: usize) -> Styled {
    if audit.records.is_empty() {
        return "No admin commands are recorded".into();
    }
    let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let rows = audit.records.iter().enumerate().filter(|(at, record)| !is_refused_later(record, &audit.records, *at));
    let rows = rows.map(|(_, record)| {
        [
            record.at_ms.rfc3339_seconds(),
            command(record),
            target(record, width),
            amount(record, asset),
            record.refused.as_ref().map_or("done", |_| "refused").to_owned(),
            record.refused.clone().unwrap_or_else(|| text(order(record), "reason")),
            number(record.user),
            number(record.process),
        ]
    });
    let table = Table::new([
        Column::text("TIME").rank(1),
        Column::text("COMMAND"),
        Column::text("TARGET").least(TARGET),
        Column::number("AMOUNT"),
        Column::text("RESULT"),
        Column::text("REASON").rank(2).least(REASON),
        Column::number("USER ID").rank(3),
        Column::number("PROCESS ID").rank(4),
    ]);
    let mut page = table.with_rows(rows).fit(width);
    if let Some(earlier) = audit.earlier {
        page.push(&format!("\n\nEarlier: --before {earlier}"));
    }
    page
}

/// Whether a later record has the refusal of this command.
fn is_refused_later(record: &AuditRecord, records: &[AuditRecord], at: usize) -> bool {
    let is_same = |later: &&AuditRecord| {
        (&later.user, &later.process, &later.method, &later.params)
            == (&record.user, &record.process, &record.method, &record.params)
    };
    let later = records.iter().skip(at.saturating_add(1)).find(is_same);
    record.refused.is_none() && later.is_some_and(|later| later.refused.is_some())
}

/// The parameters of a command.
fn order(record: &AuditRecord) -> &Value {
    record.params.get(0).unwrap_or(&record.params)
}

fn text(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// The command as it is typed.
fn command(record: &AuditRecord) -> String {
    let kind = order(record).get("change").map(|change| text(change, "kind")).unwrap_or_default();
    match &*kind {
        "" => {
            let stop = if order(record).get("stop") == Some(&Value::Bool(true)) { " --stop" } else { "" };
            record.method.trim_start_matches("vipnode_pool").to_lowercase() + stop
        }
        "correction" => "correct".to_owned(),
        "paid" => "payout paid".to_owned(),
        "paid_all" => "payout paid-all".to_owned(),
        "bounced" => "payout bounced".to_owned(),
        other => other.replace('_', "-"),
    }
}

/// The account, or what else the command is about.
fn target(record: &AuditRecord, width: usize) -> String {
    let order = order(record);
    let change = order.get("change").unwrap_or(&Value::Null);
    let account = text(change, "account");
    if !account.is_empty() {
        let (begin, end) = (account.get(..10).unwrap_or(&account), account.get(38..).unwrap_or_default());
        return if width < WIDE && !end.is_empty() { format!("{begin}…{end}") } else { account };
    }
    for (field, name) in [("payout", "payout"), ("period", "period"), ("entry", "entry")] {
        let number = text(change, field);
        if !number.is_empty() {
            return format!("{name} {number}");
        }
    }
    [text(order, "target"), text(order, "node")].into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// The amount with its unit, or the price.
fn amount(record: &AuditRecord, asset: Option<Asset>) -> String {
    let order = order(record);
    let Some(change) = order.get("change") else { return text(order, "price") };
    let raw = text(change, "amount");
    let shown = asset.zip(raw.parse::<u128>().ok()).map(|(asset, amount)| asset.show(Amount::new(amount)).to_string());
    let takes = if change.get("takes") == Some(&Value::Bool(true)) { "-" } else { "" };
    shown.map_or(raw, |shown| format!("{takes}{shown}"))
}
