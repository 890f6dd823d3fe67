use std::time::Duration;

use crate::Trust;

/// Every limit of one connection, by name, and what happens at each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcLimits {
    /// Bytes of one frame, one IPC message or one HTTP body. A larger one ends the connection.
    pub frame_bytes: usize,
    /// Our calls that wait for an answer; a further one fails with [`crate::CallError::Full`].
    pub in_flight: usize,
    /// Requests of the other side that wait for our answer; a further one is answered "busy".
    pub served: usize,
    /// Messages in a batch; a longer one is refused as a whole.
    pub batch: usize,
    /// Frames that wait to be written. At the limit, nothing more is read or accepted until the other side reads; see
    /// [`RpcLimits::write`].
    pub outbound: usize,
    /// Received requests and notifications that are not processed yet. At the limit, nothing more is read.
    pub incoming: usize,
    /// Consecutive frames that are not JSON-RPC. At the limit, the connection ends.
    pub garbage: u32,
    /// Opening a connection fails after this time.
    pub open: Duration,
    /// A frame that the other side does not accept within this time ends the connection.
    pub write: Duration,
    /// A WebSocket client pings this often.
    pub ping: Duration,
    /// A WebSocket on which nothing arrived for this long is half-open and ends (fault D40, docs/faults.md).
    pub silence: Duration,
    /// A WebSocket that this side closes waits this long for the other side's close frame, never longer than
    /// [`RpcLimits::write`].
    pub farewell: Duration,
    /// Frames that may arrive before the other side's close frame: a side that keeps sending does not read ours either.
    pub farewell_frames: usize,
    /// Which servers a connection beyond this machine trusts.
    pub trust: Trust,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            frame_bytes: 1 << 20,
            in_flight: 4_096,
            served: 1_024,
            batch: 100,
            outbound: 1_024,
            incoming: 256,
            garbage: 32,
            open: Duration::from_secs(10),
            write: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            farewell: Duration::from_secs(1),
            farewell_frames: 64,
            trust: Trust::default(),
        }
    }
}

/// Bytes of the id of a request; a longer one is refused.
pub(crate) const ID_BYTES: usize = 1_024;
/// Characters kept of the message of an error that came over the wire.
pub(crate) const ERROR_CHARS: usize = 1_024;
/// Bytes kept of what a contract returned when it reverted; more is dropped.
pub(crate) const REVERT_BYTES: usize = 1_024;
/// Bytes of the reason in a close frame; RFC 6455 leaves 123.
pub(crate) const CLOSE_BYTES: usize = 123;
/// Characters kept of why the other side closed a connection, or of what broke it.
pub(crate) const REASON_CHARS: usize = 300;
/// Characters kept of the first line of an HTTP body that is not an answer.
pub(crate) const BODY_CHARS: usize = 300;
