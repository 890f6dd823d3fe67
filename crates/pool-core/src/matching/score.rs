use vipnode_types::{REDIAL_MS, wire::Score};

use crate::{
    collections::address_block::AddressBlock,
    matching::{Context, Matching, host_search::Criteria},
};

// The score of a host for a client. Only what the pool itself observes counts: ids cost nothing, so the claims of one
// node must not raise or ruin another's rank.

/// All slots are free; proportionally less if some are taken, or were never used: see
/// [`PairedSlots`](crate::matching::paired_slots::PairedSlots).
const ALL_FREE: u64 = 100;
/// The round trip time (µs) is below 20 ms, 60 ms, 150 ms, or 400 ms; an unknown one counts as average.
const LATENCY: [(u32, i32); 4] = [(20_000, 40), (60_000, 30), (150_000, 20), (400_000, 10)];
const LATENCY_UNKNOWN: i32 = 20;
/// Connected for an hour or more; proportionally less before that.
const UPTIME: u64 = 30;
const UPTIME_FULL_MS: u64 = 60 * 60 * 1000;
/// Each admit in a row that it refused or did not answer, at most three.
const REFUSAL: i32 = -20;
/// Proven clients in three wide address blocks were offered it and never connected.
const STRUCK: i32 = -30;
/// The client was recently offered a host in the same address block and never connected to it.
const FAILED_NEARBY: i32 = -150;
/// Enough clients saw that it does not serve what the client requires, although it names that itself.
const CONTRADICTED: i32 = -100;
/// Its node and the client's node may not dial each other yet: these points, and the same again for the longest wait.
const REDIAL: i32 = -100;
/// Another host of the client has the same address block.
const SAME_BLOCK: i32 = -80;
/// Another host of the client has the same payout account.
const SAME_PAYOUT: i32 = -80;
/// The two are already connected, in the other direction.
const MUTUAL: i32 = -200;

impl Matching {
    /// Returns the score of a host for a client.
    pub(crate) fn score(&self, criteria: &Criteria, host: u32, context: Context<'_>) -> Score {
        let Some(node) = context.agents.get(host) else { return Score { total: i32::MIN, ..Score::default() } };
        let entry = self.nodes.get(host);
        let free = u64::from(entry.open_free.min(entry.paired.most())).saturating_mul(ALL_FREE);
        let latency = match node.rtt_us() {
            0 => LATENCY_UNKNOWN,
            rtt => LATENCY.iter().find(|(below, _)| rtt < *below).map_or(0, |(_, points)| *points),
        };
        let uptime = context.now.since(node.since()).min(UPTIME_FULL_MS).saturating_mul(UPTIME) / UPTIME_FULL_MS;
        let block = node.address().map(AddressBlock::of).is_some_and(|block| criteria.blocks.contains(&block));
        let payout = node.payout().is_some_and(|payout| criteria.payouts.contains(&payout));
        let failed = |block| self.recent_pairs.recently_failed_in(context.now, criteria.client, block);
        let failed_nearby = if node.address().map(AddressBlock::of).is_some_and(failed) { FAILED_NEARBY } else { 0 };
        let struck = if self.is_struck(host, context) { STRUCK } else { 0 };
        let same_block = if block { SAME_BLOCK } else { 0 };
        let same_payout = if payout { SAME_PAYOUT } else { 0 };
        Score {
            total: 0,
            free_slots: signed(free.checked_div(u64::from(node.slots())).unwrap_or(0)),
            latency,
            uptime: signed(uptime),
            refusals: i32::from(entry.refusals.min(3)).saturating_mul(REFUSAL),
            strikes: struck.saturating_add(failed_nearby),
            contradicted: if context.agents.is_contradicted(criteria.client, host, context.limits) {
                CONTRADICTED
            } else {
                0
            },
            redial: match self.redial_ms(criteria.client, host, context) {
                0 => 0,
                wait_ms => REDIAL.saturating_sub(signed(wait_ms.saturating_mul(100) / REDIAL_MS)),
            },
            same_operator: same_block.saturating_add(same_payout),
            mutual: if criteria.clients.contains(&host) { MUTUAL } else { 0 },
        }
        .summed()
    }
}

fn signed(points: u64) -> i32 {
    i32::try_from(points).unwrap_or(i32::MAX)
}
