//! The encoding of transactions (RLP), which is written only.

/// Returns a number without leading zeros, as a string of bytes.
pub(super) fn number(number: u128) -> Vec<u8> {
    trimmed(&number.to_be_bytes())
}

/// Returns a number of 256 bits the same way.
pub(super) fn trimmed(big_endian: &[u8]) -> Vec<u8> {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    bytes(big_endian.get(zeros..).unwrap_or_default())
}

/// Returns a string of bytes.
pub(super) fn bytes(content: &[u8]) -> Vec<u8> {
    match content {
        [byte] if *byte < 0x80 => vec![*byte],
        _ => with_length(0x80, content),
    }
}

/// Returns a list of items, each encoded already.
pub(super) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    with_length(0xc0, &items.concat())
}

fn with_length(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut encoded = match u8::try_from(length) {
        Ok(short) if short < 56 => vec![kind.saturating_add(short)],
        _ => {
            let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            // A length has 1 to 8 bytes.
            let count = u8::try_from(digits.len()).unwrap_or(8);
            let mut head = vec![kind.saturating_add(55).saturating_add(count)];
            head.extend(digits);
            head
        }
    };
    encoded.extend(content);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the definition of RLP.
    #[test]
    fn the_examples_of_the_definition_are_encoded_as_there() {
        assert_eq!(bytes(b"dog"), b"\x83dog");
        assert_eq!(list(&[bytes(b"cat"), bytes(b"dog")]), b"\xc8\x83cat\x83dog");
        assert_eq!((bytes(b""), list(&[]), number(0)), (vec![0x80], vec![0xc0], vec![0x80]));
        assert_eq!((number(15), number(1_024)), (vec![0x0f], vec![0x82, 0x04, 0x00]));
        assert_eq!((bytes(&[0]), bytes(&[0x80])), (vec![0], vec![0x81, 0x80]));
        let text = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit";
        assert_eq!(bytes(text)[..2], [0xb8, 56]);
        assert_eq!(bytes(&[1; 1_024])[..3], [0xb9, 4, 0]);
        assert_eq!(list(&[bytes(&[1; 60])])[..2], [0xf8, 62]);
    }
}
