//! Peers that the user named, between a simulated node and no pool.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::fake_pool::{Running, Toy, within};
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::json;
use vipnode_agent::{AgentError, NodeKeyAt, Resolver, RunnerConfig, local::PoolState, release};
use vipnode_agent_core::{DirectConfig, NameError, Notice};
use vipnode_types::{Enode, EnodeHost, NodeId, TypedError};

/// Names as the test wants them.
#[derive(Debug, Default)]
struct Names(Mutex<Vec<IpAddr>>);

impl Resolver for Names {
    fn resolve<'a>(&'a self, _name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, NameError>> {
        let found = self.0.lock().unwrap().clone();
        std::future::ready(if found.is_empty() { Err(NameError::NoAddress) } else { Ok(found) }).boxed()
    }
}

/// Without a pool and without a key.
fn alone(toy: &Toy, hosts: Vec<Enode>, allow: Vec<Enode>) -> RunnerConfig {
    let mut config = RunnerConfig { pool: None, node_key: NodeKeyAt::File(PathBuf::from("/nowhere")), ..toy.config() };
    config.agent.min_peers = 0;
    config.agent.direct = DirectConfig { hosts, allow };
    config
}

fn connected(notice: &Notice) -> Option<NodeId> {
    match notice {
        Notice::HostConnected { host, .. } => Some(*host),
        _ => None,
    }
}

async fn until_trusted(toy: &Toy, id: NodeId) {
    let looking = async {
        while !toy.trusted(id) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(looking).await;
}

#[tokio::test(start_paused = true)]
async fn d51_named_peers_need_no_pool_and_no_key_and_a_stop_lets_them_go() {
    let mut toy = Toy::new();
    let (host, client) = (toy.peer("host", 1), toy.peer("client", 2));
    let mut agent = Running::of(alone(&toy, vec![host.enode()], vec![Enode::id_only(client.id)]));
    assert_eq!(agent.notice(connected).await, host.id);
    until_trusted(&toy, client.id).await;
    assert_eq!(toy.journaled(), 2);
    let status = agent.runner.status().status().await.unwrap();
    assert_eq!((status.pool.state, &*status.pool.url), (PoolState::None, ""));
    let (hosts, clients) = (status.client.unwrap(), status.host.unwrap());
    assert!(hosts.leases[0].direct && hosts.metered.leases == 0 && hosts.leases[0].connected.is_some());
    assert_eq!((clients.sold, clients.leases.len(), clients.leases[0].direct), (0, 1, true));

    // The host restarts: the user hears of both, and is asked for nothing.
    toy.net.stop(host.id);
    agent.notice(|notice| matches!(notice, Notice::HostLost { .. }).then_some(())).await;
    toy.net.start(host.id);
    assert_eq!(agent.notice(connected).await, host.id);
    assert!(toy.ends.try_recv().is_err(), "no socket was opened");
    agent.stop().await.unwrap();
    assert!(!toy.trusted(client.id) && !toy.connected(host.id).await);
    assert_eq!(toy.journaled(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_is_followed_to_where_its_name_points() {
    let toy = Toy::new();
    let host = toy.peer("host", 1);
    let names = Arc::new(Names::default());
    let named = Enode { host: EnodeHost::Dns("host.example".into()), ..host.enode() };
    let config = RunnerConfig { resolver: names.clone(), ..alone(&toy, vec![named], vec![]) };
    let mut agent = Running::of(config);
    let unknown = |notice: &Notice| match notice {
        Notice::NameUnresolved { name, why } => Some(format!("{name}: {why}")),
        _ => None,
    };
    assert_eq!(agent.notice(unknown).await, "host.example: the name has no usable address");
    *names.0.lock().unwrap() = vec!["127.0.0.9".parse().unwrap()];
    agent.notice(|notice| matches!(notice, Notice::HostNotConnected { .. }).then_some(())).await;
    *names.0.lock().unwrap() = vec![host.ip];
    assert_eq!(agent.notice(connected).await, host.id);
    assert_eq!(toy.journaled(), 1);
    agent.stop().await.unwrap();
    assert_eq!(toy.journaled(), 0);
}

#[tokio::test(start_paused = true)]
async fn release_undoes_what_a_crash_left_of_them() {
    let toy = Toy::new();
    let (host, client) = (toy.peer("host", 1), toy.peer("client", 2));
    let mut agent = Running::of(alone(&toy, vec![host.enode()], vec![Enode::id_only(client.id)]));
    agent.notice(connected).await;
    until_trusted(&toy, client.id).await;
    agent.runner.abort().await;
    let undone = release(&toy.config().state_root, &*toy.node).await.unwrap().undone;
    assert_eq!(undone.len(), 2);
    assert!(!toy.trusted(client.id) && !toy.connected(host.id).await);
}

/// Of one run without a pool, one at a pool, and one without it again.
#[tokio::test(start_paused = true)]
async fn named_peers_stay_over_a_change_of_pool_and_a_pools_leases_do_not() {
    let mut toy = Toy::new();
    let (named, leased) = (toy.peer("named", 1), toy.peer("leased", 2));
    let mut agent = Running::of(alone(&toy, vec![named.enode()], vec![]));
    agent.notice(connected).await;
    agent.runner.abort().await;

    let mut config = toy.config();
    config.agent.direct.hosts = vec![named.enode()];
    let mut agent = Running::of(config);
    let mut end = toy.accept(json!([])).await;
    end.give(1, &leased).await;
    while agent.notice(connected).await != leased.id {}
    assert!(toy.connected(named.id).await);
    agent.runner.abort().await;

    let agent = Running::of(alone(&toy, vec![named.enode()], vec![]));
    let looking = async {
        while toy.connected(leased.id).await || !toy.connected(named.id).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(looking).await;
    agent.stop().await.unwrap();
    assert_eq!(toy.journaled(), 0);
}

#[tokio::test]
async fn a_node_is_no_peer_of_itself() {
    let toy = Toy::new();
    let agent = Running::of(alone(&toy, vec![], vec![Enode::id_only(toy.id)]));
    let error = within(agent.runner.join()).await.unwrap_err();
    assert!(matches!(error, AgentError::NamedItself { .. }) && !error.hint().unwrap().is_empty(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn d33_a_strict_agent_disconnects_strangers_and_nobody_else() {
    let mut toy = Toy::new();
    let (host, own, stranger) = (toy.peer("host", 1), toy.peer("own", 2), toy.peer("stranger", 3));
    let ours = toy.node_enode();
    toy.net.with(|world| {
        world.add_peer(toy.id, own.enode());
        world.add_peer(stranger.id, ours);
    });
    let mut config = toy.config();
    config.agent.strict = true;
    let mut agent = Running::of(config);
    let looking = async {
        while !toy.connected(stranger.id).await || !toy.connected(own.id).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(looking).await;
    // Nobody before the pool has listed its leases.
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(toy.connected(stranger.id).await);
    let mut end = toy.accept(json!([])).await;
    end.give(1, &host).await;
    let dropped = agent.notice(|notice| match notice {
        Notice::UnleasedPeerDisconnected { peer } => Some(*peer),
        _ => None,
    });
    assert_eq!(dropped.await, stranger.id);
    assert!(!toy.connected(stranger.id).await);
    let looking = async {
        while !toy.connected(host.id).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(looking).await;
    assert!(toy.connected(own.id).await);
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    assert!(toy.connected(own.id).await && !toy.connected(host.id).await);
}
