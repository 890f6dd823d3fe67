use std::{
    mem::{Discriminant, discriminant},
    time::Duration,
};

use tokio::time::Instant;
use vipnode_agent_core::Notice;

use crate::{AgentNotice, limits::NoticeLimits};

/// How many notices of each kind were shown recently. There are as many kinds as variants of [`AgentNotice`] and [`Notice`].
#[derive(Debug)]
pub(super) struct NoticeKinds {
    limits: NoticeLimits,
    shown: Vec<ShownKind>,
}

/// The kind of a notice: what it is about, whatever its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoticeKind(Discriminant<AgentNotice>, Option<Discriminant<Notice>>);

/// How many notices of a kind were shown since a time.
#[derive(Debug)]
struct ShownKind {
    kind: NoticeKind,
    since: Instant,
    count: usize,
}

impl NoticeKinds {
    pub(super) const fn new(limits: NoticeLimits) -> Self {
        Self { limits, shown: Vec::new() }
    }

    /// Whether a notice may be shown; then it counts.
    pub(super) fn may_show(&mut self, now: Instant, notice: &AgentNotice) -> bool {
        let window: Duration = self.limits.notice_window;
        self.shown.retain(|shown| now.duration_since(shown.since) < window);
        let kind = NoticeKind::of(notice);
        match self.shown.iter_mut().find(|shown| shown.kind == kind) {
            Some(shown) if shown.count >= self.limits.notices_of_a_kind => return false,
            Some(shown) => shown.count += 1,
            None => self.shown.push(ShownKind { kind, since: now, count: 1 }),
        }
        true
    }
}

impl NoticeKind {
    pub(super) fn of(notice: &AgentNotice) -> Self {
        let inner = match notice {
            AgentNotice::Notice(notice) => Some(discriminant(notice)),
            _ => None,
        };
        Self(discriminant(notice), inner)
    }
}
