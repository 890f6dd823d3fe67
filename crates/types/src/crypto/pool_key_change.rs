use std::{fmt, str::FromStr};

use super::{
    pool_key::{PoolId, PoolKey},
    signed::Signature,
};
use crate::{Ms, errors, id::Keccak256};

/// A pool's statement that it has a new key, signed by the key that it had before.
///
/// An agent that remembers the old ID accepts the new one without its user. The statement does not help a pool whose old
/// key was stolen: the thief can sign one too.
///
/// The digest is keccak256 of these lines, joined by `\n`: `vipnode/3 pool key`, the old ID, the new ID, the time. As text,
/// the four fields are joined by `:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolKeyChange {
    /// The ID before the change, whose key signed.
    pub old: PoolId,
    /// The ID after it.
    pub new: PoolId,
    /// When it was signed, by the pool's clock.
    pub issued_ms: Ms,
    /// By the old key.
    pub signature: Signature,
}

/// The newest changes of a pool's key, the oldest first; each follows the one before. At most [`PoolKeyChanges::MOST`].
///
/// They are in the header [`crate::wire::POOL_CHANGES_HEADER`] of the 101 response, joined by `,`. Signatures are checked
/// by [`PoolKeyChanges::lead`] only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolKeyChanges(Vec<PoolKeyChange>);

errors! {
    /// Why a text is not a list of key changes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum PoolKeyChangesError {
        /// The list does not have the expected format, is too long, or has a gap.
        Form: local, "it is not a valid list of consecutive changes of a pool's key",
            hint "Ask the pool's operator to restore the pool-key file in the pool's data directory from a backup.";
    }
}

impl PoolKeyChange {
    /// States that the pool with the key `old` has the ID `new` from now on.
    #[must_use]
    pub fn sign(old: &PoolKey, new: PoolId, issued_ms: Ms) -> Self {
        let signature = old.sign(digest(&old.id(), &new, issued_ms));
        Self { old: old.id(), new, issued_ms, signature }
    }

    /// Whether the old key signed it.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.old.verifies(digest(&self.old, &self.new, self.issued_ms), &self.signature)
    }
}

impl PoolKeyChanges {
    /// The most changes that a pool sends and an agent reads. Each costs an agent one signature check, once.
    pub const MOST: usize = 8;
    /// The longest text of a list that is read, in bytes.
    const MOST_TEXT: usize = Self::MOST * 300;

    /// Adds a change. Earlier ones that it does not follow are dropped, and the oldest beyond [`PoolKeyChanges::MOST`].
    pub fn push(&mut self, change: PoolKeyChange) {
        if self.0.last().is_some_and(|last| last.new != change.old) {
            self.0.clear();
        }
        if self.0.len() >= Self::MOST {
            self.0.remove(0);
        }
        self.0.push(change);
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the ID after the newest change.
    #[must_use]
    pub fn newest(&self) -> Option<PoolId> {
        self.0.last().map(|change| change.new)
    }

    /// Whether the pool that had the ID `from` has the ID `to` now: the changes between them are all here and signed.
    ///
    /// ```
    /// use vipnode_types::{Ms, PoolKey, PoolKeyChange, PoolKeyChanges};
    ///
    /// let (old, new) = (PoolKey::from_random([1; 32])?, PoolKey::from_random([2; 32])?);
    /// let mut changes = PoolKeyChanges::default();
    /// changes.push(PoolKeyChange::sign(&old, new.id(), Ms::new(1_000)));
    /// let received: PoolKeyChanges = changes.to_string().parse()?;
    /// assert!(received.lead(&old.id(), &new.id()));
    /// assert!(!received.lead(&new.id(), &old.id()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn lead(&self, from: &PoolId, to: &PoolId) -> bool {
        let Some(first) = self.0.iter().rposition(|change| change.old == *from) else { return false };
        self.newest() == Some(*to) && self.0.iter().skip(first).all(PoolKeyChange::holds)
    }
}

impl fmt::Display for PoolKeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, new, issued_ms, signature } = self;
        write!(f, "{old}:{new}:{}:{signature}", issued_ms.get())
    }
}

impl FromStr for PoolKeyChange {
    type Err = PoolKeyChangesError;

    fn from_str(text: &str) -> Result<Self, PoolKeyChangesError> {
        let mut fields = text.split(':');
        let mut next = || fields.next().ok_or(PoolKeyChangesError::Form);
        let form = |_| PoolKeyChangesError::Form;
        let change = Self {
            old: next()?.parse().map_err(form)?,
            new: next()?.parse().map_err(form)?,
            issued_ms: Ms::new(next()?.parse().map_err(|_| PoolKeyChangesError::Form)?),
            signature: next()?.parse().map_err(form)?,
        };
        if fields.next().is_some() { Err(PoolKeyChangesError::Form) } else { Ok(change) }
    }
}

impl fmt::Display for PoolKeyChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, change) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(",")?;
            }
            change.fmt(f)?;
        }
        Ok(())
    }
}

impl FromStr for PoolKeyChanges {
    type Err = PoolKeyChangesError;

    fn from_str(text: &str) -> Result<Self, PoolKeyChangesError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > Self::MOST_TEXT {
            return Err(PoolKeyChangesError::Form);
        }
        let changes = text.split(',').map(str::parse).collect::<Result<Vec<PoolKeyChange>, _>>()?;
        let follow = changes.windows(2).all(|two| matches!(two, [one, next] if one.new == next.old));
        if follow && changes.len() <= Self::MOST { Ok(Self(changes)) } else { Err(PoolKeyChangesError::Form) }
    }
}

fn digest(old: &PoolId, new: &PoolId, issued: Ms) -> [u8; 32] {
    let mut hasher = Keccak256::default();
    hasher.update(format!("vipnode/3 pool key\n{old}\n{new}\n{}", issued.get()));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> PoolKey {
        PoolKey::from_random([number; 32]).unwrap()
    }

    fn change(old: u8, new: u8) -> PoolKeyChange {
        PoolKeyChange::sign(&key(old), key(new).id(), Ms::new(7))
    }

    fn chain(keys: std::ops::RangeInclusive<u8>) -> PoolKeyChanges {
        let mut changes = PoolKeyChanges::default();
        keys.for_each(|number| changes.push(change(number, number + 1)));
        changes
    }

    #[test]
    fn changes_lead_from_each_earlier_id_to_the_newest_only() {
        let changes = chain(1..=3);
        for from in 1..=3 {
            assert!(changes.lead(&key(from).id(), &key(4).id()), "{from}");
        }
        assert!(!changes.lead(&key(1).id(), &key(3).id()), "the pool has the newest");
        assert!(!changes.lead(&key(9).id(), &key(4).id()) && !changes.lead(&key(4).id(), &key(4).id()));
    }

    #[test]
    fn a_change_that_another_key_signed_leads_nowhere() {
        let good = change(1, 2);
        let forged = [
            PoolKeyChange { signature: PoolKeyChange::sign(&key(3), key(2).id(), Ms::new(7)).signature, ..good },
            PoolKeyChange { new: key(3).id(), ..good },
            PoolKeyChange { issued_ms: Ms::new(8), ..good },
        ];
        for forged in forged {
            let mut changes = PoolKeyChanges::default();
            changes.push(forged);
            assert!(!changes.lead(&key(1).id(), &forged.new), "{forged:?}");
        }
        let mut later = PoolKeyChanges::default();
        later.push(forged[1]);
        later.push(change(3, 4));
        assert!(later.lead(&key(3).id(), &key(4).id()), "an agent checks only what it needs");
        assert!(!later.lead(&key(1).id(), &key(4).id()));
    }

    #[test]
    fn at_most_eight_changes_are_kept_and_read() {
        let changes = chain(1..=9);
        assert_eq!((changes.0.len(), changes.0[0].old), (PoolKeyChanges::MOST, key(2).id()), "the oldest is dropped");
        assert_eq!(changes.to_string().parse(), Ok(changes.clone()));
        let nine = format!("{},{}", change(1, 2), changes);
        assert_eq!(nine.parse::<PoolKeyChanges>(), Err(PoolKeyChangesError::Form));
        let mut other = changes;
        other.push(change(20, 21));
        assert_eq!(other.0.len(), 1, "what does not follow begins again");
    }

    #[test]
    fn a_list_of_another_form_is_refused() {
        let (one, other) = (change(1, 2).to_string(), change(3, 4).to_string());
        assert_eq!("".parse(), Ok(PoolKeyChanges::default()));
        for bad in
            [&one[1..], "x", ",", &format!("{one},"), &format!("{one}:1"), &format!("{one},{other}"), &one.repeat(9)]
        {
            assert_eq!(bad.parse::<PoolKeyChanges>(), Err(PoolKeyChangesError::Form), "{bad}");
        }
    }
}
