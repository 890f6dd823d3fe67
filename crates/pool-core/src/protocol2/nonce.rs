//! Nonces of protocol 2: nanoseconds since the Unix epoch, by the caller's clock. They are judged only
//! after the signature held (D8), and in both directions (D9).

use vipnode_types::{
    Ms,
    wire::{ErrorCode, WireError},
};

use crate::Limits;

const NS_A_MS: u64 = 1_000_000;

/// What is known of the one who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The newest nonce taken, 0 for none.
    pub(crate) newest: u64,
    /// Whether it has connected since the pool's start. Until then what was taken last may have been
    /// forgotten.
    pub(crate) connected: bool,
}

/// Whether a nonce may be taken.
pub(crate) fn judge(
    limits: &Limits,
    now: Ms,
    started: Ms,
    known: Known,
    nonce: u64,
    connects: bool,
) -> Result<(), WireError> {
    let at = Ms::new(nonce / NS_A_MS);
    if at > now.plus(limits.nonce_ahead_ms) {
        return Err(refuse(
            format!("the nonce is {} s ahead of this pool's clock", at.since(now) / 1_000),
            "set this machine's clock: it runs ahead, or the nonce is not in nanoseconds",
        ));
    }
    if at.plus(limits.nonce_behind_ms) < now {
        return Err(refuse(
            format!("the nonce is {} s behind this pool's clock", now.since(at) / 1_000),
            "set this machine's clock: it runs behind, or the call was kept for too long",
        ));
    }
    if nonce <= known.newest {
        return Err(refuse(
            "the nonce is not newer than the one before".to_owned(),
            "let one agent at a time speak for a node; each call needs a greater nonce",
        ));
    }
    let floor = if connects { started } else { started.plus(limits.nonce_ahead_ms) };
    if !known.connected && at <= floor {
        let why = "this pool has started since, and cannot know whether it took this call before".to_owned();
        let mut error = refuse(why, "connect again");
        if let Some(data) = error.data.as_mut().filter(|_| connects) {
            // The caller's clock is behind: a little later it is past the start.
            data.retry_ms = Some(floor.since(at).saturating_add(1_000));
        }
        return Err(error);
    }
    Ok(())
}

fn refuse(why: String, hint: &str) -> WireError {
    WireError::new(ErrorCode::Unauthorized, why, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Ms = Ms::new(1_600_000_000_000);

    fn judge_at(now: Ms, known: Known, at: Ms, connects: bool) -> Result<(), WireError> {
        let limits = Limits { nonce_ahead_ms: 300_000, nonce_behind_ms: 900_000, ..Limits::default() };
        judge(&limits, now, START, known, at.get() * NS_A_MS, connects)
    }

    #[test]
    fn d9_a_nonce_of_the_future_or_of_long_ago_is_refused() {
        let known = Known { newest: 0, connected: true };
        let now = START.plus(3_600_000);
        assert!(judge_at(now, known, now.plus(300_000), false).is_ok());
        assert!(judge_at(now, known, now.plus(300_001), false).is_err());
        assert!(judge_at(now, known, now.minus(900_000), false).is_ok());
        assert!(judge_at(now, known, now.minus(900_001), false).is_err());
        let limits = Limits::default();
        assert!(judge(&limits, now, START, known, u64::MAX, false).is_err());
    }

    #[test]
    fn d9_a_nonce_grows_from_call_to_call() {
        let now = START.plus(3_600_000);
        let known = Known { newest: now.get() * NS_A_MS, connected: true };
        assert!(judge_at(now, known, now, false).is_err());
        assert!(judge_at(now, known, now.plus(1), false).is_ok());
    }

    #[test]
    fn d9_after_a_start_only_what_cannot_be_a_replay_is_taken() {
        let known = Known { newest: 0, connected: false };
        let now = START.plus(10_000);
        assert!(judge_at(now, known, START, true).is_err_and(|error| error.data.unwrap().retry_ms.is_some()));
        assert!(judge_at(now, known, START.plus(1), true).is_ok());
        assert!(judge_at(now, known, START.plus(300_000), false).is_err());
        assert!(judge_at(now, known, START.plus(300_001), false).is_ok());
    }
}
