//! The golden vectors in `vectors/payment.json`: made by viem and the official SDK of x402 with `vectors/payment.mjs`, so
//! that what this crate signs and verifies is what other programs and the contracts do.

use serde::Deserialize;
use vipnode_types::{
    Account, AccountKey, AgentKey, Amount, Hash256,
    payment::{ChannelConfig, ChannelId, DepositAuthorization, TokenDomain, TypedData, TypedDataSignature, Voucher},
};

#[derive(Deserialize)]
struct Vectors {
    channels: Vec<Channel>,
    vouchers: Vec<SignedVoucher>,
    erc3009: Vec<Erc3009>,
    permit2: Vec<Permit2>,
}

#[derive(Deserialize)]
struct Channel {
    chain_id: u64,
    config: ChannelConfig,
    id: ChannelId,
}

#[derive(Deserialize)]
struct SignedVoucher {
    chain_id: u64,
    voucher: Voucher,
    signer: Account,
    #[serde(flatten)]
    signed: Signed,
}

#[derive(Deserialize)]
struct Erc3009 {
    chain_id: u64,
    channel: ChannelId,
    name: String,
    version: String,
    #[serde(rename = "verifyingContract")]
    token: Account,
    from: Account,
    amount: Amount,
    valid_after_s: u64,
    valid_before_s: u64,
    salt: Hash256,
    separator: Hash256,
    #[serde(flatten)]
    signed: Signed,
}

#[derive(Deserialize)]
struct Permit2 {
    chain_id: u64,
    channel: ChannelId,
    token: Account,
    amount: Amount,
    nonce: String,
    deadline_s: u64,
    #[serde(flatten)]
    signed: Signed,
}

#[derive(Deserialize)]
struct Signed {
    digest: Hash256,
    signature: TypedDataSignature,
}

impl Signed {
    fn check(&self, data: &TypedData, made: TypedDataSignature, signer: Account) {
        assert_eq!(Hash256(data.digest()), self.digest);
        assert_eq!(made, self.signature, "both sign deterministically (RFC 6979)");
        assert_eq!(self.signature.signer(data), Some(signer));
    }
}

fn vectors() -> Vectors {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/payment.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn payer() -> AccountKey {
    AccountKey::from_bytes([7; 32]).unwrap()
}

#[test]
fn channels_have_the_ids_of_the_standard() {
    let vectors = vectors().channels;
    assert_eq!(vectors.len(), 6);
    for Channel { chain_id, config, id } in vectors {
        assert_eq!(config.id(chain_id), id, "{config:?} on {chain_id}");
    }
}

#[test]
fn vouchers_are_signed_as_the_official_sdk_signs_them() {
    let agent = AgentKey::from_random([8; 32]).unwrap();
    let vectors = vectors().vouchers;
    assert_eq!(vectors.len(), 18);
    for SignedVoucher { chain_id, voucher, signer, signed } in vectors {
        let data = voucher.typed_data(chain_id);
        signed.check(&data, agent.sign_typed(&data), signer);
        assert_eq!((agent.account(), agent.public().account()), (signer, Some(signer)));
        assert_eq!(voucher.verify(chain_id, &signed.signature, &signer), Ok(()));
    }
}

#[test]
fn deposits_by_erc3009_are_signed_as_tokens_verify_them() {
    let vectors = vectors().erc3009;
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let Erc3009 { chain_id, channel, name, version, token, from, amount, salt, .. } = vector;
        let token = TokenDomain { name, version, token };
        assert_eq!(token.separator(chain_id), vector.separator);
        let (valid_after_s, valid_before_s) = (vector.valid_after_s, vector.valid_before_s);
        let deposit =
            DepositAuthorization::Erc3009 { token, from, amount, valid_after_s, valid_before_s, salt, channel };
        let data = deposit.typed_data(chain_id);
        vector.signed.check(&data, payer().sign_typed(&data), from);
    }
}

#[test]
fn deposits_by_permit2_are_signed_as_permit2_verifies_them() {
    let vectors = vectors().permit2;
    assert_eq!(vectors.len(), 6);
    for Permit2 { chain_id, channel, token, amount, nonce, deadline_s, signed } in vectors {
        let nonce = nonce.parse().unwrap();
        let deposit = DepositAuthorization::Permit2 { token, amount, nonce, deadline_s, channel };
        let data = deposit.typed_data(chain_id);
        signed.check(&data, payer().sign_typed(&data), payer().account());
    }
}
