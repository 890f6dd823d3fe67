//! What attackers do: each act is a frame that the protocol allows, or a socket that opens or closes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vipnode_pool_core::{CallId, CallOutcome, Command, ConnectionId, Effect, Identity, PoolCall, Reply};
use vipnode_types::{
    AgentPublic, ChainSpec, Enode, LeaseId, LeaseSetHash, Ms, NodeId,
    wire::{
        AskRequest, ClientCriteria, ConnectRequest, ErrorCode, HostCapabilities, HostOffer, LeaveReason, LeaveRequest,
        PROTOCOL, PairFault, ReportRequest, UpLease, WireError,
    },
};

use super::{RunEvent, Simulation};
use crate::{
    AttackerKind, EPOCH_MS,
    scenarios::{capabilities, client_of_known_hosts, honest_chain},
};

/// The gateway of their sockets.
pub(crate) const ATTACKERS: u16 = 1;
/// A silent host reports this often, in ms, so that it stays.
const REPORT_MS: u64 = 50_000;
/// Hosts and clients are connected with each other for so long from the start before they turn on others, in virtual ms.
const KNOWN_AFTER_MS: u64 = 120_000;
/// How an attacker leaves a lease.
const REASONS: [LeaveReason; 6] = [
    LeaveReason::NotConnected,
    LeaveReason::Unstable,
    LeaveReason::Rejected,
    LeaveReason::Mismatch,
    LeaveReason::Surplus,
    LeaveReason::Lost,
];

/// Why a host refuses a client.
const REFUSALS: [ErrorCode; 5] =
    [ErrorCode::Full, ErrorCode::Busy, ErrorCode::Unsuitable, ErrorCode::LightFull, ErrorCode::Refused];

/// The sockets of all attackers.
#[derive(Debug, Default)]
pub(crate) struct Attackers {
    sessions: BTreeMap<u32, AttackerSession>,
    /// Ids so far: each session has a new one.
    ids: u32,
    /// Where the node of each id is.
    ips: BTreeMap<NodeId, IpAddr>,
}

/// What an attacker reports of its leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// They were connected all the time.
    Connected,
    /// They were interrupted since the last report: each begins another billing period.
    Interrupted,
    /// They were connected, and the hosts serve what nobody serves.
    Invented,
}

impl Attackers {
    /// The pool's process ended, and all sockets with it.
    pub(crate) fn disconnect_all(&mut self) {
        self.sessions.clear();
    }

    /// The address of an attacker's node; `None` if no attacker has it.
    pub(super) fn ip_of(&self, node: NodeId) -> Option<IpAddr> {
        self.ips.get(&node).copied()
    }
}

/// A socket of an attacker.
#[derive(Debug)]
struct AttackerSession {
    group: usize,
    ip: IpAddr,
    hosts: bool,
    seq: u32,
    reported: u64,
    asks: bool,
    leases: Vec<LeaseId>,
    /// Those that its last report named as connected.
    connected: Vec<LeaseId>,
    calls: Vec<CallId>,
}

impl Simulation {
    /// The address of an attacker's socket.
    pub(crate) fn attacker_ip(&self, connection: ConnectionId) -> Option<IpAddr> {
        self.attackers.sessions.get(&connection.connection).map(|session| session.ip)
    }

    /// A group acts, and acts again later.
    pub(crate) fn attackers_act(&mut self, group: usize) {
        if self.now >= self.scenario.safety_ms {
            return;
        }
        let plan = self.scenario.attackers[group].clone();
        self.within(1, 2 * plan.every_ms, RunEvent::AttackersAct { group });
        if self.pool.core.is_none() {
            return;
        }
        let of_group = self.attackers.sessions.iter().filter(|(_, session)| session.group == group);
        let open: Vec<u32> = of_group.map(|(number, _)| *number).collect();
        if open.len() < plan.sockets {
            let ip = plan.ips[self.rng.index(plan.ips.len())];
            let is_client = plan.kind.has_hosts_and_clients() && self.hosts_among(&open) * 2 >= plan.sockets;
            let ip = match plan.kind {
                AttackerKind::KnownHosts if is_client => client_of_known_hosts(self.attackers.ids),
                AttackerKind::RowFlood => neighbor(ip, self.attackers.ids),
                _ => ip,
            };
            self.attacker_connects(group, (plan.kind, is_client), ip);
            return;
        }
        let number = open[self.rng.index(open.len())];
        match plan.kind {
            AttackerKind::FreeIds if self.rng.chance(500) => self.attacker_asks(number, 3),
            AttackerKind::FreeIds => self.attacker_closes(number),
            AttackerKind::SilentHosts | AttackerKind::RefusingHosts => self.attackers_report(&open),
            AttackerKind::Liars => self.attacker_lies(number),
            AttackerKind::KnownHosts => self.known_hosts_act(&open, number),
            AttackerKind::RowFlood => self.row_flood_acts(&open, number),
            AttackerKind::Flood => {
                self.attackers_report(&open);
                for number in open {
                    self.attacker_asks(number, 1);
                }
            }
        }
    }

    fn attacker_connects(&mut self, group: usize, (kind, is_client): (AttackerKind, bool), ip: IpAddr) {
        self.attackers.ids += 1;
        let number = self.attackers.ids;
        let mut id = [9; 64];
        id[..4].copy_from_slice(&number.to_be_bytes());
        self.attackers.ips.insert(NodeId::new(id), ip);
        let hosts = match kind {
            AttackerKind::FreeIds | AttackerKind::Flood => false,
            AttackerKind::SilentHosts | AttackerKind::RefusingHosts => true,
            AttackerKind::Liars => self.rng.chance(500),
            AttackerKind::KnownHosts | AttackerKind::RowFlood => !is_client,
        };
        let invents = kind == AttackerKind::Liars && self.rng.chance(700);
        let mut chain = honest_chain();
        if (kind == AttackerKind::FreeIds || invents) && self.rng.chance(300) {
            chain = ChainSpec { chain_id: chain.chain_id + self.rng.below(3), genesis: self.rng.seed().into() };
        }
        let wild = self.rng.count(2, 100_000);
        let own = format!("own/{}", wild % 250);
        let list: &[&str] = if invents { &["eth", "les", &own] } else { &["eth", "snap"] };
        let required = if kind == AttackerKind::Flood { capabilities(&[&own]) } else { Vec::new() };
        let hello = ConnectRequest {
            protocol: PROTOCOL,
            agent_version: "vipnode/sim".to_owned(),
            client_version: if invents { format!("Geth/v9.{wild}") } else { "Geth/v1.17.5".to_owned() },
            capabilities: capabilities(list),
            min_versions: Vec::new(),
            chain,
            enode: Some(Enode::at(NodeId::new(id), ip, 30_303)),
            host: hosts.then(|| HostOffer { slots: wild % 60 + 1, payout: None, no_trials: false }),
            client: (!hosts).then(|| ClientCriteria { required_capabilities: required, ..ClientCriteria::default() }),
            join: None,
            allow_protocol2: false,
        };
        let session = AttackerSession {
            group,
            ip,
            hosts,
            seq: 0,
            reported: 0,
            asks: false,
            leases: Vec::new(),
            connected: Vec::new(),
            calls: Vec::new(),
        };
        self.attackers.sessions.insert(number, session);
        let identity = Identity { node: NodeId::new(id), agent: self.attacker_key(), issued: Ms::new(EPOCH_MS) };
        let (connection, request, address) = (connection(number), self.next_request(), ip);
        let hello = Box::new(hello);
        self.attacker_command(
            number,
            Command::Connect { connection, request, identity, address, callable: true, hello },
        );
        self.attacker_reports(number, &[], Claim::Connected);
    }

    /// The key of all attackers' agents; nothing depends on it.
    fn attacker_key(&self) -> AgentPublic {
        self.agents[0].plan.key
    }

    fn next_request(&mut self) -> u64 {
        self.pool.next_request += 1;
        self.pool.next_request - 1
    }

    fn attacker_command(&mut self, number: u32, command: Command) {
        let Some(ip) = self.attackers.sessions.get(&number).map(|session| session.ip) else { return };
        self.command_from(None, ip, command);
    }

    fn attacker_asks(&mut self, number: u32, most: u32) {
        let want = self.rng.count(1, most);
        self.attacker_wants(number, want, Vec::new());
    }

    fn attacker_wants(&mut self, number: u32, want: u32, avoid: Vec<NodeId>) {
        let Some(session) = self.attackers.sessions.get_mut(&number).filter(|session| !session.hosts) else { return };
        if std::mem::replace(&mut session.asks, true) {
            return;
        }
        let (request, ask) = (self.next_request(), Box::new(AskRequest { want, avoid }));
        self.attacker_command(number, Command::Ask { connection: connection(number), request, ask });
    }

    fn attackers_report(&mut self, open: &[u32]) {
        for &number in open {
            let due = |session: &AttackerSession| session.reported + REPORT_MS < self.now;
            if self.attackers.sessions.get(&number).is_some_and(due) {
                self.attacker_reports(number, &[], Claim::Connected);
            }
        }
    }

    /// Reports these leases as connected.
    fn attacker_reports(&mut self, number: u32, leases: &[LeaseId], claim: Claim) {
        let (now, lies) = (self.now, claim == Claim::Invented);
        let continuous = claim != Claim::Interrupted;
        let Some(session) = self.attackers.sessions.get_mut(&number) else { return };
        session.seq += 1;
        session.reported = now;
        session.connected = leases.to_vec();
        let seen = leases.iter().filter(|_| lies).map(|lease| HostCapabilities {
            lease: *lease,
            capabilities: capabilities(&["snap/999", "eth/999", "les/999"]),
        });
        let report = ReportRequest {
            seq: session.seq,
            full: Some(leases.iter().map(|lease| UpLease { lease: *lease, continuous }).collect()),
            hash: Some(LeaseSetHash::of(leases.iter().copied())),
            host_capabilities: seen.collect(),
            light_slots_full: lies.then_some(true),
            head: Some(u64::MAX),
            ..ReportRequest::default()
        };
        let (request, report) = (self.next_request(), Box::new(report));
        self.attacker_command(number, Command::Report { connection: connection(number), request, report });
    }

    fn hosts_among(&self, open: &[u32]) -> usize {
        open.iter().filter(|number| self.attackers.sessions.get(number).is_some_and(|session| session.hosts)).count()
    }

    /// Hosts and clients of one group are connected with each other first. Afterward, a client leaves these leases for those of
    /// others, and the hosts have free slots that were used.
    fn known_hosts_act(&mut self, open: &[u32], number: u32) {
        let (now, knows) = (self.now, self.now > KNOWN_AFTER_MS);
        for (number, leases) in self.shared_leases(open) {
            let due = |session: &AttackerSession| session.reported + REPORT_MS < now || session.connected != leases;
            if self.attackers.sessions.get(&number).is_some_and(due) {
                self.attacker_reports(number, &leases, Claim::Connected);
            }
        }
        let Some(session) = self.attackers.sessions.get(&number).filter(|session| !session.hosts) else { return };
        if !knows {
            self.attacker_wants_own(number);
        } else if session.leases.is_empty() || self.rng.chance(500) {
            self.attacker_asks(number, 3);
        } else {
            self.attacker_leaves(number);
        }
    }

    /// The leases of each of these sockets that another of them has, too.
    fn shared_leases(&self, open: &[u32]) -> Vec<(u32, Vec<LeaseId>)> {
        let sessions = || open.iter().filter_map(|number| Some((*number, self.attackers.sessions.get(number)?)));
        let mut sides = [BTreeSet::new(), BTreeSet::new()];
        for (_, session) in sessions() {
            sides[usize::from(session.hosts)].extend(session.leases.iter().copied());
        }
        let own: BTreeSet<LeaseId> = &sides[0] & &sides[1];
        let shared =
            |session: &AttackerSession| session.leases.iter().filter(|lease| own.contains(lease)).copied().collect();
        sessions().map(|(number, session)| (number, shared(session))).collect()
    }

    /// A client asks for hosts of attackers.
    fn attacker_wants_own(&mut self, number: u32) {
        let others = self.agents.iter().map(|agent| agent.plan.id).collect();
        self.attacker_wants(number, 3, others);
    }

    /// Hosts and clients in one block are connected with each other, by their word, and each client reports an interruption of all its
    /// leases with every other report. Now and then a client leaves its leases, or an id is replaced.
    fn row_flood_acts(&mut self, open: &[u32], number: u32) {
        for (number, leases) in self.shared_leases(open) {
            let interrupts = |session: &AttackerSession| !session.hosts && session.seq.is_multiple_of(2);
            let interrupts = self.attackers.sessions.get(&number).is_some_and(interrupts);
            self.attacker_reports(number, &leases, if interrupts { Claim::Interrupted } else { Claim::Connected });
        }
        if self.rng.chance(10) {
            self.attacker_closes(number);
        } else if self.rng.chance(100) {
            self.attacker_leaves(number);
        } else {
            self.attacker_wants_own(number);
        }
    }

    /// A client leaves all its leases.
    fn attacker_leaves(&mut self, number: u32) {
        let Some(session) = self.attackers.sessions.get_mut(&number).filter(|session| !session.hosts) else { return };
        let leases = std::mem::take(&mut session.leases);
        let (request, reason) = (self.next_request(), LeaveReason::Surplus);
        let leave = Box::new(LeaveRequest { leases, reason, fault: None });
        self.attacker_command(number, Command::Leave { connection: connection(number), request, leave });
    }

    /// Any frame, with anything in it.
    fn attacker_lies(&mut self, number: u32) {
        let Some(leases) = self.attackers.sessions.get(&number).map(|session| session.leases.clone()) else { return };
        let at = connection(number);
        match self.rng.below(10) {
            0..4 => {
                let some: Vec<LeaseId> = leases.into_iter().filter(|_| self.rng.chance(800)).collect();
                self.attacker_reports(number, &some, Claim::Invented);
            }
            4..7 => self.attacker_asks(number, 5),
            7..9 if !leases.is_empty() => {
                let leases = vec![leases[self.rng.index(leases.len())]];
                let reason = REASONS[self.rng.index(REASONS.len())];
                let fault = [None, Some(PairFault::LightSlots), Some(PairFault::Genesis)][self.rng.index(3)];
                let (request, leave) = (self.next_request(), Box::new(LeaveRequest { leases, reason, fault }));
                self.attacker_command(number, Command::Leave { connection: at, request, leave });
            }
            _ => self.attacker_closes(number),
        }
    }

    fn attacker_closes(&mut self, number: u32) {
        let Some(session) = self.attackers.sessions.get(&number) else { return };
        let (ip, calls) = (session.ip, session.calls.clone());
        self.command_from(None, ip, Command::Disconnected { connection: connection(number) });
        self.attackers.sessions.remove(&number);
        for call in calls {
            self.call_ends(self.pool.incarnation, call, CallOutcome::Lost);
        }
    }

    /// What the pool sends to an attacker.
    pub(crate) fn attacker_receives(&mut self, to: ConnectionId, effect: Effect) {
        let number = to.connection;
        match effect {
            Effect::Reply { reply, .. } => {
                let Some(session) = self.attackers.sessions.get_mut(&number) else { return };
                match reply {
                    Ok(Reply::Ask(ask)) => {
                        session.asks = false;
                        session.leases.extend(ask.hosts.iter().map(|host| host.lease));
                    }
                    Err(_) => session.asks = false,
                    Ok(_) => {}
                }
            }
            Effect::Call { call, message, answer_ms, .. } => {
                let incarnation = self.pool.incarnation;
                self.at(self.now + answer_ms, RunEvent::CallExpires { incarnation, call });
                let answers = self.rng.chance(900);
                let outcome = self.attacker_outcome(number, &message);
                let Some(session) = self.attackers.sessions.get_mut(&number) else { return };
                match message {
                    PoolCall::Admit(admit) => session.leases.push(admit.lease),
                    PoolCall::Evict(evict) => session.leases.retain(|lease| *lease != evict.lease),
                    PoolCall::Dial(dial) if !session.leases.contains(&dial.lease) => session.leases.push(dial.lease),
                    PoolCall::Dial(_) | PoolCall::Price(_) | PoolCall::Whitelist(_) | PoolCall::Notice(_) => {}
                }
                if answers {
                    self.within(1, 40, RunEvent::AttackerAnswers { call, outcome });
                }
            }
            Effect::Close { .. } => self.attacker_closes(number),
            Effect::Persist(_) | Effect::Chain(_) => {}
        }
    }

    /// How an attacker answers a call.
    fn attacker_outcome(&mut self, number: u32, message: &PoolCall) -> CallOutcome {
        let group = self.attackers.sessions.get(&number).and_then(|session| self.scenario.attackers.get(session.group));
        let refuses = group.is_some_and(|plan| plan.kind == AttackerKind::RefusingHosts);
        if !refuses || !matches!(message, PoolCall::Admit(_)) {
            return CallOutcome::Done;
        }
        let code = REFUSALS[self.rng.index(REFUSALS.len())];
        CallOutcome::Refused(WireError::new(code, "no", "Try another host."))
    }

    pub(crate) fn attacker_answers(&mut self, call: CallId, outcome: CallOutcome) {
        self.call_ends(self.pool.incarnation, call, outcome);
    }

    /// The core calls an attacker. Returns the number that stands for its socket, if it is open.
    pub(crate) fn attacker_is_called(&mut self, to: ConnectionId, call: CallId) -> Option<u64> {
        let session = self.attackers.sessions.get_mut(&to.connection)?;
        session.calls.push(call);
        Some(socket_number(to.connection))
    }

    /// The address of the attacker whose socket has that number.
    pub(crate) fn attacker_at(&self, socket: u64) -> Option<IpAddr> {
        let number = u32::try_from(u64::MAX - socket).ok()?;
        self.attacker_ip(connection(number))
    }
}

/// An address of an id, in the block of another address.
fn neighbor(ip: IpAddr, number: u32) -> IpAddr {
    let [.., low] = number.to_be_bytes();
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            IpAddr::from([a, b, c, low])
        }
        IpAddr::V6(ip) => {
            let mut bytes = ip.octets();
            bytes[15] = low;
            IpAddr::from(bytes)
        }
    }
}

const fn connection(number: u32) -> ConnectionId {
    ConnectionId { gateway: ATTACKERS, connection: number, generation: 0 }
}

/// Numbers of attackers' sockets go down from the largest, apart from those of agents.
fn socket_number(number: u32) -> u64 {
    u64::MAX - u64::from(number)
}
