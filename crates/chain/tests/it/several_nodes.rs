//! Of several nodes, more than half decide: one that lies, is behind, or is down cannot change what counts.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use vipnode_chain::{BlockTag, ChainError, ChainLimits, ContractCall, EVM_NODES, EvmNodes, RevertReason, escrow_calls};
use vipnode_types::{Account, Hash256, TypedError, payment::contracts::ESCROW};

use crate::support::{
    Answer::{self, Error, Nothing, Result as Reply, Silence},
    FakeNode,
};

const SOME_ACCOUNT: Account = Account::new([7; 20]);

fn call() -> ContractCall {
    escrow_calls::settle(SOME_ACCOUNT, SOME_ACCOUNT)
}

/// A chain up to a block, as a node with this branch of it answers.
#[derive(Clone, Copy)]
struct Branch {
    height: u64,
    /// What the hashes of its blocks are made of.
    hash: u8,
    /// What the contract returns.
    returned: u8,
    nonce: u64,
}

const HONEST: Branch = Branch { height: 8, hash: 1, returned: 5, nonce: 3 };

impl Branch {
    fn answer(self, method: &str, params: &Value) -> Answer {
        match (method, params[0].as_str()) {
            ("eth_getBlockByNumber", Some("finalized")) => Reply(Value::Null),
            ("eth_getBlockByNumber", Some("latest")) => Reply(self.header(self.height)),
            ("eth_getBlockByNumber", Some(number)) => {
                let number = u64::from_str_radix(number.trim_start_matches("0x"), 16).unwrap();
                Reply(if number > self.height { Value::Null } else { self.header(number) })
            }
            ("eth_call", _) => Reply(json!(format!("0x{:064x}", self.returned))),
            ("eth_getTransactionCount", _) => Reply(json!(format!("0x{:x}", self.nonce))),
            ("eth_getLogs", _) => Reply(json!([self.log()])),
            ("eth_sendRawTransaction", _) => Reply(json!(Hash256([9; 32]))),
            ("eth_getTransactionReceipt", _) => Reply(Value::Null),
            _ => Error(json!({ "code": -32601, "message": "no such method" })),
        }
    }

    fn header(self, number: u64) -> Value {
        let hash = |number: u64| Hash256([self.hash.wrapping_add(u8::try_from(number).unwrap()); 32]);
        json!({ "number": format!("0x{number:x}"), "hash": hash(number), "parentHash": hash(number - 1), "timestamp": "0x5" })
    }

    fn log(self) -> Value {
        json!({ "address": ESCROW, "topics": [Hash256([self.returned; 32])], "data": "0x", "blockNumber": "0x5",
            "blockHash": Hash256([self.hash; 32]), "transactionHash": Hash256::ZERO, "logIndex": "0x0" })
    }
}

async fn nodes(branches: &[Branch]) -> (Vec<FakeNode>, EvmNodes) {
    let mut fakes = Vec::new();
    for branch in branches.iter().copied() {
        fakes.push(FakeNode::start(move |method, params| branch.answer(method, params)).await);
    }
    let nodes = opened(&fakes);
    (fakes, nodes)
}

fn opened(fakes: &[FakeNode]) -> EvmNodes {
    let urls: Vec<_> = fakes.iter().map(|fake| fake.url.parse().unwrap()).collect();
    let pause = std::time::Duration::from_millis(1);
    EvmNodes::open_all(&urls, ChainLimits { pause, poll: pause, grace: pause * 50, ..ChainLimits::default() }).unwrap()
}

async fn height(nodes: &EvmNodes) -> Result<u64, ChainError> {
    nodes.block(BlockTag::Latest).await.map(|block| block.number)
}

#[tokio::test]
async fn of_two_nodes_the_lower_block_counts_and_different_hashes_stop() {
    let behind = Branch { height: 6, ..HONEST };
    assert_eq!(height(&nodes(&[HONEST, behind]).await.1).await, Ok(6));
    let (_fakes, apart) = nodes(&[HONEST, Branch { hash: 2, ..HONEST }]).await;
    let error = height(&apart).await.unwrap_err();
    assert!(matches!(error, ChainError::NodesDiffer { .. }), "{error}");
    assert!(
        error.to_string().matches("http://127.0.0.1").count() == 2 && !error.to_string().contains("0123456789abcdef")
    );
    assert!(error.hint().unwrap().contains("three"), "{error}");
    let (_fakes, lies) = nodes(&[HONEST, Branch { returned: 6, ..HONEST }]).await;
    let answer = lies.call(&call(), None, BlockTag::Number(6)).await;
    assert!(matches!(answer, Err(ChainError::NodesDiffer { .. })), "a deposit that only one node has does not count");
}

#[tokio::test]
async fn of_three_nodes_two_decide() {
    for liar in [
        Branch { height: 200, hash: 9, returned: 77, nonce: 900 },
        Branch { height: 1, hash: 9, returned: 0, nonce: 0 },
        Branch { hash: 9, ..HONEST },
    ] {
        for at in 0..EVM_NODES {
            let mut branches = [HONEST; EVM_NODES];
            branches[at] = liar;
            let (_fakes, nodes) = nodes(&branches).await;
            assert_eq!(height(&nodes).await, Ok(8));
            assert_eq!(nodes.call(&call(), None, BlockTag::Number(8)).await.unwrap().last(), Some(&5));
            assert_eq!(nodes.next_nonce(SOME_ACCOUNT).await, Ok(3));
            assert!(matches!(nodes.block(BlockTag::Finalized).await, Err(ChainError::NoBlock { .. })));
            let logs = nodes.logs(ESCROW, 1, 8).await.unwrap();
            assert!(logs.iter().any(|log| log.topics == [Hash256([5; 32])]), "what two have is not left out: {logs:?}");
        }
    }
    let (_fakes, all) = nodes(&[HONEST, HONEST, HONEST]).await;
    assert_eq!(all.logs(ESCROW, 1, 8).await.unwrap().len(), 1, "the log of all three is one");
}

#[tokio::test]
async fn one_of_three_may_be_down_and_neither_of_two() {
    let (mut fakes, three) = nodes(&[HONEST, HONEST, HONEST]).await;
    drop(fakes.remove(0));
    assert_eq!(height(&three).await, Ok(8));
    assert_eq!(three.logs(ESCROW, 1, 8).await.unwrap().len(), 1);
    assert_eq!(three.send_raw(&[1]).await, Ok(()));
    assert!(fakes.iter().all(|fake| fake.calls("eth_sendRawTransaction").len() == 1), "each of them gets it");
    drop(fakes.remove(0));
    assert!(matches!(height(&three).await, Err(ChainError::Unreachable { .. })), "nobody confirms the last one");
    assert!(matches!(three.logs(ESCROW, 1, 8).await, Err(ChainError::Unreachable { .. })));
    assert_eq!(three.send_raw(&[1]).await, Ok(()), "sending needs only one");
    drop(fakes);
    assert!(matches!(three.send_raw(&[1]).await, Err(ChainError::Unreachable { .. })));
}

/// A node that takes connections and answers nothing delays what the others agree on by the grace at most.
#[tokio::test]
async fn a_silent_node_is_not_waited_for() {
    let (mut fakes, _) = nodes(&[HONEST, HONEST]).await;
    fakes.push(FakeNode::start(|_, _| Silence).await);
    let three = opened(&fakes);
    let work = async {
        assert_eq!(three.call(&call(), None, BlockTag::Number(8)).await.unwrap().last(), Some(&5));
        assert_eq!(height(&three).await, Ok(8));
        let none = three.block(BlockTag::Finalized).await;
        assert!(matches!(none, Err(ChainError::NoBlock { .. })), "an answer, too: {none:?}");
        assert_eq!(three.logs(ESCROW, 1, 8).await.unwrap().len(), 1);
        assert_eq!(three.send_raw(&[1]).await, Ok(()));
    };
    // Each call of the silent one takes 20 s.
    tokio::time::timeout(std::time::Duration::from_secs(10), work).await.expect("the silent node delays nothing");
}

#[tokio::test]
async fn a_contract_rejects_a_call_if_enough_nodes_say_so() {
    let reverts = Arc::new(AtomicBool::new(false));
    let mut fakes = Vec::new();
    for index in 0..EVM_NODES {
        let reverts = Arc::clone(&reverts);
        let answer = move |method: &str, params: &Value| match method {
            "eth_call" if index == 0 || reverts.load(Ordering::Relaxed) && index == 1 => {
                Error(json!({ "code": 3, "message": "execution reverted: too late" }))
            }
            "eth_chainId" => Nothing,
            method => HONEST.answer(method, params),
        };
        fakes.push(FakeNode::start(answer).await);
    }
    let nodes = opened(&fakes);
    assert!(nodes.call(&call(), None, BlockTag::Number(8)).await.is_ok());
    reverts.store(true, Ordering::Relaxed);
    let rejected = nodes.call(&call(), None, BlockTag::Number(8)).await;
    let reason = RevertReason::Text("too late".to_owned());
    assert_eq!(rejected, Err(ChainError::Reverted { function: call().function, reason }));
    assert!(matches!(nodes.chain_id().await, Err(ChainError::Unreachable { .. })));
}

#[test]
fn one_to_three_different_nodes_are_compared() {
    let open = |urls: &[&str]| {
        let urls: Vec<_> = urls.iter().map(|url| url.parse().unwrap()).collect();
        EvmNodes::open_all(&urls, ChainLimits::default()).map(drop)
    };
    let [a, b, c, d] = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", "http://127.0.0.1:4"];
    assert_eq!(open(&[a, b, c]), Ok(()));
    for urls in [&[][..], &[a, b, c, d]] {
        assert_eq!(open(urls), Err(ChainError::NumNodes { most: EVM_NODES }));
    }
    assert!(matches!(open(&[a, b, a]), Err(ChainError::NodeTwice { node }) if node.contains(":1")));
}
