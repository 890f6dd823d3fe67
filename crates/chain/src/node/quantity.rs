use serde::{Deserialize, Deserializer, de::Error};

/// Reads a number as nodes write it: `0x` and hex without leading zeros. Leading zeros are accepted.
pub(super) fn quantity(text: &str) -> Option<u128> {
    let hex = text.strip_prefix("0x")?;
    // A sign would be accepted by `from_str_radix`.
    let digits = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(hex, 16).ok())?
}

/// Reads `0x` and whole bytes in hex.
pub(super) fn hex_data(text: &str) -> Option<Vec<u8>> {
    const_hex::decode(text.strip_prefix("0x")?).ok()
}

/// A field that is a number of 64 bits.
pub(super) fn u64_field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    quantity(&text).and_then(|number| number.try_into().ok()).ok_or_else(|| D::Error::custom("not a quantity"))
}

/// A field that is a number of 128 bits, or missing.
pub(super) fn optional_u128_field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u128>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| quantity(&text).ok_or_else(|| D::Error::custom("not a quantity"))).transpose()
}

/// A field that is bytes.
pub(super) fn data_field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    hex_data(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not hex data"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_quantities_are_numbers() {
        assert_eq!((quantity("0x0"), quantity("0x10"), quantity("0x00ff")), (Some(0), Some(16), Some(255)));
        for bad in ["", "0x", "10", "0x+1", "0x-1", "0xg", "0x 1", &format!("0x1{}", "0".repeat(32))] {
            assert_eq!(quantity(bad), None, "{bad}");
        }
        assert_eq!((hex_data("0x"), hex_data("0x0"), hex_data("00")), (Some(vec![]), None, None));
    }

    proptest! {
        #[test]
        fn reads_what_nodes_write(number: u128, bytes: Vec<u8>, text in ".{0,40}") {
            prop_assert_eq!(quantity(&format!("0x{number:x}")), Some(number));
            prop_assert_eq!(hex_data(&format!("0x{}", const_hex::encode(&bytes))), Some(bytes));
            let _ = (quantity(&text), hex_data(&text));
        }
    }
}
