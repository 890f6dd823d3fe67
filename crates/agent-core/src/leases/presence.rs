use vipnode_types::{DropCause, Ms};

use crate::limits;

/// When the peer of a lease is seen, and what is known of why it is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    /// Since when the peer is seen.
    up: Option<Ms>,
    /// For how long it was seen before that, in milliseconds.
    seen_before_ms: u64,
    ever_up: bool,
    /// The peer went since the last report that the pool took.
    flapped: bool,
    /// Somebody said that the peer is gone; the next list of peers decides.
    suspect: Option<Ms>,
    /// The node came back: the peer may be missing for a while without being gone.
    returning: bool,
    /// The peer showed, or came and went, without a protocol that ran, and since then none did: why, as far as the
    /// node says.
    failing: Option<DropCause>,
}

impl Presence {
    /// Since when the peer is seen.
    pub(crate) const fn up(&self) -> Option<Ms> {
        self.up
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.up.is_some()
    }

    pub(crate) const fn was_ever_up(&self) -> bool {
        self.ever_up
    }

    /// Whether the peer was seen for less than this, in milliseconds, until now.
    pub(crate) fn is_up_for_less(&self, now: Ms, ms: u64) -> bool {
        self.up.is_some_and(|up| now.since(up) < ms)
    }

    /// For how long the peer was seen in all, in milliseconds.
    pub(crate) fn seen_ms(&self, now: Ms) -> u64 {
        self.seen_before_ms.saturating_add(self.up.map_or(0, |up| now.since(up)))
    }

    /// The peer is seen from now on; returns since when it was before.
    pub(crate) fn mark_up(&mut self, now: Ms) -> Option<Ms> {
        self.seen_before_ms = self.seen_ms(now);
        self.up.replace(now)
    }

    /// The peer came; whether that is for the first time, or the first since [`Self::forget_first`].
    pub(crate) fn came(&mut self, now: Ms) -> bool {
        self.mark_up(now);
        self.failing = None;
        !std::mem::replace(&mut self.ever_up, true)
    }

    /// The peer is not seen any more.
    pub(crate) fn mark_down(&mut self, now: Ms) {
        self.seen_before_ms = self.seen_ms(now);
        if self.up.take().is_some() {
            self.flapped = true;
        }
        self.suspect = None;
        self.returning = false;
    }

    /// The next time that the peer comes counts as the first; returns whether it ever had come.
    pub(crate) fn forget_first(&mut self) -> bool {
        std::mem::take(&mut self.ever_up)
    }

    pub(crate) const fn is_doubted(&self) -> bool {
        self.suspect.is_some()
    }

    /// Somebody says that the peer is gone.
    pub(crate) fn doubt(&mut self, now: Ms) {
        self.suspect.get_or_insert(now);
    }

    /// The node went: nobody's word of before counts.
    pub(crate) const fn forget_doubt(&mut self) {
        self.suspect = None;
    }

    /// A list has the peer that somebody said to be gone; whether that was so.
    pub(crate) const fn clear_doubt(&mut self) -> bool {
        self.suspect.take().is_some()
    }

    /// The node was restarted: its peers come back one after the other.
    pub(crate) const fn node_restarted(&mut self) {
        self.returning = self.up.is_some();
    }

    pub(crate) const fn is_returning(&self) -> bool {
        self.returning
    }

    /// The peer is there after a restart of the node. Where it was missing for a while, it is seen from now on.
    pub(crate) fn returned(&mut self, now: Ms) {
        if std::mem::take(&mut self.returning) && self.flapped {
            self.mark_up(now);
        }
    }

    pub(crate) const fn has_flapped(&self) -> bool {
        self.flapped
    }

    pub(crate) const fn set_flapped(&mut self, flapped: bool) {
        self.flapped = flapped;
    }

    pub(crate) const fn failing(&self) -> Option<DropCause> {
        self.failing
    }

    /// The node lists the peer without a protocol that runs.
    pub(crate) const fn see_failing(&mut self) {
        if self.failing.is_none() {
            self.failing = Some(DropCause::Untold);
        }
    }

    /// The node said why the peer went. A cause that further dials do not change replaces a known one.
    pub(crate) fn fail(&mut self, cause: DropCause, lasting: bool) {
        let known = self.failing.filter(|_| !lasting);
        self.failing = Some(known.unwrap_or(cause));
    }

    /// When a peer that was seen counts as gone, unless it is seen again before. `since` is when the pair was last to
    /// connect.
    pub(crate) fn gone_due(&self, since: Ms) -> Option<Ms> {
        self.up?;
        let suspect = self.suspect.map(|since| since.plus(limits::SUSPECT_MS));
        let returning = self.returning.then(|| since.plus(limits::CONNECT_MS));
        suspect.into_iter().chain(returning).min()
    }
}
