use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json, value::to_raw_value};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

use super::{
    Geth, GethSpec,
    geth_process::{self, genesis_config},
};
use crate::{NodeAccess, Transport, limits::NodeLimits};

/// A chain of proof of authority with a block each two seconds, on geths that still speak LES: 1.12 is the last
/// whose light sync works.
#[derive(Debug)]
pub struct LightChain {
    dir: TempDir,
    /// The address of the one account that signs blocks and owns all ether, lower-case hex without `0x`.
    signer: String,
}

/// How a node of such a chain is started; made by [`LightChain`] only.
#[derive(Debug, Clone)]
pub struct LightNode {
    pub(super) genesis: PathBuf,
    pub(super) flags: Vec<String>,
}

const CHAIN_ID: u64 = 1337;
/// The time until a transaction is in a block: several periods.
const MINED: Duration = Duration::from_secs(60);

impl LightChain {
    /// Makes the signer's key and the genesis block.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        std::fs::write(dir.path().join("password"), "of a test").unwrap();
        let password = dir.path().join("password");
        let key_dir: [&OsStr; 2] = ["--keystore".as_ref(), keys.as_ref()];
        run(&key_dir, &["account".as_ref(), "new".as_ref(), "--password".as_ref(), password.as_ref()]).await;
        let file = std::fs::read_dir(&keys).unwrap().next().expect("geth wrote a key").unwrap().path();
        let key: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let signer = key["address"].as_str().unwrap().to_owned();
        std::fs::write(dir.path().join("genesis.json"), genesis(&signer)).unwrap();
        Self { dir, signer }
    }

    /// The full node that signs the blocks and serves so many light nodes, once it has made a block.
    pub async fn signer(&self, light_max_peers: u32) -> Geth {
        let (keys, password) = (self.path("keys"), self.path("password"));
        let signer = format!("0x{}", self.signer);
        let most = light_max_peers.to_string();
        let serving = ["--syncmode", "full", "--light.serve", "100", "--light.maxpeers", &most];
        let signing = ["--mine", "--miner.etherbase", &signer, "--unlock", &signer, "--password", &password];
        let keys = ["--keystore", &keys, "--allow-insecure-unlock"];
        let geth = self.start(20, &[&serving[..], &signing, &keys].concat()).await;
        until(&geth, "the first block", "eth_blockNumber", json!([]), |number| number != "0x0").await;
        geth
    }

    /// Another full node that serves so many light nodes.
    pub async fn full(&self, light_max_peers: u32) -> Geth {
        let most = light_max_peers.to_string();
        self.start(20, &["--syncmode", "full", "--light.serve", "100", "--light.maxpeers", &most]).await
    }

    /// A light node.
    pub async fn light(&self) -> Geth {
        self.start(5, &["--syncmode", "light"]).await
    }

    /// Sends wei from the signer's account to another, and waits until the transaction is in a block.
    pub async fn pay(&self, signer: &Geth, to: &str, wei: u64) {
        let from = format!("0x{}", self.signer);
        let payment = json!([{ "from": from, "to": to, "value": format!("{wei:#x}") }]);
        let hash = call(signer, "eth_sendTransaction", payment).await;
        until(signer, "the payment is mined", "eth_getTransactionReceipt", json!([hash]), |receipt| {
            receipt["status"] == "0x1"
        })
        .await;
    }

    async fn start(&self, max_peers: u32, flags: &[&str]) -> Geth {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let light = LightNode { genesis: self.dir.path().join("genesis.json"), flags };
        Geth::start(GethSpec { max_peers, chain_id: CHAIN_ID, light: Some(light), ..GethSpec::default() }).await
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A full node of the release that speaks LES, on the chain of [`GethSpec::default`]: too old to be a peer of one of
/// today.
pub async fn old_full_node() -> Geth {
    let dir = tempfile::tempdir().unwrap();
    let genesis = dir.path().join("genesis.json");
    let mut modern: Value = serde_json::from_str(&geth_process::genesis(CHAIN_ID)).unwrap();
    // Releases of that time need this flag; the genesis block is the same.
    modern["config"]["terminalTotalDifficultyPassed"] = json!(true);
    std::fs::write(&genesis, modern.to_string()).unwrap();
    let flags = ["--syncmode", "full"].map(ToOwned::to_owned).to_vec();
    let light = LightNode { genesis, flags };
    Geth::start(GethSpec { chain_id: CHAIN_ID, light: Some(light), ..GethSpec::default() }).await
}

/// Returns the balance of an account that a node reports, in wei, or its error.
pub async fn balance(geth: &Geth, address: &str) -> Result<u64, String> {
    let params = to_raw_value(&json!([address, "latest"])).unwrap();
    let answer = rpc(geth).call("eth_getBalance", params, NodeLimits::default().node_call).await;
    let answer = answer.map_err(|fault| format!("{fault:?}"))?;
    let hex: String = serde_json::from_str(answer.get()).unwrap();
    Ok(u64::from_str_radix(hex.trim_start_matches("0x"), 16).unwrap())
}

/// The program whose nodes speak LES.
pub(super) fn program() -> String {
    std::env::var("VIPNODE_TEST_GETH_LES").unwrap_or_else(|_| {
        panic!("./test installs geth 1.12.0 and sets VIPNODE_TEST_GETH_LES; set it to run this test alone")
    })
}

/// Writes the genesis block into a data directory, which these geths want to be done apart.
pub(super) async fn init(data_dir: &Path, genesis: &Path) {
    run(&["--datadir".as_ref(), data_dir.as_ref()], &["init".as_ref(), genesis.as_ref()]).await;
}

async fn run(flags: &[&OsStr], command: &[&OsStr]) {
    let mut geth = Command::new(program());
    let done = geth.args(flags).args(command).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    assert!(done.status.success(), "geth {command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn genesis(signer: &str) -> String {
    let mut config = genesis_config(CHAIN_ID);
    config["clique"] = json!({ "period": 2, "epoch": 30_000 });
    let extra = format!("0x{}{signer}{}", "00".repeat(32), "00".repeat(65));
    let alloc = json!({ signer: { "balance": "0xde0b6b3a7640000" } });
    json!({ "config": config, "difficulty": "0x1", "gasLimit": "0x1c9c380", "extraData": extra, "alloc": alloc })
        .to_string()
}

fn rpc(geth: &Geth) -> Arc<dyn Transport> {
    geth.endpoint().transport(&NodeAccess::default()).unwrap()
}

async fn call(geth: &Geth, method: &str, params: Value) -> Value {
    let answer = rpc(geth).call(method, to_raw_value(&params).unwrap(), NodeLimits::default().node_call).await;
    serde_json::from_str(answer.unwrap_or_else(|fault| panic!("{method}: {fault:?}")).get()).unwrap()
}

/// Polls, because no event reports it.
async fn until(geth: &Geth, what: &str, method: &str, params: Value, holds: impl Fn(&Value) -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        while !holds(&call(geth, method, params.clone()).await) {
            ticks.tick().await;
        }
    };
    timeout(MINED, looking).await.unwrap_or_else(|_| panic!("{what}: it did not come to that"));
}
