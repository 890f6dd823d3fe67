//! What agents and pools tell of themselves: `vipnode status`, as a process among processes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use support::{Sim, Vipnode, ran, text};

/// A pool, a host and a client on one machine that know each other, with one state directory.
struct Market {
    sim: Sim,
    _pool: Vipnode,
    url: String,
    host: Vipnode,
    client: Vipnode,
}

impl Market {
    async fn open(pool: &[&str]) -> Self {
        let sim = Sim::start().await;
        let (_pool, url) = Vipnode::pool(&[&["--price=100 gwei"], pool].concat()).await;
        let mut host = sim.agent(&["host", &url, "--max-head-age=off"]);
        host.event("offering").await;
        let mut client = sim.other_agent(&["client", &url, "--min-peers=1"]);
        client.event("host_connected").await;
        host.event("client_connected").await;
        Self { sim, _pool, url, host, client }
    }

    fn state(&self) -> &str {
        self.sim.dir.path().to_str().unwrap()
    }

    async fn status(&self, args: &[&str]) -> std::process::Output {
        ran(&[&["status", "--state-dir", self.state()], args].concat()).await
    }
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

#[tokio::test]
async fn agents_of_one_machine_are_rows_and_one_is_a_page() {
    let market = Market::open(&[]).await;
    let output = market.status(&[]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = text(&output.stdout);
    assert!(!said.contains('\u{1b}'), "colour in a pipe: {said:?}");
    assert!(said.contains("2 agents, 2 joined; 1 of 10 places sold, 1 of 1 hosts connected"), "{said}");

    let told = json(&market.status(&["--json"]).await);
    let agents = told["agents"].as_array().unwrap();
    assert_eq!((agents.len(), told["silent"].as_array().unwrap().len()), (2, 0), "{told}");
    let host = agents.iter().find(|agent| !agent["host"].is_null()).unwrap();
    let client = agents.iter().find(|agent| !agent["client"].is_null()).unwrap();
    assert!(std::path::Path::new(host["socket"].as_str().unwrap()).exists());
    assert_eq!((&host["host"]["leases"][0]["peer"], &host["host"]["sold"]), (&client["node"]["id"], &1.into()));
    assert!(client["client"]["metered"]["cost"].is_string(), "amounts are strings: {client}");

    let id = host["node"]["id"].as_str().unwrap();
    for node in [&id[..4], id] {
        let page = text(&market.status(&[node]).await.stdout);
        for word in [&format!("node {}", &id[..12]), &market.url, "1 of 10 places sold", "nothing is collected"] {
            assert!(page.contains(word), "{word} is missing in:\n{page}");
        }
        assert!(page.contains(&client["node"]["id"].as_str().unwrap()[..12]), "who has the place: {page}");
    }
    let nobody = market.status(&["00000000"]).await;
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stdout).contains("whose node's id begins with 00000000"), "{nobody:?}");
}

#[tokio::test]
async fn a_killed_agent_is_said_to_be_gone_beside_the_one_that_lives() {
    let market = Market::open(&[]).await;
    let (state, sim) = (market.state().to_owned(), &market.sim);
    market.host.kill().await;
    let output = ran(&["status", "--state-dir", &state]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = text(&output.stdout);
    assert!(said.contains("client beside") && said.contains("no agent answers at"), "{said}");
    assert!(said.contains("-> an agent that was killed leaves its socket"), "{said}");
    let told = json(&ran(&["status", "--json", "--state-dir", &state]).await);
    assert_eq!((told["agents"].as_array().unwrap().len(), told["silent"].as_array().unwrap().len()), (1, 1), "{told}");
    assert!(!told["silent"][0]["mend"].as_str().unwrap().is_empty(), "{told}");
    drop((market.client, sim));
}

#[tokio::test]
async fn that_nobody_runs_is_a_sentence_and_an_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let output = ran(&["status", "--state-dir", state]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.starts_with("! no agent runs here") && said.contains(state) && said.contains("--state-dir"), "{said}");
    let told = json(&ran(&["status", "--json", "--state-dir", state]).await);
    assert_eq!(told["agents"], Value::Array(Vec::new()));
    for bad in [&["status", "geth"][..], &["status", "--watch=never"], &["status", "ab", "--pool", "ws://127.0.0.1:1"]]
    {
        assert_eq!(ran(bad).await.status.code(), Some(2), "{bad:?}");
    }
}
