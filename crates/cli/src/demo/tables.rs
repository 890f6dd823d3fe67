use serde_json::{Value, json};
use tokio::time::Instant;
use vipnode_types::{Amount, wire::PoolStats};

use super::timeline::{DemoLease, Timeline, lease_name};
use crate::output::{
    Column, Table,
    format::{counted, rounded},
};

/// What is shown of times and amounts is rounded down to these.
const SHOWN_MS: u64 = 100;
const SHOWN_WEI: u128 = 1_000_000;

/// Every lease and its meter.
pub(super) fn meters(timeline: &Timeline, now: Instant) -> Table<6> {
    let table = Table::new([
        Column::text("lease").rank(2),
        Column::text("host"),
        Column::text("client"),
        Column::number("paired"),
        Column::number("cost").rank(1),
        Column::text("state"),
    ]);
    table.with_rows(ran(timeline, now).map(|lease| {
        [
            lease_name(lease.number),
            lease.host.to_string(),
            lease.client.to_string(),
            seconds(lease.metered_ms(now)),
            rounded(timeline.price.asset(), lease.cost(timeline.price, now)),
            if lease.runs() { "running" } else { "ended" }.to_owned(),
        ]
    }))
}

/// The same with the sums of the rows as they are shown.
pub(super) fn summary(timeline: &Timeline, now: Instant) -> Table<6> {
    let (mut leases, mut ms, mut wei) = (0_u64, 0_u64, 0_u128);
    for lease in ran(timeline, now) {
        leases += 1;
        ms += lease.metered_ms(now) / SHOWN_MS * SHOWN_MS;
        wei += lease.cost(timeline.price, now).get() / SHOWN_WEI * SHOWN_WEI;
    }
    let none = String::new;
    let sums = [
        counted(leases, "lease"),
        none(),
        none(),
        seconds(ms),
        rounded(timeline.price.asset(), Amount::new(wei)),
        "total".to_owned(),
    ];
    meters(timeline, now).with_rows([sums])
}

/// What the pool metered, in a line below the summary.
pub(super) fn pool_sums(pool: &PoolStats) -> String {
    format!(
        "The table shows what the demo observed. The pool metered {} in {}: {}. It does not meter a killed \
         agent's time after its last report.",
        seconds(pool.metered_ms),
        counted(pool.num_metered_leases, "billing period"),
        rounded(pool.price.asset(), pool.metered_cost)
    )
}

/// The meters for programs.
pub(super) fn rows(timeline: &Timeline, now: Instant) -> Value {
    let row = |lease: &DemoLease| {
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
fn ran(timeline: &Timeline, now: Instant) -> impl Iterator<Item = &DemoLease> {
    timeline.leases().filter(move |lease| lease.metered_ms(now) > 0)
}

/// With one decimal, rounded down.
fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / SHOWN_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_down() {
        assert_eq!(seconds(12_999), "12.9 s");
    }
}
