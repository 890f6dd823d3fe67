//! The status that an agent serves on its local socket.

use std::{
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::PathBuf,
    sync::atomic::Ordering,
    time::Duration,
};

use crate::fake_pool::{PoolEnd, Running, Toy, within};
use serde_json::json;
use vipnode_agent::{
    AgentNotice, RunnerConfig,
    limits::{LOCAL_CONNECTIONS, LOCAL_IDLE, LOCAL_REQUEST_BYTES},
    local::{self, LocalError, PoolState},
};
use vipnode_agent_core::Notice;
use vipnode_rpc::{CallError, OpenSession, RpcLimits, SessionEnd, open_ipc};
use vipnode_types::wire::{ErrorCode, method};
use vipnode_types::{Price, TypedError};

fn root(toy: &Toy) -> PathBuf {
    toy.root.path().join("state")
}

fn socket(toy: &Toy) -> PathBuf {
    root(toy).join("agents").join(format!("{}.sock", toy.id.short()))
}

/// An agent that its pool took, with that pool's end.
async fn joined(toy: &mut Toy) -> (Running, PoolEnd) {
    let mut agent = toy.spawn();
    let end = toy.accept(json!([])).await;
    agent.notice(|notice| matches!(notice, Notice::Connected { .. }).then_some(())).await;
    (agent, end)
}

#[tokio::test]
async fn the_status_is_that_of_the_agent() {
    let mut toy = Toy::new();
    let host = toy.peer("host", 1);
    let (mut agent, mut end) = joined(&mut toy).await;
    end.give(7, &host).await;
    agent.notice(|notice| matches!(notice, Notice::HostConnected { .. }).then_some(())).await;
    assert_eq!(local::agents(&root(&toy)).unwrap(), [socket(&toy)]);
    let status = within(local::status(&socket(&toy))).await.unwrap();
    assert_eq!((status.node.id, status.node.up), (toy.id, true));
    assert_eq!(
        (status.pool.state, &*status.pool.url, status.pool.protocol),
        (PoolState::Joined, crate::fake_pool::POOL, 3)
    );
    let selling = status.host.unwrap();
    assert_eq!((selling.offered, selling.sold, selling.free, selling.reserve), (10, 0, 10, 16));
    let seeking = status.client.unwrap();
    assert_eq!((seeking.wants, seeking.missing, seeking.leases[0].peer), (1, 0, host.id));
    assert!(seeking.leases[0].connected.is_some());
    assert_eq!(seeking.metered.leases, 1);
    tokio::spawn(end.answer_all());
    let status = serde_json::to_string(&agent.runner.status().status().await.unwrap()).unwrap();
    assert!(!status.contains("club"), "the join secret is never reported: {status}");
    agent.stop().await.unwrap();
    assert!(!socket(&toy).exists(), "an agent that ends takes its socket along");
}

#[tokio::test]
async fn each_method_that_is_documented_for_it_is_served() {
    let mut toy = Toy::new();
    let (agent, end) = joined(&mut toy).await;
    tokio::spawn(end.answer_all());
    let opened = within(open_ipc(&socket(&toy), &RpcLimits::default())).await.unwrap();
    let ask = async |name: &str| within(opened.peer.call(name, &[(); 0], Duration::from_secs(20))).await;
    let is_unknown =
        |error: CallError| matches!(error, CallError::Remote(error) if error.is(ErrorCode::MethodNotFound));
    let rows = local::rows();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert!(!ask(row.name()).await.is_err_and(is_unknown), "{}", row.name());
    }
    assert!(ask("vipnode_agentStop").await.is_err_and(is_unknown));
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn only_its_owner_reaches_it_also_where_the_folder_was_open_before() {
    let mut toy = Toy::new();
    let folder = root(&toy).join("agents");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let (agent, end) = joined(&mut toy).await;
    tokio::spawn(end.answer_all());
    let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&socket(&toy))), (0o700, 0o600));
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_socket_says_so_until_the_next_start_replaces_it() {
    let mut toy = Toy::new();
    std::fs::create_dir_all(root(&toy).join("agents")).unwrap();
    drop(UnixListener::bind(socket(&toy)).unwrap());
    let gone = within(local::status(&socket(&toy))).await.unwrap_err();
    assert!(matches!(gone, LocalError::Gone { .. }) && gone.hint().unwrap().contains("vipnode release"), "{gone}");
    let (agent, end) = joined(&mut toy).await;
    tokio::spawn(end.answer_all());
    within(local::status(&socket(&toy))).await.unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn a_socket_that_cannot_be_opened_is_reported_and_stops_nothing() {
    let mut toy = Toy::new();
    std::fs::create_dir_all(root(&toy).join("agents")).unwrap();
    std::fs::write(socket(&toy), "another's").unwrap();
    let mut agent = toy.spawn();
    let fault = async {
        loop {
            if let AgentNotice::Fault(failure) = agent.notices.recv().await.unwrap() {
                return (failure.to_string(), failure.hint().unwrap());
            }
        }
    };
    let (what, hint) = within(fault).await;
    assert!(what.contains("vipnode status") && hint.contains("--state-dir"), "{what}: {hint}");
    toy.accept(json!([])).await;
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn agents_of_one_state_directory_do_not_collide() {
    let (mut one, mut two) = (Toy::new(), Toy::next_to("second", 30_304));
    let shared = root(&one);
    let (first, end) = joined(&mut one).await;
    tokio::spawn(end.answer_all());
    let config = RunnerConfig { state_root: shared.clone(), ..two.config() };
    let second = Running::of(config);
    tokio::spawn(two.accept(json!([])).await.answer_all());
    let sockets = local::agents(&shared).unwrap();
    let mut nodes = Vec::new();
    for socket in &sockets {
        nodes.push(within(local::status(socket)).await.unwrap().node.id);
    }
    let mut wanted = [one.id, two.id];
    wanted.sort();
    nodes.sort();
    assert_eq!(nodes, wanted);
    first.stop().await.unwrap();
    assert_eq!(local::agents(&shared).unwrap().len(), 1);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn why_is_asked_of_the_pool() {
    let mut toy = Toy::new();
    let (agent, mut end) = joined(&mut toy).await;
    let at = socket(&toy);
    let answering = async {
        let (params, responder) = end.expect(method::EXPLAIN).await;
        assert_eq!(params.get(), "[{}]", "the socket was signed for already");
        responder.respond(Ok(json!({
            "want": 1, "missing": 1, "reason": "no host has a free slot", "price": Price::FREE, "connected_hosts": 4, "examined": 4,
            "candidates": 0, "excluded": {"full": 4, "some_later_reason": 1}, "hosts": []
        })));
        end
    };
    let (why, end) = within(async { tokio::join!(local::explain(&at), answering) }).await;
    let why = why.unwrap();
    assert_eq!((why.examined, why.excluded.full), (4, 4));
    // Without the pool nobody knows.
    toy.connector.open.store(false, Ordering::Relaxed);
    end.close("the pool restarts");
    let mut agent = agent;
    agent.notice(|notice| matches!(notice, Notice::PoolDisconnected { .. }).then_some(())).await;
    let away = within(local::explain(&at)).await.unwrap_err();
    assert!(away.to_string().contains("not connected to the pool") && !away.hint().unwrap().is_empty(), "{away}");
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connections_are_bounded_in_number_time_and_size() {
    let mut toy = Toy::new();
    let (agent, end) = joined(&mut toy).await;
    let pool = tokio::spawn(end.answer_all());
    let open = || async { open_ipc(&socket(&toy), &RpcLimits::default()).await.unwrap() };
    let ask = async |caller: &OpenSession| {
        caller.peer.call(local::method::STATUS, &[(); 0], LOCAL_IDLE * 3).await.map(|answer| answer.get().len())
    };
    let mut held = Vec::new();
    for _ in 0..LOCAL_CONNECTIONS {
        let caller = open().await;
        assert!(ask(&caller).await.unwrap() > 100);
        held.push(caller);
    }
    // One more replaces the one that has been idle for the longest time.
    let began = tokio::time::Instant::now();
    let late = open().await;
    assert!(ask(&late).await.unwrap() > 100);
    assert!(began.elapsed() < LOCAL_IDLE / 10, "{:?}", began.elapsed());
    assert_eq!(within(held[0].closed.wait()).await, SessionEnd::Gone, "an idle connection is closed");
    let unknown = late.peer.call("admin_addPeer", &[(); 0], LOCAL_IDLE).await.unwrap_err();
    assert!(unknown.to_string().contains("unknown method"), "{unknown}");
    let large = "x".repeat(LOCAL_REQUEST_BYTES);
    late.peer.call(local::method::STATUS, &[large], LOCAL_IDLE).await.unwrap_err();
    drop((held, late));
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
}
