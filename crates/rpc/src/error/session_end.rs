use std::{convert::Infallible, fmt::Display};

use vipnode_types::{errors, sanitize};

use super::transport_text::transport_text;
use crate::limits::REASON_CHARS;

errors! {
    /// What ended a session, on this side or on the other one.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SessionEnd {
        /// This side closed the connection.
        Closed {
            /// The reason, as it is sent to the other side.
            reason: String,
        }: local, "{reason}", hint "Try again once the connection is back.";
        /// This side dropped all handles to the connection.
        Unused: local, "the connection is no longer used", no_hint "this side no longer needs the connection";
        /// The other side closed the connection and gave a reason.
        ClosedByOther {
            /// The reason, sanitized.
            reason: String,
        }: local, "closed by the other side: {reason}", hint "Try again once the connection is back.";
        /// The other side closed the connection without a reason.
        ClosedWithoutReason: local, "closed by the other side", hint "Try again once the connection is back.";
        /// The stream ended without a close frame.
        Gone: local, "the connection was lost", hint "Try again once the connection is back.";
        /// The socket failed.
        Broken {
            /// What the transport reports, sanitized.
            why: String,
        }: local, "{why}", hint "Try again once the connection is back.";
        /// Nothing was received for too long, so the connection is considered dead.
        Silent {
            /// For how long, in seconds.
            seconds: u64,
        }: local, "received nothing for {seconds} s", hint "Check the network between the two sides.";
        /// The other side sent a message that is longer than this side accepts.
        TooLong {
            /// The limit, [`crate::RpcLimits::frame_bytes`].
            bytes: usize,
        }: local, "received a message of more than {bytes} bytes",
            hint "Check that a pool or a node answers at this address, and that both sides run compatible versions.";
        /// The other side did not read a frame in time.
        NotReading: local, "the other side stopped reading", hint "Check the network between the two sides.";
        /// The other side uses another protocol.
        Garbage {
            /// How many, [`crate::RpcLimits::garbage`].
            frames: u32,
        }: local, "{frames} frames in a row were not JSON-RPC 2.0",
            hint "Check that a pool or a node answers at this address.";
    }
}

impl SessionEnd {
    /// This side closes the connection for a reason of its own.
    #[must_use]
    pub fn closed(reason: impl Into<String>) -> Self {
        Self::Closed { reason: reason.into() }
    }

    /// The other side sent a close frame with this reason.
    pub(crate) fn closed_by_other(reason: &str) -> Self {
        match sanitize(reason, REASON_CHARS) {
            reason if reason.is_empty() => Self::ClosedWithoutReason,
            reason => Self::ClosedByOther { reason },
        }
    }

    /// The socket failed.
    pub(crate) fn broken(error: &impl Display) -> Self {
        Self::Broken { why: sanitize(transport_text(&error.to_string()), REASON_CHARS) }
    }
}

impl From<Infallible> for SessionEnd {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
