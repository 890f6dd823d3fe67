//! A pool that claims on its own, with everything real: an EVM, two geths, and pool, agents, and wallet as processes.

use serde_json::{Value, json};
use vipnode_chain::{BlockTag, Token, escrow_calls, testing::Anvil};
use vipnode_node::testing::{Geth, GethSpec};

use crate::{
    pool_admin::admin,
    real_deposits::{PAYOUT, RECEIVER, World, amount, signer},
    support::{NodeSetup, STILL, Vipnode, ran, send_gate::SendGate, text},
};

/// A coin is worth 1 USDC, so a claim of a few cents is worth its gas. The chain is read often, and a transaction that is not mined is
/// sent again soon.
const EPOCHS: [&str; 10] = [
    "--chain.coin-price",
    "1 USDC",
    "--epoch",
    "10m",
    "--limit",
    "chain_look_ms=200ms",
    "--limit",
    "send_again_ms=5s",
    "--limit",
    "fee_bumps=0",
];

/// Who has what after a client was served and left: the cost of its lease is posted, and nothing is claimed.
struct Served {
    world: World,
    pool: Vipnode,
    flags: Vec<String>,
    datadir: String,
    /// What the client owes.
    owed: u128,
    _nodes: [Geth; 2],
}

impl Served {
    async fn start() -> Self {
        Self::start_in(World::start().await).await
    }

    async fn start_in(world: World) -> Self {
        let (host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
        let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
        let (datadir, channel) = (world.path("pool"), world.path("channel.json"));
        let key = ["--chain.keystore", &world.claimer, "--chain.password-file", &world.password];
        let flags: Vec<String> = EPOCHS.iter().chain(&key).map(|flag| (*flag).to_owned()).collect();
        let as_text: Vec<&str> = flags.iter().map(String::as_str).collect();
        let (pool, url) = world.pool(&as_text).await;
        let mut host_agent = host_setup.agent("host", &url, &[STILL, &["--payout", PAYOUT]].concat());
        host_agent.event("offering").await;
        // An agent makes its key at its first start.
        let mut first = client_setup.agent("client", &url, &["--min-peers", "1"]);
        first.event("pool_refused").await;
        world.deposit(&url, &client_setup).await;
        assert!(first.interrupt().await.success());
        let agent = signer(client_setup.state_dir());
        world.finalize().await;
        let pays = ["--min-peers", "1", "--pay", &channel, "--max-spend-per-day", "50 USDC", "--ahead", "20m"];
        let mut client_agent = client_setup.agent("client", &url, &pays);
        client_agent.event("host_connected").await;
        host_agent.event("client_connected").await;
        // The meter has run for a while.
        while amount(&admin(&datadir, &["account", &agent.to_string()]).await["funds"]["running"]) < 20_000 {}
        assert!(client_agent.interrupt().await.success());
        host_agent.event("client_evicted").await;
        assert!(host_agent.interrupt().await.success());
        let owed = amount(&admin(&datadir, &["account", &agent.to_string()]).await["spent"]);
        assert!(owed > 0);
        Self { world, pool, flags, datadir, owed, _nodes: [host, client] }
    }

    async fn epoch(&self, action: &[&str]) -> Value {
        admin(&self.datadir, &[&["epoch"], action].concat()).await
    }

    /// Waits until the epoch is at a step.
    async fn step(&self, step: &str) -> Value {
        loop {
            let epoch = self.epoch(&[]).await;
            if epoch["step"] == step {
                return epoch;
            }
        }
    }

    /// The pool dies, and starts again.
    async fn dies(mut self) -> Self {
        self.pool.kill().await;
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        (self.pool, _) = self.world.pool(&flags).await;
        self
    }

    /// What waits to be mined.
    async fn waiting(&self) -> u128 {
        let status = self.world.anvil.call("txpool_status", json!([])).await;
        u128::from_str_radix(status["pending"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    async fn received(&self) -> u128 {
        let node = self.world.anvil.node();
        let token = Token::open(&node, Anvil::CHAIN_ID, Anvil::TOKEN).await.unwrap();
        token.balance(RECEIVER).await.unwrap().get()
    }

    /// The epoch ends; the ledger and the chain are equal, and each transaction was sent once.
    async fn settles(self) {
        let Self { owed, .. } = self;
        self.step("confirm").await;
        assert_eq!((self.received().await, self.epoch(&[]).await["number"].as_u64()), (owed, Some(1)));
        let payouts = admin(&self.datadir, &["payouts"]).await;
        assert_eq!(payouts["payouts"], json!([]), "the claim is not final");
        self.world.finalize().await;
        let epoch = self.step("open").await;
        assert_eq!((&epoch["problem"], &epoch["unattributed"]), (&Value::Null, &json!("0")), "{epoch}");
        assert_eq!((&epoch["plan"]["claims"], &epoch["transactions"]), (&json!(0), &json!(0)));
        let payouts = admin(&self.datadir, &["payouts"]).await["payouts"].clone();
        assert_eq!(payouts.as_array().unwrap().len(), 1, "{payouts}");
        assert_eq!((amount(&payouts[0]["amount"]), &payouts[0]["state"]), (owed, &json!("due")));
        admin(&self.datadir, &["payout", "paid", "1", &format!("0x{}", "ab".repeat(32))]).await;
        assert_eq!(admin(&self.datadir, &["account", PAYOUT]).await["payable"], "0");
        let nonce =
            self.world.anvil.node().transaction_count(self.world.claimer_account, BlockTag::Latest).await.unwrap();
        assert_eq!(nonce, 2, "one claim, and one transfer");
        assert!(self.pool.interrupt().await.success());
        let verified = ran(&["pool", "verify", "--datadir", &self.datadir]).await;
        assert!(verified.status.success(), "{}", text(&verified.stdout));
    }
}

/// The pool compares three nodes, of which one is down.
#[tokio::test]
async fn an_epoch_claims_and_lists_what_the_host_earned() {
    let mut world = World::start().await;
    world.others = vec![world.anvil.url().replace("127.0.0.1", "localhost"), "http://127.0.0.1:1".to_owned()];
    let served = Served::start_in(world).await;
    let plan = served.epoch(&["plan"]).await;
    assert_eq!((&plan["number"], &plan["plan"]["claims"]), (&json!(0), &json!(1)), "{plan}");
    assert_eq!(amount(&plan["plan"]["amount"]), served.owed);
    let World { anvil, claimer, password, .. } = &served.world;
    let by = ["--chain.rpc", anvil.url(), "--keystore", claimer, "--password-file", password];
    let claim = ["pool", "admin", "claim", "--yes", "--datadir", &served.datadir];
    let refused = ran(&[&claim[..], &by[..]].concat()).await;
    let error = text(&refused.stderr);
    assert!(!refused.status.success() && error.contains("the pool claims on its own with the key of"), "{error}");
    assert_eq!(served.epoch(&["run"]).await["number"], 1);
    served.settles().await;
}

/// The claim is signed and stored when the pool is killed, and no node has it.
#[tokio::test]
async fn a_pool_that_is_killed_before_it_sends_a_claim_sends_the_same_one() {
    let mut world = World::start().await;
    let gate = SendGate::before(world.anvil.url()).await;
    world.rpc.clone_from(&gate.url);
    let mut served = Served::start_in(world).await;
    served.epoch(&["run"]).await;
    while served.epoch(&[]).await["problem"].is_null() {}
    let epoch = served.epoch(&[]).await;
    assert!(epoch["problem"].as_str().unwrap().contains("the gate is closed"), "{epoch}");
    assert_eq!((&epoch["transactions"], served.waiting().await, served.received().await), (&json!(1), 0, 0));
    served = served.dies().await;
    gate.open();
    served.step("confirm").await;
    let sent = gate.sent();
    assert!(sent.len() > 2 && sent[..sent.len() - 1].iter().all(|raw| *raw == sent[0]), "one claim, then the transfer");
    served.settles().await;
}

/// The claim waits to be mined, or is mined and not known to be, when the pool is killed. A stranger interferes.
#[tokio::test]
async fn a_pool_that_is_killed_while_it_claims_repeats_nothing() {
    let mut served = Served::start().await;
    served.world.anvil.call("evm_setAutomine", json!([false])).await;
    served.epoch(&["run"]).await;
    while served.waiting().await == 0 {}
    served = served.dies().await;
    assert_eq!((served.waiting().await, served.received().await), (1, 0));
    served.step("redeem").await;
    // Mined while no pool runs.
    served.pool.kill().await;
    served.world.anvil.call("evm_mine", json!([])).await;
    served.world.anvil.call("evm_setAutomine", json!([true])).await;
    // A stranger transfers what was claimed, which anyone can.
    let call = escrow_calls::settle(RECEIVER, Anvil::TOKEN);
    let stranger = served.world.anvil.call("eth_accounts", json!([])).await[0].clone();
    let data = const_hex::encode_prefixed(&call.data);
    let transaction = json!([{ "from": stranger, "to": call.to, "data": data }]);
    served.world.anvil.call("eth_sendTransaction", transaction).await;
    let flags: Vec<&str> = served.flags.iter().map(String::as_str).collect();
    let (pool, _) = served.world.pool(&flags).await;
    served.pool = pool;
    served.settles().await;
}
