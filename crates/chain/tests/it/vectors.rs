//! The golden vectors in `vectors/calls.json`, made by viem with `vectors/calls.mjs`: the data of calls, and signed
//! transactions.

use std::collections::BTreeMap;

use serde::Deserialize;
use vipnode_chain::{ContractCall, Eip1559, escrow_calls};
use vipnode_types::{
    Account, AccountKey, Amount, Hash256,
    payment::{ChannelConfig, DepositAuthorization, TokenDomain, TypedDataSignature, VoucherClaim},
};

#[derive(Deserialize)]
struct Vectors {
    config: ChannelConfig,
    signature: TypedDataSignature,
    salt: Hash256,
    calls: BTreeMap<String, String>,
    transactions: Vec<SignedVector>,
}

#[derive(Deserialize)]
struct SignedVector {
    chain_id: u64,
    nonce: u64,
    priority_fee_wei: Amount,
    max_fee_wei: Amount,
    gas: u64,
    call: String,
    raw: String,
    hash: Hash256,
}

fn vectors() -> Vectors {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/calls.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn calls(vectors: &Vectors) -> BTreeMap<&'static str, ContractCall> {
    let Vectors { config, signature, salt, .. } = vectors;
    let (channel, amount) = (config.id(1), Amount::new(25_000_000));
    let token = TokenDomain { name: String::new(), version: String::new(), token: config.token };
    let erc3009 = DepositAuthorization::Erc3009 {
        token,
        from: config.payer,
        amount,
        valid_after_s: 5,
        valid_before_s: 900,
        salt: *salt,
        channel,
    };
    let permit2 =
        DepositAuthorization::Permit2 { token: config.token, amount, nonce: 1 << 100, deadline_s: 900, channel };
    let row = |max: u128, total: u128| VoucherClaim {
        channel: *config,
        max_claimable: Amount::new(max),
        signature: *signature,
        total_claimed: Amount::new(total),
    };
    BTreeMap::from([
        ("deposit_erc3009", escrow_calls::deposit(config, &erc3009, *signature)),
        ("deposit_permit2", escrow_calls::deposit(config, &permit2, *signature)),
        ("claim_none", escrow_calls::claim(&[])),
        ("claim_two", escrow_calls::claim(&[row(9, 7), row(u128::MAX, 1 << 127)])),
        ("settle", escrow_calls::settle(config.receiver, config.token)),
        ("refund", escrow_calls::refund(config, Amount::new(11))),
        ("initiate_withdraw", escrow_calls::initiate_withdraw(config, Amount::new(12))),
        ("finalize_withdraw", escrow_calls::finalize_withdraw(config)),
    ])
}

#[test]
fn calls_are_encoded_as_viem_encodes_them() {
    let vectors = vectors();
    let calls = calls(&vectors);
    assert_eq!(calls.len(), vectors.calls.len());
    for (name, call) in calls {
        assert_eq!(const_hex::encode_prefixed(&call.data), vectors.calls[name], "{name}");
    }
}

#[test]
fn transactions_are_signed_as_viem_signs_them() {
    let vectors = vectors();
    let (calls, key) = (calls(&vectors), AccountKey::from_bytes([7; 32]).unwrap());
    assert_eq!(vectors.transactions.len(), 4);
    for vector in &vectors.transactions {
        let transaction = Eip1559 {
            chain_id: vector.chain_id,
            nonce: vector.nonce,
            priority_fee_wei: vector.priority_fee_wei.get(),
            max_fee_wei: vector.max_fee_wei.get(),
            gas: vector.gas,
            call: calls[&*vector.call].clone(),
        };
        let signed = transaction.sign(&key);
        assert_eq!(const_hex::encode_prefixed(&signed.raw), vector.raw);
        assert_eq!(signed.hash, vector.hash);
    }
    assert_eq!(vectors.config.payer, key.account());
    assert_ne!(vectors.config.payer, Account::new([0; 20]));
}
