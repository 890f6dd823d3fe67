//! A node's key signs once, here or on another machine; the agent then starts without it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::Vipnode;
use vipnode_node::sim::{SimNet, SimServer, SimSpec, sim_key};

struct Beside {
    server: SimServer,
    _net: SimNet,
    dir: tempfile::TempDir,
}

impl Beside {
    async fn start() -> Self {
        let (net, dir) = (SimNet::new(), tempfile::tempdir().unwrap());
        net.add(SimSpec::new("host", 30_303));
        std::fs::write(dir.path().join("key"), sim_key("host").as_slice()).unwrap();
        Self { server: SimServer::start(net.clone()).await.unwrap(), _net: net, dir }
    }

    fn run(&self, line: &[&str], state: &str) -> Vipnode {
        let (rpc, state) = (self.server.endpoint("host").to_string(), self.path(state));
        Vipnode::start(&[line, &["--rpc", &rpc, "--state-dir", &state]].concat())
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// A host that has nothing but what `state` holds connects to a pool.
    async fn host_connects(&self, state: &str) {
        std::fs::remove_file(self.path("key")).unwrap();
        let (_pool, url) = Vipnode::pool(&[]).await;
        let mut host = self.run(&["host", &url], state);
        host.event("joined").await;
        assert!(host.interrupt().await.success());
    }
}

#[tokio::test]
async fn after_a_link_the_key_is_not_needed() {
    let beside = Beside::start().await;
    let key = beside.path("key");
    beside.run(&["link", "--nodekey", &key], "s").event("linked").await;
    beside.host_connects("s").await;
}

#[tokio::test]
async fn a_link_is_signed_on_another_machine_and_brought_back() {
    let beside = Beside::start().await;
    let asked = beside.run(&["link", "--request"], "here").event("link_request").await;
    let (agent, key) = (asked["agent"].as_str().unwrap(), beside.path("key"));
    let signed = beside.run(&["link", "--agent", agent, "--nodekey", &key], "there").event("link_signed").await;
    assert!(!std::path::Path::new(&beside.path("there")).exists(), "nothing is kept there");
    let word = signed["delegation"].as_str().unwrap();
    let mut wrong = beside.run(&["link", "--delegation", word], "elsewhere");
    assert!(!wrong.ended().await.success(), "another agent cannot take it");
    beside.run(&["link", "--delegation", word], "here").event("linked").await;
    beside.host_connects("here").await;
}
