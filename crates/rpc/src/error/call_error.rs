use vipnode_types::{errors, wire::WireError};

use crate::{OpenError, SessionEnd};

errors! {
    /// How a call failed.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum CallError {
        /// The other side is overloaded, or the connection is slow or interrupted.
        Expired: local, "no response before the deadline", hint "Try again later.";
        /// The other side has left too many calls from this side unanswered.
        Full: local, "too many calls are waiting for a response from the other side", hint "Try again later.";
        /// The answer exceeds the maximum frame size.
        TooLarge {
            /// The limit, [`crate::RpcLimits::frame_bytes`].
            bytes: usize,
        }: local, "the response is longer than {bytes} bytes",
            hint "Check that a pool or a node answers at this address, and that both sides run compatible versions.";
        /// The params cannot be serialized, or the answer is not valid JSON-RPC.
        Json {
            /// What is wrong.
            why: String,
        }: local, "not JSON-RPC: {why}",
            hint "Check that a pool or a node answers at this address, and that both sides run compatible versions.";
    }
    also {
        /// The connection ended before the answer. Whether the call was carried out is not known.
        Lost(SessionEnd);
        /// The other side answered with an error.
        Remote(WireError);
        /// Over HTTP, where each call may open a connection: it did not open, and nothing was sent.
        Open(OpenError);
    }
}
