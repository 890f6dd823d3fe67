/// The numbers of the entries that were folded into another one, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FoldedNumbers(Vec<u64>);

impl FoldedNumbers {
    /// These, an entry after them, and those after it.
    pub(super) fn and_then(&self, number: u64, others: &Self) -> Self {
        Self(self.iter().chain([number]).chain(others.iter()).collect())
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    /// Eight bytes for each, the most significant first.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.iter().flat_map(u64::to_be_bytes).collect()
    }

    /// A rest of less than eight bytes is left out.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.as_chunks().0.iter().map(|number| u64::from_be_bytes(*number)).collect())
    }
}
