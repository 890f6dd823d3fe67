use vipnode_openrpc::{CallDirection, MethodRow, funds_of_a_client};
use vipnode_types::{
    Account, ChainSpec, LeaseId, Ms, NodeId, Price,
    wire::{ErrorCode, ExplainReply, NodeFunds, PaymentTerms, PoolStats, PoolStatus},
};

use super::{
    AgentClientStatus, AgentStatus, ConnectionSettings, LeaseStatus, Metered, NodeStatus, PoolLink, PoolState, method,
};

/// The methods of the local socket, for the OpenRPC document.
#[must_use]
pub fn rows() -> Vec<MethodRow> {
    let text = "Takes no params. Each agent listens on `<state directory>/agents/<node>.sock`, a socket that only the \
                agent's user and root can open. `vipnode status` queries all agents. Times are by the agent's clock.";
    let status = MethodRow::new::<AgentStatus>(
        method::STATUS,
        CallDirection::Local,
        "Get the status of the agent",
        text,
        ("status", "The status of the agent"),
    );
    let text = "Takes no params. The agent calls `vipnode_explain` on its pool and returns the response.";
    let explain = MethodRow::new::<ExplainReply>(
        method::EXPLAIN,
        CallDirection::Local,
        "Explain why the client has its hosts",
        text,
        ("explanation", "The pool's response"),
    );
    let text = "Takes no params. The agent calls `pool_status` on its pool as a member and returns the response.";
    let pool = MethodRow::new::<PoolStatus>(
        method::POOL,
        CallDirection::Local,
        "Get the status of the agent's pool",
        text,
        ("status", "The pool's response"),
    );
    let text = "Takes no params. The agent calls `vipnode_funds` on its pool and returns the response.";
    let funds = MethodRow::new::<NodeFunds>(
        method::FUNDS,
        CallDirection::Local,
        "Get the funds and earnings of the agent's node",
        text,
        ("funds", "The pool's response"),
    );
    vec![
        status.fails(&[ErrorCode::Busy]).example("a client with one host", Some(Vec::new()), &example()),
        explain.fails(&[ErrorCode::Unsuitable, ErrorCode::Server, ErrorCode::Busy]).example(
            "before the client's first ask",
            Some(Vec::new()),
            &ExplainReply::default(),
        ),
        pool.fails(&[ErrorCode::Unsuitable, ErrorCode::Server, ErrorCode::Busy]).example(
            "a pool with one client",
            Some(Vec::new()),
            &pool_example(),
        ),
        funds.fails(&[ErrorCode::Unsuitable, ErrorCode::Server, ErrorCode::Busy]).example(
            "a client with funds",
            Some(Vec::new()),
            &funds_of_a_client(),
        ),
    ]
}

fn pool_example() -> PoolStatus {
    PoolStatus {
        time_updated: Ms::new(1_795_000_000_000).rfc3339(),
        time_started: Ms::new(1_794_990_000_000).rfc3339(),
        version: "vipnode/0.1.0".to_owned(),
        pool_id: None,
        active_hosts: Vec::new(),
        stats: PoolStats { num_active_clients: 1, ..PoolStats::default() },
        fee_bps: 0,
        terms: Some(PaymentTerms::default()),
        error: None,
    }
}

fn example() -> AgentStatus {
    let (now, seen_ms) = (Ms::new(1_795_000_000_000), 600_000);
    let price = Price::per_minute(100_000_000_000);
    let cost = price.cost(seen_ms);
    let lease = LeaseStatus {
        lease: LeaseId::new(1_795_000_000_000_001),
        peer: NodeId::new([5; 64]),
        address: Some("10.0.0.7:30303".to_owned()),
        client_version: "Geth/v1.17.5-stable/linux-amd64/go1.26.0".to_owned(),
        latency_us: Some(24_100),
        price: Some(price),
        since: now.minus(seen_ms + 20),
        connected: Some(now.minus(seen_ms)),
        seen_ms,
        cost,
        redial_ms: None,
        ending: false,
        direct: false,
    };
    AgentStatus {
        agent_version: "vipnode/0.1.0".to_owned(),
        process: 4_711,
        now,
        stopping: false,
        node: NodeStatus {
            id: NodeId::new([7; 64]),
            client_version: "Geth/v1.17.5-stable/linux-amd64/go1.26.0".to_owned(),
            chain: ChainSpec::without_genesis(1_337),
            at: "/home/ben/.ethereum/geth.ipc".to_owned(),
            up: true,
            head: Some(23_900_000),
            head_age_ms: Some(7_000),
            own_peers: 2,
        },
        pool: PoolLink {
            id: None,
            url: "wss://pool.example.org".to_owned(),
            protocol: 3,
            state: PoolState::Joined,
            since: Some(now.minus(seen_ms + 100)),
            price: Some(price),
            fee_bps: 0,
            next_price: None,
            next_price_refused_by: None,
            terms: Some(PaymentTerms::default()),
            loss: None,
        },
        connections: ConnectionSettings { insecure: false, tls_ca: Some("/etc/vipnode/pool-ca.pem".to_owned()) },
        flags: [("min-peers".to_owned(), vec!["1".to_owned()])].into(),
        signer: Some(Account::new([3; 20])),
        host: None,
        client: Some(AgentClientStatus {
            wants: 1,
            missing: 0,
            why_missing: None,
            max_price: None,
            trial_left_ms: None,
            leases: vec![lease],
            metered: Metered { leases: 1, seen_ms, cost: cost.unwrap_or_default() },
        }),
    }
}
