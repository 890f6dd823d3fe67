use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use tokio::time::Instant;
use vipnode_types::wire::PoolStats;

use super::timeline::{Lease, Timeline};
use crate::output::format::gwei;

/// Every lease and its meter. `word` names the kind of nodes.
pub(super) fn meters(timeline: &Timeline, word: &str, now: Instant) -> Table {
    let mut table = new([
        "lease".to_owned(),
        format!("host ({word})"),
        format!("client ({word})"),
        "metered".into(),
        "cost".into(),
        String::new(),
    ]);
    for lease in ran(timeline, now) {
        table.add_row([
            lease.number.to_string(),
            lease.host.to_string(),
            lease.client.to_string(),
            seconds(lease.metered_ms(now)),
            gwei(lease.cost(timeline.price, now)),
            if lease.runs() { "runs" } else { "ended" }.to_owned(),
        ]);
    }
    table
}

/// The same with the sums that the pool keeps.
pub(super) fn summary(timeline: &Timeline, word: &str, pool: &PoolStats, now: Instant) -> Table {
    let mut table = meters(timeline, word, now);
    let leases = format!("{} leases", pool.num_metered_leases);
    let sums = [leases, String::new(), String::new(), seconds(pool.metered_ms), gwei(pool.metered_cost)];
    table.add_row(sums.into_iter().chain(["pool total".to_owned()]));
    table
}

/// The meters for programs.
pub(super) fn rows(timeline: &Timeline, now: Instant) -> Value {
    let row = |lease: &Lease| {
        json!({
            "lease": lease.number,
            "host": lease.host.to_string(),
            "client": lease.client.to_string(),
            "metered_ms": lease.metered_ms(now),
            "cost_wei": lease.cost(timeline.price, now),
            "runs": lease.runs(),
        })
    };
    ran(timeline, now).map(row).collect()
}

/// Leases that both sides reported; others have no line.
fn ran(timeline: &Timeline, now: Instant) -> impl Iterator<Item = &Lease> {
    timeline.leases().filter(move |lease| lease.metered_ms(now) > 0)
}

fn new(header: impl IntoIterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    for number in [3, 4] {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// With one decimal, rounded down.
fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_down() {
        assert_eq!(seconds(12_999), "12.9 s");
    }
}
