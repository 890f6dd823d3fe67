use crate::{Limits, agents::Agents};

/// How often an agent of protocol 2 sends its updates on its present connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct UpdateGaps {
    /// The longest time between two updates, in tenths of a second, rounded up.
    longest_ds: u16,
    /// Updates so far, at most [`ENOUGH`].
    updates: u8,
}

/// After so many updates, the longest gap shows how often they come.
const ENOUGH: u8 = 3;

impl UpdateGaps {
    /// Counts an update that came `ms` after whatever came before.
    pub(in crate::agents) fn note(&mut self, ms: u64) {
        if self.updates > 0 {
            self.longest_ds = self.longest_ds.max(u16::try_from(ms.div_ceil(100)).unwrap_or(u16::MAX));
        }
        self.updates = self.updates.saturating_add(1).min(ENOUGH);
    }

    /// The longest gap, in milliseconds; `most` while too few updates came to know, and where it is longer.
    pub(crate) fn longest_ms(self, most: u64) -> u64 {
        if self.updates < ENOUGH { most } else { u64::from(self.longest_ds).saturating_mul(100).min(most) }
    }
}

impl Agents {
    /// Counts an update of protocol 2 that came `ms` after the agent's last sign of life.
    pub(crate) fn note_update(&mut self, index: u32, ms: u64) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.presence.update_gaps.note(ms);
        }
    }

    /// The longest time between two updates of a node of protocol 2, in milliseconds.
    pub(crate) fn longest_update_gap_ms(&self, index: u32, limits: &Limits) -> u64 {
        let gaps = self.nodes.get(index).map(|node| node.presence.update_gaps).unwrap_or_default();
        gaps.longest_ms(limits.update_gap_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_once_three_updates_came() {
        let mut gaps = UpdateGaps::default();
        for ms in [900, 60_000] {
            gaps.note(ms);
            assert_eq!(gaps.longest_ms(120_000), 120_000);
        }
        gaps.note(61_000);
        assert_eq!(gaps.longest_ms(120_000), 61_000);
        gaps.note(5_000);
        assert_eq!(gaps.longest_ms(120_000), 61_000);
        gaps.note(170_000);
        assert_eq!(gaps.longest_ms(120_000), 120_000, "nobody makes offers last");
    }
}
