//! Two agents at a pool, over real sockets.

use crate::common::{Agent, Keys, config, http_url, pool, post, wall};
use serde_json::json;
use vipnode_pool::PoolServer;
use vipnode_rpc::{RpcLimits, http};
use vipnode_types::{
    LeaseSetHash,
    wire::{
        AskReply, AskRequest, ByeRequest, ConnectReply, Done, ErrorCode, ExplainReply, ExplainRequest, PoolStatus,
        ReportReply, ReportRequest, UpLease, method,
    },
};

#[tokio::test]
async fn connect_ask_admit_report_leave() {
    let config = vipnode_pool::PoolConfig { welcome: Some("be kind, {{.NodeID}}".parse().unwrap()), ..config() };
    let pool = PoolServer::spawn(config).await.unwrap();
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let mut host = Agent::open(&pool).await;
    let reply = host.connect(&ana, &ana.host(5)).await.unwrap();
    assert_eq!(reply.welcome, Some(format!("be kind, {}", ana.id())));
    assert!(reply.pool_version.starts_with("vipnode/") && reply.leases.is_empty());
    assert!(!host.call::<ReportReply>(method::REPORT, &[full(&[])]).await.unwrap().resync);

    let client = Agent::open(&pool).await;
    client.connect(&ben, &ben.client()).await.unwrap();
    let (asked, (method, admit)) = tokio::join!(client.ask(1), host.take());
    assert_eq!((method.as_str(), &admit["client"]), (method::ADMIT, &json!(ben.id())));
    let asked = asked.unwrap();
    let [leased] = &asked.hosts[..] else { panic!("{asked:?}") };
    assert_eq!((leased.host.id, asked.missing), (ana.id(), 0));
    assert_eq!(admit["lease"], json!(leased.lease));

    for agent in [&host, &client] {
        let _resync_or_not: ReportReply = agent.call(method::REPORT, &[full(&[leased.lease])]).await.unwrap();
    }
    let second = ReportRequest { seq: 2, ..full(&[leased.lease]) };
    assert!(!host.call::<ReportReply>(method::REPORT, &[second]).await.unwrap().resync);
    let status: PoolStatus = client.call(method::STATUS, &[(); 0]).await.unwrap();
    assert_eq!((status.active_hosts.len(), status.stats.num_active_clients), (1, 1));
    let stats = &status.stats;
    assert_eq!((stats.num_agents, stats.num_leases, stats.num_free_slots), (2, 1, 4));
    let explained: ExplainReply = client.call(method::EXPLAIN, &[ExplainRequest {}]).await.unwrap();
    assert_eq!((explained.hosts[0].host, explained.hosts[0].selection.unwrap().candidates), (ana.id(), 1));
    let refused = host.call::<ExplainReply>(method::EXPLAIN, &[ExplainRequest {}]).await.unwrap_err();
    assert!(refused.is(ErrorCode::Unsuitable), "{refused}");

    let leave = [json!({"leases": [leased.lease], "reason": "surplus"})];
    let (left, (method, evict)) = tokio::join!(client.call::<Done>(method::LEAVE, &leave), host.take());
    left.unwrap();
    assert_eq!((method.as_str(), &evict["peer"]), (method::EVICT, &json!(ben.id())));
    client.call::<Done>(method::BYE, &[ByeRequest {}]).await.unwrap();

    pool.shutdown().await.unwrap();
    let reason = host.opened.closed.wait().await.to_string();
    assert!(reason.contains("shutting down; its leases are lost"), "in memory: {reason}");
    assert!(client.opened.closed.wait().await.to_string().contains("shutting down"));
}

fn full(leases: &[vipnode_types::LeaseId]) -> ReportRequest {
    let up = leases.iter().map(|&lease| UpLease { lease, continuous: false }).collect();
    let hash = Some(LeaseSetHash::of(leases.iter().copied()));
    ReportRequest { seq: 1, full: Some(up), hash, ..ReportRequest::default() }
}

#[tokio::test]
async fn a_client_over_http_asks_again_and_is_never_called() {
    let pool = pool().await;
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let mut host = Agent::open(&pool).await;
    host.connect(&ana, &ana.host(5)).await.unwrap();
    host.call::<ReportReply>(method::REPORT, &[full(&[])]).await.unwrap();

    let url = http_url(&pool);
    let rpc = http(&url, &RpcLimits::default()).unwrap();
    let now = wall().get();
    let ask = AskRequest { want: 1, avoid: Vec::new() };
    let refused = post::<AskReply>(&rpc, &ben, &url, method::ASK, now, &ask).await.unwrap_err();
    assert!(refused.is(ErrorCode::Unauthorized), "{refused}");
    post::<ConnectReply>(&rpc, &ben, &url, method::CONNECT, now + 1, &ben.client()).await.unwrap();
    let (asked, (method, _)) =
        tokio::join!(post::<AskReply>(&rpc, &ben, &url, method::ASK, now + 2, &ask), host.take());
    assert_eq!(method, method::ADMIT);
    let lease = asked.unwrap().hosts[0].lease;
    post::<ReportReply>(&rpc, &ben, &url, method::REPORT, now + 3, &full(&[lease])).await.unwrap();
    let (bye, (method, _)) =
        tokio::join!(post::<Done>(&rpc, &ben, &url, method::BYE, now + 4, &ByeRequest {}), host.take());
    bye.unwrap();
    assert_eq!(method, method::EVICT);
    let gone = post::<AskReply>(&rpc, &ben, &url, method::ASK, now + 5, &ask).await.unwrap_err();
    assert!(gone.is(ErrorCode::Unauthorized));
}
