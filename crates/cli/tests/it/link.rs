//! A node's key signs once, here or elsewhere; the agent then starts without it.

use crate::support::{Sim, Vipnode};

/// Runs a command for the node, with a state directory of this name.
fn run(sim: &Sim, line: &[&str], state: &str) -> Vipnode {
    let [rpc, ..] = sim.args();
    let state = sim.dir.path().join(state);
    Vipnode::start(&[line, &[&rpc, "--state-dir", state.to_str().unwrap()]].concat())
}

/// A host that has nothing but what its state directory holds connects to a pool.
async fn host_connects(sim: &Sim, state: &str) {
    std::fs::remove_file(sim.dir.path().join("key")).unwrap();
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut host = run(sim, &["host", &url], state);
    host.event("joined").await;
    assert!(host.interrupt().await.success());
}

#[tokio::test]
async fn after_a_link_the_key_is_not_needed() {
    let sim = Sim::start().await;
    let [_, key, _] = sim.args();
    run(&sim, &["link", &key], "s").event("linked").await;
    host_connects(&sim, "s").await;
}

/// Where nothing answers, the text may be a mistyped command or the name of a file.
#[tokio::test]
async fn the_key_signs_nothing_before_a_pool_named_without_a_scheme_answers() {
    let sim = Sim::start().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut client = sim.agent(&["client", "--pool", &format!("localhost:{port}")]);
    client.event("pool_unreachable").await;
    assert!(!has_file(&sim, "delegation.json"));
    let _pool = Vipnode::start(&["pool", "--bind", &port]);
    client.events(&["delegated", "joined"]).await;
    assert!(has_file(&sim, "delegation.json"));
    assert!(client.interrupt().await.success());
}

/// Whether a file of this name is below the directory of the simulation.
fn has_file(sim: &Sim, name: &str) -> bool {
    walkdir::WalkDir::new(sim.dir.path()).into_iter().any(|file| file.unwrap().file_name() == name)
}

#[tokio::test]
async fn a_payout_account_is_not_signed_either_with_a_delegation_from_before() {
    let sim = Sim::start().await;
    let [rpc, key, state] = sim.args();
    Vipnode::start(&["link", &rpc, &key, &state]).event("linked").await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let pool = format!("localhost:{port}");
    let mut host = sim.agent(&["host", "--pool", &pool, "--payout", "0x52908400098527886E0F7030069857D2E4169EE7"]);
    host.event("pool_unreachable").await;
    assert!(!has_file(&sim, "payout.json"));
    let _pool = Vipnode::start(&["pool", "--bind", &port]);
    host.event("joined").await;
    assert!(has_file(&sim, "payout.json"));
    assert!(host.interrupt().await.success());
}

#[tokio::test]
async fn a_link_is_signed_on_another_machine_and_brought_back() {
    let sim = Sim::start().await;
    let [_, key, _] = sim.args();
    let asked = run(&sim, &["link", "--request"], "here").event("link_request").await;
    let agent = asked["agent"].as_str().unwrap();
    let signed = run(&sim, &["link", "--agent", agent, &key], "there").event("link_signed").await;
    assert!(!sim.dir.path().join("there").exists(), "nothing is kept there");
    let word = signed["delegation"].as_str().unwrap();
    let mut wrong = run(&sim, &["link", "--delegation", word], "elsewhere");
    assert!(!wrong.ended().await.success(), "another agent cannot take it");
    run(&sim, &["link", "--delegation", word], "here").event("linked").await;
    host_connects(&sim, "here").await;
}
