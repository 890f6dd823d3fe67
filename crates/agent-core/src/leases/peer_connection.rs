use vipnode_types::{DropCause, Ms};

use crate::limits;

/// When the peer of a lease was connected, and why it is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeerConnection {
    /// Since when the peer is connected.
    up: Option<Ms>,
    /// How long it was connected before that, in milliseconds.
    seen_before_ms: u64,
    ever_up: bool,
    /// The peer disconnected since the last report that the pool accepted.
    flapped: bool,
    /// An event reported that the peer disconnected; the next list of peers decides.
    suspect: Option<Ms>,
    /// The node was restarted: the peer may be missing for a while without being gone.
    returning: bool,
    /// Why no protocol runs with the peer, if the node reports it: the peer is or was connected without one.
    failing: Option<DropCause>,
}

impl PeerConnection {
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

    /// Whether the peer has been connected for less than `ms` milliseconds.
    pub(crate) fn is_up_for_less(&self, now: Ms, ms: u64) -> bool {
        self.up.is_some_and(|up| now.since(up) < ms)
    }

    /// Returns how long the peer was connected in total, in milliseconds.
    pub(crate) fn seen_ms(&self, now: Ms) -> u64 {
        self.seen_before_ms.saturating_add(self.up.map_or(0, |up| now.since(up)))
    }

    /// Records that the peer is connected. Returns since when it already was.
    pub(crate) fn mark_up(&mut self, now: Ms) -> Option<Ms> {
        self.seen_before_ms = self.seen_ms(now);
        self.up.replace(now)
    }

    /// Records that the peer connected. Returns whether for the first time, or the first since [`Self::forget_first`].
    pub(crate) fn came(&mut self, now: Ms) -> bool {
        self.mark_up(now);
        self.failing = None;
        !std::mem::replace(&mut self.ever_up, true)
    }

    /// Records that the peer is no longer connected.
    pub(crate) fn mark_down(&mut self, now: Ms) {
        self.seen_before_ms = self.seen_ms(now);
        if self.up.take().is_some() {
            self.flapped = true;
        }
        self.suspect = None;
        self.returning = false;
    }

    /// Makes the next connection count as the first. Returns whether there was one before.
    pub(crate) fn forget_first(&mut self) -> bool {
        std::mem::take(&mut self.ever_up)
    }

    pub(crate) const fn is_doubted(&self) -> bool {
        self.suspect.is_some()
    }

    /// Records an event that the peer disconnected.
    pub(crate) fn doubt(&mut self, now: Ms) {
        self.suspect.get_or_insert(now);
    }

    /// Drops pending events, because the node went down.
    pub(crate) const fn forget_doubt(&mut self) {
        self.suspect = None;
    }

    /// Records that the list has the peer. Returns whether an event had reported it gone.
    pub(crate) const fn clear_doubt(&mut self) -> bool {
        self.suspect.take().is_some()
    }

    /// Records that the node was restarted: its peers come back one after the other.
    pub(crate) const fn node_restarted(&mut self) {
        self.returning = self.up.is_some();
    }

    pub(crate) const fn is_returning(&self) -> bool {
        self.returning
    }

    /// Records that the peer is back after a restart of the node. If it was missing for a while, it counts as connected
    /// from now on.
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

    /// Records that the node lists the peer without a running protocol.
    pub(crate) const fn see_failing(&mut self) {
        if self.failing.is_none() {
            self.failing = Some(DropCause::Unknown);
        }
    }

    /// Records why the peer disconnected. A cause that further dials cannot change replaces another one.
    pub(crate) fn fail(&mut self, cause: DropCause, lasting: bool) {
        let known = self.failing.filter(|_| !lasting);
        self.failing = Some(known.unwrap_or(cause));
    }

    /// Returns when a disconnected peer counts as gone, unless it connects before. `since` is when the two nodes last
    /// began to connect.
    pub(crate) fn gone_due(&self, since: Ms) -> Option<Ms> {
        self.up?;
        let suspect = self.suspect.map(|since| since.plus(limits::SUSPECT_MS));
        let returning = self.returning.then(|| since.plus(limits::CONNECT_MS));
        suspect.into_iter().chain(returning).min()
    }
}
