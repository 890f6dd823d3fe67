use crate::text_form::hex_bytes;

/// A name for the meter of a payer, from [`crate::PoolKey::meter_of`]: 32 hex characters on the wire.
///
/// All billing periods of one payer have the same one, so that overlapping intervals show, and nobody learns the account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MeterId([u8; 16]);

hex_bytes!(MeterId, 16, "a meter ID");

impl MeterId {
    /// The first 16 bytes of a hash.
    pub(super) fn of_hash(hash: &[u8; 32]) -> Self {
        Self(hash.first_chunk().copied().unwrap_or_default())
    }
}
