use std::collections::BTreeMap;

use proptest::prelude::*;
use vipnode_types::{
    LeaseId, LeaseSetHash, Ms,
    wire::{AskRequest, ErrorCode, HostCapabilities, LeaveReason, LeaveRequest, ReportRequest, UpLease, WireError},
};

use super::{
    pool::{START, agent_key, chain, client, host, node, order, payout, wei},
    scenario::list,
};
use crate::{CallId, CallOutcome, Command, ConnectionId, Core, Effect, Identity, Limits, Row};

const AGENTS: u32 = 6;

/// What may happen, with small numbers so that things meet.
#[derive(Debug, Clone)]
enum Step {
    Connect {
        agent: u32,
        generation: u32,
        roles: u8,
        slots: u32,
        callable: bool,
        variant: u8,
    },
    Full {
        agent: u32,
        generation: u32,
        seq: u32,
        leases: Vec<(u8, bool)>,
    },
    Delta {
        agent: u32,
        generation: u32,
        seq: u32,
        up: Vec<u8>,
        down: Vec<u8>,
        sound: bool,
    },
    Ask {
        agent: u32,
        generation: u32,
        want: u32,
        avoid: Vec<u32>,
    },
    Leave {
        agent: u32,
        generation: u32,
        leases: Vec<u8>,
        reason: u8,
    },
    Bye {
        agent: u32,
        generation: u32,
    },
    CallDone {
        which: u16,
        outcome: u8,
    },
    Disconnected {
        agent: u32,
        generation: u32,
    },
    Latency {
        agent: u32,
        generation: u32,
    },
    Status,
    Pass {
        ms: u64,
    },
    /// Time passes while everybody connected reports as it should.
    Live {
        ms: u64,
    },
    /// Every call is answered, and these agents state every lease they have.
    Settle {
        agents: u8,
        kept: u16,
    },
    Restart,
    /// The core is built again, and the agents keep their connections. Meanwhile, all of them report or update.
    Rebuild {
        suspended_ms: u64,
    },
}

fn steps() -> impl Strategy<Value = Step> {
    let agent = || (0..AGENTS, 0..2_u32);
    let leases = || proptest::collection::vec(1..12_u8, 0..4);
    prop_oneof![
        4 => (agent(), 0..4_u8, 0..4_u32, any::<bool>(), 0..8_u8).prop_map(
            |((agent, generation), roles, slots, callable, variant)| Step::Connect {
                agent, generation, roles, slots, callable: callable || variant > 1, variant
            }
        ),
        5 => (agent(), 1..9_u32, proptest::collection::vec((1..12_u8, any::<bool>()), 0..4)).prop_map(
            |((agent, generation), seq, leases)| Step::Full { agent, generation, seq, leases }
        ),
        6 => (agent(), 1..9_u32, leases(), leases(), any::<bool>()).prop_map(
            |((agent, generation), seq, up, down, sound)| Step::Delta { agent, generation, seq, up, down, sound }
        ),
        4 => (agent(), 0..4_u32, proptest::collection::vec(0..AGENTS, 0..2)).prop_map(
            |((agent, generation), want, avoid)| Step::Ask { agent, generation, want, avoid }
        ),
        1 => (agent(), leases(), 0..5_u8).prop_map(
            |((agent, generation), leases, reason)| Step::Leave { agent, generation, leases, reason }
        ),
        1 => agent().prop_map(|(agent, generation)| Step::Bye { agent, generation }),
        8 => (any::<u16>(), 0..8_u8).prop_map(|(which, outcome)| Step::CallDone { which, outcome }),
        1 => agent().prop_map(|(agent, generation)| Step::Disconnected { agent, generation }),
        1 => agent().prop_map(|(agent, generation)| Step::Latency { agent, generation }),
        1 => Just(Step::Status),
        6 => prop_oneof![
            0..3_000_u64, 10_000..70_000_u64, 170_000..200_000_u64, Just(3_600_000), Just(90_000_000)
        ].prop_map(|ms| Step::Pass { ms }),
        6 => prop_oneof![0..70_000_u64, 100_000..900_000_u64, Just(90_000_000)].prop_map(|ms| Step::Live { ms }),
        10 => (any::<u8>(), any::<u16>()).prop_map(|(agents, kept)| Step::Settle { agents, kept }),
        1 => Just(Step::Restart),
        2 => prop_oneof![Just(0), 1_000..60_000_u64, Just(600_000)].prop_map(|suspended_ms| Step::Rebuild { suspended_ms }),
    ]
}

/// The core with what was written, and what the two sides could at most have claimed.
struct World {
    core: Core,
    now: Ms,
    rows: Vec<Row>,
    calls: Vec<CallId>,
    /// The last hash and sequence each socket was heard with, so that some reports fit.
    said: BTreeMap<ConnectionId, (u32, LeaseSetHash)>,
}

fn limits() -> Limits {
    Limits {
        price: wei(1_000_000),
        expiries_a_handle: 3,
        served_a_tick: 2,
        nodes: 5,
        delegations: 5,
        recent_pairs: 6,
        explained_leases: 3,
        chains: 2,
        observation_blocks: 1,
        ..Limits::default()
    }
}

/// What a node sees on others: not the same on each lease, and on some lease each of the three.
fn sights(full: &[UpLease]) -> Vec<HostCapabilities> {
    let sight = |lease: LeaseId| match lease.get() % 3 {
        0 => "eth/69 snap/1",
        1 => "eth/69 snap/2 les/4",
        _ => "",
    };
    let seen = |up: &UpLease| HostCapabilities { lease: up.lease, capabilities: list(sight(up.lease)) };
    full.iter().map(seen).collect()
}

fn connection(agent: u32, generation: u32) -> ConnectionId {
    ConnectionId { gateway: 0, connection: agent, generation }
}

impl World {
    fn handle(&mut self, command: Command) {
        let mut out = Vec::new();
        self.core.handle(self.now, command, &mut out);
        let mut persists = 0;
        for (at, effect) in out.into_iter().enumerate() {
            match effect {
                Effect::Persist(rows) => {
                    persists += 1;
                    assert_eq!(at, 0, "rows come first");
                    self.rows.extend(rows);
                }
                Effect::Call { call, .. } => self.calls.push(call),
                Effect::Reply { .. } | Effect::Close { .. } | Effect::Chain(_) => {}
            }
        }
        assert!(persists <= 1, "one transaction for one command");
        assert_eq!(self.core.check(), Ok(()));
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        let mut steps = 0;
        while self.now < end && steps < 400 {
            steps += 1;
            let wake = self.core.next_wake().unwrap_or(end).max(self.now.plus(1));
            self.now = wake.min(self.now.plus(9_000)).min(end);
            self.handle(Command::Tick);
        }
        self.now = end;
        self.handle(Command::Tick);
    }

    /// Agents that the pool holds to be connected.
    fn connected(&self) -> Vec<(u32, ConnectionId)> {
        let nodes = self.core.agents.iter();
        nodes.filter_map(|(index, node)| Some((index, node.connection()?))).collect()
    }

    fn live(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        let step = (ms / 20).max(50_000);
        while self.now < end {
            // A step longer than a report interval is the pool's own pause.
            if step > 60_000 {
                self.now = self.now.plus(step).min(end);
            } else {
                self.pass(step.min(end.since(self.now)));
            }
            for (index, from) in self.connected() {
                let seq = self.core.agents.get(index).unwrap().seq();
                if seq > 0 {
                    self.report(from, ReportRequest { seq: seq + 1, ..Default::default() });
                }
            }
            self.handle(Command::Tick);
        }
    }

    fn settle(&mut self, agents: u8, kept: u16) {
        for call in std::mem::take(&mut self.calls) {
            self.handle(Command::CallDone { call, outcome: CallOutcome::Done });
        }
        for (index, from) in self.connected() {
            if agents >> (from.connection % 8) & 1 == 0 {
                continue;
            }
            let leases = self.core.leases.of(index).into_iter().enumerate();
            let full: Vec<UpLease> = leases
                .map(|(at, (lease, _))| UpLease {
                    lease: self.core.leases.get(lease).unwrap().id(),
                    continuous: kept >> (at % 16) & 1 == 1,
                })
                .collect();
            let hash = Some(LeaseSetHash::of(full.iter().map(|up| up.lease)));
            let seq = self.core.agents.get(index).unwrap().seq() + 1;
            let host_capabilities = sights(&full);
            self.report(from, ReportRequest { seq, full: Some(full), hash, host_capabilities, ..Default::default() });
        }
    }

    fn report(&mut self, from: ConnectionId, report: ReportRequest) {
        self.handle(Command::Report { connection: from, request: 1, report: Box::new(report) });
    }

    fn connect(&mut self, step: &Step) {
        let &Step::Connect { agent, generation, roles, slots, callable, variant } = step else { return };
        let mut hello = host(agent, slots);
        hello.client = client(agent).client;
        if roles & 1 == 0 && roles != 0 {
            hello.host = None;
        }
        if roles & 2 == 0 && roles != 0 {
            hello.client = None;
        }
        if let Some(host) = hello.host.as_mut().filter(|_| variant == 5) {
            host.payout = Some(order(payout(77)));
        }
        if variant == 6 {
            hello.chain = chain(2);
        }
        if variant == 7 {
            hello.enode = None;
        }
        let identity = Identity { node: node(agent), agent: agent_key(), issued: START.plus(u64::from(variant)) };
        let address = [9, 9, 9, u8::try_from(agent % 3).unwrap()].into();
        self.said.remove(&connection(agent, generation));
        self.handle(Command::Connect {
            connection: connection(agent, generation),
            request: 0,
            identity,
            address,
            callable,
            hello: Box::new(hello),
        });
    }

    fn any_report(&mut self, step: Step) {
        let id = |lease: u8| LeaseId::new(lease.into());
        match step {
            Step::Full { agent, generation, seq, leases } => {
                let mut leases = leases;
                leases.sort_unstable();
                leases.dedup_by_key(|(lease, _)| *lease);
                let full: Vec<UpLease> =
                    leases.into_iter().map(|(lease, kept)| UpLease { lease: id(lease), continuous: kept }).collect();
                let hash = LeaseSetHash::of(full.iter().map(|up| up.lease));
                let from = connection(agent, generation);
                self.said.insert(from, (seq, hash));
                let host_capabilities = sights(&full);
                let full = Some(full);
                self.report(
                    from,
                    ReportRequest { seq, full, hash: Some(hash), host_capabilities, ..Default::default() },
                );
            }
            Step::Delta { agent, generation, seq, up, down, sound } => {
                let from = connection(agent, generation);
                let (last, hash) = self.said.get(&from).copied().unwrap_or_default();
                let up: Vec<LeaseId> = up.into_iter().map(id).collect();
                let down: Vec<LeaseId> = down.into_iter().map(id).collect();
                let hash = up.iter().chain(&down).fold(hash, |hash, id| hash.toggled(*id));
                let seq = if sound { last + 1 } else { seq };
                if sound {
                    self.said.insert(from, (seq, hash));
                }
                self.report(from, ReportRequest { seq, up, down, hash: Some(hash), ..Default::default() });
            }
            _ => {}
        }
    }

    fn step(&mut self, step: Step) {
        let id = |lease: u8| LeaseId::new(lease.into());
        match step {
            Step::Connect { .. } => self.connect(&step),
            Step::Full { .. } | Step::Delta { .. } => self.any_report(step),
            Step::Ask { agent, generation, want, avoid } => {
                let ask = Box::new(AskRequest { want, avoid: avoid.into_iter().map(node).collect() });
                self.handle(Command::Ask { connection: connection(agent, generation), request: 2, ask });
            }
            Step::Leave { agent, generation, leases, reason } => {
                let reasons = [
                    LeaveReason::NotConnected,
                    LeaveReason::Unstable,
                    LeaveReason::Surplus,
                    LeaveReason::Drained,
                    LeaveReason::Lost,
                ];
                let leases = leases.into_iter().map(id).collect();
                let leave = Box::new(LeaveRequest { leases, reason: reasons[usize::from(reason)], fault: None });
                self.handle(Command::Leave { connection: connection(agent, generation), request: 3, leave });
            }
            Step::Bye { agent, generation } => {
                self.handle(Command::Bye { connection: connection(agent, generation), request: 4 });
            }
            Step::CallDone { which, outcome } => {
                let Some(at) = usize::from(which).checked_rem(self.calls.len()) else { return };
                let outcome = match outcome {
                    0 => CallOutcome::Refused(WireError::new(ErrorCode::Refused, "no", "")),
                    1 => CallOutcome::Lost,
                    2 => CallOutcome::Expired,
                    _ => CallOutcome::Done,
                };
                let call = self.calls.swap_remove(at);
                self.handle(Command::CallDone { call, outcome });
            }
            Step::Disconnected { agent, generation } => {
                self.handle(Command::Disconnected { connection: connection(agent, generation) });
            }
            Step::Latency { agent, generation } => {
                self.handle(Command::Latency { connection: connection(agent, generation), rtt_us: 5_000 * agent });
            }
            Step::Status => self.handle(Command::Status { connection: connection(99, 0), request: 5 }),
            Step::Pass { ms } => self.pass(ms),
            Step::Live { ms } => self.live(ms),
            Step::Settle { agents, kept } => self.settle(agents, kept),
            Step::Restart => {
                let rows = self.core.rows();
                let again = Core::restore(limits(), [8; 32], self.now, rows.clone());
                assert_eq!(again.rows(), rows, "what is durable comes back as it was");
                self.core = Core::restore(limits(), [8; 32], self.now, self.rows.clone());
                assert_eq!(self.core.check(), Ok(()));
                self.calls.clear();
                self.said.clear();
            }
            Step::Rebuild { suspended_ms } => self.rebuild(suspended_ms),
        }
    }

    fn rebuild(&mut self, suspended_ms: u64) {
        let (attached, leases) = (self.core.attached(), self.core.leases.len());
        let connected = self.connected().len();
        self.core = Core::restore(limits(), [8; 32], self.now, self.rows.clone());
        let mut out = Vec::new();
        self.core.reattach(attached, &mut out);
        assert_eq!((self.connected().len(), self.core.leases.len()), (connected, leases), "nobody leaves");
        assert_eq!(self.core.check(), Ok(()));
        let before = self.core.rows();
        self.now = self.now.plus(suspended_ms);
        for (_, connection) in self.connected() {
            let (report, ask) = (Box::new(ReportRequest { seq: 9, ..Default::default() }), Box::default());
            for command in [
                Command::Report { connection, request: 1, report },
                Command::Ask { connection, request: 1, ask },
                Command::Disconnected { connection },
                Command::Tick,
            ] {
                let mut during = Vec::new();
                self.core.handle_suspended(self.now, command, &mut during);
                let wrote = during.iter().any(|effect| !matches!(effect, Effect::Reply { .. }));
                assert!(!wrote, "nothing begins or ends: {during:?}");
            }
        }
        let leases = |rows: Vec<Row>| rows.into_iter().filter(|row| matches!(row, Row::Lease(_))).collect::<Vec<_>>();
        assert_eq!(leases(self.core.rows()), leases(before));
        self.calls.clear();
        self.said.clear();
        for effect in out {
            match effect {
                Effect::Persist(rows) => self.rows.extend(rows),
                Effect::Call { call, .. } => self.calls.push(call),
                Effect::Reply { .. } | Effect::Close { .. } | Effect::Chain(_) => {}
            }
        }
        self.handle(Command::Tick);
    }
}

/// No side is billed for more than it claimed, rows of one grant do not overlap, and no row is written
/// twice.
fn check_metered(rows: &[Row]) {
    let mut ends: BTreeMap<LeaseId, (u32, Ms)> = BTreeMap::new();
    for row in rows {
        let Row::Metered(row) = row else { continue };
        let length = |side: Option<vipnode_types::meter::Seen>| side.map_or(0, |seen| seen.end.since(seen.up));
        assert!(row.billed_ms <= length(row.client) && row.billed_ms <= length(row.host));
        assert_ne!(row.lease.client, row.lease.host);
        let from = row.client.map_or(Ms::ZERO, |seen| seen.up).max(row.host.map_or(Ms::ZERO, |seen| seen.up));
        if let Some((number, until)) = ends.get(&row.lease.id) {
            assert!(row.lease.row > *number, "a billing period is written once");
            assert!(row.billed_ms == 0 || from >= *until, "rows of one grant overlap");
        }
        let until = if row.billed_ms == 0 {
            ends.get(&row.lease.id).map_or(Ms::ZERO, |end| end.1)
        } else {
            from.plus(row.billed_ms)
        };
        ends.insert(row.lease.id, (row.lease.row, until));
        assert!(from.plus(row.billed_ms) <= row.ended.max(from), "billed into the future");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_indexes_agree_and_nobody_is_billed_too_much(
        steps in proptest::collection::vec(steps(), 1..120)
    ) {
        let core = Core::new(limits(), [7; 32], START);
        let mut world = World { core, now: START, rows: Vec::new(), calls: Vec::new(), said: BTreeMap::new() };
        // Most of what happens happens to agents that are there.
        for agent in 0..AGENTS {
            world.step(Step::Connect { agent, generation: 0, roles: 0, slots: 3, callable: true, variant: 2 });
            world.step(Step::Full { agent, generation: 0, seq: 1, leases: Vec::new() });
            world.step(Step::Ask { agent, generation: 0, want: 2, avoid: Vec::new() });
        }
        for step in steps {
            world.step(step);
        }
        check_metered(&world.rows);
    }
}
