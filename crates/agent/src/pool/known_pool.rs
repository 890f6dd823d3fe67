use std::str::FromStr;

use vipnode_rpc::PoolHeaders;
use vipnode_types::{HexError, PoolId, PoolKeyChanges, signed::Signature};

use super::PoolAddress;
use crate::AgentError;

/// What the agent remembers of the pool at one URL.
///
/// At the first use of a URL, the agent pins the pool's ID, the public half of the pool's key. From then on it refuses any
/// other pool there before it signs, dials, or evicts anything. An attacker who takes over the name or the address of
/// a pool, by an expired domain, a changed DNS entry, or a certificate issued by mistake, gets neither its agents nor their
/// leases.
/// A new ID is accepted if the old key signed the change, or if the user passed it (`--accept-pool-key`).
///
/// - A loopback URL is never pinned: different pools run there one after the other.
/// - A pool without a data directory has no ID; it is used without a pin.
/// - Over HTTP there is no 101 response, so the connect reply claims the ID without a proof. It is compared before the agent
///   acts on the reply, but only TLS protects it.
/// - A relay that forwards everything to the real pool is not detected. TLS protects against that.
#[derive(Debug)]
pub struct KnownPool {
    url: String,
    is_local: bool,
    pinned: Option<PoolId>,
    accepted: Option<AcceptedPool>,
}

/// The pool that the user accepts at a URL in place of the pinned one, `--accept-pool-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedPool {
    /// The pool with this ID.
    Id(PoolId),
    /// A pool without an ID.
    WithoutId,
}

/// How a pool presented itself when it was connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presented {
    /// With a proof of this ID, or as a pool without an ID.
    Proven(Option<PoolId>),
    /// Not at all yet, over HTTP.
    Unproven,
}

/// Another ID that is pinned for a pool, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinChange {
    /// The ID before.
    pub old: Option<PoolId>,
    /// The ID that is pinned now; `None` for a pool without one.
    pub new: Option<PoolId>,
    /// Why it changed.
    pub reason: PinReason,
}

/// Why a pin changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinReason {
    /// The URL was used for the first time.
    FirstUse,
    /// The old key signed the change.
    Signed,
    /// The user accepted it.
    Accepted,
}

impl FromStr for AcceptedPool {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        match text.trim() {
            "none" => Ok(Self::WithoutId),
            id => id.parse().map(Self::Id),
        }
    }
}

impl KnownPool {
    /// The pool at an address, with the ID that is pinned for it.
    #[must_use]
    pub fn new(address: &PoolAddress, pinned: Option<PoolId>, accepted: Option<AcceptedPool>) -> Self {
        let is_local = address.is_local();
        Self { url: address.url().to_owned(), is_local, pinned: pinned.filter(|_| !is_local), accepted }
    }

    /// The URL of the pool.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Checks how the pool presents itself in its 101 response. Returns its ID, and what to pin from now on.
    ///
    /// # Errors
    /// [`AgentError::OtherPool`], [`AgentError::PoolWithoutId`], [`AgentError::UnprovenPool`].
    pub(crate) fn meet(
        &mut self,
        headers: &PoolHeaders,
        challenge: Option<&str>,
    ) -> Result<(Option<PoolId>, Option<PinChange>), AgentError> {
        let proven = match &headers.id {
            None => None,
            Some(id) => match proven(id, headers.proof.as_deref(), challenge) {
                None if !self.is_local => return Err(AgentError::UnprovenPool { url: self.url.clone() }),
                proven => proven,
            },
        };
        // A list that cannot be read counts as none.
        let changes = headers.changes.as_deref().and_then(|text| text.parse().ok()).unwrap_or_default();
        Ok((proven, self.check(proven, &changes)?))
    }

    /// Checks the ID that the connect reply names. Returns what to pin from now on.
    ///
    /// # Errors
    /// As [`Self::meet`].
    pub(crate) fn check_reply(
        &mut self,
        presented: Presented,
        claimed: Option<PoolId>,
    ) -> Result<Option<PinChange>, AgentError> {
        match presented {
            Presented::Unproven => self.check(claimed, &PoolKeyChanges::default()),
            Presented::Proven(proven) if proven == claimed || self.is_local => Ok(None),
            Presented::Proven(_another) => Err(AgentError::UnprovenPool { url: self.url.clone() }),
        }
    }

    fn check(&mut self, shown: Option<PoolId>, changes: &PoolKeyChanges) -> Result<Option<PinChange>, AgentError> {
        if self.is_local || (shown == self.pinned && shown.is_some()) {
            return Ok(None);
        }
        let accepts = match self.accepted {
            Some(AcceptedPool::Id(id)) => shown == Some(id),
            Some(AcceptedPool::WithoutId) => shown.is_none(),
            None => false,
        };
        let expected = match (self.pinned, self.accepted) {
            (None, Some(AcceptedPool::Id(id))) => Some(id),
            (pinned, _) => pinned,
        };
        let url = || self.url.clone();
        let reason = match (expected, shown) {
            _ if accepts => PinReason::Accepted,
            (None, _) => PinReason::FirstUse,
            (Some(expected), Some(shown)) if changes.lead(&expected, &shown) => PinReason::Signed,
            (Some(expected), Some(shown)) => return Err(AgentError::OtherPool { url: url(), expected, shown }),
            (Some(expected), None) => return Err(AgentError::PoolWithoutId { url: url(), expected }),
        };
        let old = std::mem::replace(&mut self.pinned, shown);
        Ok((old != shown).then_some(PinChange { old, new: shown, reason }))
    }
}

/// Returns the ID if the pool proved for this challenge that it has its key.
fn proven(id: &str, proof: Option<&str>, challenge: Option<&str>) -> Option<PoolId> {
    let id: PoolId = id.parse().ok()?;
    let proof: Signature = proof?.parse().ok()?;
    id.proved_by(&proof, challenge?).then_some(id)
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Ms, PoolKey, PoolKeyChange, TypedError};

    use super::*;

    const CHALLENGE: &str = "c0ffee";

    fn key(number: u8) -> PoolKey {
        PoolKey::from_random([number; 32]).unwrap()
    }

    fn known(url: &str, pinned: Option<u8>, accepted: Option<AcceptedPool>) -> KnownPool {
        let pinned = pinned.map(|number| key(number).id());
        KnownPool::new(&PoolAddress::read(url).unwrap(), pinned, accepted)
    }

    fn headers(number: u8) -> PoolHeaders {
        let key = key(number);
        let proof = Some(key.prove(CHALLENGE).to_string());
        PoolHeaders { id: Some(key.id().to_string()), proof, changes: None }
    }

    fn meet(known: &mut KnownPool, headers: &PoolHeaders) -> Result<Option<PinChange>, AgentError> {
        known.meet(headers, Some(CHALLENGE)).map(|(_, change)| change)
    }

    const POOL: &str = "wss://pool.example";

    #[test]
    fn the_first_id_is_pinned_and_another_or_none_is_refused() {
        let mut pool = known(POOL, None, None);
        let (first, other) = (key(1).id(), key(2).id());
        let pinned = PinChange { old: None, new: Some(first), reason: PinReason::FirstUse };
        assert_eq!(meet(&mut pool, &headers(1)).unwrap(), Some(pinned));
        assert_eq!(meet(&mut pool, &headers(1)).unwrap(), None);
        let error = meet(&mut pool, &headers(2)).unwrap_err();
        for text in [first.to_string(), other.to_string()] {
            assert!(error.to_string().contains(&text), "{error}");
        }
        assert!(error.hint().unwrap().contains(&format!("--accept-pool-key {other}")), "{:?}", error.hint());
        let error = meet(&mut pool, &PoolHeaders::default()).unwrap_err();
        assert!(error.hint().unwrap().contains("--accept-pool-key none"), "{:?}", error.hint());
        assert_eq!(meet(&mut pool, &headers(1)).unwrap(), None, "the pin stays");
    }

    #[test]
    fn an_id_without_its_proof_is_refused() {
        let good = headers(1);
        for bad in [
            PoolHeaders { proof: None, ..good.clone() },
            PoolHeaders { proof: headers(2).proof, ..good.clone() },
            PoolHeaders { proof: Some(key(1).prove("another").to_string()), ..good.clone() },
            PoolHeaders { id: Some("02".to_owned()), ..good.clone() },
        ] {
            let error = meet(&mut known(POOL, None, None), &bad).unwrap_err();
            assert!(matches!(error, AgentError::UnprovenPool { .. }), "{error}");
        }
        known(POOL, None, None).meet(&good, None).unwrap_err();
        let mut pool = known(POOL, Some(1), None);
        let (id, _) = pool.meet(&good, Some(CHALLENGE)).unwrap();
        assert_eq!(pool.check_reply(Presented::Proven(id), id).unwrap(), None);
        pool.check_reply(Presented::Proven(id), None).unwrap_err();
        pool.check_reply(Presented::Proven(None), id).unwrap_err();
    }

    #[test]
    fn a_loopback_url_is_never_pinned_and_a_pool_without_an_id_needs_no_pin() {
        let mut pool = known("ws://127.0.0.1:8080", Some(3), None);
        for headers in [headers(1), headers(2), PoolHeaders::default()] {
            assert_eq!(meet(&mut pool, &headers).unwrap(), None);
        }
        let mut pool = known(POOL, None, None);
        assert_eq!(meet(&mut pool, &PoolHeaders::default()).unwrap(), None);
        assert_eq!(meet(&mut pool, &PoolHeaders::default()).unwrap(), None);
    }

    #[test]
    fn the_user_can_accept_another_id() {
        let accepted = Some(AcceptedPool::Id(key(2).id()));
        let mut pool = known(POOL, Some(1), accepted);
        assert_eq!(meet(&mut pool, &headers(1)).unwrap(), None, "the pinned one is still accepted");
        meet(&mut pool, &headers(3)).unwrap_err();
        let change = meet(&mut pool, &headers(2)).unwrap().unwrap();
        assert_eq!((change.new, change.reason), (Some(key(2).id()), PinReason::Accepted));
        meet(&mut pool, &headers(1)).unwrap_err();
        meet(&mut known(POOL, None, accepted), &headers(3)).unwrap_err();
        let mut pool = known(POOL, Some(1), Some(AcceptedPool::WithoutId));
        assert_eq!(meet(&mut pool, &PoolHeaders::default()).unwrap().unwrap().new, None);
        assert_eq!("none".parse(), Ok(AcceptedPool::WithoutId));
        assert_eq!(key(1).id().to_string().parse(), Ok(AcceptedPool::Id(key(1).id())));
        "0x02".parse::<AcceptedPool>().unwrap_err();
    }

    #[test]
    fn a_change_that_the_old_key_signed_is_accepted() {
        let changed = |from: u8, to: u8| {
            let mut changes = PoolKeyChanges::default();
            changes.push(PoolKeyChange::sign(&key(from), key(to).id(), Ms::new(1)));
            PoolHeaders { changes: Some(changes.to_string()), ..headers(to) }
        };
        let mut pool = known(POOL, Some(1), None);
        let change = meet(&mut pool, &changed(1, 2)).unwrap().unwrap();
        let (old, new) = (Some(key(1).id()), Some(key(2).id()));
        assert_eq!(change, PinChange { old, new, reason: PinReason::Signed });
        meet(&mut pool, &headers(1)).unwrap_err();
        meet(&mut known(POOL, Some(3), None), &changed(1, 2)).unwrap_err();
        let unreadable = PoolHeaders { changes: Some("1:2".to_owned()), ..headers(2) };
        meet(&mut known(POOL, Some(1), None), &unreadable).unwrap_err();
    }

    #[test]
    fn over_http_the_reply_is_compared() {
        let mut pool = known("https://pool.example", None, None);
        let change = pool.check_reply(Presented::Unproven, Some(key(1).id())).unwrap().unwrap();
        assert_eq!(change.reason, PinReason::FirstUse);
        assert_eq!(pool.check_reply(Presented::Unproven, Some(key(1).id())).unwrap(), None);
        pool.check_reply(Presented::Unproven, Some(key(2).id())).unwrap_err();
        pool.check_reply(Presented::Unproven, None).unwrap_err();
    }
}
