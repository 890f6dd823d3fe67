//! A pool's ID from end to end: real pools, one after the other at one URL, and the agent that remembers the first.

use std::{net::TcpListener, path::Path, process::Command};

use crate::support::{Sim, Vipnode, ran, text};
use serde_json::Value;

/// A URL of this machine that is not a loopback one, so that the agent pins it.
struct Place {
    bind: String,
    url: String,
}

impl Place {
    fn new() -> Self {
        // The test has a network of its own (.config/isolated), so this address is nobody else's.
        let added = Command::new("ip").args(["address", "add", "10.77.0.1/32", "dev", "lo"]).status().unwrap();
        assert!(added.success(), "run this test by ./test or with .config/isolated as runner");
        let bind = TcpListener::bind("10.77.0.1:0").unwrap().local_addr().unwrap();
        Self { bind: bind.to_string(), url: format!("ws://{bind}") }
    }

    /// The pool of a data directory; without one, a pool without an ID.
    async fn pool(&self, dir: Option<&Path>) -> Vipnode {
        let datadir = dir.map_or("--store=memory".to_owned(), |dir| format!("--datadir={}", dir.display()));
        let args = ["pool", "--bind", &self.bind, "--public-url", &self.url];
        let args: Vec<&str> = args.into_iter().chain([&*datadir]).collect();
        let mut pool = Vipnode::start(&args);
        pool.event("listening").await;
        pool
    }

    fn client<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [&["client", &self.url, "--insecure"], args].concat()
    }

    /// Joins and stops. Returns the notice of the pin, if it is one of `pins`, and the ID of the pool.
    async fn join(&self, sim: &Sim, args: &[&str], pins: bool) -> (Option<Value>, String) {
        let mut agent = sim.agent(&self.client(args));
        let pinned = if pins { Some(agent.event("pool_pinned").await) } else { None };
        let joined = agent.event("joined").await;
        let id = joined["pool_id"].as_str().unwrap().to_owned();
        assert!(joined["text"].as_str().unwrap().contains(&id[..12]), "{joined}");
        assert!(agent.interrupt().await.success());
        (pinned, id)
    }

    /// What an agent reports that refuses the pool.
    async fn refused(&self, sim: &Sim, args: &[&str]) -> String {
        let own = sim.args();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let output = ran(&[&*self.client(args), &own].concat()).await;
        assert!(!output.status.success());
        text(&output.stdout) + &text(&output.stderr)
    }
}

#[tokio::test]
async fn the_first_pool_at_a_url_is_remembered_and_another_needs_the_user() {
    let (place, sim, dirs) = (Place::new(), Sim::start().await, tempfile::tempdir().unwrap());
    let dir = |name: &str| dirs.path().join(name);
    let pool = place.pool(Some(&dir("first"))).await;
    let (pinned, first) = place.join(&sim, &[], true).await;
    assert_eq!(pinned.unwrap()["pool_id"], *first);
    place.join(&sim, &[], false).await;
    pool.kill().await;

    // None at all, once there was one.
    let pool = place.pool(None).await;
    let said = place.refused(&sim, &[]).await;
    assert!(said.contains(&first) && said.contains("--accept-pool-key none"), "{said}");
    pool.kill().await;

    // Another.
    let pool = place.pool(Some(&dir("second"))).await;
    let said = place.refused(&sim, &[]).await;
    let second = said.split("--accept-pool-key ").nth(1).unwrap()[..66].to_owned();
    assert!(said.contains(&first) && second != first, "{said}");
    let own = sim.args();
    let doctor = ["doctor", "--role", "client", &place.url, "--insecure", &own[0], &own[1], &own[2]];
    let said = text(&ran(&doctor).await.stdout);
    assert!(said.contains(&first) && said.contains(&second), "{said}");
    let accept = ["--accept-pool-key", &second];
    place.join(&sim, &accept, true).await;
    let (_, id) = place.join(&sim, &[], false).await;
    assert_eq!(id, second);
    let said = text(&ran(&doctor).await.stdout);
    assert!(said.contains(&second[..12]) && said.contains("as the agent remembers it"), "{said}");
    pool.kill().await;

    // The second with a new key, which the old one signed.
    let second_dir = dir("second");
    let rotate = ["pool", "key", "rotate", "--datadir", second_dir.to_str().unwrap()];
    assert!(ran(&rotate).await.status.success());
    let pool = place.pool(Some(&second_dir)).await;
    let (pinned, third) = place.join(&sim, &[], true).await;
    assert_eq!(pinned.unwrap()["pool_id"], *third);
    assert_ne!(third, second);
    place.join(&sim, &[], false).await;
    pool.kill().await;

    // The first again, without a word of the user.
    let _pool = place.pool(Some(&dir("first"))).await;
    let said = place.refused(&sim, &[]).await;
    assert!(said.contains(&first) && said.contains(&third), "{said}");
}
