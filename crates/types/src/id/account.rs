use std::{fmt, str::FromStr};

use crate::{errors, keccak256, text_form::serde_as_text};

/// Who pays or earns: an Ethereum address. Written in lower case inside, read in any (fault D10, docs/faults.md).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account([u8; 20]);

errors! {
    /// Why a text is not an [`Account`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum AccountError {
        /// The text is not `0x` and 40 hex characters.
        Form: local, "not a valid address",
            hint "Write it as 0x followed by 40 hex characters.";
        /// The text has mixed case, and its EIP-55 checksum is wrong, probably because of a typing error.
        Checksum: local, "the address's checksum is wrong: a character was mistyped (EIP-55)",
            hint "Copy the address from the wallet again.";
    }
}

impl Account {
    /// The 20 bytes of an address.
    #[must_use]
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Whether it is nobody's: its first 18 bytes are zero. Those are the zero address, the precompiled contracts of Ethereum
    /// (`0x01` to `0x11`, `0x0100`) and of its rollups, and addresses to burn ether (`0xdEaD`). No key leads to one of them but by a chance
    /// of 1 in 2^144.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.iter().take(18).all(|byte| *byte == 0)
    }

    /// The 20 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl FromStr for Account {
    type Err = AccountError;

    /// Reads all-lower, all-upper or correctly checksummed hex.
    fn from_str(text: &str) -> Result<Self, AccountError> {
        let hex = text.strip_prefix("0x").ok_or(AccountError::Form)?;
        if hex.len() != 40 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(AccountError::Form);
        }
        let mixed = hex.bytes().any(|b| b.is_ascii_lowercase()) && hex.bytes().any(|b| b.is_ascii_uppercase());
        let mut bytes = [0; 20];
        const_hex::decode_to_slice(hex, &mut bytes).map_err(|_| AccountError::Form)?;
        let account = Self(bytes);
        if mixed && account.to_string() != text { Err(AccountError::Checksum) } else { Ok(account) }
    }
}

impl fmt::Display for Account {
    /// With its EIP-55 checksum, as wallets show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = const_hex::encode(self.0);
        let hash = const_hex::encode(keccak256(&hex));
        // A letter is a capital where the hash of the lower-case text has a digit of at least 8.
        let digits = hex.chars().zip(hash.chars());
        let text: String =
            digits.map(|(digit, of_hash)| if of_hash >= '8' { digit.to_ascii_uppercase() } else { digit }).collect();
        write!(f, "0x{text}")
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({self})")
    }
}

// Lower case on the wire, so that one account has one text there.
serde_as_text!(Account, |account| const_hex::encode_prefixed(account.as_bytes()));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d10_letter_case_makes_no_second_account() {
        let checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let account: Account = checksummed.parse().unwrap();
        assert_eq!(account.to_string(), checksummed);
        assert_eq!(checksummed.to_lowercase().parse(), Ok(account));
        assert_eq!("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".parse::<Account>(), Err(AccountError::Checksum));
        assert_eq!("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse::<Account>(), Err(AccountError::Form));
        assert_eq!(serde_json::to_string(&account).unwrap(), format!("\"{}\"", checksummed.to_lowercase()));
    }

    #[test]
    fn a_reserved_address_is_nobodys() {
        let is_reserved = |last: &str| format!("0x{last:0>40}").parse::<Account>().unwrap().is_reserved();
        for nobodys in ["0", "1", "11", "100", "dead", "ffff"] {
            assert!(is_reserved(nobodys), "{nobodys}");
        }
        assert!(!is_reserved("10000") && !Account::new([1; 20]).is_reserved());
    }
}
