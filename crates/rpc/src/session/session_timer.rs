use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep, sleep_until};

/// One timer for everything that a session waits for. It is reset only to an earlier time: an early wake-up now and
/// then costs less than moving a timer with each frame.
#[derive(Debug)]
pub(crate) struct SessionTimer {
    sleep: Pin<Box<Sleep>>,
}

impl SessionTimer {
    pub(crate) fn new(at: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(at)) }
    }

    /// Ready once `due` has come.
    pub(crate) fn poll(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if due < self.sleep.deadline() {
            self.sleep.as_mut().reset(due);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if due <= self.sleep.deadline() || due <= Instant::now() {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
    }
}
