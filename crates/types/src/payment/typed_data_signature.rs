use super::TypedData;
use crate::{
    Account, AccountKey, AccountSignature, AccountSignatureError, AgentKey,
    crypto::{is_odd, signer},
    errors,
    text_form::serde_as_text,
};

/// A signature of [`TypedData`] as contracts accept it: R‖S‖V in 65 bytes, with a V of 27 or 28, and S in the lower
/// half of the curve order. Written as `0x` and 130 hex characters.
///
/// The escrow reverts on every other form, and one row that reverts would revert a whole batch of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypedDataSignature(AccountSignature);

errors! {
    /// Why bytes are not a [`TypedDataSignature`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum TypedDataSignatureError {
        /// The text lacks the prefix `0x`, or contains a character that is not hexadecimal.
        Hex: InvalidParams, "the signature is not 0x followed by 130 hex characters",
            hint "Pass R, S, and V as one hex string after 0x.";
        /// The signature is in the compact form (EIP-2098), or in the form of a contract.
        Length {
            /// How many bytes there are.
            bytes: usize,
        }: InvalidParams, "the signature is {bytes} bytes long, not 65 (R, S, and V)",
            hint "Sign with the key of an ordinary account; the compact form (EIP-2098) and signatures of contracts are not accepted.";
        /// Some wallets write V as 0 or 1, which the contracts do not accept.
        V {
            /// The value that V has.
            v: u8,
        }: InvalidParams, "the signature's V is {v}, not 27 or 28",
            hint "Add 27 to a V of 0 or 1: contracts accept only 27 and 28.";
        /// No wallet produces such a signature; its text was probably changed.
        Range: InvalidParams, "the signature's R or S is not below the order of the curve",
            hint "Sign the data again with the wallet.";
        /// Each signature has a second form with a different S. Wallets produce the form with the lower S, and
        /// contracts accept only this form.
        UpperS: InvalidParams, "the signature's S is in the upper half of the curve order (EIP-2), so it could be a modified copy",
            hint "Sign the data again with the wallet.";
    }
}

impl TypedDataSignature {
    /// Reads R‖S‖V.
    ///
    /// # Errors
    /// See [`TypedDataSignatureError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TypedDataSignatureError> {
        let [compact @ .., v]: [u8; 65] =
            bytes.try_into().map_err(|_| TypedDataSignatureError::Length { bytes: bytes.len() })?;
        let odd = is_odd(v).filter(|_| v >= 27).ok_or(TypedDataSignatureError::V { v })?;
        AccountSignature::new(compact, odd).map(Self).map_err(|error| match error {
            AccountSignatureError::Form => TypedDataSignatureError::Range,
            AccountSignatureError::HighS => TypedDataSignatureError::UpperS,
        })
    }

    /// R‖S‖V.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 65] {
        self.0.to_bytes()
    }

    /// Returns the account whose key signed the data; another account for other data.
    #[must_use]
    pub fn signer(&self, data: &TypedData) -> Option<Account> {
        let [compact @ .., v] = self.to_bytes();
        signer(&compact, v == 28, data.digest())
    }
}

impl AccountKey {
    /// Signs typed data as a wallet does (EIP-712, `eth_signTypedData_v4`).
    #[must_use]
    pub fn sign_typed(&self, data: &TypedData) -> TypedDataSignature {
        TypedDataSignature(self.sign_digest(data.digest()))
    }
}

impl AgentKey {
    /// Signs typed data, such as a voucher (EIP-712).
    #[must_use]
    pub fn sign_typed(&self, data: &TypedData) -> TypedDataSignature {
        TypedDataSignature(self.sign_digest(data.digest()))
    }
}

impl std::fmt::Display for TypedDataSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for TypedDataSignature {
    type Err = TypedDataSignatureError;

    fn from_str(text: &str) -> Result<Self, TypedDataSignatureError> {
        let hex = text.strip_prefix("0x").ok_or(TypedDataSignatureError::Hex)?;
        if !hex.len().is_multiple_of(2) || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(TypedDataSignatureError::Hex);
        }
        let mut bytes = [0; 65];
        match const_hex::decode_to_slice(hex, &mut bytes) {
            Ok(()) => Self::from_bytes(&bytes),
            Err(_) => Err(TypedDataSignatureError::Length { bytes: hex.len() / 2 }),
        }
    }
}

serde_as_text!(TypedDataSignature);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payment::TypedStruct;

    fn data(name: &'static str) -> TypedData {
        TypedData::of_escrow(1, TypedStruct::new(name))
    }

    fn signed(secret: u8) -> (AccountKey, TypedDataSignature) {
        let key = AccountKey::from_bytes([secret; 32]).unwrap();
        let signature = key.sign_typed(&data("Voucher"));
        (key, signature)
    }

    /// The escrow reverts on each of these.
    #[test]
    fn only_65_bytes_with_a_low_s_and_a_v_of_27_or_28_are_a_signature() {
        let (_, good) = signed(7);
        let bytes = good.to_bytes();
        assert_eq!(TypedDataSignature::from_bytes(&bytes), Ok(good));
        for v in [0, 1, 2, 26, 29, 255] {
            let mut other = bytes;
            other[64] = v;
            assert_eq!(TypedDataSignature::from_bytes(&other), Err(TypedDataSignatureError::V { v }));
        }
        for length in [0, 1, 64, 66, 130] {
            let other = vec![27; length];
            assert_eq!(
                TypedDataSignature::from_bytes(&other),
                Err(TypedDataSignatureError::Length { bytes: length }),
                "EIP-2098 has 64, a contract's any other"
            );
        }
        let mut upper = bytes;
        // The order minus 1, which is in the upper half.
        let s = const_hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140").unwrap();
        upper[32..64].copy_from_slice(&s);
        assert_eq!(TypedDataSignature::from_bytes(&upper), Err(TypedDataSignatureError::UpperS));
        upper[32..64].copy_from_slice(&[0xff; 32]);
        assert_eq!(TypedDataSignature::from_bytes(&upper), Err(TypedDataSignatureError::Range));
        for text in ["", "0x", "0xzz", &const_hex::encode(bytes), &format!("{good}0")] {
            assert!(text.parse::<TypedDataSignature>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes_and_finds_the_signer(secret in 1_u8..255) {
            let (key, signature) = signed(secret);
            prop_assert_eq!(signature.to_string().parse(), Ok(signature));
            prop_assert_eq!(TypedDataSignature::from_bytes(&signature.to_bytes()), Ok(signature));
            prop_assert_eq!(signature.signer(&data("Voucher")), Some(key.account()));
            prop_assert_ne!(signature.signer(&data("Refund")), Some(key.account()));
        }

        #[test]
        fn d1_never_panics(text in ".{0,140}", bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            let _ = text.parse::<TypedDataSignature>();
            if let Ok(signature) = TypedDataSignature::from_bytes(&bytes) {
                let _ = signature.signer(&data("Voucher"));
            }
        }
    }
}
