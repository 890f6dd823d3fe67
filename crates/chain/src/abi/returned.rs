use vipnode_types::payment::AbiWord;

/// What a call returned: words, and texts at offsets. A contract may return anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Returned<'a>(pub(crate) &'a [u8]);

impl<'a> Returned<'a> {
    /// The word at this index; `None` where the data ends before.
    pub(crate) fn word(self, index: usize) -> Option<AbiWord> {
        self.bytes(index.checked_mul(32)?, 32)?.try_into().ok().map(AbiWord::new)
    }

    /// The text that the word at this index refers to. Bytes that are not UTF-8 become replacement characters.
    pub(crate) fn text(self, index: usize) -> Option<String> {
        let at = usize::try_from(self.word(index)?.as_u64()?).ok()?;
        let length = AbiWord::new(self.bytes(at, 32)?.try_into().ok()?).as_u64()?;
        let bytes = self.bytes(at.checked_add(32)?, usize::try_from(length).ok()?)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// A text of at most 32 bytes that is filled up with zeros, as the oldest tokens return their symbol.
    pub(crate) fn short_text(self) -> Option<String> {
        let word = self.word(0)?;
        let bytes: Vec<u8> = word.as_bytes().iter().copied().take_while(|byte| *byte != 0).collect();
        (self.0.len() == 32).then(|| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn bytes(self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::AbiValue;

    #[test]
    fn symbols_of_new_and_old_tokens_are_read() {
        let new = AbiValue::encode(&[AbiValue::Bytes(b"USDC".to_vec())]);
        assert_eq!(Returned(&new).text(0).as_deref(), Some("USDC"));
        assert_eq!(Returned(&new).short_text(), None);
        let mut old = [0; 32];
        old[..3].copy_from_slice(b"MKR");
        assert_eq!((Returned(&old).text(0), Returned(&old).short_text().as_deref()), (None, Some("MKR")));
    }

    proptest! {
        #[test]
        fn a_hostile_contract_reads_nothing_beyond_its_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), index in 0_usize..9) {
            let returned = Returned(&bytes);
            let _ = (returned.word(index), returned.text(index), returned.short_text());
        }

        #[test]
        fn an_offset_or_a_length_beyond_the_end_is_nothing(at in 33_u64.., length: u64) {
            let beyond = AbiValue::encode(&[at.into(), length.into()]);
            prop_assert_eq!(Returned(&beyond).text(0), None);
            prop_assert_eq!(Returned(&beyond).word(usize::MAX), None);
        }
    }
}
