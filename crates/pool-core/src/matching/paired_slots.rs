use crate::collections::address_block::WideBlock;

/// The slots of a host that clients in two wide address blocks (/16, /32) used at once, other than the host's own one. Only
/// these count as free slots in its score: what a host claims costs it nothing, and neither do clients next to it, or of one
/// provider. Eight bytes, because each node has one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PairedSlots {
    /// Leases that both sides see now.
    now: u16,
    /// The most at once, since clients in two wide blocks were among them.
    most: u16,
    clients: Clients,
}

/// Where the clients of a host outside of its own wide block were so far: a mark of the wide block of the first one, or
/// [`Clients::OF_TWO`].
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
    /// A client in a wide block is connected with the host of another one; `None` where the block is unknown. In a closed pool
    /// every client is known, and one is enough.
    pub(crate) fn begin(&mut self, client: Option<WideBlock>, host: Option<WideBlock>, members_only: bool) {
        self.now = self.now.saturating_add(1);
        let client = client.filter(|client| Some(*client) != host).map(Clients::of);
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

    /// Whether a client in another wide block than the host's own one was ever connected; in a closed pool, any client.
    pub(crate) fn any_of_other_blocks(self) -> bool {
        self.clients != Clients::NONE
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
        let own = block("7.7.7.7");
        let mut slots = PairedSlots::default();
        for _ in 0..5 {
            slots.begin(block("8.8.8.8"), own, false);
        }
        slots.begin(block("8.8.9.9"), own, false);
        slots.begin(None, own, false);
        assert_eq!(slots.most(), 0);
        slots.end();
        slots.begin(block("9.9.9.9"), own, false);
        assert_eq!((slots.most(), slots.now()), (7, 7));
        slots.end();
        slots.begin(block("8.8.8.8"), own, false);
        assert_eq!(slots.most(), 7);
        let mut closed = PairedSlots::default();
        closed.begin(None, None, true);
        assert!(closed.any_of_other_blocks() && closed.most() == 1);
    }

    /// The attack: an operator's own client next to the host stands for one of two wide blocks.
    #[test]
    fn clients_of_the_hosts_own_wide_block_make_nothing_known() {
        let block = |text: &str| Some(WideBlock::of(text.parse().unwrap()));
        for (own, near, far) in [("7.7.7.7", "7.7.1.1", "8.8.8.8"), ("2a00:1:2::1", "2a00:1:3::1", "2a00:2::1")] {
            let mut slots = PairedSlots::default();
            slots.begin(block(near), block(own), false);
            assert!(!slots.any_of_other_blocks());
            slots.begin(block(far), block(own), false);
            slots.begin(block(near), block(own), false);
            assert!(slots.any_of_other_blocks());
            assert_eq!((slots.most(), slots.now()), (0, 3), "clients in one other wide block");
        }
    }
}
