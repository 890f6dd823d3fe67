use std::{process::Stdio, time::Duration};

use serde_json::{Value, json, value::to_raw_value};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use vipnode_rpc::{HttpRpc, RpcLimits, http};
use vipnode_types::{Account, Amount};

use crate::{
    ChainLimits, EvmNodes,
    development::{ContractDouble, DevelopmentChain, TEST_TOKEN},
};

/// A real EVM (anvil of Foundry) on loopback that mines a block for each transaction. Killed when dropped.
#[derive(Debug)]
pub struct Anvil {
    _child: Child,
    url: String,
    rpc: HttpRpc,
}

/// From the start until it listens, on a busy machine.
const START: Duration = Duration::from_secs(60);
/// Its answers to a test.
const CALL: Duration = Duration::from_secs(30);

impl Anvil {
    /// Foundry's default, which no public chain uses.
    pub const CHAIN_ID: u64 = DevelopmentChain::CHAIN_ID;

    /// A token with ERC-3009, like USDC.
    pub const TOKEN: Account = TEST_TOKEN;

    /// Starts one without contracts: the program that `VIPNODE_TEST_ANVIL` names.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_empty() -> Self {
        let program = std::env::var("VIPNODE_TEST_ANVIL")
            .expect("./test installs anvil and sets VIPNODE_TEST_ANVIL; set it to run this test alone");
        let mut child = Command::new(&program)
            .args(["--port", "0", "--chain-id", &Self::CHAIN_ID.to_string(), "--hardfork", "osaka"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("anvil ended before it listened");
                if let Some(address) = line.strip_prefix("Listening on ") {
                    return format!("http://{}", address.trim());
                }
            }
        };
        let url = timeout(START, listening).await.expect("anvil did not listen in time");
        // Its log must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_line)) = lines.next_line().await {} });
        let rpc = http(&url, &RpcLimits::default()).unwrap();
        Self { _child: child, url, rpc }
    }

    /// Starts one with the escrow, its collectors, Permit2, and [`Self::TOKEN`].
    ///
    /// # Panics
    /// It does not start.
    pub async fn start() -> Self {
        let anvil = Self::start_empty().await;
        DevelopmentChain::of(&anvil.node()).put_doubles().await.unwrap();
        anvil
    }

    /// Makes [`Self::TOKEN`] one without ERC-3009: its function `authorizationState` gets another selector.
    ///
    /// # Panics
    /// The token does not have that function.
    pub async fn remove_erc3009(&self) {
        let token = ContractDouble::ALL.into_iter().find(|double| double.address == Self::TOKEN).unwrap();
        let code = token.code();
        let other = code.replace("63e94a0102", "63e94a0103");
        assert_ne!(code, other);
        self.call("anvil_setCode", json!([Self::TOKEN, other])).await;
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The node, looked at often.
    ///
    /// # Panics
    /// Never: the URL is valid.
    #[must_use]
    pub fn node(&self) -> EvmNodes {
        let limits = ChainLimits { poll: Duration::from_millis(20), ..ChainLimits::default() };
        EvmNodes::open(&self.url.parse().unwrap(), limits).unwrap()
    }

    /// Gives an account this much of the chain's coin, in wei.
    ///
    /// # Panics
    /// The node does not answer.
    pub async fn give_wei(&self, account: Account, wei: u128) {
        DevelopmentChain::of(&self.node()).set_wei(account, wei).await.unwrap();
    }

    /// Gives an account this much of [`Self::TOKEN`].
    ///
    /// # Panics
    /// It cannot be minted.
    pub async fn give_tokens(&self, account: Account, amount: Amount) {
        let call = DevelopmentChain::mint(account, amount);
        let from = self.call("eth_accounts", json!([])).await[0].clone();
        let data = const_hex::encode_prefixed(&call.data);
        self.call("eth_sendTransaction", json!([{ "from": from, "to": call.to, "data": data }])).await;
    }

    /// Advances the chain's clock and mines a block.
    pub async fn pass(&self, seconds: u64) {
        self.call("evm_increaseTime", json!([seconds])).await;
        self.call("evm_mine", json!([])).await;
    }

    /// Calls a method.
    ///
    /// # Panics
    /// It answers with an error.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.rpc.call_raw(method, to_raw_value(&params).unwrap(), CALL).await;
        let answer = answer.unwrap_or_else(|error| panic!("{method}: {error}"));
        serde_json::from_str(answer.get()).unwrap()
    }
}
