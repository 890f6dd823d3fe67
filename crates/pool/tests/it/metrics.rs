//! The metrics of a pool follow what they measure.

use crate::common::{Agent, Keys, config};
use serde_json::json;
use vipnode_pool::{PoolConfig, PoolMetrics, PoolServer};
use vipnode_rpc::Incoming;
use vipnode_types::wire::{Done, ErrorCode, ReportReply, ReportRequest, WireError, method};

fn number(metrics: &PoolMetrics, metric: &str) -> u64 {
    let text = metrics.text();
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {metric} in:\n{text}")).parse().unwrap()
}

/// The core shows its numbers at each tick.
async fn until(metrics: &PoolMetrics, metric: &str, value: u64) {
    let looking = async {
        while number(metrics, metric) != value {
            tokio::task::yield_now().await;
        }
    };
    let looked = tokio::time::timeout(crate::common::LONG, looking).await;
    assert!(looked.is_ok(), "{metric} is {} and not {value}", number(metrics, metric));
}

#[tokio::test]
async fn hosts_that_let_nobody_in_and_leases_that_end_are_counted_by_reason() {
    let metrics = PoolMetrics::default();
    let config = PoolConfig { metrics: metrics.clone(), ..config() };
    let config = PoolConfig { core: vipnode_pool_core::Limits { tick_ms: 10, ..config.core.clone() }, ..config };
    let pool = PoolServer::spawn(config).await.unwrap();
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let mut host = Agent::open(&pool).await;
    host.connect(&ana, &ana.host(5)).await.unwrap();
    let report = ReportRequest { seq: 1, full: Some(Vec::new()), ..ReportRequest::default() };
    host.call::<ReportReply>(method::REPORT, &[report]).await.unwrap();
    let client = Agent::open(&pool).await;
    client.connect(&ben, &ben.client()).await.unwrap();
    until(&metrics, "vipnode_pool_connected_agents", 2).await;

    let refusing = async {
        let Some(Incoming::Request { responder, .. }) = host.opened.incoming.recv().await else { panic!("gone") };
        responder.respond::<Done>(Err(WireError::new(ErrorCode::Refused, "not today", "")));
    };
    let (asked, ()) = tokio::join!(client.ask(1), refusing);
    assert!(asked.unwrap().hosts.is_empty());
    until(&metrics, "vipnode_pool_admit_failures_total{reason=\"refused\"}", 1).await;
    assert_eq!(number(&metrics, "vipnode_pool_admit_failures_total{reason=\"lost\"}"), 0);
    assert_eq!(number(&metrics, "vipnode_pool_admits_total"), 0);
    assert_eq!(number(&metrics, "vipnode_pool_call_failures_total"), 1);

    // The client still wants a host: the next one that comes is asked for it.
    let cleo = Keys::new(3);
    let mut second = Agent::open(&pool).await;
    second.connect(&cleo, &cleo.host(5)).await.unwrap();
    let report = ReportRequest { seq: 1, full: Some(Vec::new()), ..ReportRequest::default() };
    second.call::<ReportReply>(method::REPORT, &[report]).await.unwrap();
    let (method, admit) = second.take().await;
    assert_eq!((method.as_str(), &admit["client"]), (method::ADMIT, &json!(ben.id())));
    until(&metrics, "vipnode_pool_admits_total", 1).await;
    let ended = "vipnode_pool_leases_ended_total{reason=\"left\"}";
    assert_eq!(number(&metrics, ended), 0);
    client.call::<Done>(method::LEAVE, &[json!({"leases": [admit["lease"]], "reason": "surplus"})]).await.unwrap();
    until(&metrics, ended, 1).await;
    pool.shutdown().await.unwrap();
}
