//! A client that pays from a payment channel of x402, with everything real: an EVM, two geths, and pool, agents, and wallet as
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
const PAYOUT: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// Runs `vipnode` with `--json`; returns the events that it printed.
async fn events(args: &[&str]) -> Vec<Value> {
    let output = ran(&[args, &["--json"]].concat()).await;
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The address of an agent's key, which the agent made at its first start.
fn signer(state_dir: &str) -> Account {
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

fn amount(value: &Value) -> u128 {
    value.as_str().unwrap_or_else(|| panic!("an amount: {value}")).parse().unwrap()
}

fn password(dir: &Path) -> String {
    let path = dir.join("password");
    fs::write(&path, "a password\n").unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_deposits_is_served_within_its_vouchers_and_the_operator_claims_them() {
    let (host, client, anvil) =
        tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()), Anvil::start());
    let (at_host, client_id) = (host.node().await, enode(&client).await.id);
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (password, datadir, channel) = (password(dir.path()), path("pool"), path("channel.json"));
    let keystore = async |name: &str, secret: [u8; 32]| {
        let (key, file) = (const_hex::encode(secret), path(name));
        events(&["wallet", "import", "--private-key", &key, "--out", &file, "--password-file", &password]).await;
        (file, AccountKey::from_bytes(secret).unwrap().account())
    };
    let ((payer_file, payer), (claimer_file, claimer)) =
        (keystore("payer", [6; 32]).await, keystore("claimer", [5; 32]).await);
    let receiver = Account::new([0x51; 20]);
    anvil.give_tokens(payer, Amount::new(100_000_000)).await;
    anvil.give_wei(payer, ETHER).await;
    anvil.give_wei(claimer, ETHER).await;

    let (token, receiver_text, claimer_text) = (Anvil::TOKEN.to_string(), receiver.to_string(), claimer.to_string());
    let chain = [
        "--chain.rpc",
        anvil.url(),
        "--chain.token",
        &token,
        "--chain.receiver",
        &receiver_text,
        "--chain.claimer",
        &claimer_text,
        "--chain.withdraw-delay",
        "15m",
        "--datadir",
        &datadir,
    ];
    let (pool, url) = Vipnode::pool(&[TERMS, FAST, &chain].concat()).await;
    let mut host_agent = host_setup.agent("host", &url, &[STILL, &["--payout", PAYOUT]].concat());
    host_agent.event("offering").await;

    // An agent makes its key at its first start.
    let mut first = client_setup.agent("client", &url, &["--min-peers", "1"]);
    let refused = first.event("pool_refused").await;
    assert!(refused["text"].as_str().unwrap().contains("no account pays for this node"), "{refused}");
    assert!(first.interrupt().await.success());
    let authorizer = signer(client_setup.state_dir()).to_string();
    let fields = [
        "--token",
        &token,
        "--receiver",
        &receiver_text,
        "--receiver-authorizer",
        &claimer_text,
        "--authorizer",
        &authorizer,
        "--withdraw-delay",
        "15m",
    ];
    let of_payer =
        ["--channel", &channel, "--chain.rpc", anvil.url(), "--keystore", &payer_file, "--password-file", &password];
    let deposited = events(&[&["wallet", "deposit", "90 USDC", "--yes"], &of_payer[..], &fields[..]].concat()).await;
    assert_eq!(deposited.last().unwrap()["balance"], "90000000");

    // The deposit counts once its block is safe.
    let pays = ["--min-peers", "1", "--pay", &channel, "--max-spend-per-day", "50 USDC", "--ahead", "20m"];
    let mut client_agent = client_setup.agent("client", &url, &pays);
    let refused = client_agent.event("pool_refused").await;
    assert!(refused["text"].as_str().unwrap().contains("holds no deposit yet"), "{refused}");
    anvil.call("anvil_mine", serde_json::json!(["0x60"])).await;
    client_agent.event("host_connected").await;
    host_agent.event("client_connected").await;
    until(&*at_host, "the client is a peer of the host", |peers| has(peers, client_id)).await;

    let served = funds(&client_setup).await;
    let signed = amount(&served["channel"]["signed"]);
    assert!((12_000_000..=12_500_000).contains(&signed), "20 minutes ahead: {served}");
    assert_eq!(served["channel"]["deposited"], "90000000");
    assert_eq!(served["account"].as_str().map(str::to_lowercase), Some(authorizer.to_lowercase()));

    // The client leaves: what it used is posted, and the operator claims that and no more.
    assert!(client_agent.interrupt().await.success());
    host_agent.event("client_evicted").await;
    let of_claimer = ["--chain.rpc", anvil.url(), "--keystore", &claimer_file, "--password-file", &password, "--yes"];
    let claim = [&["pool", "admin", "claim", "--datadir", &datadir], &of_claimer[..]].concat();
    let claimed = loop {
        let claimed = events(&claim).await;
        if claimed.last().unwrap()["event"] != "nothing_to_claim" {
            break claimed;
        }
    };
    let received = amount(&claimed.last().unwrap()["balance"]);
    assert!(received > 0 && received < signed, "what was metered, and not what was signed: {claimed:?}");
    let account = admin(&datadir, &["account", &authorizer]).await;
    assert_eq!(amount(&account["spent"]), received, "{account}");
    let again = events(&claim).await;
    assert!(
        again.last().unwrap()["event"] == "nothing_to_claim" || amount(&again.last().unwrap()["balance"]) == received
    );

    // Once the claim is final, the host's earnings are payable.
    assert_eq!(admin(&datadir, &["account", PAYOUT]).await["payable"], "0");
    anvil.call("anvil_mine", serde_json::json!(["0x60"])).await;
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
