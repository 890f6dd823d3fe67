//! Random bytes from the operating system.

use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crate::AgentError;

/// 32 random bytes, for a key or a seed.
///
/// # Errors
/// [`AgentError::Random`].
pub fn bytes() -> Result<Zeroizing<[u8; 32]>, AgentError> {
    let mut bytes = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(bytes.as_mut_slice()).map_err(|error| AgentError::Random { why: error.to_string() })?;
    Ok(bytes)
}
