//! Every limit of the agent's role, by name, and what happens at each. [`AgentLimits`] are those that `vipnode agent --limit`
//! sets and `--print-limits` prints.

use std::time::Duration;

use vipnode_agent_core::REQUEST_MS;
use vipnode_node::limits::NodeLimits;
use vipnode_rpc::{RpcLimits, Trust};
use vipnode_types::{LimitSetting, LimitSettings, limits};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The limits that the agent's user can set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentLimits {
    /// Of the calls to the node.
    pub node: NodeLimits,
    /// Of the connection to the pool.
    pub pool: PoolLinkLimits,
    /// Of the server of metrics.
    pub metrics: MetricsLimits,
    /// Of what is shown to the user.
    pub notices: NoticeLimits,
    /// Of the daily statements of a host.
    pub statements: StatementLimits,
}

limits! {
    /// The limits of the connection to a pool.
    PoolLinkLimits {
        /// A pool answers a request within this time; otherwise, the agent closes the connection and opens another one.
        pool_call: Duration = Duration::from_millis(REQUEST_MS), Time SECOND..=10 * MINUTE;
        /// Requests to the pool that are waiting for an answer; a further one fails.
        pool_calls: usize = 4_096, Count 16..=65_536;
        /// Requests from the pool that are waiting for an answer from the agent; a further one is answered "busy".
        pool_requests: usize = 1_024, Count 16..=65_536;
        /// Bytes of one message from the pool; a larger one ends the connection.
        pool_bytes: usize = 1 << 20, Bytes 64 * KIB..=64 * MIB;
        /// A connection to the pool opens within this time; otherwise, the attempt has failed.
        pool_open: Duration = Duration::from_secs(10), Time 100..=MINUTE;
        /// A frame that the pool does not accept within this time ends the connection.
        pool_write: Duration = Duration::from_secs(10), Time 100..=10 * MINUTE;
        /// The agent sends a WebSocket ping to the pool this often.
        pool_ping: Duration = Duration::from_secs(20), Time SECOND..=10 * MINUTE;
        /// A connection on which nothing has arrived for this long ends: it is half-open. Set it to more than
        /// `pool_ping`.
        pool_silence: Duration = Duration::from_secs(60), Time SECOND..=HOUR;
    }
    also {}
}

limits! {
    /// The limits of the server of metrics.
    MetricsLimits {
        /// Connections that read the metrics at once; a further one ends the oldest.
        metrics_connections: usize = 8, Count 1..=1_024;
        /// A connection that reads the metrics is closed after this time.
        metrics_answer: Duration = Duration::from_secs(10), Time 100..=MINUTE;
        /// Bytes of the head of a request for the metrics; a longer one is refused, and a body is not read.
        metrics_head_bytes: usize = 8 << 10, Bytes 8 * KIB..=MIB;
        /// On a pool that charges, an agent that serves metrics asks the pool this often what its node can spend and
        /// has earned.
        metrics_funds: Duration = Duration::from_millis(5 * MINUTE), Time SECOND..=24 * HOUR;
    }
    also {}
}

limits! {
    /// The limits of what an agent shows to its user.
    NoticeLimits {
        /// Notices of one kind that are shown within `notice_window`, whatever their text. Further ones are counted; the count
        /// is shown with the newest of them.
        notices_of_a_kind: usize = 50, Count 1..=1_000_000;
        /// The time in which `notices_of_a_kind` are shown.
        notice_window: Duration = Duration::from_millis(10 * MINUTE), Time SECOND..=24 * HOUR;
    }
    also {}
}

limits! {
    /// The limits of the statements that a pool signs to a host for each day.
    StatementLimits {
        /// How many days back a host requests statements that it does not have.
        daily_statement_days: u32 = 7, Count 1..=366;
        /// After a day, the host asks for its statement at a random moment within this time, so that not all hosts ask at once.
        daily_statement_wait: Duration = Duration::from_millis(2 * HOUR), Time 0..=12 * HOUR;
        /// Statements that are kept for one node; a further one removes that of the earliest day.
        daily_statements: usize = 400, Count 1..=10_000;
        /// Bytes of one statement; further pages are not requested, and the host reports this. Each page has the sums
        /// of the day.
        daily_statement_bytes: usize = 4 << 20, Bytes 4 * KIB..=64 * MIB;
    }
    also {}
}

impl LimitSettings for AgentLimits {
    fn limit_settings(&self) -> Vec<LimitSetting> {
        let Self { node, pool, metrics, notices, statements } = self;
        let last = [notices.limit_settings(), statements.limit_settings()].concat();
        [node.limit_settings(), pool.limit_settings(), metrics.limit_settings(), last].concat()
    }

    fn set_limit(&mut self, name: &str, value: u64) -> bool {
        let Self { node, pool, metrics, notices, statements } = self;
        node.set_limit(name, value)
            || pool.set_limit(name, value)
            || metrics.set_limit(name, value)
            || notices.set_limit(name, value)
            || statements.set_limit(name, value)
    }
}

impl PoolLinkLimits {
    /// The limits of the connection itself.
    pub(crate) fn rpc(&self, trust: Trust) -> RpcLimits {
        RpcLimits {
            frame_bytes: self.pool_bytes,
            in_flight: self.pool_calls,
            served: self.pool_requests,
            open: self.pool_open,
            write: self.pool_write,
            ping: self.pool_ping,
            silence: self.pool_silence,
            trust,
            ..RpcLimits::default()
        }
    }
}

/// Events of the pool that wait for the agent core. At the limit nothing more is read from the socket.
pub const POOL_EVENTS: usize = 256;
/// Requests that wait to be sent to the pool. A further one is answered "busy" at once.
pub const POOL_REQUESTS: usize = 256;
/// Calls that wait for the node. A further one fails at once.
pub const NODE_CALLS: usize = 4_096;
/// Results of calls and observations of the node that wait for the agent core. At the limit the node is not asked.
pub const NODE_EVENTS: usize = 256;
/// Notices that wait to be shown. A further one is dropped; it is in the log all the same.
pub const NOTICES: usize = 1_024;
/// A notice that repeats within this time is not shown but counted; the count is shown at the end of the time. Each further
/// time is twice as long, ...
pub const REPEAT_FIRST: Duration = Duration::from_secs(10);
/// ... up to this.
pub const REPEAT_MAX: Duration = Duration::from_secs(600);
/// A refusal of the pool that repeats within this time of the last one is counted too: the agent tries again for as long as it
/// runs, after up to 5 minutes each time.
pub const REFUSAL_MEMORY: Duration = Duration::from_secs(900);
/// The count of a refusal is shown after this time, each further one after twice the time, ...
pub const REFUSAL_FIRST: Duration = Duration::from_secs(60);
/// ... up to this.
pub const REFUSAL_MAX: Duration = Duration::from_secs(3_600);
/// Different notices that are remembered for it. At the limit the one whose time ends first is shown with its count and
/// forgotten.
pub const REPEATS: usize = 64;
/// The longest look-up of a name; then it counts as unknown. The agent core has one look-up of each name in progress.
pub const RESOLVE_DEADLINE: Duration = Duration::from_secs(10);
/// Calls of the pool that wait for an answer of ours; the RPC answers "busy" beyond its own, lower limit.
pub const POOL_CALLS: usize = 4_096;

/// After the system refused a connection (it has no more of them).
pub const METRICS_ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bytes of a journal. A longer one is not read: it is not ours.
pub const JOURNAL_BYTES: u64 = 64 << 20;
/// Lines of a journal beyond four for each live change, after which it is rewritten.
pub const JOURNAL_SPARE_LINES: usize = 1_024;
/// URLs of pools whose IDs are remembered. A further one drops the one that was pinned first.
pub const POOL_PINS: usize = 64;
/// Bytes of any other file of the state directory, and of a node's key file.
pub const FILE_BYTES: u64 = 64 << 10;

/// Bytes of a file with a daily statement. A longer one is not read: it is not ours.
pub const STATEMENT_FILE_BYTES: u64 = 68 << 20;
/// Entries of a directory with daily statements. Further ones are not seen.
pub const STATEMENT_FILES: usize = 20_000;

/// The longest wait for an answer of the pool to a question of `vipnode status`.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(20);

/// The longest time from the first signal to the end, whatever pool and node do; the agent core is done earlier. What is not
/// undone by then is in the journal, and the error names the command that undoes it.
pub const STOP_DEADLINE: Duration = Duration::from_secs(8);

/// The node is looked at this often when nothing is about to happen.
pub const LOOK_CALM: Duration = Duration::from_secs(5);
/// The first look after something was set going; each further one waits twice as long.
pub const LOOK_FIRST: Duration = Duration::from_millis(5);
/// The newest block is asked for this often.
pub const HEAD_EVERY: Duration = Duration::from_secs(5);
/// The first retry of a node that is offline; each further one waits twice as long.
pub const NODE_RETRY_FIRST: Duration = Duration::from_millis(100);
/// A node that was lost this soon after it was found, or sooner, is looked for with the wait of the last search: it answers,
/// but not to all that is asked of it.
pub const NODE_STEADY: Duration = Duration::from_secs(10);
/// The longest wait between two retries of a node that is offline.
pub const NODE_RETRY_MAX: Duration = Duration::from_secs(5);

/// How long a delegation holds, in milliseconds: a year.
pub const DELEGATION_MS: u64 = 365 * DAY_MS;
/// How long a delegation holds that signs a connect which is only checked, in milliseconds.
pub const CHECK_MS: u64 = 60_000;
/// A delegation with less than this left is renewed where the node's key can be read.
pub const RENEW_MS: u64 = 30 * DAY_MS;
/// A delegation with less than this left is not begun with.
pub const LAST_MS: u64 = DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Questions of `vipnode status` of each kind that wait for the agent; a further one waits for room.
pub const LOCAL_QUERIES: usize = 8;
/// Connections to the local socket at once; a further one ends the one that has been idle for the longest time, or waits
/// while none was idle for [`LOCAL_SETTLE`]. An idle one costs little, and the fewer there may be, the longer a caller waits
/// behind those that a script of the same user has left open.
pub const LOCAL_CONNECTIONS: usize = 256;
/// A connection to the local socket that asks nothing for this long is closed.
pub const LOCAL_IDLE: Duration = Duration::from_secs(30);
/// A connection to the local socket stays this long after it opened, and after each answer, although another one waits.
pub const LOCAL_SETTLE: Duration = Duration::from_millis(500);
/// Bytes of a question at the local socket; a larger one ends the connection.
pub const LOCAL_REQUEST_BYTES: usize = 4 << 10;
/// Questions of one connection that wait; a further one is answered "busy".
pub const LOCAL_REQUESTS: usize = 4;
/// Where no further file can be opened, the local socket takes nobody for this long; as long until it looks again whether one
/// of its connections is idle.
pub const LOCAL_RETRY: Duration = Duration::from_millis(500);
/// The agent answers a question of its own machine within this time, or "busy".
pub const LOCAL_DEADLINE: Duration = Duration::from_secs(3);
/// The node lists its connections for the latencies of a status within this time, or the status has none.
pub const LATENCY_DEADLINE: Duration = Duration::from_secs(1);
/// `vipnode status` waits this long for what an agent knows itself; longer than [`LOCAL_DEADLINE`] and
/// [`LATENCY_DEADLINE`] together.
pub const LOCAL_READ: Duration = Duration::from_secs(5);
/// `vipnode status --why` waits this long; longer than the agent waits for its pool, [`REQUEST_DEADLINE`].
pub const LOCAL_READ_THROUGH: Duration = Duration::from_secs(25);
/// Agents of one state directory that `vipnode status` looks at; further ones are not shown.
pub const LOCAL_AGENTS: usize = 1_024;
/// A request to the pool is given up this long after [`PoolLinkLimits::pool_call`]. The agent core gives up its socket before.
pub const REQUEST_SLACK: Duration = Duration::from_secs(5);
/// Questions to the pool, for `vipnode status`, that are under way at once; further ones wait.
pub const QUERIES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_of_the_connection_to_a_pool_is_one_of_its_rpc() {
        let limits = PoolLinkLimits {
            pool_call: Duration::from_secs(1),
            pool_calls: 2,
            pool_requests: 3,
            pool_bytes: 4,
            pool_open: Duration::from_secs(5),
            pool_write: Duration::from_secs(6),
            pool_ping: Duration::from_secs(7),
            pool_silence: Duration::from_secs(8),
        };
        let rpc = limits.rpc(Trust::default());
        assert_eq!((rpc.in_flight, rpc.served, rpc.frame_bytes), (2, 3, 4));
        assert_eq!([rpc.open, rpc.write, rpc.ping, rpc.silence], [5, 6, 7, 8].map(Duration::from_secs));
    }

    /// The connections of others have the same limits unless the user sets them.
    #[test]
    fn the_defaults_are_those_of_the_rpc() {
        assert_eq!(PoolLinkLimits::default().rpc(Trust::default()), RpcLimits::default());
    }

    #[test]
    fn names_are_unique() {
        let settings = AgentLimits::default().limit_settings();
        let names: std::collections::BTreeSet<&str> = settings.iter().map(|limit| limit.name).collect();
        assert_eq!(names.len(), settings.len());
        assert!(settings.iter().all(|limit| limit.range.contains(&limit.value) && limit.value == limit.default));
    }
}
