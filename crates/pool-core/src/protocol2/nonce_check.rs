//! Nonces of protocol 2: nanoseconds since the Unix epoch, by the caller's clock. They are checked only after the
//! signature (fault D8, docs/faults.md), and in both directions (fault D9).

use vipnode_types::Ms;

use crate::{Limits, core_error::CoreError};

const NS_A_MS: u64 = 1_000_000;

/// What the pool knows of the caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallerNonce {
    /// The newest nonce accepted, or 0.
    pub(crate) newest: u64,
    /// Whether the caller has connected since the pool started. Until then, `newest` may be outdated, because nonces are
    /// written with a delay.
    pub(crate) connected: bool,
}

/// Checks whether a nonce may be accepted.
pub(crate) fn check_nonce(
    limits: &Limits,
    now: Ms,
    started: Ms,
    known: CallerNonce,
    nonce: u64,
    connects: bool,
) -> Result<(), CoreError> {
    let at = Ms::new(nonce / NS_A_MS);
    if at > now.plus(limits.nonce_ahead_ms) {
        return Err(CoreError::NonceAhead { seconds: at.since(now) / 1_000 });
    }
    if at.plus(limits.nonce_behind_ms) < now {
        return Err(CoreError::NonceBehind { seconds: now.since(at) / 1_000 });
    }
    if nonce <= known.newest {
        return Err(CoreError::NonceOld);
    }
    let floor = if connects { started } else { started.plus(limits.nonce_ahead_ms) };
    if known.connected || at > floor {
        return Ok(());
    }
    if connects {
        // The caller's clock is behind: a little later, it passes the start.
        return Err(CoreError::ConnectBeforeStart { retry_ms: floor.since(at).saturating_add(1_000) });
    }
    Err(CoreError::NonceBeforeStart)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    const START: Ms = Ms::new(1_600_000_000_000);

    fn check_at(now: Ms, known: CallerNonce, at: Ms, connects: bool) -> Result<(), CoreError> {
        let limits = Limits { nonce_ahead_ms: 300_000, nonce_behind_ms: 900_000, ..Limits::default() };
        check_nonce(&limits, now, START, known, at.get() * NS_A_MS, connects)
    }

    #[test]
    fn d9_a_nonce_of_the_future_or_of_long_ago_is_refused() {
        let known = CallerNonce { newest: 0, connected: true };
        let now = START.plus(3_600_000);
        assert!(check_at(now, known, now.plus(300_000), false).is_ok());
        assert!(check_at(now, known, now.plus(300_001), false).is_err());
        assert!(check_at(now, known, now.minus(900_000), false).is_ok());
        assert!(check_at(now, known, now.minus(900_001), false).is_err());
        let limits = Limits::default();
        assert!(check_nonce(&limits, now, START, known, u64::MAX, false).is_err());
    }

    #[test]
    fn d9_a_nonce_grows_from_call_to_call() {
        let now = START.plus(3_600_000);
        let known = CallerNonce { newest: now.get() * NS_A_MS, connected: true };
        assert!(check_at(now, known, now, false).is_err());
        assert!(check_at(now, known, now.plus(1), false).is_ok());
    }

    #[test]
    fn d9_after_a_start_only_what_cannot_be_a_replay_is_taken() {
        let known = CallerNonce { newest: 0, connected: false };
        let now = START.plus(10_000);
        assert!(check_at(now, known, START, true).is_err_and(|error| error.retry_ms().is_some()));
        assert!(check_at(now, known, START.plus(1), true).is_ok());
        assert!(check_at(now, known, START.plus(300_000), false).is_err());
        assert!(check_at(now, known, START.plus(300_001), false).is_ok());
    }
}
