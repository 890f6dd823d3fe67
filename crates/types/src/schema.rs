//! The JSON schemas of types that are a string or a number on the wire, behind the feature `schema`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    Account, AccountSignature, AgentPublic, Amount, Capability, Enode, Hash256, LeaseSetHash, MeterId, MinVersion,
    NodeId, PoolId, QuotedPrice, ShortNodeId, SignedAmount, UtcDay,
    payment::{ChannelId, TypedDataSignature},
    protocol2::Kind,
    signed::Signature,
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
    NodeId, "^[0-9a-f]{128}$", "A node ID: the node's public key, 64 bytes.";
    ShortNodeId, "^[0-9a-f]{12}$", "The beginning of a node ID, 6 bytes.";
    MeterId, "^[0-9a-f]{32}$", "An identifier of a payer's meter. It is the same for all billing periods of that payer, as long as the pool keeps its ID.";
    UtcDay, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "A day in UTC.";
    Enode, "^enode://[0-9a-f]{128}(@[^@/?]+:[0-9]+)?([?]discport=[0-9]+)?$", "The address at which a node can be dialed. IPv6 addresses are in brackets.";
    Account, "^0x[0-9a-fA-F]{40}$", "The account that pays or earns: an Ethereum address.";
    AccountSignature, "^(0x)?([0-9a-fA-F]{128}|[0-9a-fA-F]{130})$", "A wallet's signature of a message (EIP-191): R, \
        S, and V, or the compact form of EIP-2098.";
    Hash256, "^(0x)?[0-9a-f]{64}$", "32 bytes.";
    ChannelId, "^(0x)?[0-9a-f]{64}$", "The ID of an x402 payment channel: the EIP-712 hash of its seven fields.";
    TypedDataSignature, "^0x[0-9a-fA-F]{130}$", "A signature of typed data (EIP-712): R, S, and V, which is 27 or 28.";
    AgentPublic, "^[0-9a-f]{66}$", "The public key of an agent: a compressed secp256k1 point.";
    PoolId, "^[0-9a-f]{66}$", "The ID of a pool: the public half of its key, a compressed secp256k1 point.";
    Signature, "^[0-9a-f]{128}$", "An ECDSA signature over secp256k1: R and S.";
    LeaseSetHash, "^[0-9a-f]{16}$", "The XOR of the first 8 bytes of the keccak256 hash of each lease ID (8 bytes, big-endian).";
    Amount, "^[0-9]+$", "An amount of the pool's asset in its smallest unit, less than 2^128. A string, because a number would lose precision in JavaScript.";
    SignedAmount, "^-?[0-9]+$",
        "A balance, or a change to one, in the asset's smallest unit. A negative value has a minus sign.";
    QuotedPrice, "^(free|0|[0-9.]+ ?[A-Za-z0-9]{1,16}/.+)$", "A price as people write it, such as 100 gwei/minute or 0.50 USDC/month.";
    Capability, "^[A-Za-z0-9._-]{1,16}(/[0-9]{1,9})?$", "A devp2p sub-protocol that a node serves, such as snap/1; without a number, it stands for any version.";
    MinVersion, "^[^/]{1,32}/[0-9]+[.][0-9]+[.][0-9]+$", "The oldest accepted release of an execution client, such as geth/1.17.0.";
}

impl JsonSchema for Kind {
    fn schema_name() -> Cow<'static, str> {
        "Kind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "description": "The execution client: 0 unknown, 1 geth, 2 parity, 3 pantheon (now Besu); any other number is unknown.",
        })
    }
}
