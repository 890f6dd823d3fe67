use crate::AddressBlock;

/// The steps that one command took to search hosts for clients, by the clients' address blocks.
///
/// A command of one agent may search for others: if a host refuses, its client gets another host, and a tick serves the
/// waiting clients. The core has no clock, so it counts steps; the program that runs it charges them to these blocks by the
/// time that a step takes. A block therefore pays for all searches for its clients.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steps(Vec<(AddressBlock, u32)>);

impl Steps {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Each block that a search was for, with the steps of its searches.
    pub fn iter(&self) -> impl Iterator<Item = (AddressBlock, u32)> + '_ {
        self.0.iter().copied()
    }

    /// All steps.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().fold(0, |sum, (_, steps)| sum.saturating_add(*steps))
    }

    /// Adds steps. One command searches for few blocks in a row, or for the blocks of a bounded number of clients.
    pub(crate) fn add(&mut self, block: AddressBlock, steps: u32) {
        match self.0.last_mut() {
            Some((last, sum)) if *last == block => *sum = sum.saturating_add(steps),
            _ => self.0.push((block, steps)),
        }
    }
}
