//! A client that pays from a payment channel of x402, with everything real: an EVM, two geths, and pool, agents, and
//! wallet as
//! processes.

use std::{fs, path::Path};

use serde_json::Value;
use vipnode_chain::testing::Anvil;
use vipnode_node::testing::{Geth, GethSpec};
use vipnode_types::{Account, AccountKey, AgentKey, Amount};

use crate::{
    pool_admin::admin,
    support::{NodeSetup, STILL, Vipnode, enode, has, ran, text, until},
};

/// 0.01 USDC a second, so that a minute costs a noticeable part of a deposit.
const TERMS: &[&str] =
    &["--payment=x402", "--asset=USDC:6", "--price=0.01 USDC/second", "--trial=off", "--report-interval=1s"];
/// Funds are judged soon after the start of the pool, and a client without them asks again soon.
const FAST: &[&str] = &["--limit", "reconnect_window_ms=1s", "--limit", "unfunded_retry_ms=1s"];
const ETHER: u128 = 1_000_000_000_000_000_000;
/// Who earns.
pub(crate) const PAYOUT: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// Runs `vipnode` with `--json`; returns the events that it printed.
async fn events(args: &[&str]) -> Vec<Value> {
    let output = ran(&[args, &["--json"]].concat()).await;
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The address of an agent's key, which the agent made at its first start.
pub(crate) fn signer(state_dir: &str) -> Account {
    let mut directories: Vec<_> = fs::read_dir(state_dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    directories.retain(|path| path.join("agent.key").exists());
    let key = fs::read(directories[0].join("agent.key")).unwrap();
    AgentKey::read(&key).unwrap().account()
}

/// What the channel of a node is at the pool, as its agent is answered.
async fn funds(setup: &NodeSetup) -> Value {
    let shown = events(&["account", "show", "--state-dir", setup.state_dir()]).await;
    shown[0]["agents"][0]["funds"].clone()
}

pub(crate) fn amount(value: &Value) -> u128 {
    value.as_str().unwrap_or_else(|| panic!("an amount: {value}")).parse().unwrap()
}

fn password(dir: &Path) -> String {
    let path = dir.join("password");
    fs::write(&path, "a password\n").unwrap();
    path.to_str().unwrap().to_owned()
}

/// The chain, and the files of the payer and the operator.
pub(crate) struct World {
    pub(crate) anvil: Anvil,
    /// Where the pool reaches it.
    pub(crate) rpc: String,
    /// Further nodes with which the pool compares its answers.
    pub(crate) others: Vec<String>,
    dir: tempfile::TempDir,
    payer: String,
    pub(crate) claimer: String,
    pub(crate) claimer_account: Account,
    pub(crate) password: String,
}

pub(crate) const RECEIVER: Account = Account::new([0x51; 20]);

impl World {
    /// The payer has 100 tokens, and both have coins for gas.
    pub(crate) async fn start() -> Self {
        let (anvil, dir) = (Anvil::start().await, tempfile::tempdir().unwrap());
        let password = password(dir.path());
        let keystore = async |name: &str, secret: [u8; 32]| {
            let (key, file) = (const_hex::encode(secret), dir.path().join(name).to_str().unwrap().to_owned());
            events(&["wallet", "import", "--private-key", &key, "--out", &file, "--password-file", &password]).await;
            let account = AccountKey::from_bytes(secret).unwrap().account();
            anvil.give_wei(account, ETHER).await;
            (file, account)
        };
        let (payer, payer_account) = keystore("payer", [6; 32]).await;
        let (claimer, claimer_account) = keystore("claimer", [5; 32]).await;
        anvil.give_tokens(payer_account, Amount::new(100_000_000)).await;
        let rpc = anvil.url().to_owned();
        Self { anvil, rpc, others: Vec::new(), dir, payer, claimer, claimer_account, password }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// A pool with further flags.
    pub(crate) async fn pool(&self, flags: &[&str]) -> (Vipnode, String) {
        let (token, receiver, claimer) =
            (Anvil::TOKEN.to_string(), RECEIVER.to_string(), self.claimer_account.to_string());
        let datadir = self.path("pool");
        let chain = ["--chain.rpc", &self.rpc, "--chain.token", &token, "--chain.receiver", &receiver];
        let more = ["--chain.claimer", &claimer, "--chain.withdraw-delay", "15m", "--datadir", &datadir];
        let others: Vec<&str> = self.others.iter().flat_map(|other| ["--chain.rpc", other]).collect();
        Vipnode::pool(&[TERMS, FAST, &chain, &more, &others, flags].concat()).await
    }

    /// Deposits 90 tokens into a new channel, as the pool requires it, for the local agent that uses the pool.
    pub(crate) async fn deposit(&self, pool: &str, agent: &NodeSetup) {
        let channel = self.path("channel.json");
        let into = ["--pool", pool, "--state-dir", agent.state_dir(), "--channel", &channel];
        let by = ["--chain.rpc", self.anvil.url(), "--keystore", &self.payer, "--password-file", &self.password];
        let deposited = events(&[&["wallet", "deposit", "90 USDC", "--yes"], &into[..], &by].concat()).await;
        assert_eq!(deposited.last().unwrap()["balance"], "90000000");
        let file: Value = serde_json::from_slice(&fs::read(&channel).unwrap()).unwrap();
        let same = |field: &str, account: Account| {
            let text = file["channelConfig"][field].as_str().unwrap();
            assert_eq!(text.parse::<Account>().unwrap(), account, "{field}");
        };
        same("receiver", RECEIVER);
        same("receiverAuthorizer", self.claimer_account);
        same("payerAuthorizer", signer(agent.state_dir()));
    }

    /// Claims; returns what the receiver has then, if there was anything to claim.
    async fn claim(&self) -> Option<u128> {
        let datadir = self.path("pool");
        let by = ["--chain.rpc", self.anvil.url(), "--keystore", &self.claimer, "--password-file", &self.password];
        let claimed = events(&[&["pool", "admin", "claim", "--yes", "--datadir", &datadir], &by[..]].concat()).await;
        let last = claimed.last().unwrap();
        (last["event"] != "nothing_to_claim").then(|| amount(&last["balance"]))
    }

    /// All blocks so far become final.
    pub(crate) async fn finalize(&self) {
        self.anvil.call("anvil_mine", serde_json::json!(["0x60"])).await;
    }
}

#[tokio::test]
async fn a_client_deposits_is_served_within_its_vouchers_and_the_operator_claims_them() {
    let (host, client, world) =
        tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()), World::start());
    let (at_host, client_id) = (host.node().await, enode(&client).await.id);
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let (datadir, channel) = (world.path("pool"), world.path("channel.json"));
    let (pool, url) = world.pool(&[]).await;
    let mut host_agent = host_setup.agent("host", &url, &[STILL, &["--payout", PAYOUT]].concat());
    host_agent.event("offering").await;

    // An agent makes its key at its first start. The wallet asks the pool for its terms, and the agent for its address.
    let mut first = client_setup.agent("client", &url, &["--min-peers", "1"]);
    let refused = first.event("pool_refused").await;
    assert!(refused["text"].as_str().unwrap().contains("no payment channel pays for this node"), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("vipnode wallet deposit AMOUNT --channel FILE"), "{refused}");
    world.deposit(&url, &client_setup).await;
    assert!(first.interrupt().await.success());
    let agent = signer(client_setup.state_dir());

    // The deposit counts once its block is safe.
    let pays = ["--min-peers", "1", "--pay", &channel, "--max-spend-per-day", "50 USDC", "--ahead", "20m"];
    let mut client_agent = client_setup.agent("client", &url, &pays);
    let refused = client_agent.event("pool_refused").await;
    assert!(refused["text"].as_str().unwrap().contains("does not have a confirmed deposit"), "{refused}");
    world.finalize().await;
    client_agent.event("host_connected").await;
    host_agent.event("client_connected").await;
    until(&*at_host, "the client is a peer of the host", |peers| has(peers, client_id)).await;
    let served = funds(&client_setup).await;
    let signed = amount(&served["channel"]["signed"]);
    assert!((12_000_000..=12_500_000).contains(&signed), "20 minutes ahead: {served}");
    assert_eq!(served["channel"]["deposited"], "90000000");
    assert_eq!(served["account"].as_str().map(str::to_lowercase), Some(agent.to_string().to_lowercase()));

    // The client leaves: what it used is posted, and the operator claims that and no more.
    assert!(client_agent.interrupt().await.success());
    host_agent.event("client_evicted").await;
    let received = loop {
        if let Some(received) = world.claim().await {
            break received;
        }
    };
    assert!(received > 0 && received < signed, "what was metered, and not what was signed: {received} of {signed}");
    assert_eq!(amount(&admin(&datadir, &["account", &agent.to_string()]).await["spent"]), received);
    assert!(world.claim().await.is_none_or(|again| again == received), "to claim again changes nothing");

    // Once the claim is final, the host's earnings are payable.
    assert_eq!(admin(&datadir, &["account", PAYOUT]).await["payable"], "0");
    world.finalize().await;
    loop {
        let host = admin(&datadir, &["account", PAYOUT]).await;
        if amount(&host["payable"]) == received {
            break;
        }
        assert_eq!(host["payable"], "0", "all of it or nothing: {host}");
    }
    assert!(host_agent.interrupt().await.success() && pool.interrupt().await.success());
    let verified = ran(&["pool", "verify", "--datadir", &datadir]).await;
    assert!(verified.status.success(), "{}", text(&verified.stdout));
}
