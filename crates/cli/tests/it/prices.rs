//! Prices that the operator of a pool announces, between real agents.

use std::time::Duration;

use crate::{
    pool_admin::admin,
    protocol2::Nodes,
    real_payment::{ACCOUNT, KEYSTORE},
    support::{SOON, Vipnode, ran, text},
};
use serde_json::Value;

const TERMS: &[&str] = &[
    "--payment=credit",
    "--asset=USDC:6",
    "--price=1 USDC/day",
    "--report-interval=1s",
    "--limit=price_notice_ms=2s",
    "--limit=reconnect_window_ms=1s",
    "--limit=unfunded_retry_ms=1s",
];

/// A pool whose clients pay, and an account that can link the client's node.
struct Market {
    nodes: Nodes,
    dir: tempfile::TempDir,
    url: String,
    _pool: Vipnode,
}

impl Market {
    async fn start() -> Self {
        Self::start_with(&["--trial=off"]).await
    }

    async fn start_with(flags: &[&str]) -> Self {
        let (nodes, dir) = (Nodes::start().await, tempfile::tempdir().unwrap());
        for (name, text) in [("keystore", KEYSTORE), ("password", "testpassword")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
        let (pool, url) = Vipnode::pool(&[TERMS, flags, &["--datadir", &datadir]].concat()).await;
        admin(&datadir, &["credit", ACCOUNT, "100 USDC", "--reason", "a test"]).await;
        Self { nodes, dir, url, _pool: pool }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    async fn admin(&self, args: &[&str]) -> Value {
        admin(&self.path("pool"), args).await
    }

    /// Links the client's node to the account, which begins another row of its leases.
    async fn link(&self) {
        let [_, _, rpc, _, state] = self.nodes.flags("client", &self.url);
        let (keystore, password) = (self.path("keystore"), self.path("password"));
        let signer = ["--keystore", &*keystore, "--password-file", &*password];
        let linked = ran(&[&["account", "link", &*self.url], &signer[..], &[&*rpc, &*state]].concat()).await;
        assert!(linked.status.success(), "{}", text(&linked.stderr));
    }

    /// The operator announces a price, and both agents show it, and again when it takes effect. Returns it.
    async fn announce(&self, price: &str, agents: [&mut Vipnode; 2]) -> Value {
        let announced = self.admin(&["price", price, "--fee-bps", "500", "--reason", "new terms"]).await;
        for agent in agents {
            let shown = agent.event("price_announced").await;
            assert_eq!((&shown["price"], &shown["fee_bps"]), (&announced["next"]["price"], &500.into()), "{shown}");
            agent.event("price_changed").await;
        }
        announced["next"]["price"].clone()
    }

    /// What the only lease costs.
    async fn cost(&self) -> Value {
        self.admin(&["leases"]).await["leases"][0]["price"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_takes_an_announced_price_once_both_agents_agreed_and_ends_if_one_refuses() {
    let market = Market::start().await;
    let payout = ["--payout", "0x52908400098527886E0F7030069857D2E4169EE7", "--min-price", "0.9 USDC/day"];
    let mut host = market.nodes.agent("host", &market.url, &payout);
    host.event("joined").await;
    let mut client = market.nodes.agent("client", &market.url, &["--min-peers=1", "--max-price=2 USDC/day"]);
    client.event("pool_refused").await;
    market.link().await;
    client.event("host_connected").await;
    host.event("client_connected").await;

    let before = market.cost().await;
    let price = market.announce("2 USDC/day", [&mut host, &mut client]).await;
    assert!(market.cost().await == before && before != price, "a row that runs keeps its price");
    market.link().await;
    let agreed = async {
        while market.cost().await != price {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, agreed).await.expect("both agents agree");
    let audit = market.admin(&["audit", "--most", "1"]).await;
    assert_eq!(audit["records"][0]["params"][0]["reason"], "new terms", "{audit}");

    market.announce("3 USDC/day", [&mut host, &mut client]).await;
    market.link().await;
    let evicted = host.event("client_evicted").await;
    assert!(evicted["text"].as_str().unwrap().contains("does not accept the price"), "{evicted}");
    assert!(client.interrupt().await.success() && host.interrupt().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_announced_with_a_reason_and_in_the_asset_of_the_pool() {
    let market = Market::start().await;
    let datadir = market.path("pool");
    for (args, words) in [
        (["price", "2 USDC/day", "--reason", " "], "the reason is blank"),
        (["price", "2 gwei/day", "--reason", "typo"], "\"gwei\" is not a unit of USDC\n -> Use"),
        (
            ["price", "0.60", "--reason", "typo"],
            "0.60 has no unit\n -> Write the price with its unit and period, such as \"0.60 USDC/month\"",
        ),
        (
            ["price", "0.60 USDC", "--reason", "typo"],
            "has no period\n -> Write the period, such as \"0.60 USDC/month\"",
        ),
    ] {
        let output = ran(&[&["pool", "admin"], &args[..], &["--datadir", &datadir]].concat()).await;
        let error = text(&output.stderr);
        assert!(!output.status.success() && error.contains(words), "{args:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_client_is_served_for_free_until_its_trial_is_over() {
    let market = Market::start_with(&["--trial=3s", "--limit=admit_deadline_ms=500ms"]).await;
    let mut host = market.nodes.agent("host", &market.url, &[]);
    host.event("joined").await;
    let mut client = market.nodes.agent("client", &market.url, &["--min-peers=1"]);
    client.event("host_connected").await;
    assert_eq!(market.cost().await["amount"], "0");
    assert_eq!(client.event("trial_ends").await["pays"], false);
    let unpaid = client.event("lease_unpaid").await;
    assert!(unpaid["text"].as_str().unwrap().contains("the free trial is over"), "{unpaid}");
    let evicted = host.event("client_evicted").await;
    assert!(evicted["text"].as_str().unwrap().contains("its free trial is over"), "{evicted}");
    let refused = client.event("pool_refused").await;
    assert!(refused["text"].as_str().unwrap().contains("its free trial is over"), "{refused}");
    assert!(client.interrupt().await.success() && host.interrupt().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_client_that_can_pay_goes_on_after_its_trial() {
    let market = Market::start_with(&["--trial=8s", "--limit=admit_deadline_ms=1s"]).await;
    let mut host = market.nodes.agent("host", &market.url, &[]);
    host.event("joined").await;
    let mut client = market.nodes.agent("client", &market.url, &["--min-peers=1"]);
    client.event("host_connected").await;
    let lease = market.admin(&["leases"]).await["leases"][0]["lease"].clone();
    market.link().await;
    let pays = async {
        while market.cost().await["amount"] == "0" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, pays).await.expect("both agents agree");
    assert_eq!(market.admin(&["leases"]).await["leases"][0]["lease"], lease, "nobody is evicted");
    assert!(client.interrupt().await.success() && host.interrupt().await.success());
}
