use crate::{Core, address_block::AddressBlock, matching::Wish};

// How much speaks for or against giving a host to a client. Only what the pool itself sees counts: no
// word of a free id makes or ruins a rank.

/// All places free; half of it at half of them.
const ALL_FREE: u64 = 100;
/// Round trip below 20 ms, 60 ms, 150 ms, 400 ms, and beyond; unknown is in the middle.
const LATENCY: [(u32, i64); 4] = [(20_000, 40), (60_000, 30), (150_000, 20), (400_000, 10)];
const LATENCY_UNKNOWN: i64 = 20;
/// Connected for an hour or more; a minute counts as its share.
const UPTIME: u64 = 30;
const UPTIME_FULL_MS: u64 = 60 * 60 * 1000;
/// Each admit in a row that it did not answer with yes, at most three.
const REFUSAL: i64 = -20;
/// Each offer in a row that never connected, at most three: clients can cause these, so they are mild.
const STRIKE: i64 = -10;
/// Another host of the client has the same address block.
const SAME_BLOCK: i64 = -80;
/// Another host of the client has the same payout account.
const SAME_PAYOUT: i64 = -80;
/// The two are connected already, the other way round.
const MUTUAL: i64 = -200;

impl Core {
    pub(crate) fn score(&self, wish: &Wish, host: u32) -> i64 {
        let Some(node) = self.nodes.get(host) else { return i64::MIN };
        let free = u64::from(node.open_free).saturating_mul(ALL_FREE);
        let free = signed(free.checked_div(u64::from(node.slots)).unwrap_or(0));
        let latency = match node.rtt_us {
            0 => LATENCY_UNKNOWN,
            rtt => LATENCY.iter().find(|(below, _)| rtt < *below).map_or(0, |(_, points)| *points),
        };
        let uptime = self.now.since(node.since).min(UPTIME_FULL_MS).saturating_mul(UPTIME) / UPTIME_FULL_MS;
        let refusals = i64::from(node.refusals.min(3)).saturating_mul(REFUSAL);
        let strikes = i64::from(node.strikes.min(3)).saturating_mul(STRIKE);
        let block = node.address.map(AddressBlock::of).is_some_and(|block| wish.blocks.contains(&block));
        let payout = node.payout.is_some_and(|payout| wish.payouts.contains(&payout));
        let mutual = wish.clients.contains(&host);
        [
            free,
            latency,
            signed(uptime),
            refusals,
            strikes,
            if block { SAME_BLOCK } else { 0 },
            if payout { SAME_PAYOUT } else { 0 },
            if mutual { MUTUAL } else { 0 },
        ]
        .into_iter()
        .fold(0, i64::saturating_add)
    }
}

fn signed(points: u64) -> i64 {
    i64::try_from(points).unwrap_or(i64::MAX)
}
