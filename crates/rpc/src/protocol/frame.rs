use crate::limits::CLOSE_BYTES;

/// One unit that a socket sends or receives: with WebSocket, a whole message or a control frame, never a fragment. IPC has
/// only texts, and skips the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One JSON text.
    Text(String),
    /// Asks for a pong with the same number.
    Ping(u64),
    /// Answers a ping; `None` if the payload is not one that we sent.
    Pong(Option<u64>),
    /// Closes the connection, with a reason in plain text.
    Close(String),
}

impl Frame {
    /// A close frame with the reason cut to what fits.
    #[must_use]
    pub fn close(reason: &str) -> Self {
        let mut end = reason.len().min(CLOSE_BYTES);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        Self::Close(reason.get(..end).unwrap_or_default().to_owned())
    }

    /// The number in the payload of a pong.
    #[must_use]
    pub fn pong(payload: &[u8]) -> Self {
        Self::Pong(payload.try_into().ok().map(u64::from_be_bytes))
    }
}
