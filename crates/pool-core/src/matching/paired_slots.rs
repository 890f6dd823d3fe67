use crate::collections::address_block::WideBlock;

/// The slots of a host that clients of two wide address blocks (/16, /32) used at once. Only these count as free slots in
/// its score: what a host claims costs it nothing, and neither do clients of one provider. Eight bytes, because each node
/// has one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PairedSlots {
    /// Leases that both sides see now.
    now: u16,
    /// The most at once, since clients of two wide blocks were among them.
    most: u16,
    clients: Clients,
}

/// Where the clients of a host were so far: a mark of the wide block of the first one, or [`Clients::OF_TWO`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Clients(u32);

impl Clients {
    const NONE: Self = Self(0);
    const OF_TWO: Self = Self(u32::MAX);

    fn of(block: WideBlock) -> Self {
        Self(block.mark().clamp(1, u32::MAX.saturating_sub(1)))
    }
}

impl PairedSlots {
    /// A client of a wide block is connected; `None` where its address is unknown. In a closed pool every client is known, and
    /// one is enough.
    pub(crate) fn begin(&mut self, block: Option<WideBlock>, members_only: bool) {
        self.now = self.now.saturating_add(1);
        let client = block.map(Clients::of);
        if members_only || client.is_some_and(|client| self.clients != Clients::NONE && client != self.clients) {
            self.clients = Clients::OF_TWO;
        } else if let Some(client) = client {
            self.clients = client;
        }
        if self.clients == Clients::OF_TWO {
            self.most = self.most.max(self.now);
        }
    }

    /// A client that was connected is not any more.
    pub(crate) const fn end(&mut self) {
        self.now = self.now.saturating_sub(1);
    }

    /// Clients connected now, for checks.
    pub(crate) const fn now(self) -> u16 {
        self.now
    }

    /// Whether a client was ever connected.
    pub(crate) fn any(self) -> bool {
        self.now > 0 || self.clients != Clients::NONE
    }

    /// How many of its slots were used at once.
    pub(crate) fn most(self) -> u32 {
        u32::from(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_count_once_clients_of_two_wide_blocks_used_them() {
        let block = |text: &str| Some(WideBlock::of(text.parse().unwrap()));
        let mut slots = PairedSlots::default();
        for _ in 0..5 {
            slots.begin(block("8.8.8.8"), false);
        }
        slots.begin(block("8.8.9.9"), false);
        slots.begin(None, false);
        assert_eq!(slots.most(), 0);
        slots.end();
        slots.begin(block("9.9.9.9"), false);
        assert_eq!((slots.most(), slots.now()), (7, 7));
        slots.end();
        slots.begin(block("8.8.8.8"), false);
        assert_eq!(slots.most(), 7);
        let mut closed = PairedSlots::default();
        closed.begin(None, true);
        assert_eq!(closed.most(), 1);
    }
}
