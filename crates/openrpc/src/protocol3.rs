//! The methods of protocol 3, and those that are the same in both.

use super::{
    examples::{self, CHALLENGE, GETH, LEASE, LIGHT, NOW, OTHER_LEASE},
    method_row::{CallDirection, MethodRow, Signing},
    protocol2,
};
use vipnode_types::{
    Account, Amount, Capability, LeaseSetHash,
    wire::{
        Admission, AdmitCall, AskReply, AskRequest, ByeRequest, ClientCriteria, ConnectReply, ConnectRequest, DialCall,
        Done, ErrorCode, EvictCall, EvictReason, Excluded, ExplainReply, ExplainRequest, ExplainedHost, FundsLow,
        HostStatus, LeasedHost, LeaveReason, LeaveRequest, NoticeCall, PROTOCOL, PaymentTerms, PoolStats, PoolStatus,
        PriceCall, Reach, ReachReply, ReachRequest, ReportReply, ReportRequest, Score, Selection, Side, TrialEnds,
        UpLease, method,
    },
};

/// The errors of a call by an agent that has connected.
const OF_AN_AGENT: &[ErrorCode] = &[ErrorCode::InvalidParams, ErrorCode::Unauthorized, ErrorCode::Busy];

/// The errors of a pool's call to admit a client.
const OF_AN_ADMIT: &[ErrorCode] = &[
    ErrorCode::MethodNotFound,
    ErrorCode::InvalidParams,
    ErrorCode::Unsuitable,
    ErrorCode::Refused,
    ErrorCode::Full,
    ErrorCode::LightFull,
    ErrorCode::NotAdmitted,
    ErrorCode::Busy,
];

/// The errors of a pool's call to dial a peer.
const OF_A_LEASE: &[ErrorCode] =
    &[ErrorCode::MethodNotFound, ErrorCode::InvalidParams, ErrorCode::Unsuitable, ErrorCode::Refused, ErrorCode::Busy];

fn caps(texts: &[&str]) -> Vec<Capability> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

pub(super) fn ping() -> MethodRow {
    let text = "Takes no params. The pool stores nothing about the caller.";
    MethodRow::new::<String>(
        method::PING,
        CallDirection::AnyToPool,
        "Check that a pool responds",
        text,
        ("pong", "\"pong\""),
    )
    .fails(&[ErrorCode::Busy])
    .example("a pool answers", Some(Vec::new()), &"pong")
}

pub(super) fn status() -> MethodRow {
    let text = "Takes no params. The pool's `--status` flag sets who can read it: everyone, members (over the \
                WebSocket of a connected agent), or nobody. The result contains the original's fields and additional ones.";
    let status = PoolStatus {
        time_updated: NOW.rfc3339(),
        time_started: NOW.minus(3_600_000).rfc3339(),
        version: "vipnode/0.1.0".to_owned(),
        pool_id: examples::pool_id(),
        active_hosts: vec![HostStatus {
            short_id: examples::host().short(),
            last_seen: NOW.minus(20_000).rfc3339(),
            kind: "geth".to_owned(),
            node_version: GETH.to_owned(),
            vipnode_version: "vipnode/0.1.0".to_owned(),
            block_number: 23_900_000,
            num_peers: 1,
            slots: 20,
        }],
        stats: PoolStats {
            num_active_hosts: 1,
            num_total_hosts: 1,
            num_active_clients: 1,
            num_total_clients: 1,
            latest_block_number: 23_900_000,
            num_running_leases: 1,
            running_ms: Some(90_000),
            running_cost: examples::price().cost(90_000),
            price: examples::price(),
            num_agents: 2,
            num_leases: 1,
            num_free_slots: 19,
            ..PoolStats::default()
        },
        fee_bps: 0,
        terms: Some(PaymentTerms::default()),
        error: None,
    };
    MethodRow::new::<PoolStatus>(
        method::STATUS,
        CallDirection::AnyToPool,
        "Get the status of the pool",
        text,
        ("status", "The status"),
    )
    .fails(&[ErrorCode::NotMember, ErrorCode::Unsuitable, ErrorCode::Busy])
    .example("one host, one client", Some(Vec::new()), &status)
}

pub(super) fn reach() -> MethodRow {
    let text = "Intended for callers that may later connect as agents. The pool stores nothing about the caller and assigns \
                no slot. It tests the port only at the caller's source address; if it cannot test the port at the \
                moment, `port_error` contains the reason. With `connect`, params are [request, envelope], signed as \
                for vipnode_connect but with the name of this method. The pool then checks the audience, delegation, membership, bans, and chain as for a connect call: `admission` is the result, and `supply` counts the \
                hosts that the pool could assign to the node. `vipnode doctor` calls this method.";
    let request = ReachRequest { port: Some(30_303), node: examples::client(), chain_id: 1, join: None, connect: None };
    let reply = ReachReply {
        address: [198, 51, 100, 7].into(),
        port: Some(Reach::Open),
        port_error: None,
        time_ms: NOW,
        admission: Admission::Allowed,
        supply: None,
    };
    MethodRow::new::<ReachReply>(
        method::REACH,
        CallDirection::AnyToPool,
        "Test how the pool sees the caller",
        text,
        ("result", "The pool's view of the caller"),
    )
    .takes::<ReachRequest>("request", "The caller's node and the port to test")
    .fails(&[ErrorCode::InvalidParams, ErrorCode::Busy])
    .example("the port is open", examples::bare(&request), &reply)
}

pub(super) fn connect() -> MethodRow {
    let text = "Authenticates an agent and describes its node. On a WebSocket, the nonce is the challenge from the \
                `vipnode-challenge` header of the 101 response, and the call authenticates the socket. Later calls on \
                the socket are not signed. Over HTTP, the nonce is a Unix timestamp in milliseconds, and every call \
                is signed. A new connection from a node replaces its old one. If the first param is a string, the \
                call is a protocol 2 call.";
    let hello = ConnectRequest {
        protocol: PROTOCOL,
        agent_version: "vipnode/0.1.0".to_owned(),
        client_version: LIGHT.to_owned(),
        capabilities: caps(&["les/4"]),
        min_versions: Vec::new(),
        chain: examples::chain(),
        enode: Some(examples::client_enode()),
        host: None,
        client: Some(ClientCriteria {
            max_price: "100 gwei/minute".parse().ok(),
            required_capabilities: caps(&["les"]),
            ..ClientCriteria::default()
        }),
        join: None,
        allow_protocol2: false,
    };
    let reply = ConnectReply {
        pool_version: "vipnode/0.1.0".to_owned(),
        pool_id: examples::pool_id(),
        welcome: Some("Welcome.".to_owned()),
        report_interval_ms: 60_000,
        fee_bps: 0,
        terms: PaymentTerms::default(),
        price: examples::price(),
        leases: Vec::new(),
        replaced: None,
        no_hosts: None,
        payout: None,
        next_price: None,
    };
    let codes = &[
        ErrorCode::InvalidParams,
        ErrorCode::Unauthorized,
        ErrorCode::NotMember,
        ErrorCode::Unsuitable,
        ErrorCode::Busy,
    ];
    MethodRow::new::<ConnectReply>(
        method::CONNECT,
        CallDirection::AgentToPool,
        "Connect an agent to the pool",
        text,
        ("welcome", "The pool's welcome"),
    )
    .takes::<ConnectRequest>("hello", "The agent and its node")
    .signed(Signing::Always)
    .fails(codes)
    .example("a light client", examples::signed(method::CONNECT, CHALLENGE, &hello), &reply)
    .in_protocol2(protocol2::connect())
}

pub(super) fn report() -> MethodRow {
    let text = "An agent sends a report once in each interval of `report_interval_ms` (a field of the welcome), even if nothing \
                changed, and immediately after a change. The first report on a socket contains `full`; later reports \
                contain only changes. `hash` covers the whole set after the report. If the sequence number or the \
                hash does not match, the pool counts nothing and returns `resync`; the agent must then send a full \
                report. A report names only leased peers.";
    let full = ReportRequest {
        seq: 1,
        full: Some(vec![UpLease { lease: LEASE, continuous: true }]),
        hash: Some(LeaseSetHash::of([LEASE])),
        head: Some(23_900_000),
        ..ReportRequest::default()
    };
    let change = ReportRequest {
        seq: 2,
        up: vec![OTHER_LEASE],
        hash: Some(LeaseSetHash::of([LEASE, OTHER_LEASE])),
        ..ReportRequest::default()
    };
    let quiet = ReportRequest { seq: 3, ..ReportRequest::default() };
    let taken = ReportReply::default();
    MethodRow::new::<ReportReply>(
        method::REPORT,
        CallDirection::AgentToPool,
        "Report which leased peers are connected",
        text,
        ("result", "Whether the report matched the pool's state"),
    )
    .takes::<ReportRequest>("report", "The state of the agent's leased peers")
    .signed(Signing::OverHttp)
    .fails(OF_AN_AGENT)
    .example("the first on a socket", examples::bare(&full), &taken)
    .example("another host is connected", examples::bare(&change), &taken)
    .example("nothing changed", examples::bare(&quiet), &taken)
    .example(
        "the report does not match",
        examples::bare(&ReportRequest { seq: 7, ..quiet }),
        &ReportReply { resync: true, ..ReportReply::default() },
    )
}

pub(super) fn ask() -> MethodRow {
    let text = "Sets the total number of hosts that a client wants. The pool stores this number and assigns further \
                hosts with `vipnode_dial` until the client's next ask. The response is sent once a host has admitted \
                the client, or at a deadline with a `reason`. Over HTTP, where the pool cannot call the agent, ask \
                again.";
    let request = AskRequest { want: 2, avoid: Vec::new() };
    let leased = LeasedHost {
        lease: LEASE,
        host: examples::host_enode(),
        price: examples::price(),
        client_version: GETH.to_owned(),
        redial_ms: None,
    };
    let reply = AskReply { hosts: vec![leased], missing: 1, reason: None };
    let none = AskReply {
        hosts: Vec::new(),
        missing: 2,
        reason: Some("2 hosts on mainnet: 1 is full, 1 offers no slots".to_owned()),
    };
    let codes = &[
        ErrorCode::InvalidParams,
        ErrorCode::Unauthorized,
        ErrorCode::Unsuitable,
        ErrorCode::Unpaired,
        ErrorCode::PaymentRequired,
        ErrorCode::Busy,
    ];
    MethodRow::new::<AskReply>(
        method::ASK,
        CallDirection::AgentToPool,
        "Request hosts",
        text,
        ("hosts", "The hosts that admitted the client"),
    )
    .takes::<AskRequest>("request", "The number of hosts wanted, and the hosts to avoid")
    .signed(Signing::OverHttp)
    .fails(codes)
    .example("one host immediately, the other later", examples::bare(&request), &reply)
    .example("no host is free (over HTTP)", examples::over_http(method::ASK, &request), &none)
}

pub(super) fn explain() -> MethodRow {
    let text = "Returns information about the client's own leases and its own request. Other hosts appear only as \
                counts. `vipnode status --why` displays the result.";
    let score = Score { free_slots: 19, latency: 12, uptime: 5, ..Score::default() };
    let reply = ExplainReply {
        want: 1,
        price: examples::price(),
        connected_hosts: 3,
        examined: 3,
        candidates: 1,
        excluded: Excluded { already_leased: 1, full: 1, ..Excluded::default() },
        hosts: vec![ExplainedHost {
            lease: LEASE,
            host: examples::host(),
            selection: Some(Selection { score: score.summed(), candidates: 2 }),
        }],
        ..ExplainReply::default()
    };
    let codes = &[ErrorCode::InvalidParams, ErrorCode::Unauthorized, ErrorCode::Unsuitable, ErrorCode::Busy];
    MethodRow::new::<ExplainReply>(
        method::EXPLAIN,
        CallDirection::AgentToPool,
        "Explain why the client has its hosts",
        text,
        ("explanation", "The explanation"),
    )
    .takes::<ExplainRequest>("nothing", "An empty object")
    .signed(Signing::OverHttp)
    .fails(codes)
    .example("one of three hosts", examples::bare(&ExplainRequest {}), &reply)
}

pub(super) fn leave() -> MethodRow {
    let text = "Ends leases from either side. The pool notifies the other side with `vipnode_evict`.";
    let request = LeaveRequest { leases: vec![LEASE], reason: LeaveReason::Surplus, fault: None };
    MethodRow::new::<Done>(method::LEAVE, CallDirection::AgentToPool, "End leases", text, ("done", "An empty object"))
        .takes::<LeaveRequest>("leases", "The leases to end, and the reason")
        .signed(Signing::OverHttp)
        .fails(OF_AN_AGENT)
        .example("one host too many", examples::bare(&request), &Done {})
}

pub(super) fn bye() -> MethodRow {
    let text = "The agent is stopping, and all its leases end. If a socket is lost without this call, no lease ends \
                immediately.";
    MethodRow::new::<Done>(
        method::BYE,
        CallDirection::AgentToPool,
        "Disconnect and end all leases",
        text,
        ("done", "An empty object"),
    )
    .takes::<ByeRequest>("nothing", "An empty object")
    .signed(Signing::OverHttp)
    .fails(OF_AN_AGENT)
    .example("bye", examples::bare(&ByeRequest {}), &Done {})
}

pub(super) fn admit() -> MethodRow {
    let text = "Asks a host to admit a client. The host records the lease in its journal, makes its node trust the \
                client, and responds. Only then does the pool assign the host to the client.";
    let call = AdmitCall {
        lease: LEASE,
        client: examples::client(),
        price: examples::price(),
        client_enode: Some(examples::client_enode()),
        client_version: LIGHT.to_owned(),
        light: true,
    };
    MethodRow::new::<Done>(
        method::ADMIT,
        CallDirection::PoolToAgent,
        "Admit a client",
        text,
        ("done", "The node has been updated"),
    )
    .takes::<AdmitCall>("client", "The client and the lease")
    .fails(OF_AN_ADMIT)
    .example("Ben's node", examples::bare(&call), &Done {})
}

pub(super) fn evict() -> MethodRow {
    let text = "A lease has ended. A host removes the client from its node's trusted peers and then disconnects it. A \
                client stops dialing. If the agent does not know the lease, there is nothing to undo.";
    let call =
        EvictCall { lease: LEASE, peer: examples::client(), reason: EvictReason::Left, fault: None, account: None };
    MethodRow::new::<Done>(method::EVICT, CallDirection::PoolToAgent, "End a lease", text, ("done", "An empty object"))
        .takes::<EvictCall>("lease", "The lease that ended, and the reason")
        .fails(&[ErrorCode::MethodNotFound, ErrorCode::InvalidParams, ErrorCode::Refused, ErrorCode::Busy])
        .example("the client left", examples::bare(&call), &Done {})
}

pub(super) fn dial() -> MethodRow {
    let text = "Asks a client to dial another host that it requested and that has already admitted it, or asks a host to \
                dial a leased client that cannot reach the host.";
    let call = DialCall {
        lease: OTHER_LEASE,
        side: Side::Client,
        peer: examples::host_enode(),
        price: examples::price(),
        client_version: GETH.to_owned(),
        redial_ms: Some(21_500),
    };
    MethodRow::new::<Done>(
        method::DIAL,
        CallDirection::PoolToAgent,
        "Dial a peer",
        text,
        ("done", "The call was accepted"),
    )
    .takes::<DialCall>("peer", "The peer to dial, and the lease")
    .fails(OF_A_LEASE)
    .example("another host", examples::bare(&call), &Done {})
}

pub(super) fn notice() -> MethodRow {
    let text = "Asks the agent to show its user a notice. A client is notified when the funds of the account that pays for its node run low: by default when, at the current rate of use, they last for 24 h, 1 h, and 10 min. Each of these notices is sent only once; it can be sent again after the account is credited. A client in its free trial is notified once, by default 5 min before the trial ends. On `funds_changed`, \
                a client shows nothing and asks for hosts again if it lacks some. An agent \
                ignores a `kind` that it does not know.";
    let call = NoticeCall::FundsLow(FundsLow {
        account: Account::new([7; 20]),
        asset: examples::price().asset(),
        available: Amount::new(6_000_000_000_000),
        left_ms: 3_600_000,
    });
    let ends = NoticeCall::TrialEnds(TrialEnds {
        left_ms: 300_000,
        price: examples::price(),
        minimum_balance: Some(Amount::new(1_000_000_000_000)),
        pays: false,
    });
    MethodRow::new::<Done>(
        method::NOTICE,
        CallDirection::PoolToAgent,
        "Show the user a notice",
        text,
        ("done", "An empty object"),
    )
    .takes::<NoticeCall>("notice", "The notice to show")
    .fails(&[ErrorCode::MethodNotFound, ErrorCode::InvalidParams])
    .example("the funds last for an hour", examples::bare(&call), &Done {})
    .example("the trial lasts for 5 more minutes", examples::bare(&ends), &Done {})
}

pub(super) fn price() -> MethodRow {
    let text = "Asks both sides of a lease whether they agree to a price: a previously announced price, or the current price if the lease is a free trial that is ending. The lease adopts the price once both have agreed. If a side refuses or does not answer, the lease ends.";
    let price = PriceCall { lease: LEASE, row: 1, price: examples::price(), fee_bps: 500, from_ms: NOW };
    MethodRow::new::<Done>(
        method::PRICE,
        CallDirection::PoolToAgent,
        "Agree to a price",
        text,
        ("done", "The agent agrees"),
    )
    .takes::<PriceCall>("price", "The lease, and its price")
    .fails(OF_A_LEASE)
    .example("a lease of Ben's node", examples::bare(&price), &Done {})
}
