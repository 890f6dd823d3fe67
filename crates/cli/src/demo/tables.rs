use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use tokio::time::Instant;
use vipnode_types::wire::PoolStats;

use super::timeline::{Lease, Story};
use crate::output::format::gwei;

/// Every lease and its meter, now. `word` says what the nodes are.
pub(super) fn meters(story: &Story, word: &str, now: Instant) -> Table {
    let mut table = new([
        "lease".to_owned(),
        format!("host ({word})"),
        format!("client ({word})"),
        "connected".into(),
        "cost".into(),
        String::new(),
    ]);
    for lease in ran(story, now) {
        table.add_row([
            lease.number.to_string(),
            lease.host.to_string(),
            lease.client.to_string(),
            seconds(lease.metered_ms(now)),
            gwei(lease.cost(story.price, now)),
            if lease.runs() { "runs" } else { "ended" }.to_owned(),
        ]);
    }
    table
}

/// The same with the sums that the pool keeps.
pub(super) fn summary(story: &Story, word: &str, pool: &PoolStats, now: Instant) -> Table {
    let mut table = meters(story, word, now);
    let leases = format!("{} leases", pool.num_metered_leases);
    let sums = [leases, String::new(), String::new(), seconds(pool.metered_ms), gwei(pool.metered_cost)];
    table.add_row(sums.into_iter().chain(["by the pool".to_owned()]));
    table
}

/// The meters for programs.
pub(super) fn rows(story: &Story, now: Instant) -> Value {
    let row = |lease: &Lease| {
        json!({
            "lease": lease.number,
            "host": lease.host.to_string(),
            "client": lease.client.to_string(),
            "metered_ms": lease.metered_ms(now),
            "cost_wei": lease.cost(story.price, now),
            "runs": lease.runs(),
        })
    };
    ran(story, now).map(row).collect()
}

/// A lease that both sides never saw is no line.
fn ran(story: &Story, now: Instant) -> impl Iterator<Item = &Lease> {
    story.leases().filter(move |lease| lease.metered_ms(now) > 0)
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
