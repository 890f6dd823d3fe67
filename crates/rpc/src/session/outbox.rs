use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Sink;
use tokio::time::Instant;

use crate::Frame;

/// The frames to write, and when the other side last took one.
#[derive(Debug)]
pub(crate) struct Outbox {
    frames: VecDeque<Frame>,
    limit: usize,
    unflushed: bool,
    progress: Instant,
    patience: Duration,
}

impl Outbox {
    pub(crate) fn new(limit: usize, patience: Duration) -> Self {
        Self { frames: VecDeque::new(), limit, unflushed: false, progress: Instant::now(), patience }
    }

    /// Appends a frame. The caller checks [`Self::has_room`] before it starts the work that leads to the frame; single
    /// frames may exceed the limit.
    pub(crate) fn push(&mut self, frame: Frame) {
        if !self.is_busy() {
            self.progress = Instant::now();
        }
        self.frames.push_back(frame);
    }

    /// Appends the frame, if there is one.
    pub(crate) fn extend(&mut self, frame: Option<Frame>) {
        frame.into_iter().for_each(|frame| self.push(frame));
    }

    pub(crate) fn has_room(&self) -> bool {
        self.frames.len() < self.limit
    }

    /// Whether something is yet to be written or flushed.
    pub(crate) fn is_busy(&self) -> bool {
        self.unflushed || !self.frames.is_empty()
    }

    /// When the other side will have taken nothing for too long.
    pub(crate) fn stalled_at(&self) -> Instant {
        self.progress + self.patience
    }

    /// Writes all frames and flushes. Loses nothing when it is dropped half way.
    pub(crate) fn poll_pump<W: Sink<Frame> + Unpin>(
        &mut self,
        writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), W::Error>> {
        let mut writer = Pin::new(writer);
        while !self.frames.is_empty() {
            ready!(writer.as_mut().poll_ready(cx))?;
            if let Some(frame) = self.frames.pop_front() {
                self.unflushed = true;
                self.progress = Instant::now();
                writer.as_mut().start_send(frame)?;
            }
        }
        ready!(writer.as_mut().poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }
}
