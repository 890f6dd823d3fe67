use tokio::task::yield_now;

/// The turn of a socket: what it reads and answers in a row before other sockets have theirs.
#[derive(Debug)]
pub(super) struct Turn {
    frames: u32,
    limit: u32,
}

impl Turn {
    /// A turn of so many frames.
    pub(super) const fn new(limit: u32) -> Self {
        Self { frames: 0, limit }
    }

    /// Counts frames. At the limit, other sockets have their turn.
    pub(super) async fn count(&mut self, frames: u32) {
        self.frames = self.frames.saturating_add(frames);
        if self.frames >= self.limit {
            self.frames = 0;
            yield_now().await;
        }
    }
}
