use vipnode_types::Price;

/// Every limit of the pool's mind, by name. What happens at each stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A tick comes at least this often; a gap of more than ten times as much is a pause of the pool
    /// and nobody's silence.
    pub tick_ms: u64,
    /// A report is due this often.
    pub report_interval_ms: u64,
    /// An agent silent for longer goes down where it was last seen.
    pub silence_ms: u64,
    /// After a start no silence is judged for this long.
    pub reconnect_window_ms: u64,
    /// A host answers an admit in this time, or the place goes back.
    pub admit_deadline_ms: u64,
    /// An ask is answered after this time with what it has.
    pub ask_deadline_ms: u64,
    /// An offer that both sides did not see in this time ends.
    pub offer_ms: u64,
    /// A leased pair not connected after this time: the host is asked to dial.
    pub dial_after_ms: u64,
    /// One host is not given twice in this time to clients of one public address.
    pub same_address_ms: u64,
    /// A running lease whose host said "gone" waits this long for the client's word.
    pub half_down_ms: u64,
    /// A lease rolls over to a new row after this time.
    pub rollover_ms: u64,
    /// Time a day that only the host may see, per node and per address block; only where a price is
    /// asked. Past it nothing is granted.
    pub unpaired_ms_a_day: u64,
    /// Presences are flushed this often.
    pub flush_ms: u64,
    /// Leases a client; `want` beyond it is cut.
    pub leases_a_client: u32,
    /// Places a host; offers beyond it are cut. At most 1,000, so that one host's end is one step.
    pub slots_a_host: u32,
    /// Outstanding offers an address block (/24, /48); asks beyond it are busy.
    pub offers_a_block: u32,
    /// Hosts in `avoid`; the rest is ignored.
    pub avoid: u32,
    /// Hosts looked at for one place.
    pub candidates: u32,
    /// Deadlines that one `handle` works off; the rest waits for the next.
    pub expiries_a_handle: u32,
    /// Hosts shown in a status.
    pub status_hosts: u32,
    /// Unknown leases that one report may name; the rest of them is ignored.
    pub unknown_a_report: u32,
    /// Hosts asked one after the other for one ask; then it is answered with what it has.
    pub tries_an_ask: u32,
    /// Clients served by themselves in one tick; the rest waits for the next.
    pub served_a_tick: u32,
    /// A client for which no host was found is tried again after this time.
    pub retry_ms: u64,
    /// A host that did not admit is left alone for this time, doubled each time up to `max_rest_ms`.
    pub rest_ms: u64,
    /// See `rest_ms`.
    pub max_rest_ms: u64,
    /// Times an eviction is sent again that was not answered in time; then the socket is closed, and the
    /// agent learns from its next connect reply which leases live.
    pub evict_tries: u32,
    /// Different chains; nodes of further ones are busy.
    pub chains: u32,
    /// Different version strings; further ones show as empty.
    pub versions: u32,
    /// Characters of a version string; the rest is cut.
    pub version_chars: u32,
    /// Grants remembered for `same_address_ms`; beyond it the oldest are forgotten early.
    pub recent_grants: u32,
    /// Address blocks whose unpaired time is counted in one day; further ones count by node alone.
    pub unpaired_blocks: u32,
    /// Nodes looked at in one tick for pruning.
    pub swept_a_tick: u32,
    /// Nodes remembered; new ones beyond it are busy.
    pub nodes: u32,
    /// A node without a lease that was not seen for this long is forgotten.
    pub prune_ms: u64,
    /// What a place costs.
    pub price: Price,
    /// Whether the pool admits only members: their word on their own address counts.
    pub closed: bool,
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

impl Default for Limits {
    fn default() -> Self {
        Self {
            tick_ms: SECOND,
            report_interval_ms: MINUTE,
            silence_ms: 3 * MINUTE,
            reconnect_window_ms: 10 * MINUTE,
            admit_deadline_ms: 3 * SECOND,
            ask_deadline_ms: 5 * SECOND,
            offer_ms: 15 * SECOND,
            dial_after_ms: 2 * SECOND,
            same_address_ms: 35 * SECOND,
            half_down_ms: 15 * SECOND,
            rollover_ms: 24 * HOUR,
            unpaired_ms_a_day: 10 * MINUTE,
            flush_ms: 3 * MINUTE,
            leases_a_client: 64,
            slots_a_host: 1_000,
            offers_a_block: 256,
            avoid: 64,
            candidates: 32,
            expiries_a_handle: 1_000,
            status_hosts: 1_000,
            unknown_a_report: 16,
            tries_an_ask: 8,
            served_a_tick: 256,
            retry_ms: 5 * SECOND,
            rest_ms: 2 * SECOND,
            max_rest_ms: 10 * MINUTE,
            evict_tries: 3,
            chains: 4_096,
            versions: 4_096,
            version_chars: 64,
            recent_grants: 1_000_000,
            unpaired_blocks: 1_000_000,
            swept_a_tick: 64,
            nodes: 4_000_000,
            prune_ms: 30 * 24 * HOUR,
            price: Price::FREE,
            closed: false,
        }
    }
}
