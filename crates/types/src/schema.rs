//! The JSON schemas of types that are a string or a number on the wire, behind the feature `schema`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    Account, AgentPublic, Capability, Enode, LeaseSetHash, MinVersion, NodeId, Wei, protocol2::Kind, signed::Signature,
};

macro_rules! texts {
    ($($kind:ident, $pattern:literal, $words:literal;)*) => {$(
        impl JsonSchema for $kind {
            fn schema_name() -> Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $words })
            }
        }
    )*};
}

texts! {
    NodeId, "^[0-9a-f]{128}$", "A node: its public key, 64 bytes.";
    Enode, "^enode://[0-9a-f]{128}(@[^@/?]+:[0-9]+)?([?]discport=[0-9]+)?$", "Where a node can be dialed. IPv6 stands in brackets.";
    Account, "^0x[0-9a-fA-F]{40}$", "Who pays or earns: an Ethereum address.";
    AgentPublic, "^[0-9a-f]{66}$", "The public key of an agent: a compressed point of secp256k1.";
    Signature, "^[0-9a-f]{128}$", "ECDSA over secp256k1: R and S.";
    LeaseSetHash, "^[0-9a-f]{16}$", "The exclusive or of the first 8 bytes of keccak256 of each lease, a lease being 8 bytes, big-endian.";
    Wei, "^[0-9]+$", "An amount of wei, less than 2^128. A text, for a number would lose precision in JavaScript.";
    Capability, "^[A-Za-z0-9._-]{1,16}(/[0-9]{1,9})?$", "A sub-protocol of devp2p that a node serves, like snap/1; without a number of any version.";
    MinVersion, "^[^/]{1,32}/[0-9]+[.][0-9]+[.][0-9]+$", "The oldest release of an execution client that is taken, like geth/1.17.0.";
}

impl JsonSchema for Kind {
    fn schema_name() -> Cow<'static, str> {
        "Kind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "description": "Which execution client: 0 unknown, 1 geth, 2 parity, 3 pantheon (today Besu); any other is unknown.",
        })
    }
}
