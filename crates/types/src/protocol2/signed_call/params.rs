use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::errors;

/// Params of a signed call, `[signature, id, nonce, …arguments]`, split without a copy.
///
/// What was signed is the method followed by `[id, nonce, …arguments]`, taken from the bytes as they
/// came: nothing is ever marshaled again, so a signature cannot cover a second form
/// (fault D11, docs/faults.md).
#[derive(Debug, Clone)]
pub struct SignedCall<'a> {
    /// As it came, base64 of a node's signature or hex of a wallet's.
    pub signature: Cow<'a, str>,
    /// A node id or an address.
    pub id: Cow<'a, str>,
    /// Grows from call to call, in nanoseconds since the Unix epoch.
    pub nonce: u64,
    /// What comes after.
    pub arguments: Vec<&'a RawValue>,
    /// From the id to the closing bracket.
    pub(super) rest: &'a str,
}

errors! {
    /// Why params are not those of a signed call.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum FormError {
        /// The caller left out the signature, the ID, or the nonce, or passed them in the wrong order.
        List {
            /// What is wrong.
            why: String,
        }: InvalidParams, "the params of a signed call are [signature, id, nonce, arguments…]: {why}",
            hint "Check the params against the method's description.";
        /// The nonce is negative, not a whole number, or above 2^63 − 1.
        Nonce: InvalidParams, "the nonce must be a whole number of nanoseconds since 1970, such as 1600000000000000000",
            hint "Pass the Unix time in nanoseconds.";
        /// The call has more arguments than any method takes.
        Arguments {
            /// How many a call may have.
            most: usize,
        }: InvalidParams, "a call takes at most {most} arguments", hint "Check the params against the method's description.";
    }
}

/// No call takes more than one; a few are let pass so that the error can say what is wrong.
const MAX_ARGUMENTS: usize = 4;

impl<'a> SignedCall<'a> {
    /// Splits params.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn read(params: &'a RawValue) -> Result<Self, FormError> {
        let text = params.get();
        let Parts { signature, id, nonce, arguments } =
            serde_json::from_str(text).map_err(|error| FormError::List { why: error.to_string() })?;
        if arguments.len() > MAX_ARGUMENTS {
            return Err(FormError::Arguments { most: MAX_ARGUMENTS });
        }
        let number = nonce.get().parse::<u64>().ok().filter(|&number| i64::try_from(number).is_ok());
        let nonce = number.ok_or(FormError::Nonce)?;
        // The id's text is a part of the params' text: where it begins, the signed rest begins.
        let offset = (id.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        let rest = offset.and_then(|offset| text.get(offset..));
        let rest = rest.ok_or_else(|| FormError::List { why: "the ID was not found".to_owned() })?;
        let id =
            serde_json::from_str::<Text<'a>>(id.get()).map_err(|error| FormError::List { why: error.to_string() })?.0;
        Ok(Self { signature: signature.0, id, nonce, arguments, rest })
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Parts<'a> {
    signature: Text<'a>,
    id: &'a RawValue,
    nonce: &'a RawValue,
    arguments: Vec<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Parts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Parts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of a signature, an id, a nonce and arguments")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let missing = |at| serde::de::Error::invalid_length(at, &"a signature, an id and a nonce");
                let signature = list.next_element()?.ok_or_else(|| missing(0))?;
                let id = list.next_element()?.ok_or_else(|| missing(1))?;
                let nonce = list.next_element()?.ok_or_else(|| missing(2))?;
                let mut arguments = Vec::new();
                while let Some(argument) = list.next_element()? {
                    // One more than allowed is kept, to be refused.
                    if arguments.len() <= MAX_ARGUMENTS {
                        arguments.push(argument);
                    }
                }
                Ok(Parts { signature, id, nonce, arguments })
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String, u64, usize, String), FormError> {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        let call = SignedCall::read(&raw)?;
        Ok((call.signature.into_owned(), call.id.into_owned(), call.nonce, call.arguments.len(), call.rest.to_owned()))
    }

    #[test]
    fn splits_without_touching_a_byte() {
        let (signature, id, nonce, arguments, rest) = read(r#"["s" , "i",  12, {"a": 1} ,[]]"#).unwrap();
        assert_eq!((signature.as_str(), id.as_str(), nonce, arguments), ("s", "i", 12, 2));
        assert_eq!(rest, r#""i",  12, {"a": 1} ,[]]"#);
    }

    #[test]
    fn d9_a_nonce_is_a_whole_number_in_range() {
        for nonce in ["-1", "1.5", "1e3", "\"7\"", "null", "9223372036854775808", "18446744073709551616"] {
            assert_eq!(read(&format!(r#"["s","i",{nonce}]"#)), Err(FormError::Nonce), "{nonce}");
        }
        assert!(read(r#"["s","i",9223372036854775807]"#).is_ok());
    }

    #[test]
    fn refuses_other_forms_with_a_reason() {
        for text in ["{}", "[]", "[1]", r#"["s"]"#, r#"["s","i"]"#, r#"["s",5,6]"#, "null", "7"] {
            assert!(matches!(read(text), Err(FormError::List { .. })), "{text}");
        }
        assert_eq!(read(r#"["s","i",1,1,2,3,4,5]"#), Err(FormError::Arguments { most: MAX_ARGUMENTS }));
    }
}
