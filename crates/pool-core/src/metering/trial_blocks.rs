use std::collections::BTreeMap;

use vipnode_types::Ms;

use crate::{
    Limits,
    collections::{
        address_block::{AddressBlock, WideBlock},
        slab::Handle,
    },
    metering::Metering,
};

const HOUR_MS: u64 = 60 * 60 * 1000;
/// A wide block has up to 65,536 blocks, and all of them may have as many trials as so many. In the rule of `trials_an_hour`.
const BLOCKS_OF_A_WIDE: u32 = 4;

/// The clients that began or continued a trial in this hour, by address block and by wide block.
///
/// Ids are free, so it is not enough to remember what each used: every further id would have a trial of its own. A client counts
/// once it is offered a host, not once it reports, so that silence gains nothing. One that was counted in this hour does not
/// count again.
#[derive(Debug, Default)]
pub(crate) struct TrialBlocks {
    hour: u64,
    blocks: BTreeMap<AddressBlock, Vec<Handle>>,
    wide: BTreeMap<WideBlock, u32>,
}

impl TrialBlocks {
    /// Whether a client in a block may be offered a trial; `None` for a client that the pool does not know yet. In a block that there is
    /// no memory for, none may: nobody is owed a trial.
    pub(crate) fn allows(&self, now: Ms, block: AddressBlock, client: Option<Handle>, limits: &Limits) -> bool {
        let most = limits.trials_an_hour;
        if self.hour != hour(now) {
            return most > 0;
        }
        let counted = self.blocks.get(&block);
        if counted.zip(client).is_some_and(|(clients, client)| clients.contains(&client)) {
            return true;
        }
        let has_room = counted.is_some() || self.blocks.len() < limits.trial_blocks as usize;
        let of_wide = self.wide.get(&block.wide()).copied().unwrap_or(0);
        has_room && counted.map_or(0, Vec::len) < most as usize && of_wide < most.saturating_mul(BLOCKS_OF_A_WIDE)
    }

    /// A client in a block is offered a trial.
    pub(crate) fn offered(&mut self, now: Ms, block: AddressBlock, client: Handle) {
        if self.hour != hour(now) {
            *self = Self { hour: hour(now), ..Self::default() };
        }
        let clients = self.blocks.entry(block).or_default();
        if !clients.contains(&client) {
            clients.push(client);
            let of_wide = self.wide.entry(block.wide()).or_default();
            *of_wide = of_wide.saturating_add(1);
        }
    }
}

impl Metering {
    /// Whether a client in a block may be offered a trial; `None` for a client that the pool does not know yet.
    pub(crate) fn allows_trial(&self, now: Ms, block: AddressBlock, client: Option<Handle>, limits: &Limits) -> bool {
        self.trials.allows(now, block, client, limits)
    }

    /// A client in a block is offered a trial.
    pub(crate) fn trial_offered(&mut self, now: Ms, block: AddressBlock, client: Handle) {
        self.trials.offered(now, block, client);
    }
}

const fn hour(now: Ms) -> u64 {
    now.get() / HOUR_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ms = Ms::new(1_700_000_000_000);

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    fn client(index: u32) -> Handle {
        Handle { index, generation: 0 }
    }

    #[test]
    fn a_block_has_so_many_clients_an_hour_and_a_wide_block_four_times_as_many() {
        let limits = Limits { trials_an_hour: 2, ..Limits::default() };
        let mut trials = TrialBlocks::default();
        let one = block("8.8.0.1");
        for number in 0..2 {
            assert!(trials.allows(NOW, one, Some(client(number)), &limits));
            trials.offered(NOW, one, client(number));
            trials.offered(NOW, one, client(number));
        }
        assert!(trials.allows(NOW, one, Some(client(1)), &limits), "it goes on with its own");
        assert!(!trials.allows(NOW, one, Some(client(2)), &limits) && !trials.allows(NOW, one, None, &limits));
        for number in 2..8 {
            let block = block(&format!("8.8.{number}.1"));
            assert!(trials.allows(NOW, block, Some(client(number)), &limits));
            trials.offered(NOW, block, client(number));
        }
        assert!(!trials.allows(NOW, block("8.8.99.1"), None, &limits), "its wide block has as many as it may");
        assert!(trials.allows(NOW, block("9.9.9.9"), None, &limits));
        let later = NOW.plus(HOUR_MS);
        assert!(trials.allows(later, one, Some(client(2)), &limits), "an hour later");
        trials.offered(later, one, client(2));
        assert_eq!((trials.blocks.len(), trials.wide.len()), (1, 1), "what is over is forgotten");
        assert!(!trials.allows(later, one, None, &Limits { trials_an_hour: 0, ..limits }));
    }

    #[test]
    fn blocks_beyond_the_memory_have_no_trials() {
        let limits = Limits { trial_blocks: 1, ..Limits::default() };
        let mut trials = TrialBlocks::default();
        trials.offered(NOW, block("8.8.8.8"), client(1));
        assert!(trials.allows(NOW, block("8.8.8.8"), None, &limits));
        assert!(!trials.allows(NOW, block("9.9.9.9"), None, &limits));
    }
}
