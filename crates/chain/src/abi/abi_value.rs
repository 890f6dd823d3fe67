use vipnode_types::{Account, Amount, Hash256, payment::AbiWord};

/// An argument of a call, as the contract ABI encodes it.
///
/// ```
/// use vipnode_chain::AbiValue;
///
/// // A word is itself; bytes are an offset, then their length and the padded bytes.
/// assert_eq!(AbiValue::encode(&[AbiValue::from(7_u64)]).len(), 32);
/// assert_eq!(AbiValue::encode(&[AbiValue::Bytes(vec![1; 33])]).len(), 32 + 32 + 64);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbiValue {
    /// A number, an address, or a hash.
    Word(AbiWord),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// An array of any length.
    Array(Vec<Self>),
    /// A struct, field by field.
    Tuple(Vec<Self>),
}

impl AbiValue {
    /// Encodes arguments, or the fields of a struct: first the words, with an offset in place of each part that has no
    /// fixed length, then these parts.
    #[must_use]
    pub fn encode(values: &[Self]) -> Vec<u8> {
        let head_bytes = values.iter().fold(0_usize, |sum, value| sum.saturating_add(value.head_bytes()));
        let (mut head, mut tail) = (Vec::with_capacity(head_bytes), Vec::new());
        for value in values {
            if value.is_dynamic() {
                head.extend(length_word(head_bytes.saturating_add(tail.len())));
                tail.extend(value.encoded());
            } else {
                head.extend(value.encoded());
            }
        }
        head.extend(tail);
        head
    }

    fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Word(word) => word.as_bytes().to_vec(),
            Self::Bytes(bytes) => {
                let mut encoded = length_word(bytes.len()).to_vec();
                encoded.extend(bytes);
                encoded.resize(encoded.len().next_multiple_of(32), 0);
                encoded
            }
            Self::Array(items) => {
                let mut encoded = length_word(items.len()).to_vec();
                encoded.extend(Self::encode(items));
                encoded
            }
            Self::Tuple(fields) => Self::encode(fields),
        }
    }

    fn is_dynamic(&self) -> bool {
        match self {
            Self::Word(_) => false,
            Self::Bytes(_) | Self::Array(_) => true,
            Self::Tuple(fields) => fields.iter().any(Self::is_dynamic),
        }
    }

    fn head_bytes(&self) -> usize {
        match self {
            Self::Tuple(fields) if !self.is_dynamic() => {
                fields.iter().fold(0, |sum: usize, field| sum.saturating_add(field.head_bytes()))
            }
            _ => 32,
        }
    }
}

fn length_word(length: usize) -> [u8; 32] {
    *AbiWord::from(u64::try_from(length).unwrap_or(u64::MAX)).as_bytes()
}

impl From<AbiWord> for AbiValue {
    fn from(word: AbiWord) -> Self {
        Self::Word(word)
    }
}

impl From<u64> for AbiValue {
    fn from(number: u64) -> Self {
        Self::Word(number.into())
    }
}

impl From<u128> for AbiValue {
    fn from(number: u128) -> Self {
        Self::Word(number.into())
    }
}

impl From<Amount> for AbiValue {
    fn from(amount: Amount) -> Self {
        Self::Word(amount.into())
    }
}

impl From<Account> for AbiValue {
    fn from(account: Account) -> Self {
        Self::Word(account.into())
    }
}

impl From<Hash256> for AbiValue {
    fn from(hash: Hash256) -> Self {
        Self::Word(hash.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(encoded: &[u8]) -> Vec<String> {
        encoded.chunks(32).map(|word| const_hex::encode(word).trim_start_matches('0').to_owned()).collect()
    }

    /// The example `f(uint256,uint32[],bytes10,bytes)` of the ABI's specification.
    #[test]
    fn the_example_of_the_specification_is_encoded_as_there() {
        let mut bytes10 = [0; 32];
        bytes10[..10].copy_from_slice(b"1234567890");
        let encoded = AbiValue::encode(&[
            0x123_u64.into(),
            AbiValue::Array(vec![0x456_u64.into(), 0x789_u64.into()]),
            AbiWord::new(bytes10).into(),
            AbiValue::Bytes(b"Hello, world!".to_vec()),
        ]);
        let hello = format!("48656c6c6f2c20776f726c6421{}", "0".repeat(38));
        let ten = format!("31323334353637383930{}", "0".repeat(44));
        assert_eq!(words(&encoded), ["123", "80", &*ten, "e0", "2", "456", "789", "d", &*hello]);
    }

    #[test]
    fn a_struct_of_words_stands_in_place_and_one_with_bytes_is_referred_to() {
        let fixed = AbiValue::Tuple(vec![1_u64.into(), 2_u64.into()]);
        assert_eq!(words(&AbiValue::encode(&[fixed.clone(), 3_u64.into()])), ["1", "2", "3"]);
        let open = AbiValue::Tuple(vec![fixed, AbiValue::Bytes(vec![])]);
        let encoded = AbiValue::encode(&[AbiValue::Array(vec![open])]);
        assert_eq!(words(&encoded), ["20", "1", "20", "1", "2", "60", ""]);
    }
}
