//! A client that pays from an account, between real geths: it is served while the account has funds, and not a moment longer.

use std::time::Duration;

use crate::{
    pool_admin::admin,
    support::{NodeSetup, SOON, STILL, Vipnode, enode, has, ran, scrape::get, text, until},
};
use vipnode_node::testing::{Geth, GethSpec};

/// An account of a test, whose password is "testpassword".
pub const ACCOUNT: &str = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b";
pub const KEYSTORE: &str = r#"{"address":"008aeeda4d805471df9b2a5b0f38a0c3bcba786b","crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"8fd07d67d6389dfbf8dd041d3bc3b4bd"},"ciphertext":"c6a7134c7023a87fafa42ebd64f0a589234341a6c0aea725e66269a715d06f9a","kdf":"scrypt","kdfparams":{"salt":"046e3c205cd7434217eeccf2178ff17d8cd175b1b857b4cd94bde46ee9c29598","n":4096,"dklen":32,"p":1,"r":8},"mac":"92b581a593078b5ba41f3e905af138e7ea951d9e53450e678dd436c2a4a4e850"},"id":"ecfae7e5-af8b-4bac-b365-29b381b1aa1e","version":3}"#;

/// One USDC a second: a small credit is used up in seconds.
const TERMS: &[&str] =
    &["--payment=credit", "--asset=USDC:6", "--price=1 USDC/second", "--trial=off", "--report-interval=1s"];
/// Funds are judged soon after the start of the pool, and a client without them asks again soon.
const FAST: &[&str] =
    &["--limit", "reconnect_window_ms=1s", "--limit", "funds_last_ms=5s", "--limit", "unfunded_retry_ms=1s"];

/// What the metrics of a pool show as billed, owed, and payable, once something was billed: what is served is made once a second.
async fn money(url: &str) -> [f64; 3] {
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    loop {
        let metrics = get(address, "/metrics").await;
        let amount = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("vipnode_pool_{name}_units ")));
            line.unwrap_or_else(|| panic!("{name}: {metrics}")).parse::<f64>().unwrap()
        };
        match ["billed", "owed", "payable"].map(amount) {
            [0.0, ..] => tokio::time::sleep(Duration::from_millis(50)).await,
            amounts => return amounts,
        }
    }
}

async fn credit(datadir: &str, amount: &str) {
    admin(datadir, &["credit", ACCOUNT, amount, "--reason", "a test"]).await;
}

#[tokio::test]
async fn d17_a_client_is_evicted_when_its_funds_are_used_up_and_served_again_when_it_has_new_ones() {
    let (host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (at_host, at_client) = (host.node().await, client.node().await);
    let (host_id, client_id) = (enode(&host).await.id, enode(&client).await.id);
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (keystore, password) = (file("keystore", KEYSTORE), file("password", "testpassword"));
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let (pool, url) = Vipnode::pool(&[TERMS, FAST, &["--datadir", &datadir]].concat()).await;
    let payout = ["--payout", "0x52908400098527886E0F7030069857D2E4169EE7"];
    let mut host_agent = host_setup.agent("host", &url, &[STILL, &payout].concat());
    host_agent.event("offering").await;
    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1"]);
    let refused = client_agent.event("pool_refused").await;
    assert!(refused["text"].as_str().unwrap().contains("no account pays for this node"), "{refused}");

    credit(&datadir, "10 USDC").await;
    let signer = ["--keystore", &*keystore, "--password-file", &*password];
    let node = ["--rpc", &*client.ipc().display().to_string(), "--state-dir", client_setup.state_dir()];
    let linked = ran(&[&["account", "link", &*url], &signer[..], &node[..]].concat()).await;
    assert!(linked.status.success(), "{}", text(&linked.stderr));
    client_agent.event("host_connected").await;
    host_agent.event("client_connected").await;
    let low = client_agent.event("funds_low").await;
    assert_eq!(low["account"], ACCOUNT);

    let funds = ran(&["account", "show", "--json", "--state-dir", client_setup.state_dir()]).await;
    let funds: serde_json::Value = serde_json::from_slice(&funds.stdout).unwrap();
    assert_eq!(
        funds["agents"][0]["funds"]["account"].as_str().map(str::to_lowercase),
        Some(ACCOUNT.to_lowercase()),
        "{funds}"
    );

    let ended = client_agent.event("lease_unpaid").await;
    assert_eq!((&ended["account"], &ended["peer"]), (&ACCOUNT.into(), &host_id.to_string().into()), "{ended}");
    let evicted = host_agent.event("client_evicted").await;
    assert!(evicted["text"].as_str().unwrap().contains("has too little left"), "{evicted}");
    until(&*at_host, "the host's node lets the client go", |peers| !has(peers, client_id)).await;
    until(&*at_client, "the client's node has no peer", |peers| !has(peers, host_id)).await;
    let refused = client_agent.event("pool_refused").await;
    assert!(refused["text"].as_str().unwrap().contains(ACCOUNT), "{refused}");

    let [billed, owed, payable] = tokio::time::timeout(SOON, money(&url)).await.expect("the cost is shown");
    assert!(billed > 1.0 && billed <= 10.0, "{billed}");
    assert_eq!((owed, payable), (billed, billed), "the client paid before, and the fee is 0");

    credit(&datadir, "1000 USDC").await;
    client_agent.event("host_connected").await;
    until(&*at_host, "the client is back", |peers| has(peers, client_id)).await;
    let account = admin(&datadir, &["account", ACCOUNT]).await;
    let balance = account["funds"]["balance"].as_str().unwrap();
    assert!(!balance.starts_with('-'), "it never spent more than it had: {account}");
    assert!(client_agent.interrupt().await.success() && host_agent.interrupt().await.success());
    assert!(pool.interrupt().await.success());
    let verified = ran(&["pool", "verify", "--datadir", &datadir]).await;
    assert!(verified.status.success(), "{}", text(&verified.stdout));
}
