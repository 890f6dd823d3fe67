use crate::{Account, Amount, Hash256};

/// One word of a contract's ABI and of typed data (EIP-712): 32 bytes, numbers in big-endian order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AbiWord([u8; 32]);

impl AbiWord {
    /// The word with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The number, or `None` beyond 2^128 − 1.
    #[must_use]
    pub fn as_u128(&self) -> Option<u128> {
        let (high, low) = self.0.split_first_chunk::<16>()?;
        let low: [u8; 16] = low.try_into().ok()?;
        (*high == [0; 16]).then(|| u128::from_be_bytes(low))
    }

    /// The number, or `None` beyond 2^64 − 1.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_u128()?.try_into().ok()
    }

    /// The address, or `None` if the 12 bytes before it are not zero.
    #[must_use]
    pub fn as_account(&self) -> Option<Account> {
        let (padding, address) = self.0.split_first_chunk::<12>()?;
        (*padding == [0; 12]).then(|| address.try_into().map(Account::new).ok())?
    }

    /// The word with these bytes at its end, and zeros before them. Of more than 32 bytes, the last 32.
    fn right_aligned(bytes: &[u8]) -> Self {
        let mut word = [0; 32];
        for (to, from) in word.iter_mut().rev().zip(bytes.iter().rev()) {
            *to = *from;
        }
        Self(word)
    }
}

impl From<Account> for AbiWord {
    fn from(account: Account) -> Self {
        Self::right_aligned(account.as_bytes())
    }
}

impl From<u128> for AbiWord {
    fn from(number: u128) -> Self {
        Self::right_aligned(&number.to_be_bytes())
    }
}

impl From<u64> for AbiWord {
    fn from(number: u64) -> Self {
        u128::from(number).into()
    }
}

impl From<Amount> for AbiWord {
    fn from(amount: Amount) -> Self {
        amount.get().into()
    }
}

impl From<Hash256> for AbiWord {
    fn from(hash: Hash256) -> Self {
        Self(hash.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_fit_is_not_cut() {
        let mut bytes = [0; 32];
        bytes[15] = 1;
        let word = AbiWord::new(bytes);
        assert_eq!((word.as_u128(), word.as_u64()), (None, None));
        assert_eq!(AbiWord::from(1_u128 << 64).as_u64(), None);
        bytes = [0xff; 32];
        assert_eq!((AbiWord::new(bytes).as_account(), AbiWord::new(bytes).as_u128()), (None, None));
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(number: u128, small: u64, address: [u8; 20]) {
            prop_assert_eq!(AbiWord::from(number).as_u128(), Some(number));
            prop_assert_eq!(AbiWord::from(small).as_u64(), Some(small));
            prop_assert_eq!(AbiWord::from(Account::new(address)).as_account(), Some(Account::new(address)));
        }

        #[test]
        fn never_panics(bytes: [u8; 32]) {
            let word = AbiWord::new(bytes);
            let _ = (word.as_u128(), word.as_u64(), word.as_account());
        }
    }
}
