use crate::{LeaseId, keccak256, text_form::hex_bytes};

/// A hash of a set of leases that is updated by one lease at a time.
///
/// The XOR of the first 8 bytes of the keccak256 hash of each ID: order does not matter, and adding a lease twice removes
/// it. It detects lost frames, not false reports: it covers only the agent's own leases.
///
/// ```
/// use vipnode_types::{LeaseId, LeaseSetHash};
///
/// let (a, b) = (LeaseId::new(1), LeaseId::new(2));
/// let hash = LeaseSetHash::of([a, b]);
/// assert_eq!(hash, LeaseSetHash::of([b, a]));
/// assert_eq!(hash.toggled(b), LeaseSetHash::of([a]), "the lease b ended");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct LeaseSetHash([u8; 8]);

hex_bytes!(LeaseSetHash, 8, "a lease-set hash");

impl LeaseSetHash {
    /// The hash of these leases; each must occur once.
    #[must_use]
    pub fn of(leases: impl IntoIterator<Item = LeaseId>) -> Self {
        leases.into_iter().fold(Self::default(), Self::toggled)
    }

    /// Returns the hash with `lease` added, or removed if it was in the set.
    #[must_use]
    pub fn toggled(mut self, lease: LeaseId) -> Self {
        let hash = keccak256(lease.get().to_be_bytes());
        for (byte, with) in self.0.iter_mut().zip(hash.0) {
            *byte ^= with;
        }
        self
    }

    /// The 8 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_twice_takes_out() {
        let [a, b] = [LeaseId::new(1), LeaseId::new(2)];
        assert_eq!(LeaseSetHash::of([a, b]), LeaseSetHash::of([b, a]));
        assert_ne!(LeaseSetHash::of([a, b]), LeaseSetHash::of([a]));
        assert_eq!(LeaseSetHash::of([a, b]).toggled(b), LeaseSetHash::of([a]));
    }
}
