use std::fmt::Write as _;

/// FNV-1a, 64 bits.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// Takes the numbers of an encoding into a digest and, where a caller reads them, into a text.
#[derive(Debug)]
pub(crate) struct Encoder {
    digest: u64,
    text: Option<String>,
}

/// A value with a golden encoding.
pub(super) trait Encode {
    /// Appends the value to the encoding.
    fn encode(&self, out: &mut Encoder);
}

impl Encoder {
    /// An encoder that has taken nothing yet; `readable` ones keep a text of what they take.
    pub(super) fn new(readable: bool) -> Self {
        Self { digest: OFFSET, text: readable.then(String::new) }
    }

    /// The digest over everything taken so far.
    pub(super) const fn digest(&self) -> u64 {
        self.digest
    }

    /// The text since it was last taken; `None` where nobody reads it.
    pub(super) fn take_text(&mut self) -> Option<String> {
        self.text.as_mut().map(std::mem::take)
    }

    /// Appends a number.
    pub(super) fn number(&mut self, number: u64) {
        self.hash(&number.to_be_bytes());
        self.write(|text| write!(text, "{number} "));
    }

    /// Appends an amount of money.
    pub(super) fn wide(&mut self, number: u128) {
        self.hash(&number.to_be_bytes());
        self.write(|text| write!(text, "{number} "));
    }

    /// Appends a number that may be below 0.
    pub(super) fn signed(&mut self, number: i128) {
        self.hash(&number.to_be_bytes());
        self.write(|text| write!(text, "{number} "));
    }

    /// Appends bytes of a length that the type fixes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.hash(bytes);
        self.write(|text| {
            // The first bytes identify it to a reader.
            for byte in bytes.iter().take(8) {
                write!(text, "{byte:02x}")?;
            }
            text.write_char(' ')
        });
    }

    /// Appends a text that is data: a version, an enode, a name. Prose has no encoding.
    pub(super) fn text(&mut self, data: &str) {
        self.hash(&(data.len() as u64).to_be_bytes());
        self.hash(data.as_bytes());
        self.write(|text| write!(text, "{data:?} "));
    }

    /// Appends a list: how many there are, and each of them.
    pub(super) fn list<'a, T: Encode + 'a>(&mut self, items: impl ExactSizeIterator<Item = &'a T>) {
        self.number(items.len() as u64);
        for item in items {
            item.encode(self);
        }
    }

    fn hash(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut String) -> std::fmt::Result) {
        if let Some(text) = &mut self.text {
            // Writing into a string cannot fail.
            let _infallible = write(text);
        }
    }
}

impl Encode for u64 {
    fn encode(&self, out: &mut Encoder) {
        out.number(*self);
    }
}

impl Encode for u32 {
    fn encode(&self, out: &mut Encoder) {
        out.number(u64::from(*self));
    }
}

impl Encode for u16 {
    fn encode(&self, out: &mut Encoder) {
        out.number(u64::from(*self));
    }
}

impl Encode for i64 {
    fn encode(&self, out: &mut Encoder) {
        out.signed(i128::from(*self));
    }
}

impl Encode for i32 {
    fn encode(&self, out: &mut Encoder) {
        out.signed(i128::from(*self));
    }
}

impl Encode for bool {
    fn encode(&self, out: &mut Encoder) {
        out.number(u64::from(*self));
    }
}

impl Encode for () {
    fn encode(&self, _: &mut Encoder) {}
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Encoder) {
        match self {
            None => out.number(0),
            Some(value) => {
                out.number(1);
                value.encode(out);
            }
        }
    }
}

impl<T: Encode, E: Encode> Encode for Result<T, E> {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Ok(value) => {
                out.number(0);
                value.encode(out);
            }
            Err(error) => {
                out.number(1);
                error.encode(out);
            }
        }
    }
}

impl<T: Encode, U: Encode> Encode for (T, U) {
    fn encode(&self, out: &mut Encoder) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, out: &mut Encoder) {
        T::encode(self, out);
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Encoder) {
        out.list(self.iter());
    }
}
