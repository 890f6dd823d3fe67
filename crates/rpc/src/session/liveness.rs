use std::time::Duration;

use tokio::time::Instant;

use crate::{Frame, RpcLimits, SessionEnd};

/// How a session notices a half-open connection: it pings, and ends when nothing has arrived for too long.
#[derive(Debug)]
pub(super) struct Liveness {
    keepalive: Keepalive,
    silence: Duration,
    period: Duration,
    next_tick: Instant,
    heard: Instant,
    /// The number of the last ping, and when it was queued.
    pinged: (u64, Instant),
}

/// Whether a transport can ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keepalive {
    /// The session pings every [`RpcLimits::ping`] and ends after [`RpcLimits::silence`].
    Ping,
    /// The transport has no pings (IPC, pipes).
    None,
}

/// The period of a tick without pings. A tick only removes calls whose caller has given up, which
/// [`RpcLimits::in_flight`] limits.
const SWEEP: Duration = Duration::from_secs(20);

impl Liveness {
    pub(super) fn new(limits: &RpcLimits, keepalive: Keepalive) -> Self {
        let now = Instant::now();
        let (period, next_tick) = match keepalive {
            Keepalive::Ping => (limits.ping, now),
            Keepalive::None => (SWEEP, now + SWEEP),
        };
        Self { keepalive, silence: limits.silence, period, next_tick, heard: now, pinged: (0, now) }
    }

    /// Whether the transport has pings and close frames.
    pub(super) fn has_pings(&self) -> bool {
        self.keepalive == Keepalive::Ping
    }

    /// When [`Liveness::tick`] is due.
    pub(super) const fn next_tick(&self) -> Instant {
        self.next_tick
    }

    /// Something arrived.
    pub(super) fn set_heard(&mut self) {
        self.heard = Instant::now();
    }

    /// The round trip in microseconds, where the pong answers the last ping.
    pub(super) fn round_trip(&self, number: u64) -> Option<u32> {
        let (pinged, at) = self.pinged;
        let rtt = u32::try_from(at.elapsed().as_micros()).unwrap_or(u32::MAX);
        (number == pinged).then_some(rtt)
    }

    /// Returns the ping to send now; `None` without pings, or without `room` for a frame.
    pub(super) fn tick(&mut self, room: bool) -> Result<Option<Frame>, SessionEnd> {
        let now = Instant::now();
        self.next_tick = now + self.period;
        if !self.has_pings() {
            return Ok(None);
        }
        if now.duration_since(self.heard) >= self.silence {
            return Err(SessionEnd::Silent { seconds: self.silence.as_secs() });
        }
        if !room {
            return Ok(None);
        }
        self.pinged = (self.pinged.0.wrapping_add(1), now);
        Ok(Some(Frame::Ping(self.pinged.0)))
    }
}
