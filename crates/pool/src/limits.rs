use std::time::Duration;

/// Every limit of the gateway, by name, and what happens at each. Those of the pool's mind are
/// [`vipnode_core::Limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLimits {
    /// Bytes of a WebSocket message or of an HTTP body; a larger one ends the socket, or is 413.
    pub frame_bytes: usize,
    /// Sockets in all; a further one is told 503 and closed.
    pub connections: usize,
    /// Sockets of one address (IPv4) or /64 (IPv6); a further one is told 429 and closed.
    pub connections_an_address: usize,
    /// A WebSocket that has not said who it is in this time is closed.
    pub unauthenticated: Duration,
    /// Calls to one agent that wait to be written; at the limit its socket is closed.
    pub outbound: usize,
    /// Calls to one agent that wait for its answer; at the limit its socket is closed.
    pub unanswered: usize,
    /// Requests of one socket that wait for the pool; a further one is answered "busy".
    pub requests_a_socket: usize,
    /// Calls a second of one socket, on average; a further one is answered "busy".
    pub calls_a_second: u32,
    /// Calls that may come at once.
    pub burst: u32,
    /// Calls beyond the rate in a row; then the socket is closed.
    pub flood: u32,
    /// Connects that wait for the pool's mind; at the limit "busy" after [`PoolLimits::permit_wait`].
    pub permits_connect: usize,
    /// Reports that wait for the pool's mind; the same.
    pub permits_report: usize,
    /// Everything else that waits for the pool's mind; the same.
    pub permits_other: usize,
    /// How long a request waits for its permit.
    pub permit_wait: Duration,
    /// The head of an HTTP request is read in this time, or the socket is closed (D4).
    pub http_head: Duration,
    /// The body of an HTTP request is read in this time, or it is 408 (D4).
    pub http_body: Duration,
    /// A WebSocket is pinged this often, which also measures its latency.
    pub ping: Duration,
    /// A WebSocket on which nothing arrived for this long is closed.
    pub silence: Duration,
    /// A frame that an agent does not take in this time ends its socket.
    pub write: Duration,
    /// Agents that speak over HTTP; a further one is "busy".
    pub http_agents: usize,
    /// An agent over HTTP that was not heard for this long has left.
    pub http_idle: Duration,
    /// A status is made this often; in between everybody gets the same.
    pub status_age: Duration,
    /// The pool's mind and its store answer a probe in this time, or `/health` is 503.
    pub health: Duration,
    /// At the end requests in flight have this long to be answered, and sockets to be closed.
    pub drain: Duration,
    /// Batches of rows that wait for the store; at the limit the pool's mind waits.
    pub store_batches: usize,
    /// "Try again in", where the pool's state is being rebuilt.
    pub retry: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            frame_bytes: 128 << 10,
            connections: 50_000,
            connections_an_address: 1_000,
            unauthenticated: seconds(10),
            outbound: 256,
            unanswered: 1_024,
            requests_a_socket: 64,
            calls_a_second: 20,
            burst: 100,
            flood: 1_000,
            permits_connect: 4_096,
            permits_report: 16_384,
            permits_other: 4_096,
            permit_wait: seconds(2),
            http_head: seconds(10),
            http_body: seconds(10),
            ping: seconds(30),
            silence: seconds(75),
            write: seconds(10),
            http_agents: 10_000,
            http_idle: seconds(240),
            status_age: seconds(1),
            health: seconds(1),
            drain: seconds(5),
            store_batches: 64,
            retry: seconds(5),
        }
    }
}

impl PoolLimits {
    /// "Try again in", in milliseconds.
    pub(crate) fn retry_ms(&self) -> u64 {
        u64::try_from(self.retry.as_millis()).unwrap_or(u64::MAX)
    }
}
