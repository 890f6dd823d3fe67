use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{AbiWord, contracts};
use crate::{Account, Hash256, id::Keccak256};

/// Typed data that a wallet shows and signs (EIP-712): a domain, and a message of one struct.
///
/// ```
/// use vipnode_types::payment::{TypedData, TypedStruct, TypedValue};
///
/// let domain = TypedStruct::new("EIP712Domain").with("name", TypedValue::Text("Mail".to_owned()));
/// let message = TypedStruct::new("Note").with("to", TypedValue::Uint(64, 7));
/// let data = TypedData::new(domain, message);
/// assert_eq!(data.to_json()["message"]["to"], "7");
/// assert_ne!(data.digest(), TypedData::new(TypedStruct::new("EIP712Domain"), TypedStruct::new("Note")).digest());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedData {
    domain: TypedStruct,
    message: TypedStruct,
}

/// A struct of [`TypedData`], with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedStruct {
    name: &'static str,
    fields: Vec<(&'static str, TypedValue)>,
}

/// A value in a [`TypedStruct`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedValue {
    /// `address`.
    Account(Account),
    /// `uint` with this number of bits.
    Uint(u16, u128),
    /// `bytes32`.
    Bytes32(Hash256),
    /// `string`.
    Text(String),
    /// Another struct.
    Struct(TypedStruct),
}

impl TypedData {
    /// The message of a domain.
    #[must_use]
    pub const fn new(domain: TypedStruct, message: TypedStruct) -> Self {
        Self { domain, message }
    }

    /// The message to the escrow of a chain.
    pub(super) fn of_escrow(chain_id: u64, message: TypedStruct) -> Self {
        let named = domain(contracts::ESCROW_NAME, Some(contracts::ESCROW_VERSION), chain_id, contracts::ESCROW);
        Self::new(named, message)
    }

    /// Returns the hash that is signed.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Keccak256::default();
        hasher.update([0x19, 0x01]);
        hasher.update(self.domain.hash());
        hasher.update(self.message.hash());
        hasher.finish()
    }

    /// Returns the JSON that wallets take (`eth_signTypedData_v4`).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut types = BTreeMap::new();
        self.domain.add_types(&mut types);
        self.message.add_types(&mut types);
        let types: Map<String, Value> = types.into_iter().map(|(name, of)| (name.to_owned(), of.members())).collect();
        json!({
            "types": types,
            "primaryType": self.message.name,
            "domain": self.domain_json(),
            "message": self.message.to_json(),
        })
    }
}

impl TypedData {
    /// The chain's ID is a number there: some wallets compare it with that of the chain that they use.
    fn domain_json(&self) -> Value {
        let mut json = self.domain.to_json();
        for (name, value) in &self.domain.fields {
            if let (TypedValue::Uint(_, number), Some(fields)) = (value, json.as_object_mut())
                && let Ok(number) = u64::try_from(*number)
            {
                fields.insert((*name).to_owned(), number.into());
            }
        }
        json
    }
}

/// The domain of a contract.
pub(super) fn domain(name: &str, version: Option<&str>, chain_id: u64, contract: Account) -> TypedStruct {
    let mut domain = TypedStruct::new("EIP712Domain").with("name", TypedValue::Text(name.to_owned()));
    if let Some(version) = version {
        domain = domain.with("version", TypedValue::Text(version.to_owned()));
    }
    domain
        .with("chainId", TypedValue::Uint(256, chain_id.into()))
        .with("verifyingContract", TypedValue::Account(contract))
}

impl TypedStruct {
    /// A struct without fields.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// The same with one more field at its end.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: TypedValue) -> Self {
        self.fields.push((name, value));
        self
    }

    /// `hashStruct` of EIP-712.
    pub(super) fn hash(&self) -> [u8; 32] {
        let mut hasher = Keccak256::default();
        hasher.update(self.type_hash());
        for (_, value) in &self.fields {
            hasher.update(value.word().as_bytes());
        }
        hasher.finish()
    }

    /// The hash of its own definition, then of those that it refers to, in the order of their names.
    fn type_hash(&self) -> [u8; 32] {
        let mut types = BTreeMap::new();
        self.add_types(&mut types);
        let mut hasher = Keccak256::default();
        hasher.update(self.definition());
        for (_, other) in types.iter().filter(|(name, _)| **name != self.name) {
            hasher.update(other.definition());
        }
        hasher.finish()
    }

    fn definition(&self) -> String {
        let fields: Vec<String> = self.fields.iter().map(|(name, value)| format!("{} {name}", value.kind())).collect();
        format!("{}({})", self.name, fields.join(","))
    }

    fn add_types<'a>(&'a self, types: &mut BTreeMap<&'static str, &'a Self>) {
        types.insert(self.name, self);
        for (_, value) in &self.fields {
            if let TypedValue::Struct(inner) = value {
                inner.add_types(types);
            }
        }
    }

    fn members(&self) -> Value {
        self.fields.iter().map(|(name, value)| json!({ "name": name, "type": value.kind() })).collect()
    }

    fn to_json(&self) -> Value {
        let fields: Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_json())).collect();
        fields.into()
    }
}

impl TypedValue {
    fn kind(&self) -> String {
        match self {
            Self::Account(_) => "address".to_owned(),
            Self::Uint(bits, _) => format!("uint{bits}"),
            Self::Bytes32(_) => "bytes32".to_owned(),
            Self::Text(_) => "string".to_owned(),
            Self::Struct(inner) => inner.name.to_owned(),
        }
    }

    fn word(&self) -> AbiWord {
        match self {
            Self::Account(account) => (*account).into(),
            Self::Uint(_, number) => (*number).into(),
            Self::Bytes32(bytes) => (*bytes).into(),
            Self::Text(text) => crate::keccak256(text).into(),
            Self::Struct(inner) => AbiWord::new(inner.hash()),
        }
    }

    /// Numbers are decimal strings, since JavaScript would round them.
    fn to_json(&self) -> Value {
        match self {
            Self::Account(account) => account.to_string().into(),
            Self::Uint(_, number) => number.to_string().into(),
            Self::Bytes32(bytes) => bytes.to_string().into(),
            Self::Text(text) => text.as_str().into(),
            Self::Struct(inner) => inner.to_json(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of EIP-712 itself, whose hashes the EIP's own test (`Example.js`) states.
    #[test]
    fn the_example_of_the_eip_has_its_digest() {
        let person = |name: &str, wallet: &str| {
            TypedValue::Struct(
                TypedStruct::new("Person")
                    .with("name", TypedValue::Text(name.to_owned()))
                    .with("wallet", TypedValue::Account(wallet.parse().unwrap())),
            )
        };
        let contract = "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC".parse().unwrap();
        let mail = TypedStruct::new("Mail")
            .with("from", person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"))
            .with("to", person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"))
            .with("contents", TypedValue::Text("Hello, Bob!".to_owned()));
        assert_eq!(
            mail.definition(),
            "Mail(Person from,Person to,string contents)",
            "the definition of Person follows in the type's hash"
        );
        assert_eq!(
            const_hex::encode(mail.type_hash()),
            "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2"
        );
        let domain = domain("Ether Mail", Some("1"), 1, contract);
        assert_eq!(
            const_hex::encode(domain.hash()),
            "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
        );
        let data = TypedData::new(domain, mail);
        assert_eq!(
            const_hex::encode(data.digest()),
            "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
        );
        let json = data.to_json();
        assert_eq!(json["primaryType"], "Mail");
        assert_eq!(json["types"]["Mail"][0], json!({ "name": "from", "type": "Person" }));
        assert_eq!(json["types"]["EIP712Domain"].as_array().map(Vec::len), Some(4));
        assert_eq!(json["message"]["from"]["name"], "Cow");
        assert_eq!(json["domain"]["chainId"], 1);
    }
}
