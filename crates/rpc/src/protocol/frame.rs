use crate::limits::CLOSE_BYTES;

/// What goes over a socket. Transports that know no ping or close leave those out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One JSON text.
    Text(String),
    /// Asks for a pong with the same number.
    Ping(u64),
    /// Answers a ping; `None` where the payload is none of ours.
    Pong(Option<u64>),
    /// The end, with a reason for people.
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
