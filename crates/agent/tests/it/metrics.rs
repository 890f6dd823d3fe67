//! The metrics that an agent serves.

use std::{net::SocketAddr, time::Duration};

use crate::fake_pool::{PoolEnd, Running, Toy, within};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use vipnode_agent::{AgentMetrics, AgentRunner, MetricsServer, limits::MetricsLimits};
use vipnode_types::{
    Amount, LeaseId, Price,
    wire::{AccountFunds, NodeFunds, method},
};

async fn request(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A client that is rejected early may not read it all.
    let _refused = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _reset = within(stream.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

/// Limits lower than the defaults.
fn limits() -> MetricsLimits {
    MetricsLimits {
        metrics_connections: 3,
        metrics_answer: Duration::from_secs(4),
        metrics_head_bytes: 9_000,
        metrics_funds: Duration::from_secs(7),
    }
}

async fn server() -> (AgentMetrics, MetricsServer) {
    let metrics = AgentMetrics::default();
    let server = MetricsServer::bind("127.0.0.1:0".parse().unwrap(), metrics.clone(), limits()).await.unwrap();
    (metrics, server)
}

async fn scrape(server: &MetricsServer) -> String {
    request(server.local_addr(), "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await
}

fn number(text: &str, metric: &str) -> i64 {
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {metric} in:\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn it_answers_get_and_head_of_metrics_and_nothing_else() {
    let (metrics, server) = server().await;
    let address = server.local_addr();
    let said = scrape(&server).await;
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/plain; version=0.0.4"), "{head}");
    assert_eq!(body, metrics.text());
    for (request_line, status) in [("GET /", "404"), ("GET /metricsx", "404"), ("POST /metrics", "405")] {
        let said = request(address, &format!("{request_line} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{request_line}: {said}");
    }
    let head = request(address, "HEAD /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(request(address, "no http\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(2 * limits().metrics_head_bytes));
    let said = request(address, &long).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
}

/// A line of the metrics of an amount.
fn amount(metrics: &AgentMetrics, metric: &str) -> f64 {
    let text = metrics.text();
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {metric} in:\n{text}")).parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_the_pool_reports_of_the_nodes_money_is_shown_and_asked_for_again() {
    let (mut toy, metrics) = (Toy::new(), AgentMetrics::default());
    let mut config = toy.config();
    config.agent.host = None;
    (config.metrics, config.metrics_funds) = (Some(metrics.clone()), limits().metrics_funds);
    let _agent = Running::of(config);
    let mut end = PoolEnd::from(within(toy.ends.recv()).await.unwrap());
    let (_, responder) = end.expect(method::CONNECT).await;
    responder.respond(Ok(json!({
        "pool_version": "vipnode/toy",
        "report_interval_ms": 60_000,
        "price": Price::FREE,
        "leases": [],
        "terms": {"payment": "credit"},
    })));
    let mut asked = tokio::time::Instant::now();
    for (available, earned) in [(1_500_000, 0), (1_250_000, 40_000)] {
        let (_, responder) = end.expect(method::FUNDS).await;
        asked = tokio::time::Instant::now();
        let funds = AccountFunds { available: Amount::new(available), ..AccountFunds::default() };
        responder.respond(Ok(NodeFunds {
            asset: "USDC:6".parse().unwrap(),
            account: None,
            funds,
            payout: None,
            next_payout: None,
            earned: Amount::new(earned),
            payable: Amount::ZERO,
            channel: None,
        }));
    }
    // The next question comes after the last answer was shown.
    let _third = end.expect(method::FUNDS).await;
    assert!(asked.elapsed() >= limits().metrics_funds, "{:?}", asked.elapsed());
    let shown = |metric: &str, value: f64| (amount(&metrics, metric) - value).abs() < 1e-9;
    assert!(shown("vipnode_agent_available_units", 1.25) && shown("vipnode_agent_earned_units", 0.04));
}

#[tokio::test(start_paused = true)]
async fn silent_connections_block_nobody() {
    let (_metrics, server) = server().await;
    let mut silent = Vec::new();
    for _ in 0..limits().metrics_connections {
        silent.push(TcpStream::connect(server.local_addr()).await.unwrap());
    }
    let before = tokio::time::Instant::now();
    assert!(scrape(&server).await.starts_with("HTTP/1.1 200"));
    assert!(before.elapsed() < limits().metrics_answer / 10, "{:?}", before.elapsed());
    for mut stream in silent {
        let mut nothing = Vec::new();
        let _reset = stream.read_to_end(&mut nothing).await;
    }
}

#[tokio::test]
async fn it_ends_with_its_owner() {
    let (_metrics, server) = server().await;
    let address = server.local_addr();
    drop(server);
    let gone = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    within(gone).await;
}

#[tokio::test]
async fn a_running_agent_shows_its_lease() {
    let mut toy = Toy::new();
    let client = toy.peer("client", 30_304);
    let (metrics, server) = server().await;
    assert_eq!(number(&scrape(&server).await, "vipnode_agent_pool_connected"), 0);
    let mut config = toy.config();
    config.metrics = Some(metrics);
    let (runner, _notices) = AgentRunner::spawn(config);
    let end = toy.accept(json!([])).await;
    let admit = json!({"lease": LeaseId::new(1), "client": client.id, "price": Price::FREE});
    end.call("vipnode_admit", admit).await.unwrap();
    let text = scrape(&server).await;
    for (metric, value) in [
        ("vipnode_agent_pool_connected", 1),
        ("vipnode_agent_pool_state{state=\"joined\"}", 1),
        ("vipnode_agent_pool_state{state=\"connecting\"}", 0),
        ("vipnode_agent_node_up", 1),
        ("vipnode_agent_offered_slots", 10),
        ("vipnode_agent_sold_slots", 1),
        ("vipnode_agent_free_slots", 9),
        ("vipnode_agent_reserved_slots", 16),
        ("vipnode_agent_wanted_hosts", 1),
        ("vipnode_agent_admits_total", 1),
        ("vipnode_agent_admit_failures_total{reason=\"full\"}", 0),
    ] {
        assert_eq!(number(&text, metric), value, "{metric}");
    }
    assert!(number(&text, "vipnode_agent_head_timestamp_seconds") > 0);
    assert!(!text.contains(&client.id.short()), "a node is named:\n{text}");
    runner.abort().await;
}
