use crate::Incoming;

/// What a session has for its owner.
#[derive(Debug)]
pub enum SessionInput {
    /// A request or a notification of the other side.
    Incoming(Incoming),
    /// The round trip of a ping, in microseconds.
    RoundTrip(u32),
    /// A frame without use: a ping, an answer that no call waits for, text that is not JSON-RPC, or a request over the
    /// limit. An owner that limits the rate of frames counts it.
    Noise,
}
