use secp256k1::{
    Message, SecretKey,
    ecdsa::{RecoverableSignature, RecoveryId},
};

use super::account_key::address;
use crate::{Account, errors, id::Keccak256, text_form::serde_as_text};

/// A wallet's signature of a text (EIP-191, `personal_sign`): R‖S‖V as 130 hex characters after `0x`, V being 27 or 28.
///
/// Only signatures with an S in the lower half of the curve order are accepted, so that nobody can turn one signature
/// into another valid one (EIP-2).
///
/// ```
/// use vipnode_types::{AccountKey, AccountSignature};
///
/// let key = AccountKey::from_bytes([7; 32])?;
/// let signature = key.sign("Hello");
/// let carried: AccountSignature = signature.to_string().parse()?;
/// assert!(carried.signed("Hello", &key.account()));
/// assert!(!carried.signed("Hello.", &key.account()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountSignature {
    /// R‖S.
    compact: [u8; 64],
    /// Whether V is 28.
    odd: bool,
}

errors! {
    /// Why a text is not an [`AccountSignature`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum AccountSignatureError {
        /// A part of the signature is missing, or the text is not hexadecimal.
        Form: local,
            "a wallet's signature is 65 bytes in hex (R, S, and V, where V is 0, 1, 27, or 28), or 64 bytes in the \
             compact form (EIP-2098)",
            hint "Copy the whole signature from the wallet, from 0x on.";
        /// Each signature has a second form with a different S. Wallets produce the form with the lower S, and vipnode
        /// accepts only this form.
        HighS: local, "the signature's S is in the upper half of the curve order (EIP-2), so it could be a modified copy",
            hint "Sign the message again with the wallet.";
    }
}

impl AccountSignature {
    /// The signature of R‖S and of whether Y is odd.
    ///
    /// # Errors
    /// [`AccountSignatureError::HighS`]; [`AccountSignatureError::Form`] if R or S is not below the order.
    pub(crate) fn new(compact: [u8; 64], odd: bool) -> Result<Self, AccountSignatureError> {
        let given = recoverable(&compact, odd).ok_or(AccountSignatureError::Form)?.to_standard();
        let mut lower = given;
        lower.normalize_s();
        if lower == given { Ok(Self { compact, odd }) } else { Err(AccountSignatureError::HighS) }
    }

    /// R‖S‖V, V being 27 or 28.
    pub(crate) fn to_bytes(self) -> [u8; 65] {
        let mut bytes = [if self.odd { 28 } else { 27 }; 65];
        for (to, from) in bytes.iter_mut().zip(self.compact) {
            *to = from;
        }
        bytes
    }

    /// R, S, and whether Y is odd.
    pub(super) fn parts(self) -> ([u8; 32], [u8; 32], bool) {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        for (to, from) in r.iter_mut().chain(&mut s).zip(self.compact) {
            *to = from;
        }
        (r, s, self.odd)
    }

    /// The signature that a key makes of a digest, which has a low S.
    pub(super) fn of_digest(digest: [u8; 32], key: &SecretKey) -> Self {
        let signature = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest), key);
        let (recovery, compact) = signature.serialize_compact();
        Self { compact, odd: recovery.to_u8() & 1 == 1 }
    }

    /// Whether `account` signed this text.
    #[must_use]
    pub fn signed(&self, text: &str, account: &Account) -> bool {
        signer(&self.compact, self.odd, personal_digest(&[text])) == Some(*account)
    }
}

/// `0x`, then R‖S‖V.
impl std::fmt::Display for AccountSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{}{}", const_hex::encode(self.compact), if self.odd { "1c" } else { "1b" })
    }
}

/// Reads what wallets show: 65 bytes with a V of 0, 1, 27, or 28, or the 64 bytes of EIP-2098, also without `0x`.
impl std::str::FromStr for AccountSignature {
    type Err = AccountSignatureError;

    fn from_str(text: &str) -> Result<Self, AccountSignatureError> {
        let hex = text.strip_prefix("0x").unwrap_or(text);
        if hex.len() == 128 {
            let mut compact = [0; 64];
            const_hex::decode_to_slice(hex, &mut compact).map_err(|_| AccountSignatureError::Form)?;
            // EIP-2098 puts the parity into the highest bit of S, which is 0 in a lower half.
            let odd = compact[32] & 0x80 != 0;
            compact[32] &= 0x7f;
            return Self::new(compact, odd);
        }
        let mut bytes = [0; 65];
        const_hex::decode_to_slice(hex, &mut bytes).map_err(|_| AccountSignatureError::Form)?;
        let [compact @ .., v] = bytes;
        Self::new(compact, is_odd(v).ok_or(AccountSignatureError::Form)?)
    }
}

serde_as_text!(AccountSignature);

/// Whether Y is odd, as V states it.
pub(crate) const fn is_odd(v: u8) -> Option<bool> {
    match v {
        0 | 27 => Some(false),
        1 | 28 => Some(true),
        _ => None,
    }
}

/// The account whose key made a signature (R‖S) of a digest.
pub(crate) fn signer(compact: &[u8; 64], odd: bool, digest: [u8; 32]) -> Option<Account> {
    let key = recoverable(compact, odd)?.recover_ecdsa(Message::from_digest(digest)).ok()?;
    Some(address(&key))
}

/// The hash that a wallet signs for a text, which is the parts one after another (EIP-191).
pub(crate) fn personal_digest(parts: &[&str]) -> [u8; 32] {
    let length = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let mut hasher = Keccak256::default();
    hasher.update(format!("\x19Ethereum Signed Message:\n{length}"));
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

fn recoverable(compact: &[u8; 64], odd: bool) -> Option<RecoverableSignature> {
    let recovery = if odd { RecoveryId::One } else { RecoveryId::Zero };
    RecoverableSignature::from_compact(compact, recovery).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::AccountKey;

    /// The order of the curve.
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    /// The other signature of the same text: S is taken from the order, and V is changed.
    fn mirrored(signature: &AccountSignature) -> ([u8; 64], bool) {
        let order: Vec<u8> = const_hex::decode(ORDER).unwrap();
        let (mut compact, mut borrow) = (signature.compact, 0_i16);
        for at in (0..32).rev() {
            let digit = i16::from(order[at]) - i16::from(compact[32 + at]) - borrow;
            borrow = i16::from(digit < 0);
            compact[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
        }
        (compact, !signature.odd)
    }

    #[test]
    fn d1_a_text_that_is_not_a_signature_is_an_error_and_no_panic() {
        for bad in ["", "0x", "zz", &"00".repeat(63), &"00".repeat(66), &"09".repeat(65), &"ff".repeat(64), "0x0x"] {
            assert_eq!(bad.parse::<AccountSignature>(), Err(AccountSignatureError::Form), "{bad}");
        }
        // R and S of zero are not refused before they are verified: no key made such a signature.
        let zero: AccountSignature = "00".repeat(65).parse().unwrap();
        assert!(!zero.signed("", &Account::new([0; 20])));
    }

    proptest! {
        #[test]
        fn each_form_of_a_wallet_is_read(secret in 1_u8..255, text in any::<String>()) {
            let key = AccountKey::from_bytes([secret; 32]).unwrap();
            let signature = key.sign(&text);
            prop_assert!(signature.signed(&text, &key.account()));
            let (hex, v) = (const_hex::encode(signature.compact), u8::from(signature.odd));
            let mut short = signature.compact;
            short[32] |= v << 7;
            for form in [
                signature.to_string(),
                format!("{hex}0{v}"),
                format!("0x{}", format!("{hex}0{v}").to_uppercase()),
                const_hex::encode(short),
            ] {
                prop_assert_eq!(form.parse(), Ok(signature), "{}", form);
            }
            prop_assert_eq!(serde_json::to_string(&signature).unwrap(), format!("\"{signature}\""));
        }

        #[test]
        fn one_text_has_one_signature(secret in 1_u8..255, text in any::<String>()) {
            let key = AccountKey::from_bytes([secret; 32]).unwrap();
            let (compact, odd) = mirrored(&key.sign(&text));
            prop_assert_eq!(signer(&compact, odd, personal_digest(&[&text])), Some(key.account()), "it holds by itself");
            prop_assert_eq!(AccountSignature::new(compact, odd), Err(AccountSignatureError::HighS));
        }

        #[test]
        fn no_other_account_or_text_is_taken_for_it(text in any::<String>(), other in any::<String>()) {
            let (key, stranger) = (AccountKey::from_bytes([1; 32]).unwrap(), AccountKey::from_bytes([2; 32]).unwrap());
            let signature = key.sign(&text);
            prop_assert!(!signature.signed(&text, &stranger.account()));
            prop_assert_eq!(signature.signed(&other, &key.account()), text == other);
        }

        #[test]
        fn never_panics(text in ".{0,140}", bytes in any::<[u8; 32]>()) {
            let _ = text.parse::<AccountSignature>();
            let hex = const_hex::encode(bytes);
            if let Ok(signature) = format!("{hex}{hex}1b").parse::<AccountSignature>() {
                prop_assert!(!signature.signed(&text, &Account::new([1; 20])));
            }
        }
    }
}
