//! The methods of protocol 3, and those that are the same in both.

use super::{
    examples::{self, CHALLENGE, GETH, LEASE, LIGHT, NOW, OTHER_LEASE},
    protocol2,
    row::{Row, Signing, Way},
};
use vipnode_types::{
    Capability, LeaseSetHash,
    wire::{
        Admission, AdmitCall, AskReply, AskRequest, ByeRequest, ClientCriteria, ConnectReply, ConnectRequest, DialCall,
        Done, ErrorCode, EvictCall, EvictReason, Excluded, ExplainReply, ExplainRequest, ExplainedHost, HostStatus,
        LeasedHost, LeaveReason, LeaveRequest, PROTOCOL, PoolStats, PoolStatus, Reach, ReachReply, ReachRequest,
        ReportReply, ReportRequest, Score, Selection, Side, UpLease, method,
    },
};

/// An agent that has connected asks for something.
const OF_AN_AGENT: &[ErrorCode] = &[ErrorCode::InvalidParams, ErrorCode::Unauthorized, ErrorCode::Busy];

/// A pool has an agent let a peer in, or dial one.
const OF_A_GRANT: &[ErrorCode] =
    &[ErrorCode::MethodNotFound, ErrorCode::InvalidParams, ErrorCode::Unsuitable, ErrorCode::Refused, ErrorCode::Busy];

fn caps(texts: &[&str]) -> Vec<Capability> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

pub(super) fn ping() -> Row {
    let text = "Takes no params. Nothing is known of the caller afterwards.";
    Row::new::<String>(method::PING, Way::AnyToPool, "Is there a pool?", text, ("pong", "\"pong\""))
        .fails(&[ErrorCode::Busy])
        .example("a pool answers", Some(Vec::new()), &"pong")
}

pub(super) fn status() -> Row {
    let text = "Takes no params. `--status` of the pool says who may see it: everybody, members on the WebSocket of an \
                agent that connected, or nobody. The original's fields and more.";
    let status = PoolStatus {
        time_updated: NOW.rfc3339(),
        time_started: NOW.minus(3_600_000).rfc3339(),
        version: "vipnode/0.1.0".to_owned(),
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
            price: examples::price(),
            num_agents: 2,
            num_leases: 1,
            num_free_slots: 19,
            ..PoolStats::default()
        },
        error: None,
    };
    Row::new::<PoolStatus>(method::STATUS, Way::AnyToPool, "How is the pool?", text, ("status", "What it shows"))
        .fails(&[ErrorCode::NotMember, ErrorCode::Unsuitable, ErrorCode::Busy])
        .example("one host, one client", Some(Vec::new()), &status)
}

pub(super) fn reach() -> Row {
    let text = "For somebody who may become an agent: nothing is kept of it, and no slot is taken. A port is tried at \
                the address that the caller comes from and at no other. `vipnode doctor` calls it.";
    let request = ReachRequest { port: Some(30_303), node: examples::client(), chain_id: 1, join: None };
    let reply = ReachReply {
        address: [198, 51, 100, 7].into(),
        port: Some(Reach::Open),
        time_ms: NOW,
        admission: Admission::Allowed,
    };
    Row::new::<ReachReply>(method::REACH, Way::AnyToPool, "How does the pool see me?", text, ("seen", "How it does"))
        .takes::<ReachRequest>("request", "Who asks, and which port of his to try")
        .fails(&[ErrorCode::InvalidParams, ErrorCode::Busy])
        .example("the port is open", examples::bare(&request), &reply)
}

pub(super) fn connect() -> Row {
    let text = "An agent presents its node. On a WebSocket the nonce is the challenge of the header \
                `vipnode-challenge` of the 101 response, and the call authenticates the socket: what follows on it is \
                not signed. Over HTTP the nonce is Unix milliseconds, and each further call is signed too. A new \
                connection of a node replaces its old one. Params that begin with a text are protocol 2's.";
    let hello = ConnectRequest {
        protocol: PROTOCOL,
        agent_version: "vipnode/0.1.0".to_owned(),
        client_version: LIGHT.to_owned(),
        capabilities: caps(&["les/4"]),
        min_versions: Vec::new(),
        chain: examples::chain(),
        enode: Some(examples::client_enode()),
        host: None,
        client: Some(ClientCriteria { max_price: Some(examples::price()), required_capabilities: caps(&["les"]) }),
        join: None,
        allow_protocol2: false,
    };
    let reply = ConnectReply {
        pool_version: "vipnode/0.1.0".to_owned(),
        welcome: Some("Welcome.".to_owned()),
        report_interval_ms: 60_000,
        price: examples::price(),
        leases: Vec::new(),
    };
    let codes = &[
        ErrorCode::InvalidParams,
        ErrorCode::Unauthorized,
        ErrorCode::NotMember,
        ErrorCode::Unsuitable,
        ErrorCode::Busy,
    ];
    Row::new::<ConnectReply>(method::CONNECT, Way::AgentToPool, "Here I am", text, ("welcome", "The pool's welcome"))
        .takes::<ConnectRequest>("hello", "The agent and its node")
        .signed(Signing::Always)
        .fails(codes)
        .example("a light client", examples::signed(method::CONNECT, CHALLENGE, &hello), &reply)
        .in_protocol2(protocol2::connect())
}

pub(super) fn report() -> Row {
    let text = "Due once in each `report_interval_ms` of the welcome, also when nothing changed, and at once when \
                something did. The first on a socket has `full`; later ones say what changed. `hash` covers the whole \
                set after the report. Where sequence or hash does not fit, the pool counts nothing and answers \
                `resync`: send a full one. Only leased peers are named.";
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
    let taken = ReportReply { resync: false };
    Row::new::<ReportReply>(method::REPORT, Way::AgentToPool, "What I see", text, ("taken", "Whether it fitted"))
        .takes::<ReportRequest>("report", "What the agent sees of its leased peers")
        .signed(Signing::OverHttp)
        .fails(OF_AN_AGENT)
        .example("the first on a socket", examples::bare(&full), &taken)
        .example("a further host is connected", examples::bare(&change), &taken)
        .example("nothing changed", examples::bare(&quiet), &taken)
        .example("it does not fit", examples::bare(&ReportRequest { seq: 7, ..quiet }), &ReportReply { resync: true })
}

pub(super) fn ask() -> Row {
    let text = "Says how many hosts a client wants in all. The pool remembers it and tops up by itself with \
                `vipnode_dial`, until another ask. The answer comes once a host let the client in, or with `reason` at a \
                deadline. Over HTTP, where the pool cannot call, ask again.";
    let request = AskRequest { want: 2, avoid: Vec::new() };
    let grant = LeasedHost {
        lease: LEASE,
        host: examples::host_enode(),
        price: examples::price(),
        client_version: GETH.to_owned(),
    };
    let reply = AskReply { hosts: vec![grant], missing: 1, reason: None };
    let none = AskReply {
        hosts: Vec::new(),
        missing: 2,
        reason: Some("no host on mainnet has a free slot now; you get one as soon as it is free".to_owned()),
    };
    let codes = &[
        ErrorCode::InvalidParams,
        ErrorCode::Unauthorized,
        ErrorCode::Unsuitable,
        ErrorCode::Unpaired,
        ErrorCode::Busy,
    ];
    Row::new::<AskReply>(method::ASK, Way::AgentToPool, "Give me hosts", text, ("given", "Who let the client in"))
        .takes::<AskRequest>("wish", "How many, and whom not")
        .signed(Signing::OverHttp)
        .fails(codes)
        .example("one at once, the other follows", examples::bare(&request), &reply)
        .example("none is free, over HTTP", examples::over_http(method::ASK, &request), &none)
}

pub(super) fn explain() -> Row {
    let text = "Tells a client of its own leases and its own wish; hosts that it has not are numbers and nothing else. \
                `vipnode status --why` shows it.";
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
    Row::new::<ExplainReply>(method::EXPLAIN, Way::AgentToPool, "Why these hosts?", text, ("why", "Why"))
        .takes::<ExplainRequest>("nothing", "An empty object")
        .signed(Signing::OverHttp)
        .fails(codes)
        .example("one of three hosts", examples::bare(&ExplainRequest {}), &reply)
}

pub(super) fn leave() -> Row {
    let text = "Ends leases, from either side. The other side is told by `vipnode_evict`.";
    let request = LeaveRequest { leases: vec![LEASE], reason: LeaveReason::Surplus, fault: None };
    Row::new::<Done>(method::LEAVE, Way::AgentToPool, "I end these leases", text, ("done", "An empty object"))
        .takes::<LeaveRequest>("leases", "Which, and why")
        .signed(Signing::OverHttp)
        .fails(OF_AN_AGENT)
        .example("a host too many", examples::bare(&request), &Done {})
}

pub(super) fn bye() -> Row {
    let text = "The agent stops; all its leases end. A socket that is lost without it ends nothing at once.";
    Row::new::<Done>(method::BYE, Way::AgentToPool, "I stop", text, ("done", "An empty object"))
        .takes::<ByeRequest>("nothing", "An empty object")
        .signed(Signing::OverHttp)
        .fails(OF_AN_AGENT)
        .example("bye", examples::bare(&ByeRequest {}), &Done {})
}

pub(super) fn admit() -> Row {
    let text = "A host is to let a client in. It journals the grant, has its node trust the client, and answers; only \
                then is the client told of the host.";
    let call = AdmitCall {
        lease: LEASE,
        client: examples::client(),
        price: examples::price(),
        client_enode: Some(examples::client_enode()),
        client_version: LIGHT.to_owned(),
        light: true,
    };
    Row::new::<Done>(method::ADMIT, Way::PoolToAgent, "Let this client in", text, ("done", "The node was told"))
        .takes::<AdmitCall>("client", "Who, under which lease")
        .fails(OF_A_GRANT)
        .example("Ben's node", examples::bare(&call), &Done {})
}

pub(super) fn evict() -> Row {
    let text = "A lease is over. A host has its node untrust the client and then disconnect it; a client stops \
                dialing. A lease that the agent does not know is done already.";
    let call = EvictCall { lease: LEASE, peer: examples::client(), reason: EvictReason::Left, fault: None };
    Row::new::<Done>(method::EVICT, Way::PoolToAgent, "This lease is over", text, ("done", "An empty object"))
        .takes::<EvictCall>("lease", "Which, and why")
        .fails(&[ErrorCode::MethodNotFound, ErrorCode::InvalidParams, ErrorCode::Refused, ErrorCode::Busy])
        .example("the client left", examples::bare(&call), &Done {})
}

pub(super) fn dial() -> Row {
    let text = "To a client: a further host of its ask, already admitted. To a host: dial a leased client that cannot \
                reach it.";
    let call = DialCall {
        lease: OTHER_LEASE,
        side: Side::Client,
        peer: examples::host_enode(),
        price: examples::price(),
        client_version: GETH.to_owned(),
    };
    Row::new::<Done>(method::DIAL, Way::PoolToAgent, "Dial this peer", text, ("done", "It was taken"))
        .takes::<DialCall>("peer", "Whom, under which lease")
        .fails(OF_A_GRANT)
        .example("a further host", examples::bare(&call), &Done {})
}
