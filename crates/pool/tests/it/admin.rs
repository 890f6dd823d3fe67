//! The operator's commands on the admin socket, and their effects on agents.

use std::path::Path;

use crate::common::{Agent, Keys, LONG, RawSocket, config, get, http_url, pool, post, wall, ws_url};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use vipnode_pool::{
    BanTarget, DataDir, PoolConfig, PoolLimits, PoolServer,
    admin::{
        AdminClient, AdminError, AuditRequest, BanRequest, DrainRequest, LeasesRequest, LedgerOrder, LedgerRequest,
        NodesRequest, TopOrder, TopRequest, UnbanRequest, admin_socket, admin_sockets,
    },
};
use vipnode_rpc::{RpcLimits, http};
use vipnode_types::{
    TypedError as _,
    wire::{ConnectReply, ErrorCode, method},
};

/// A pool with this data directory, and its operator.
async fn kept(dir: &Path) -> (PoolServer, AdminClient) {
    let pool = PoolServer::spawn_in(config(), DataDir::open(dir).unwrap()).await.unwrap();
    (pool, AdminClient::new(admin_socket(dir)))
}

fn ban(target: &str) -> BanRequest {
    BanRequest { target: target.parse().unwrap(), reason: Some("flood".to_owned()), for_ms: None }
}

#[tokio::test]
async fn a_banned_network_loses_its_sockets_and_is_refused_at_accept() {
    let dir = tempfile::tempdir().unwrap();
    let (pool, admin) = kept(dir.path()).await;
    let (agent, keys) = (Agent::open(&pool).await, Keys::new(1));
    agent.connect(&keys, &keys.client()).await.unwrap();
    let mut stranger = RawSocket::open(&ws_url(&pool)).await;
    let banned = admin.ban(&ban("127.0.0.0/8")).await.unwrap();
    assert_eq!((banned.ended_nodes, banned.kept), (1, true));
    let end = timeout(LONG, agent.opened.closed.wait()).await.unwrap().to_string();
    assert!(end.contains("banned this address: flood"), "{end}");
    timeout(LONG, stranger.closed()).await.expect("a socket without a node is closed too");
    let refused = get(pool.local_addr(), "/").await;
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("banned this address: flood"), "{refused}");
    let health = get(pool.local_addr(), "/health").await;
    assert!(health.starts_with("HTTP/1.1 200"), "a probe of this machine is never refused: {health}");
    admin.unban(&UnbanRequest { target: "127.0.0.0/8".parse().unwrap() }).await.unwrap();
    let agent = Agent::open(&pool).await;
    agent.connect(&keys, &keys.client()).await.unwrap();
}

#[tokio::test]
async fn a_banned_agent_key_is_refused_over_websocket_and_http_until_the_ban_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (pool, admin) = kept(dir.path()).await;
    let keys = Keys::new(1);
    let target = BanTarget::Agent(keys.agent.public());
    let request = BanRequest { target, reason: None, for_ms: Some(4_000) };
    let until = admin.ban(&request).await.unwrap().ban.until_ms.unwrap();
    let error = Agent::open(&pool).await.connect(&keys, &keys.client()).await.unwrap_err();
    assert!(error.is(ErrorCode::NotMember) && error.message.contains("the key of this agent until"), "{error}");
    let (url, caller) = (http_url(&pool), http(&http_url(&pool), &RpcLimits::default()).unwrap());
    let connect = async |nonce| -> Result<ConnectReply, _> {
        post(&caller, &keys, &url, method::CONNECT, nonce, &keys.client()).await
    };
    assert!(connect(wall().get()).await.unwrap_err().is(ErrorCode::NotMember));
    while wall() < until {
        sleep(std::time::Duration::from_millis(50)).await;
    }
    connect(wall().get()).await.unwrap();
    assert_eq!(admin.bans().await.unwrap().bans, []);
}

#[tokio::test]
async fn bans_and_drains_survive_a_reload_and_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::new(1);
    let (pool, admin) = kept(dir.path()).await;
    admin.ban(&ban(&keys.id().to_string())).await.unwrap();
    admin.drain(&DrainRequest { node: None, stop: false }).await.unwrap();
    pool.reload(&config()).await;
    let refused = async |pool: &PoolServer| Agent::open(pool).await.connect(&keys, &keys.client()).await.is_err();
    assert!(refused(&pool).await);
    pool.shutdown().await.unwrap();
    let (pool, admin) = kept(dir.path()).await;
    assert!(refused(&pool).await);
    assert_eq!(admin.bans().await.unwrap().bans.len(), 1);
    let (host, client) = (Keys::new(2), Keys::new(3));
    let (host_agent, client_agent) = (Agent::open(&pool).await, Agent::open(&pool).await);
    host_agent.connect(&host, &host.host(4)).await.unwrap();
    client_agent.connect(&client, &client.client()).await.unwrap();
    let answer = client_agent.ask(1).await.unwrap();
    assert!(answer.hosts.is_empty() && answer.reason.unwrap().contains("operator"), "the pool is drained");
    let drained = admin.drain(&DrainRequest { node: None, stop: true }).await.unwrap();
    assert!(!drained.pool && drained.nodes.is_empty());
    let nodes = admin.nodes(&NodesRequest { most: 1, ..NodesRequest::default() }).await.unwrap();
    assert_eq!(nodes.nodes.len(), 1);
    let rest =
        admin.nodes(&NodesRequest { most: 9, from: nodes.next, chain_id: Some(1337), filter: None }).await.unwrap();
    assert_eq!((rest.nodes.len(), rest.next), (1, None), "the other page");
    assert_ne!(rest.nodes[0].node, nodes.nodes[0].node);
    let elsewhere = admin.nodes(&NodesRequest { most: 9, chain_id: Some(5), ..NodesRequest::default() }).await.unwrap();
    assert_eq!(elsewhere.nodes, []);
}

#[tokio::test]
async fn top_measures_what_a_block_uses() {
    let dir = tempfile::tempdir().unwrap();
    let (pool, admin) = kept(dir.path()).await;
    let (agent, keys) = (Agent::open(&pool).await, Keys::new(1));
    agent.connect(&keys, &keys.client()).await.unwrap();
    let busy = async {
        loop {
            agent.ask(1).await.unwrap();
            sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let top = tokio::select! {
        () = busy => unreachable!(),
        top = admin.top(&TopRequest { by: TopOrder::Core, most: 5 }) => top.unwrap(),
    };
    let [block] = &top.blocks[..] else { panic!("{top:?}") };
    assert_eq!((&*block.block, block.nodes, block.connections), ("127.0.0.0/24", 1, 1), "{top:?}");
    assert!(block.core_us > 0 && block.bytes_in > 0 && block.bytes_out > 0, "{top:?}");
    assert!(top.measured_ms >= 1_000 && top.further_blocks == 0 && top.bans == 0);
}

#[tokio::test]
async fn the_tables_are_bounded_and_the_error_names_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let limits = PoolLimits { bans: 1, drained_nodes: 0, core_time_blocks: 1, ..PoolLimits::default() };
    let pool = PoolServer::spawn_in(PoolConfig { limits, ..config() }, DataDir::open(dir.path()).unwrap());
    let _pool = pool.await.unwrap();
    let admin = AdminClient::new(admin_socket(dir.path()));
    admin.ban(&ban("203.0.113.0/24")).await.unwrap();
    let full = admin.ban(&ban("198.51.100.0/24")).await.unwrap_err();
    assert!(full.to_string().contains("already has 1 bans") && full.hint().unwrap().contains("unban"), "{full}");
    let node = Some(Keys::new(1).id());
    let full = admin.drain(&DrainRequest { node, stop: false }).await.unwrap_err();
    assert!(full.to_string().contains("already has 0 drained nodes"), "{full}");
}

#[tokio::test]
async fn a_pool_without_a_data_directory_has_its_socket_in_the_users_state_directory() {
    let state = tempfile::tempdir().unwrap();
    let pool = PoolServer::spawn(PoolConfig { state_dir: Some(state.path().to_owned()), ..config() }).await.unwrap();
    let sockets = admin_sockets(state.path()).unwrap();
    let [socket] = &sockets[..] else { panic!("{sockets:?}") };
    let admin = AdminClient::new(socket.clone());
    assert!(!admin.ban(&ban("203.0.113.0/24")).await.unwrap().kept);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(socket), mode(socket.parent().unwrap())), (0o600, 0o700), "its owner's alone");
    }
    pool.shutdown().await.unwrap();
    assert!(matches!(admin.bans().await, Err(AdminError::Gone { .. })));
    let without = pool_without_socket().await;
    assert_eq!(admin_sockets(state.path()).unwrap(), [] as [std::path::PathBuf; 0]);
    without.shutdown().await.unwrap();
}

async fn pool_without_socket() -> PoolServer {
    pool().await
}

#[tokio::test]
async fn the_key_of_an_order_is_printable_and_short() {
    let dir = tempfile::tempdir().unwrap();
    let (_pool, admin) = kept(dir.path()).await;
    let refused = async |key: &str| {
        let (change, reason) = (LedgerOrder::ClosePeriod, "October".to_owned());
        let request = LedgerRequest { change, reason, key: Some(key.to_owned()), allow_negative: false };
        let Err(AdminError::Refused(error)) = admin.change_ledger(&request).await else { panic!("{key}") };
        error
    };
    let long = "k".repeat(65);
    for key in ["", " ", "invoice\u{200b}7", "invoice\n7", "invoi\u{441}e", " 7", "7 ", &long] {
        let error = refused(key).await;
        assert!(error.is(ErrorCode::InvalidParams) && error.message.contains("printable"), "{key:?} {error:?}");
    }
    for key in ["invoice 7", "~", &long[1..]] {
        assert!(refused(key).await.is(ErrorCode::Unsuitable), "the pool has no ledger");
    }
}

#[tokio::test]
async fn more_commands_than_connections_are_all_answered() {
    let dir = tempfile::tempdir().unwrap();
    let (_pool, admin) = kept(dir.path()).await;
    let answers = futures_util::future::join_all((0..100).map(|_| admin.bans())).await;
    let failed: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// Each order is recorded with the user at the other end of the socket, before it is carried out, and again if it is refused.
#[cfg(unix)]
#[tokio::test]
async fn orders_are_recorded_with_the_user_who_gave_them() {
    use std::os::unix::fs::MetadataExt as _;

    let dir = tempfile::tempdir().unwrap();
    let (pool, admin) = kept(dir.path()).await;
    admin.ban(&ban("203.0.113.0/24")).await.unwrap();
    admin.bans().await.unwrap();
    admin.unban(&UnbanRequest { target: "198.51.100.0/24".parse().unwrap() }).await.unwrap_err();
    let records = admin.audit(&AuditRequest { before: None, most: 10 }).await.unwrap().records;
    let shown: Vec<_> = records.iter().map(|record| (record.method.as_str(), record.refused.is_some())).collect();
    assert_eq!(shown, [("vipnode_poolBan", false), ("vipnode_poolUnban", false), ("vipnode_poolUnban", true)]);
    let own = std::fs::metadata(dir.path()).unwrap().uid();
    assert!(records.iter().all(|record| record.user == Some(own)), "{records:?}");
    assert!(records[0].params[0]["target"] == "203.0.113.0/24" && records[2].refused.is_some());
    pool.shutdown().await.unwrap();
    let (_pool, admin) = kept(dir.path()).await;
    let again = admin.audit(&AuditRequest { before: None, most: 10 }).await.unwrap().records;
    assert_eq!(again, records, "after a restart");

    // What cannot be recorded is not ordered.
    let log = dir.path().join("audit.log");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let refused = admin.ban(&ban("192.0.2.0/24")).await.unwrap_err().to_string();
    assert!(refused.contains("audit log"), "{refused}");
    assert_eq!(admin.bans().await.unwrap().bans.len(), 1);
}

#[tokio::test]
async fn nodes_and_leases_are_found_by_what_the_operator_knows_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let (pool, admin) = kept(dir.path()).await;
    let (mut host, client) = (Agent::open(&pool).await, Agent::open(&pool).await);
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    host.connect(&ana, &ana.host(1)).await.unwrap();
    client.connect(&ben, &ben.client()).await.unwrap();
    let found = async |filter: &str| {
        let request = NodesRequest { most: 9, filter: Some(filter.to_owned()), ..NodesRequest::default() };
        admin.nodes(&request).await.unwrap().nodes.into_iter().map(|node| node.node).collect::<Vec<_>>()
    };
    assert_eq!(found(&ana.id().to_string()[..8].to_uppercase()).await, [ana.id()]);
    assert_eq!(found(&ben.agent.public().to_string()).await, [ben.id()]);
    assert_eq!((found("127.0.0.1").await.len(), found("geth/TEST").await.len()), (2, 2));
    assert_eq!((found("127.0.0.2").await, found("reth").await), (Vec::new(), Vec::new()));

    let empty = json!({"seq": 1, "full": [], "hash": "0000000000000000"});
    host.call::<Value>(method::REPORT, &[&empty]).await.unwrap();
    let (asked, admitted) = tokio::join!(client.ask(1), host.take());
    assert_eq!((asked.unwrap().hosts.len(), admitted.0.as_str()), (1, method::ADMIT));
    let leases = async |node: Option<&str>| {
        let request = LeasesRequest { node: node.map(str::to_owned), most: 9, ..LeasesRequest::default() };
        admin.leases(&request).await.unwrap().leases
    };
    let [lease] = leases(None).await[..] else { panic!("one lease") };
    assert_eq!((lease.client, lease.host, lease.payer), (ben.id(), ana.id(), None));
    assert_eq!(leases(Some(&ben.id().to_string()[..8])).await, [lease]);
    assert_eq!(leases(Some("ffff")).await, []);
    let after = LeasesRequest { after: Some(lease.lease), most: 9, ..LeasesRequest::default() };
    assert_eq!(admin.leases(&after).await.unwrap().leases, []);
}
