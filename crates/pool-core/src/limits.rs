//! Every limit of a pool, of its core and of its gateway: name, default, unit, what it may be set to,
//! and what happens there. `vipnode pool --print-limits` prints these very lines.

use std::time::Duration;

use vipnode_types::Price;

use crate::limit_table::limits;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

limits! {
    /// Every limit of the pool's core, by name.
    Limits {
        /// A tick comes at least this often; a gap of more than ten times as much is a pause of the pool
        /// and nobody's silence.
        tick_ms: u64 = SECOND, Time 10..=10 * SECOND;
        /// A report is due this often.
        report_interval_ms: u64 = MINUTE, Time SECOND..=119 * SECOND;
        /// An agent silent for longer goes down where it was last seen.
        silence_ms: u64 = 3 * MINUTE, Time 2 * SECOND..=HOUR;
        /// After a start no silence is judged for this long.
        reconnect_window_ms: u64 = 10 * MINUTE, Time SECOND..=DAY;
        /// An agent answers a call in this time, counted from when it was sent; a host that did not admit in it
        /// loses the place.
        admit_deadline_ms: u64 = 3 * SECOND, Time 100..=MINUTE;
        /// A call to an agent waits this long for what it rests on to be durable, beyond `admit_deadline_ms`; then
        /// the mind gives it up.
        commit_ms: u64 = 30 * SECOND, Time SECOND..=10 * MINUTE;
        /// An ask is answered after this time with what it has.
        ask_deadline_ms: u64 = 5 * SECOND, Time 100..=MINUTE;
        /// An offer that both sides did not see in this time ends.
        offer_ms: u64 = 15 * SECOND, Time SECOND..=10 * MINUTE;
        /// A leased pair not connected after this time: the host is asked to dial.
        dial_after_ms: u64 = 2 * SECOND, Time 100..=MINUTE;
        /// One host is not given twice in this time to clients of one public address.
        same_address_ms: u64 = 35 * SECOND, Time 0..=HOUR;
        /// A running lease whose host said "gone" waits this long for the client's word.
        half_down_ms: u64 = 15 * SECOND, Time SECOND..=10 * MINUTE;
        /// A lease rolls over to a new row after this time.
        rollover_ms: u64 = DAY, Time MINUTE..=30 * DAY;
        /// Time a day that only the host may see, per node and per address block; only where a price is
        /// asked. Past it nothing is granted.
        unpaired_ms_a_day: u64 = 10 * MINUTE, Time 0..=DAY;
        /// Time that a node is paired with nodes of two other wide address blocks (/16, /32), each, until it is known as
        /// real; in a closed pool any time is enough. Some limits are only for nodes that are not.
        proven_ms: u64 = 10 * MINUTE, Time 1..=DAY;
        /// Presences are flushed this often.
        flush_ms: u64 = 3 * MINUTE, Time SECOND..=HOUR;
        /// Leases a client; `want` beyond it is cut.
        leases_a_client: u32 = 64, Count 1..=1_000;
        /// Places a host; offers beyond it are cut. At most 1,000, so that one host's end is one step.
        slots_a_host: u32 = 1_000, Count 1..=1_000;
        /// Places of a host that speaks protocol 2, which cannot say how many it has.
        slots_a_protocol2_host: u32 = 16, Count 1..=1_000;
        /// Hosts that one request of protocol 2 is given; more are cut.
        max_request_hosts: u32 = 16, Count 1..=1_000;
        /// Peers that a node of protocol 2 is yet to drop; beyond it the oldest are forgotten.
        invalid_peers: u32 = 1_024, Count 1..=10_000;
        /// How far a nonce, of protocol 2 or over HTTP, may be ahead of the pool's clock; beyond it the call is refused.
        nonce_ahead_ms: u64 = 5 * MINUTE, Time SECOND..=HOUR;
        /// How far a nonce, of protocol 2 or over HTTP, may be behind the pool's clock; beyond it the call is refused.
        nonce_behind_ms: u64 = 15 * MINUTE, Time SECOND..=DAY;
        /// Outstanding offers an address block (/24, /48); asks beyond it are busy.
        offers_a_block: u32 = 256, Count 1..=1_000_000;
        /// Hosts in `avoid`; the rest is ignored.
        avoid: u32 = 64, Count 0..=1_000;
        /// Hosts looked at for one place; of those that fit the best gets it.
        candidates: u32 = 32, Count 1..=1_000;
        /// Hosts looked at for one place where none of the first `candidates` fits; then the client waits.
        looks: u32 = 160, Count 1..=100_000;
        /// Hosts looked at for one place where some of them do not suit by what they serve or run, or by what they
        /// want; then the client waits.
        looks_by_rules: u32 = 1_024, Count 1..=100_000;
        /// Connected hosts looked at for one `vipnode_explain`; in a larger pool the answer is about so many of them.
        explained_hosts: u32 = 256, Count 1..=10_000;
        /// Leases of which is remembered how their host won, for `vipnode_explain`; beyond it the oldest are forgotten.
        explained_leases: u32 = 50_000, Count 0..=10_000_000;
        /// Deadlines that one `handle` works off; the rest waits for the next.
        expiries_a_handle: u32 = 1_000, Count 1..=100_000;
        /// Hosts shown in a status.
        status_hosts: u32 = 1_000, Count 0..=100_000;
        /// Unknown leases that one report may name; the rest of them is ignored.
        unknown_a_report: u32 = 16, Count 0..=1_000;
        /// Hosts asked one after the other for one ask; then it is answered with what it has.
        tries_an_ask: u32 = 8, Count 1..=100;
        /// Clients served by themselves in one tick; the rest waits for the next.
        served_a_tick: u32 = 256, Count 1..=100_000;
        /// A client for which no host was found is tried again after this time.
        retry_ms: u64 = 5 * SECOND, Time 100..=HOUR;
        /// A host that did not admit is left alone for this time, doubled each time up to `max_rest_ms`.
        rest_ms: u64 = 2 * SECOND, Time 100..=HOUR;
        /// The longest rest; see `rest_ms`.
        max_rest_ms: u64 = 10 * MINUTE, Time 100..=DAY;
        /// Times an eviction is sent again that was not answered in time; then the socket is closed, and the
        /// agent learns from its next connect reply which leases live.
        evict_tries: u32 = 3, Count 0..=100;
        /// Different chains; nodes of further ones are busy.
        chains: u32 = 4_096, Count 1..=1_000_000;
        /// Different version strings; further ones show as empty.
        versions: u32 = 4_096, Count 1..=1_000_000;
        /// Characters of a version string; the rest is cut.
        version_chars: u32 = 64, Count 8..=256;
        /// Capabilities of one node; the rest is ignored.
        capabilities: u32 = 32, Count 1..=64;
        /// Needs, and minimum versions, of one node; the rest its agent checks alone.
        rules: u32 = 8, Count 0..=64;
        /// Different sets of what a node serves and wants; nodes with a further one are taken as if they told none.
        profiles: u32 = 4_096, Count 1..=1_000_000;
        /// Versions that a node refused since it connected; beyond it the oldest is forgotten.
        unwanted_versions: u32 = 16, Count 1..=1_000;
        /// Grants remembered for `same_address_ms`; beyond it the oldest are forgotten early.
        recent_grants: u32 = 1_000_000, Count 1..=100_000_000;
        /// Address blocks whose unpaired time is counted in one day; further ones count by node alone.
        unpaired_blocks: u32 = 1_000_000, Count 1..=100_000_000;
        /// Nodes looked at in one tick for pruning.
        swept_a_tick: u32 = 64, Count 1..=100_000;
        /// Nodes remembered; new ones beyond it are busy.
        nodes: u32 = 4_000_000, Count 1..=100_000_000;
        /// A node without a lease that was not seen for this long is forgotten.
        prune_ms: u64 = 30 * DAY, Time HOUR..=3_650 * DAY;
    }
    also {
        /// What a place costs.
        price: Price = Price::FREE;
        /// Whether the pool admits only members: their word on their own address counts.
        closed: bool = false;
    }
}

limits! {
    /// Every limit of the pool's gateway, by name.
    PoolLimits {
        /// Bytes of a WebSocket message or of an HTTP body; a larger one ends the socket, or is 413.
        frame_bytes: usize = 128 << 10, Bytes KIB..=16 * MIB;
        /// Sockets in all, of one address block (/24, /48) at most as many as are left; a further one is told
        /// 503 or 429 and closed.
        connections: usize = 50_000, Count 1..=10_000_000;
        /// Sockets of one address (IPv4) or /64 (IPv6); a further one is told 429 and closed.
        connections_an_address: usize = 1_000, Count 1..=10_000_000;
        /// New sockets a second of one address block, on average; further ones wait up to `opens_wait`.
        opens_a_second: u32 = 100, Count 1..=1_000_000;
        /// New sockets of one address block that may come at once.
        opens_at_once: u32 = 50, Count 1..=10_000_000;
        /// A new socket of an address block that would have to wait longer is told 429 and closed.
        opens_wait: Duration = seconds(5), Time 0..=MINUTE;
        /// Address blocks counted one by one; further ones count as one.
        blocks: usize = 100_000, Count 1..=10_000_000;
        /// Refused sockets a second that are told why; further ones are closed without a word.
        refusals: u32 = 50, Count 1..=10_000;
        /// A socket that is told why it is refused has this long to take it; then it is closed.
        refusal: Duration = seconds(1), Time 10..=MINUTE;
        /// Refused sockets in a row after which the next is taken no sooner than after `storm_pause`.
        storm: u32 = 4, Count 1..=1_000_000;
        /// In a storm of refused sockets no further one is taken for this long; see `storm`.
        storm_pause: Duration = Duration::from_millis(1), Time 0..=SECOND;
        /// A WebSocket that has not said who it is in this time is closed.
        unauthenticated: Duration = seconds(10), Time SECOND..=10 * MINUTE;
        /// Calls to one agent that wait to be written; at the limit its socket is closed.
        outbound: usize = 256, Count 1..=100_000;
        /// Calls to one agent that wait for its answer; at the limit its socket is closed.
        unanswered: usize = 1_024, Count 1..=100_000;
        /// Requests of one socket that wait for the pool; a further one is answered "busy".
        requests_a_socket: usize = 64, Count 1..=10_000;
        /// Calls a second of one socket, on average; a further one is answered "busy".
        calls_a_second: u32 = 20, Count 1..=1_000_000;
        /// Calls of one socket that may come at once.
        burst: u32 = 100, Count 1..=1_000_000;
        /// After a call beyond its rate a socket is not read for this long, nor before its turn among those of its
        /// address block, of which `block_calls_a_second` come a second.
        flood_pause: Duration = Duration::from_millis(20), Time 0..=MINUTE;
        /// Calls beyond the rate since the socket was last calm; then it is closed.
        flood: u32 = 100, Count 1..=1_000_000;
        /// Frames in a row that are not JSON-RPC; then the socket is closed.
        garbage: u32 = 32, Count 1..=1_000_000;
        /// Calls a second of one address block, on average; further ones wait up to `block_wait`.
        block_calls_a_second: u32 = 2_000, Count 1..=100_000_000;
        /// Calls of one address block that may come at once.
        block_burst: u32 = 1_000, Count 1..=100_000_000;
        /// A call of an address block that would have to wait longer is answered "busy".
        block_wait: Duration = seconds(2), Time 0..=MINUTE;
        /// Microseconds of a core that the sockets of one address block use at a stretch, earned back in four times as
        /// much time; beyond it their work is done one piece at a time, with everybody else's between.
        block_cpu_us: u32 = 50, Count 0..=100_000_000;
        /// Frames of one socket that are read in a row; then others have their turn.
        frames_a_turn: u32 = 8, Count 1..=1_000;
        /// Connects that wait for the pool's mind, of one address block at most as many as are free; a further
        /// one is answered "busy".
        permits_connect: usize = 4_096, Count 1..=1_000_000;
        /// Reports that wait for the pool's mind; the same.
        permits_report: usize = 16_384, Count 1..=1_000_000;
        /// Everything else that waits for the pool's mind; the same.
        permits_other: usize = 4_096, Count 1..=1_000_000;
        /// Signatures that are checked at once, address blocks in turn; 0 is half of the machine's cores.
        signature_checks: usize = 0, Count 0..=1_024;
        /// A signed call whose turn to be checked does not come in this time is answered "busy".
        check_wait: Duration = seconds(2), Time 0..=MINUTE;
        /// Bytes of the head of an HTTP request; a larger one is 431.
        http_head_bytes: usize = 16 << 10, Bytes 8 * KIB..=MIB;
        /// Ports that `vipnode_reach` tries at once; a further call is answered "busy". 0 tries none.
        reaches: usize = 64, Count 0..=10_000;
        /// `vipnode_reach` gives up a port after this time.
        reach_wait: Duration = seconds(3), Time 100..=MINUTE;
        /// Ports that `vipnode_reach` tries for one address block, on average one in this time; a further call is
        /// answered "busy".
        reach_every: Duration = seconds(10), Time 100..=HOUR;
        /// Ports that `vipnode_reach` may try for one address block without a pause.
        reach_burst: u32 = 6, Count 1..=10_000;
        /// A TLS handshake is done in this time, or the socket is closed.
        tls_handshake: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// TLS handshakes at once; for a further one the oldest of the address block (/24, /48) with the most
        /// is closed.
        tls_handshakes: usize = 1_024, Count 1..=1_000_000;
        /// The head of an HTTP request is read in this time, or the socket is closed.
        http_head: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// The body of an HTTP request is read in this time, or it is 408.
        http_body: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// A WebSocket is pinged this often, which also measures its latency.
        ping: Duration = seconds(30), Time SECOND..=10 * MINUTE;
        /// A WebSocket on which nothing arrived for this long is closed.
        socket_silence: Duration = seconds(75), Time SECOND..=HOUR;
        /// A frame that an agent does not take in this time ends its socket.
        write: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// A WebSocket that the pool ends waits this long for the other side's farewell, never longer than `write`.
        farewell: Duration = seconds(1), Time 0..=MINUTE;
        /// Frames that may come before the other side's farewell; then the socket is closed without it.
        farewell_frames: usize = 64, Count 0..=100_000;
        /// Agents that speak over HTTP; a further one is "busy".
        http_agents: usize = 10_000, Count 1..=10_000_000;
        /// An agent over HTTP that was not heard for this long has left.
        http_idle: Duration = seconds(240), Time SECOND..=DAY;
        /// A status is made this often; in between everybody gets the same.
        status_age: Duration = seconds(1), Time 0..=HOUR;
        /// The pool's mind and its store answer a probe in this time, or `/health` is 503.
        health: Duration = seconds(1), Time 10..=MINUTE;
        /// At the end requests in flight have this long to be answered.
        drain: Duration = seconds(5), Time 0..=10 * MINUTE;
        /// After `drain` sockets have this long to close; then the pool ends without them.
        closing: Duration = seconds(6), Time 0..=10 * MINUTE;
        /// A store that cannot be read is tried again after this time; until then every call is answered "busy".
        store_retry: Duration = seconds(1), Time 10..=10 * MINUTE;
        /// Batches of rows that wait for the store; at the limit the pool's mind waits.
        store_batches: usize = 64, Count 1..=10_000;
        /// "Try again in", where the pool's state is being rebuilt or the pool has too much to do.
        busy_retry: Duration = seconds(5), Time 100..=10 * MINUTE;
    }
    also {}
}

impl PoolLimits {
    /// "Try again in", in milliseconds.
    #[must_use]
    pub fn retry_ms(&self) -> u64 {
        u64::try_from(self.busy_retry.as_millis()).unwrap_or(u64::MAX)
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_default_is_in_its_range_and_each_name_is_there_once() {
        let (core, gateway) = (Limits::default(), PoolLimits::default());
        let core = Limits::TABLE.iter().map(|row| (row.name, (row.get)(&core), &row.range, row.rule));
        let gateway = PoolLimits::TABLE.iter().map(|row| (row.name, (row.get)(&gateway), &row.range, row.rule));
        let mut names = BTreeSet::new();
        for (name, default, range, rule) in core.chain(gateway) {
            assert!(range.contains(&default), "{name}: {default}");
            assert!(rule.len() > 10 && rule.ends_with('.'), "{name}: {rule}");
            assert!(names.insert(name), "{name} twice");
        }
    }

    #[test]
    fn a_limit_is_set_by_its_line() {
        let mut limits = PoolLimits::default();
        let row = PoolLimits::TABLE.iter().find(|row| row.name == "write").unwrap();
        (row.set)(&mut limits, 1_500);
        assert_eq!(limits.write, Duration::from_millis(1_500));
        assert_eq!(limits, PoolLimits { write: Duration::from_millis(1_500), ..PoolLimits::default() });
    }
}
