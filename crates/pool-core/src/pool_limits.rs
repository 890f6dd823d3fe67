//! Every limit of the pool's gateway, as `vipnode pool --print-limits` prints it after those of the core.

use std::time::Duration;

use vipnode_types::limits;

use crate::limits::{DAY, HOUR, MINUTE, SECOND};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

limits! {
    /// Every limit of the pool's gateway, by name.
    PoolLimits {
        /// Bytes of a WebSocket message or an HTTP body; a larger message closes the socket, a larger body is answered
        /// with HTTP status 413.
        frame_bytes: usize = 128 << 10, Bytes KIB..=16 * MIB;
        /// Sockets in total. A wide block (/16, /32) may hold at most as many as are still free, and an address block
        /// (/24, /48) at most as many as its wide block may still take; see `block_minimum`. A further socket is
        /// answered with HTTP status 503 or 429 and closed.
        connections: usize = 50_000, Count 1..=10_000_000;
        /// Sockets from one address (IPv4) or /64 (IPv6); a further socket is answered with HTTP status 429 and closed.
        connections_an_address: usize = 1_000, Count 1..=10_000_000;
        /// New sockets per second from one address block, on average; further ones wait up to `opens_wait`.
        opens_a_second: u32 = 100, Count 1..=1_000_000;
        /// New sockets from one address block that may arrive at once.
        opens_at_once: u32 = 50, Count 1..=10_000_000;
        /// A new socket that would have to wait longer is answered with HTTP status 429 and closed.
        opens_wait: Duration = seconds(5), Time 0..=MINUTE;
        /// Sockets, waiting commands of each class, ports being tried, and agents over HTTP that an address block may
        /// always hold while one is free, whatever others hold. At most four blocks in a wide block (/16, /32) have
        /// this guarantee.
        block_minimum: u32 = 4, Count 0..=1_000;
        /// A wide block (/16, /32) may open, call, receive, test ports, and use CPU time this many times as fast as an address
        /// block (/24, /48); see `opens_a_second`, `block_calls_a_second`, `block_bytes_a_second`, `reach_every`, and
        /// `block_cpu_us`.
        wide_block_factor: u32 = 4, Count 1..=1_000;
        /// Address blocks counted separately, at most half of them in one wide block; further blocks of a wide block
        /// are counted together.
        blocks: usize = 100_000, Count 1..=10_000_000;
        /// Refused sockets per second that are answered with a reason; further ones are closed without an answer.
        refusals: u32 = 50, Count 1..=10_000;
        /// A refused socket has this long to read the reason; then it is closed.
        refusal: Duration = seconds(1), Time 10..=MINUTE;
        /// Refused sockets in a row after which the pool waits `storm_pause` before it accepts the next socket.
        storm: u32 = 4, Count 1..=1_000_000;
        /// The wait between sockets while they are refused; see `storm`.
        storm_pause: Duration = Duration::from_millis(1), Time 0..=SECOND;
        /// A WebSocket that has not authenticated within this time is closed.
        unauthenticated: Duration = seconds(10), Time SECOND..=10 * MINUTE;
        /// Calls to one agent that are waiting to be written; at the limit, its socket is closed.
        outbound: usize = 256, Count 1..=100_000;
        /// Calls to one agent that are waiting for its answer; at the limit, its socket is closed.
        unanswered: usize = 1_024, Count 1..=100_000;
        /// Requests from one socket that are waiting for the pool; a further one is answered "busy".
        requests_a_socket: usize = 64, Count 1..=10_000;
        /// Calls per second from one socket, on average; a further one is answered "busy".
        calls_a_second: u32 = 20, Count 1..=1_000_000;
        /// Calls from one socket that may arrive at once.
        burst: u32 = 100, Count 1..=1_000_000;
        /// After a call beyond its rate, the pool does not read from the socket for this long, and then waits for its
        /// turn among the sockets of its address block (`block_calls_a_second` turns per second).
        flood_pause: Duration = Duration::from_millis(20), Time 0..=MINUTE;
        /// Calls beyond the rate since the socket was last within its rate; then the socket is closed.
        flood: u32 = 100, Count 1..=1_000_000;
        /// Frames in a row that are not JSON-RPC; then the socket is closed.
        garbage: u32 = 32, Count 1..=1_000_000;
        /// Calls per second from one address block, on average; further ones wait up to `block_wait`. Authenticated
        /// members of a closed pool on WebSockets are exempt.
        block_calls_a_second: u32 = 2_000, Count 1..=100_000_000;
        /// Calls from one address block that may arrive at once.
        block_burst: u32 = 1_000, Count 1..=100_000_000;
        /// A call that would have to wait longer for its address block is answered "busy".
        block_wait: Duration = seconds(2), Time 0..=MINUTE;
        /// Bytes per second of answers to one address block, on average. An answer beyond it waits up to `block_wait`,
        /// then the request is refused (429, or "busy"). Answers from the core on WebSockets are sent immediately;
        /// instead, the block's next calls wait. Authenticated members of a closed pool are exempt.
        block_bytes_a_second: usize = 1 << 20, Bytes KIB..=1_024 * MIB;
        /// Bytes of answers to one address block that may be sent at once; see `block_bytes_a_second`.
        block_bytes_at_once: usize = 8 << 20, Bytes MIB..=1_024 * MIB;
        /// Microseconds of CPU time that the sockets of one address block may use without a pause; the budget refills
        /// over four times that long. Beyond it, the pool processes their work one piece at a time, in turn with that
        /// of all other blocks. Authenticated members of a closed pool on WebSockets are exempt.
        block_cpu_us: u32 = 50, Count 0..=100_000_000;
        /// A larger call or frame counts as several, one for each started part of this many bytes: toward `calls_a_second`,
        /// `block_calls_a_second`, and `frames_a_turn`. It is read once there is room for one; the next calls wait for the
        /// others.
        bytes_a_call: usize = 4 << 10, Bytes KIB..=16 * MIB;
        /// Frames from one socket that are read in a row; then other sockets have their turn.
        frames_a_turn: u32 = 8, Count 1..=1_000;
        /// Connects that are waiting for the core; shared among address blocks like `connections`. A further one is
        /// answered "busy". Authenticated members of a closed pool share the whole.
        permits_connect: usize = 4_096, Count 1..=1_000_000;
        /// Reports that are waiting for the core; shared and answered like `permits_connect`.
        permits_report: usize = 16_384, Count 1..=1_000_000;
        /// All other calls that are waiting for the core; shared and answered like `permits_connect`.
        permits_other: usize = 4_096, Count 1..=1_000_000;
        /// Microseconds of the core's time that an address block gets in its turn, before other blocks get theirs; time
        /// that it used beyond that is deducted from its next turns.
        core_turn_us: u32 = 100, Count 1..=1_000_000;
        /// The most turns that a block skips to make up for its debt, the time that it used beyond its turns; debt
        /// beyond that is discarded.
        core_debt_turns: u32 = 100, Count 0..=1_000_000;
        /// Wide blocks (/16, /32) whose debt (see `core_debt_turns`) is remembered while none of their messages are
        /// waiting; beyond it, all such debts are discarded.
        core_debtors: usize = 10_000, Count 0..=10_000_000;
        /// Microseconds after which the core sends the answers to the messages that it has handled in a row (at most
        /// 256 messages).
        core_batch_us: u32 = 500, Count 1..=1_000_000;
        /// Address blocks whose use of the core is counted for `vipnode pool admin top`; beyond it, the half with the
        /// lowest usage is forgotten.
        core_time_blocks: usize = 10_000, Count 0..=10_000_000;
        /// Bans by the operator; a further one is refused.
        bans: usize = 10_000, Count 0..=30_000;
        /// Nodes that the operator drains; a further one is refused.
        drained_nodes: usize = 1_000, Count 0..=1_000_000;
        /// Signatures checked at the same time (0: half as many as the machine has CPU cores). Wide blocks are served
        /// in turn, and within each, its address blocks.
        signature_checks: usize = 0, Count 0..=1_024;
        /// A signed call whose signature cannot be checked within this time is answered "busy".
        check_wait: Duration = seconds(2), Time 0..=MINUTE;
        /// Statements that are being read from the store at the same time. Wide blocks are served in turn, and within
        /// each, its address blocks; a further read waits for at most `statement_time`, then it is answered "busy".
        statements: usize = 2, Count 1..=64;
        /// A statement that cannot be read within this time is refused. Statements for one address block may be read
        /// for as long without a pause; this refills over four times that long, and a further one is answered "busy"
        /// until enough of it has come back. Authenticated members of a closed pool are exempt from that.
        statement_time: Duration = seconds(5), Time 10..=MINUTE;
        /// Entries of the ledger on one page of a statement; further ones are on the next page.
        statement_entries: usize = 1_000, Count 1..=100_000;
        /// Lines on one page of a daily statement; further ones are on the next page.
        daily_lines: usize = 100, Count 1..=1_000;
        /// Entries of the ledger, or billing periods, that `vipnode pool prune` removes at once, or `vipnode pool fold`
        /// looks at, while the pool is running. The pool commits its own changes in between.
        prune_rows: usize = 200, Count 1..=10_000;
        /// Bytes of the head of an HTTP request; a larger one is answered with HTTP status 431.
        http_head_bytes: usize = 16 << 10, Bytes 8 * KIB..=MIB;
        /// Ports that `vipnode_reach` tries at the same time; shared among address blocks like `connections`. A further call is
        /// answered "busy". 0 turns the method off.
        reaches: usize = 64, Count 0..=10_000;
        /// `vipnode_reach` reports `timeout` if a port does not respond within this time.
        reach_wait: Duration = seconds(3), Time 100..=MINUTE;
        /// `vipnode_reach` tries one port per address block in this time, on average; a further call is answered "busy".
        reach_every: Duration = seconds(10), Time 100..=HOUR;
        /// Ports in one address block that `vipnode_reach` may try without a pause.
        reach_burst: u32 = 6, Count 1..=10_000;
        /// A TLS handshake that takes longer closes the socket.
        tls_handshake: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// TLS handshakes in progress. A further one closes the oldest handshake of the address block (/24, /48) with
        /// the most handshakes, in the wide block (/16, /32) with the most.
        tls_handshakes: usize = 1_024, Count 1..=1_000_000;
        /// A socket that does not send the head of an HTTP request within this time is closed.
        http_head: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// A request whose body does not arrive within this time is answered with HTTP status 408.
        http_body: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// An HTTP connection that does not come through a named proxy is closed after this time, once the request in progress
        /// is answered. WebSockets are not limited by it.
        http_life: Duration = seconds(300), Time SECOND..=DAY;
        /// Connections from the pool's own machine in addition to the other limits, for probes. They can only read
        /// `/health` and `/metrics`. A further connection closes the one that has been idle longest.
        probes: usize = 16, Count 0..=10_000;
        /// Bytes per second of answers to requests for `/health` and `/metrics` from the pool's own machine, and
        /// `block_bytes_at_once` at once. Further answers are up to 0.9 s late, and never refused.
        probe_bytes_a_second: usize = 1 << 20, Bytes KIB..=1_024 * MIB;
        /// A load balancer named with `--proxy-protocol` has this long to send the header; then the connection is closed.
        proxy_header: Duration = seconds(5), Time 100..=MINUTE;
        /// A fragmented WebSocket message that is not complete within this time closes the socket.
        fragments: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// A WebSocket is pinged this often, which also measures its latency.
        ping: Duration = seconds(30), Time SECOND..=10 * MINUTE;
        /// A WebSocket on which nothing arrives for this long is closed.
        socket_silence: Duration = seconds(75), Time SECOND..=HOUR;
        /// A socket is closed if the other side reads no part of a response for this long.
        write: Duration = seconds(10), Time 100..=10 * MINUTE;
        /// After the pool sends a close frame, it waits this long for the other side's close frame, never longer than `write`.
        farewell: Duration = seconds(1), Time 0..=MINUTE;
        /// Frames that may arrive before the other side's close frame; after that, the socket is closed without waiting for
        /// it.
        farewell_frames: usize = 64, Count 0..=100_000;
        /// Agents connected over HTTP; shared among address blocks like `connections`. A further one is answered "busy"; no
        /// existing agent is removed to make room. Members of a closed pool share the whole.
        http_agents: usize = 10_000, Count 1..=10_000_000;
        /// An agent over HTTP that does not call for this long counts as disconnected.
        http_idle: Duration = seconds(240), Time SECOND..=DAY;
        /// The status is generated at most this often; in the meantime, all callers get the same one.
        status_age: Duration = seconds(1), Time 0..=HOUR;
        /// The core and the store must answer a probe within this time; otherwise, `/health?full` returns 503.
        health: Duration = seconds(1), Time 10..=MINUTE;
        /// `/health` is answered from a copy that is refreshed once per second; it returns 503 if the copy is older than this.
        health_age: Duration = seconds(3), Time SECOND..=HOUR;
        /// At shutdown, requests in flight have this long to be answered.
        drain: Duration = seconds(5), Time 0..=10 * MINUTE;
        /// After `drain`, sockets have this long to close; then the pool exits without waiting.
        closing: Duration = seconds(6), Time 0..=10 * MINUTE;
        /// A store that fails is tried again after this time; until then, every call is answered "busy".
        store_retry: Duration = seconds(5), Time 10..=10 * MINUTE;
        /// Batches of rows that are waiting for the store; at the limit, the core waits.
        store_batches: usize = 64, Count 1..=10_000;
        /// The retry time in an answer while the pool's state is being restored or the pool is overloaded.
        busy_retry: Duration = seconds(5), Time 100..=10 * MINUTE;
    }
    also {}
}

impl PoolLimits {
    /// [`Self::busy_retry`] in milliseconds.
    #[must_use]
    pub fn retry_ms(&self) -> u64 {
        u64::try_from(self.busy_retry.as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns how many calls a call of this many bytes counts as; see [`Self::bytes_a_call`].
    #[must_use]
    pub fn calls_of(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(self.bytes_a_call.max(1))).unwrap_or(u32::MAX).max(1)
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_started_part_of_a_call_counts() {
        let limits = PoolLimits { bytes_a_call: 1_000, ..PoolLimits::default() };
        let counted = [0, 1, 1_000, 1_001, 128_000].map(|bytes| limits.calls_of(bytes));
        assert_eq!(counted, [1, 1, 1, 2, 128]);
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
