//! A node's answer is believed only if it fits the question; its errors are distinguished.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use vipnode_chain::{
    BlockTag, ChainError, ChainLimits, ContractCall, Escrow, GasPlan, RevertReason, Token, escrow_calls,
    wait_for_receipt,
};
use vipnode_types::{Account, Hash256, TypedError, payment::contracts::ESCROW};

use crate::support::{
    Answer::{Error, Http, Nothing, Result as Reply, Silence},
    FakeNode,
};

const SOME_ACCOUNT: Account = Account::new([7; 20]);

fn call() -> ContractCall {
    escrow_calls::settle(SOME_ACCOUNT, SOME_ACCOUNT)
}

fn header(number: u64) -> Value {
    let hash = Hash256([1; 32]);
    json!({ "number": format!("0x{number:x}"), "hash": hash, "parentHash": hash, "timestamp": "0x5", "baseFeePerGas": "0x3b9aca00" })
}

fn log(block: u64, address: Account) -> Value {
    json!({ "address": address, "topics": [Hash256::ZERO], "data": "0x", "blockNumber": format!("0x{block:x}"),
        "blockHash": Hash256::ZERO, "transactionHash": Hash256::ZERO, "logIndex": "0x0", "transactionIndex": "0x0" })
}

#[tokio::test]
async fn a_read_is_tried_again_and_an_answer_that_does_not_fit_is_an_error() {
    let attempts = AtomicU32::new(0);
    let node = FakeNode::start(move |method, _| match method {
        "eth_chainId" if attempts.fetch_add(1, Ordering::Relaxed) < 2 => Nothing,
        "eth_chainId" => Reply(json!("0x2105")),
        "eth_getBlockByNumber" => Reply(header(8)),
        "eth_getBalance" => Reply(json!(5)),
        "eth_getTransactionCount" => Reply(json!(format!("0x1{}", "0".repeat(16)))),
        "eth_getCode" => Reply(json!("0xz")),
        _ => Reply(Value::Null),
    })
    .await;
    let evm = node.open(ChainLimits::default());
    assert_eq!(evm.chain_id().await, Ok(8453), "after two attempts without an answer");
    assert_eq!(evm.block(BlockTag::Latest).await.unwrap().base_fee_wei, Some(1_000_000_000));
    assert!(matches!(evm.block(BlockTag::Number(7)).await, Err(ChainError::Answer { .. })), "another block");
    assert!(matches!(evm.balance_wei(SOME_ACCOUNT).await, Err(ChainError::Answer { .. })), "not a string");
    assert!(matches!(evm.next_nonce(SOME_ACCOUNT).await, Err(ChainError::Answer { .. })), "too large");
    assert!(matches!(evm.has_code(SOME_ACCOUNT).await, Err(ChainError::Answer { .. })), "not hex");
    assert_eq!(evm.receipt(Hash256::ZERO).await, Ok(None));
    drop(node);
    let error = evm.chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }) && error.hint().unwrap().contains("--chain.rpc"));
    assert!(!error.to_string().contains("0123456789abcdef"), "{error}");
}

#[tokio::test]
async fn limits_of_a_node_are_kept() {
    let node = FakeNode::start(|method, params| match method {
        "eth_getLogs" if params[0]["fromBlock"] == "0x64" => Reply(json!([log(100, ESCROW), log(100, ESCROW)])),
        "eth_getLogs" => Reply(json!([log(1, SOME_ACCOUNT)])),
        "eth_getCode" => Reply(json!(format!("0x{}", "01".repeat(2_000)))),
        _ => Nothing,
    })
    .await;
    let limits = ChainLimits { logs: 1, log_blocks: 10, answer_bytes: 2_000, attempts: 2, ..ChainLimits::default() };
    let evm = node.open(limits);
    assert_eq!(evm.logs(ESCROW, 0, 10).await, Err(ChainError::ManyBlocks { most: 10 }));
    assert_eq!(evm.logs(ESCROW, 100, 100).await, Err(ChainError::ManyLogs { most: 1 }));
    assert!(matches!(evm.logs(ESCROW, 1, 1).await, Err(ChainError::Answer { .. })), "of another contract");
    assert!(matches!(evm.has_code(ESCROW).await, Err(ChainError::Answer { .. })), "too large");
    assert!(matches!(evm.chain_id().await, Err(ChainError::Unreachable { .. })));
    assert_eq!(node.calls("eth_chainId").len(), 2);
    let silent = FakeNode::start(|_, _| Silence).await;
    let evm = silent.open(ChainLimits { call: Duration::from_millis(10), attempts: 1, ..ChainLimits::default() });
    assert!(matches!(evm.has_code(ESCROW).await, Err(ChainError::Unreachable { .. })));
}

#[tokio::test]
async fn logs_that_a_node_refuses_at_once_are_read_in_halves_in_order() {
    let number = |value: &Value| u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let node = FakeNode::start(move |_, params| {
        let (from, to) = (number(&params[0]["fromBlock"]), number(&params[0]["toBlock"]));
        match to - from {
            0..3 => Reply((from..=to).map(|block| log(block, ESCROW)).collect()),
            _ => Error(json!({ "code": -32005, "message": "query returned more than 3 results" })),
        }
    })
    .await;
    let logs = node.open(ChainLimits::default()).logs(ESCROW, 5, 20).await.unwrap();
    let blocks: Vec<u64> = logs.iter().map(|log| log.block_number).collect();
    assert_eq!(blocks, (5..=20).collect::<Vec<u64>>());
    let deaf = FakeNode::start(|_, _| Error(json!({ "code": -32005, "message": "no logs here" }))).await;
    let refused = deaf.open(ChainLimits::default()).logs(ESCROW, 0, 9_999).await;
    assert!(matches!(refused, Err(ChainError::Refused { .. })), "{refused:?}");
    assert!(deaf.calls("eth_getLogs").len() < 20);
}

#[tokio::test]
async fn a_revert_is_reported_with_its_reason_however_the_node_words_it() {
    // WithdrawDelayNotElapsed()
    let data = "0x2b4ef1b1";
    for (error, reason) in [
        (
            json!({ "code": 3, "message": "execution reverted", "data": format!("0x{}", "00".repeat(4)) }),
            RevertReason::Unknown([0; 4]),
        ),
        (json!({ "code": 3, "message": "execution reverted: not yours" }), RevertReason::Text("not yours".to_owned())),
        (json!({ "code": -32000, "message": "execution reverted" }), RevertReason::None),
        (json!({ "code": -32015, "message": "VM execution error", "data": "0x" }), RevertReason::None),
        (
            json!({ "code": 3, "message": "execution reverted", "data": data }),
            RevertReason::of(&const_hex::decode(data).unwrap()),
        ),
    ] {
        let node = FakeNode::start(move |_, _| Error(error.clone())).await;
        let result = node.open(ChainLimits::default()).call(&call(), None, BlockTag::Latest).await;
        assert_eq!(result, Err(ChainError::Reverted { function: "settle", reason }));
    }
    let node = FakeNode::start(|_, _| Error(json!({ "code": -32601, "message": "no \u{1b}[2J such method" }))).await;
    let error = node.open(ChainLimits::default()).call(&call(), None, BlockTag::Latest).await.unwrap_err();
    assert!(
        matches!(&error, ChainError::Refused { code: -32601, why, .. } if why == "no  [2J such method"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_page_or_a_login_is_not_a_node() {
    for (status, body) in [(200, "<html>"), (401, "no"), (404, "")] {
        let node = FakeNode::start(move |_, _| Http(status, body.to_owned())).await;
        let result = node.open(ChainLimits::default()).chain_id().await;
        assert!(matches!(result, Err(ChainError::Address { .. })), "{status}: {result:?}");
        assert_eq!(node.calls("eth_chainId").len(), 1, "not tried again");
    }
    for status in [429, 503] {
        let node = FakeNode::start(move |_, _| Http(status, String::new())).await;
        let result = node.open(ChainLimits { attempts: 2, ..ChainLimits::default() }).chain_id().await;
        assert!(matches!(result, Err(ChainError::Unreachable { .. })), "{status}: {result:?}");
        assert_eq!(node.calls("eth_chainId").len(), 2);
    }
}

/// A node for transactions: what a call uses, and what the sender has.
async fn for_gas(gas: &'static str, balance: &'static str) -> FakeNode {
    FakeNode::start(move |method, _| match method {
        "eth_call" => Reply(json!("0x")),
        "eth_getBlockByNumber" => Reply(header(1)),
        "eth_maxPriorityFeePerGas" => Error(json!({ "code": -32601, "message": "unknown method" })),
        "eth_estimateGas" => Reply(json!(gas)),
        "eth_getBalance" => Reply(json!(balance)),
        _ => Nothing,
    })
    .await
}

#[tokio::test]
async fn gas_has_a_ceiling_in_amount_and_price_and_must_be_there() {
    let node = for_gas("0xc350", "0xde0b6b3a7640000").await;
    let plan = GasPlan::of(&node.open(ChainLimits::default()), call(), SOME_ACCOUNT).await.unwrap();
    assert_eq!((plan.expected_gas, plan.gas), (50_000, 60_000), "a fifth more");
    assert_eq!((plan.fee_wei, plan.max_fee_wei), (1_001_000_000, 2_001_000_000));
    assert_eq!(plan.most_wei(), 60_000 * 2_001_000_000);
    let limited = ChainLimits { gas: 49_999, ..ChainLimits::default() };
    let refused = GasPlan::of(&node.open(limited), call(), SOME_ACCOUNT).await;
    assert_eq!(refused, Err(ChainError::GasLimit { gas: 50_000, most: 49_999 }));
    let limited = ChainLimits { gas_price_wei: 1_000_999_999, ..ChainLimits::default() };
    let refused = GasPlan::of(&node.open(limited), call(), SOME_ACCOUNT).await;
    assert_eq!(refused, Err(ChainError::GasPrice { wei: 1_001_000_000, most_wei: 1_000_999_999 }));
    let poor = for_gas("0xc350", "0x1").await;
    let refused = GasPlan::of(&poor.open(ChainLimits::default()), call(), SOME_ACCOUNT).await;
    assert!(matches!(refused, Err(ChainError::NoGas { account: SOME_ACCOUNT, has_wei: 1, .. })), "{refused:?}");
}

#[tokio::test]
async fn sending_is_tried_once_and_a_known_transaction_counts_as_sent() {
    let node = FakeNode::start(|_, params| match params[0].as_str() {
        Some("0x01") => Reply(json!(Hash256::ZERO)),
        Some("0x02") => Error(json!({ "code": -32000, "message": "already known" })),
        Some("0x03") => Error(json!({ "code": -32000, "message": "nonce too low" })),
        _ => Nothing,
    })
    .await;
    let evm = node.open(ChainLimits::default());
    assert_eq!((evm.send_raw(&[1]).await, evm.send_raw(&[2]).await), (Ok(()), Ok(())));
    assert!(matches!(evm.send_raw(&[3]).await, Err(ChainError::Refused { .. })));
    assert!(matches!(evm.send_raw(&[4]).await, Err(ChainError::Unreachable { .. })));
    assert_eq!(node.calls("eth_sendRawTransaction").len(), 4);
}

#[tokio::test]
async fn a_transaction_is_waited_for_until_it_is_mined_or_for_too_long() {
    let receipt = |hash: Hash256, status: &str| {
        json!({ "transactionHash": hash, "blockNumber": "0x1", "blockHash": hash, "status": status, "gasUsed": "0x5208",
            "effectiveGasPrice": "0x2" })
    };
    let asked = AtomicU32::new(0);
    let node = FakeNode::start(move |_, params| match params[0].as_str().unwrap().ends_with('0') {
        true if asked.fetch_add(1, Ordering::Relaxed) < 3 => Reply(Value::Null),
        true => Reply(receipt(Hash256::ZERO, "0x1")),
        false if params[0].as_str().unwrap().ends_with("01") => Reply(receipt(Hash256([1; 32]), "0x0")),
        false if params[0].as_str().unwrap().ends_with("02") => Reply(receipt(Hash256([1; 32]), "0x1")),
        false => Reply(Value::Null),
    })
    .await;
    let evm = node.open(ChainLimits { mined: Duration::from_millis(20), ..ChainLimits::default() });
    assert_eq!(wait_for_receipt(&evm, Hash256::ZERO).await.unwrap().cost_wei(), Some(42_000));
    let failed = Hash256([1; 32]);
    assert_eq!(wait_for_receipt(&evm, failed).await, Err(ChainError::Failed { hash: failed }));
    let other = Hash256([2; 32]);
    let unknown = Err(ChainError::NotMined { hash: other, seconds: 0 });
    assert_eq!(wait_for_receipt(&evm, other).await, unknown, "a wrong answer is none: the transaction has left");
    let never = Hash256([3; 32]);
    assert_eq!(wait_for_receipt(&evm, never).await, Err(ChainError::NotMined { hash: never, seconds: 0 }));
}

#[tokio::test]
async fn a_chain_without_the_escrow_is_refused_with_the_way_out() {
    let node = FakeNode::start(|method, _| match method {
        "eth_chainId" => Reply(json!("0x7")),
        "eth_getCode" => Reply(json!("0x")),
        _ => Reply(json!("0x")),
    })
    .await;
    let evm = node.open(ChainLimits::default());
    let refused = Escrow::open(&evm).await.unwrap_err();
    assert_eq!(refused, ChainError::NoEscrow { chain_id: 7, address: ESCROW });
    assert!(refused.hint().unwrap().contains("--payment credit"));
    let none = Token::open(&evm, 7, SOME_ACCOUNT).await.unwrap_err();
    assert_eq!(none, ChainError::NoToken { token: SOME_ACCOUNT, chain_id: 7 });
}
