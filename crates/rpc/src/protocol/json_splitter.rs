use bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// Cuts a stream of JSON objects and arrays that have no delimiter, as geth's IPC speaks it, into
/// its texts. It follows brackets and strings only; whether a text is JSON is for the parser.
#[derive(Debug)]
pub struct JsonSplitter {
    limit: usize,
    /// How many bytes of a longer message are skipped; beyond it, the stream cannot be read on.
    skips: usize,
    /// Bytes of the current message that were skipped.
    skipped: usize,
    /// Bytes at the start of the buffer that were looked at already.
    scanned: usize,
    depth: usize,
    string: InString,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    Escaped,
}

/// A message of up to this many times the allowed length is skipped.
const SKIPPED: usize = 64;

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// Larger than allowed.
    #[error("received a message of more than {0} bytes")]
    TooLong(usize),
    /// Between two messages stands something else.
    #[error("a message begins with byte {0:#04x}, not with an object or an array")]
    Stray(u8),
    /// Not text.
    #[error("a message is not UTF-8")]
    Utf8,
    /// The transport failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl JsonSplitter {
    /// A splitter for messages of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, skips: 0, skipped: 0, scanned: 0, depth: 0, string: InString::No }
    }

    /// A splitter that skips longer messages, up to 64 times that length, and returns an empty text for each. Its owner
    /// can answer them: a local socket that is closed with unread bytes is reset, and the other side reads no reason.
    #[must_use]
    pub const fn skipping(limit: usize) -> Self {
        Self { skips: limit.saturating_mul(SKIPPED), ..Self::new(limit) }
    }

    /// Drops a part of a message that is too long.
    fn skip(&mut self, source: &mut BytesMut, length: usize, is_end: bool) -> Result<Option<String>, SplitError> {
        self.skipped = self.skipped.saturating_add(length);
        if self.skipped > self.skips {
            return Err(SplitError::TooLong(self.limit));
        }
        source.advance(length);
        self.scanned = 0;
        if !is_end {
            return Ok(None);
        }
        self.skipped = 0;
        Ok(Some(String::new()))
    }

    /// Looks at one byte; true where it ends a message.
    fn ends(&mut self, byte: u8) -> bool {
        match (self.string, byte) {
            (InString::Escaped, _) | (InString::No, b'"') => self.string = InString::Yes,
            (InString::Yes, b'\\') => self.string = InString::Escaped,
            (InString::Yes, b'"') => self.string = InString::No,
            (InString::No, b'{' | b'[') => self.depth += 1,
            (InString::No, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            (InString::Yes | InString::No, _) => {}
        }
        false
    }
}

impl Decoder for JsonSplitter {
    type Item = String;
    type Error = SplitError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<String>, SplitError> {
        if self.scanned == 0 && self.skipped == 0 {
            let blank = source.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            source.advance(blank);
            match source.first() {
                None => return Ok(None),
                Some(b'{' | b'[') => {}
                Some(stray) => return Err(SplitError::Stray(*stray)),
            }
        }
        let new = source.get(self.scanned..).unwrap_or_default();
        let end = new.iter().position(|byte| self.ends(*byte));
        let length = end.map_or(source.len(), |end| self.scanned + end + 1);
        if self.skipped > 0 || length > self.limit {
            return self.skip(source, length, end.is_some());
        }
        if end.is_none() {
            self.scanned = length;
            return Ok(None);
        }
        self.scanned = 0;
        let text = source.split_to(length);
        String::from_utf8(text.to_vec()).map(Some).map_err(|_| SplitError::Utf8)
    }

    /// What was begun and not finished when the stream ended is dropped.
    fn decode_eof(&mut self, source: &mut BytesMut) -> Result<Option<String>, SplitError> {
        let found = self.decode(source)?;
        if found.is_none() {
            source.clear();
        }
        Ok(found)
    }
}

impl Encoder<String> for JsonSplitter {
    type Error = SplitError;

    fn encode(&mut self, text: String, target: &mut BytesMut) -> Result<(), SplitError> {
        target.reserve(text.len() + 1);
        target.extend_from_slice(text.as_bytes());
        target.extend_from_slice(b"\n");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
