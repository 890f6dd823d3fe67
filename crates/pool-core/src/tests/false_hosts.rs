//! A host that does anything that the protocol allows to harm clients in other address blocks with false reports.

use std::{collections::BTreeMap, net::IpAddr};

use proptest::prelude::*;
use vipnode_types::{LeaseId, wire::LeaveReason};

use super::{
    pool::{Pool, address, client, host, node},
    scenario::{CLIENT, HOST, MINUTE_MS, OTHER_SUBNET, SECOND_CLIENT, priced},
};
use crate::{CallOutcome, PoolCall, Row, metering::unpaired::Pair};

/// The stranger's hosts: two of one block, and one of another wide block.
const LIARS: [u32; 3] = [50, 51, 52];
/// The stranger's clients: two next to the hosts, and one in the address block of two honest clients.
const OWN: [u32; 3] = [53, 54, 55];
/// Honest clients. The first two are in one block.
const CLIENTS: [u32; 3] = [CLIENT, SECOND_CLIENT, OTHER_SUBNET];
const STEP_MS: u64 = 10_000;
const REASONS: [LeaveReason; 5] =
    [LeaveReason::NotConnected, LeaveReason::Surplus, LeaveReason::Lost, LeaveReason::Rejected, LeaveReason::Drained];

fn at(agent: u32) -> IpAddr {
    let last = u8::try_from(agent % 256).unwrap();
    match agent {
        50 | 51 | 53 | 54 => [66, 6, 6, last].into(),
        52 => [77, 7, 7, last].into(),
        CLIENT | SECOND_CLIENT | 55 => [20, 0, 2, last].into(),
        _ => address(agent),
    }
}

/// What the stranger does next. The numbers choose among its hosts, their leases, and its clients.
#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    /// The nodes of the leases connect, or do not any more.
    Connect(u8),
    Delta(usize, u8, u8),
    Full(usize, u8, u8),
    Leave(usize, u8, u8),
    Reconnect(usize, u8, u8),
    /// The host reports nothing, or reports again.
    Mute(usize),
    /// One of its own clients connects, asks, and reports all its leases.
    Own(usize),
}

fn acts() -> impl Strategy<Value = Act> {
    let (bits, liar) = (any::<u8>, || 0..LIARS.len());
    prop_oneof![
        6 => (1..20_u64).prop_map(|steps| Act::Wait(steps * STEP_MS)),
        2 => bits().prop_map(Act::Connect),
        6 => (liar(), bits(), bits()).prop_map(|(liar, up, down)| Act::Delta(liar, up, down)),
        4 => (liar(), bits(), bits()).prop_map(|(liar, up, kept)| Act::Full(liar, up, kept)),
        2 => (liar(), bits(), bits()).prop_map(|(liar, which, reason)| Act::Leave(liar, which, reason)),
        1 => (liar(), bits(), bits()).prop_map(|(liar, up, kept)| Act::Reconnect(liar, up, kept)),
        1 => liar().prop_map(Act::Mute),
        2 => (0..OWN.len()).prop_map(Act::Own),
    ]
}

/// A lease of one of the stranger's hosts.
#[derive(Debug, Clone, Copy)]
struct FalseLease {
    host: u32,
    client: u32,
    /// Whether the nodes are connected.
    connected: bool,
}

struct Harm {
    pool: Pool,
    leases: BTreeMap<LeaseId, FalseLease>,
    muted: [bool; 3],
    steps: u64,
    /// How long the stranger's hosts claimed clients that were not connected.
    claimed: u64,
}

impl Harm {
    /// Each honest client has paid for an honest host for a while, and wants three more.
    fn new() -> Self {
        let mut pool = Pool::with(priced());
        pool.join(HOST, host(HOST, u32::try_from(CLIENTS.len()).unwrap()));
        let all = CLIENTS.map(|agent| {
            pool.connect_from(agent, client(agent), at(agent)).unwrap();
            pool.full(agent, &[]);
            pool.lease_between(HOST, agent);
            agent
        });
        pool.pass_with(11 * MINUTE_MS, &[&all[..], &[HOST]].concat());
        let mut harm = Self { pool, leases: BTreeMap::new(), muted: [false; 3], steps: 0, claimed: 0 };
        (0..LIARS.len()).for_each(|liar| harm.act(&Act::Reconnect(liar, 0, 0)));
        for agent in CLIENTS {
            harm.pool.ask(agent, 4);
        }
        harm.settle();
        harm
    }

    /// The leases of a host whose bits are set.
    fn some(&self, host: u32, bits: u8) -> Vec<LeaseId> {
        let of_host = self.leases.iter().filter(|(_, lease)| lease.host == host);
        let chosen = |(at, (lease, _)): (usize, (&LeaseId, &FalseLease))| (bits >> (at % 8) & 1 == 1).then_some(*lease);
        of_host.enumerate().filter_map(chosen).collect()
    }

    fn full(&mut self, host: u32, up: u8, kept: u8) {
        let kept = self.some(host, kept);
        let all: Vec<(LeaseId, bool)> =
            self.some(host, up).into_iter().map(|lease| (lease, kept.contains(&lease))).collect();
        self.pool.full(host, &all);
    }

    fn is_there(&self, agent: u32) -> bool {
        self.pool.core.agents.at(self.pool.connection(agent)).is_some()
    }

    fn act(&mut self, act: &Act) {
        let liar = |at: usize| LIARS[at];
        match *act {
            Act::Wait(ms) => self.pass(ms),
            Act::Connect(bits) => self.connect(bits),
            Act::Reconnect(at, up, kept) => {
                let agent = liar(at);
                self.pool.connect_from(agent, host(agent, 100), self::at(agent)).unwrap();
                self.full(agent, up, kept);
            }
            Act::Mute(at) => self.muted[at] = !self.muted[at],
            Act::Own(at) => self.own(OWN[at]),
            Act::Delta(at, ..) | Act::Full(at, ..) | Act::Leave(at, ..) if !self.is_there(liar(at)) => {}
            Act::Delta(at, up, down) => {
                let (up, down) = (self.some(liar(at), up), self.some(liar(at), down));
                self.pool.delta(liar(at), &up, &down);
            }
            Act::Full(at, up, kept) => self.full(liar(at), up, kept),
            Act::Leave(at, which, reason) => {
                let all = self.some(liar(at), u8::MAX);
                if let Some(lease) = all.get(usize::from(which) % all.len().max(1)) {
                    self.pool.leave(liar(at), *lease, REASONS[usize::from(reason) % REASONS.len()]);
                }
            }
        }
        self.settle();
    }

    /// Honest clients report what is true.
    fn connect(&mut self, bits: u8) {
        for (at, (lease, of)) in self.leases.clone().into_iter().enumerate() {
            let connects = bits >> (at % 8) & 1 == 1;
            if !CLIENTS.contains(&of.client) || of.host == HOST || connects == of.connected {
                continue;
            }
            self.leases.insert(lease, FalseLease { connected: connects, ..of });
            if connects {
                self.pool.reports_up(of.client, lease);
            } else {
                self.pool.reports_down(of.client, lease);
            }
        }
    }

    fn own(&mut self, agent: u32) {
        if self.pool.connect_from(agent, client(agent), at(agent)).is_err() {
            return;
        }
        self.pool.ask(agent, 4);
        self.settle();
        let of_agent = self.leases.iter().filter(|(_, lease)| lease.client == agent);
        let all: Vec<(LeaseId, bool)> = of_agent.map(|(lease, _)| (*lease, false)).collect();
        self.pool.full(agent, &all);
    }

    /// Everybody who is not muted reports each 30 s, and answers calls at once.
    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / STEP_MS {
            self.steps += 1;
            let claimed = |lease: &&LeaseId| {
                let found = self.pool.core.leases.find(**lease).and_then(|index| self.pool.core.leases.get(index));
                found.is_some_and(|lease| lease.sees(vipnode_types::wire::Side::Host) && !lease.is_running())
            };
            let claims = self.leases.keys().filter(claimed).count() as u64;
            self.claimed += claims * STEP_MS;
            self.pool.pass(STEP_MS);
            self.settle();
            if self.steps.is_multiple_of(3) {
                let loud = LIARS.into_iter().zip(self.muted).filter_map(|(liar, muted)| (!muted).then_some(liar));
                let all: Vec<u32> = loud.chain(CLIENTS).chain([HOST]).filter(|&agent| self.is_there(agent)).collect();
                all.into_iter().for_each(|agent| self.pool.beat(agent));
            }
        }
    }

    fn settle(&mut self) {
        while let Some((to, call, message)) = self.pool.calls.pop() {
            let agent = to.connection;
            if to != self.pool.connection(agent) {
                self.pool.done(call, CallOutcome::Lost);
                continue;
            }
            self.pool.done(call, CallOutcome::Done);
            match message {
                PoolCall::Admit(admit) => {
                    let all = CLIENTS.into_iter().chain(OWN);
                    let client = all.into_iter().find(|&agent| node(agent) == admit.client).unwrap();
                    self.leases.insert(admit.lease, FalseLease { host: agent, client, connected: false });
                    if agent == HOST {
                        self.connect_at_honest_host(admit.lease, client);
                    }
                }
                PoolCall::Evict(evict) => {
                    let gone = self.leases.remove(&evict.lease);
                    // The client sees that the connection ends.
                    for lease in gone.into_iter().filter(|lease| lease.connected) {
                        self.pool.reports_down(lease.client, evict.lease);
                        if lease.host == HOST {
                            self.pool.reports_down(HOST, evict.lease);
                        }
                    }
                }
                PoolCall::Dial(_) | PoolCall::Price(_) | PoolCall::Whitelist(_) | PoolCall::Notice(_) => {}
            }
        }
    }

    fn connect_at_honest_host(&mut self, lease: LeaseId, client: u32) {
        self.pool.reports_up(HOST, lease);
        if CLIENTS.contains(&client) {
            self.pool.reports_up(client, lease);
            self.leases.insert(lease, FalseLease { host: HOST, client, connected: true });
        }
    }

    /// The honest clients that get the honest host once they have left every host.
    fn still_get_the_honest_host(&mut self) -> Vec<u32> {
        OWN.into_iter().for_each(|agent| self.pool.disconnect(agent));
        for agent in CLIENTS {
            self.pool.ask(agent, 0);
            let index = self.pool.core.agents.find(&node(agent)).unwrap();
            let all: Vec<LeaseId> = self.pool.core.leases.of_client(index).map(|(_, lease)| lease.id()).collect();
            all.into_iter().for_each(|lease| self.pool.leave(agent, lease, LeaveReason::Surplus));
            self.settle();
        }
        self.pass(2 * MINUTE_MS);
        for agent in CLIENTS {
            self.pool.ask_avoiding(agent, 1, LIARS.map(node).to_vec());
            self.settle();
        }
        let of_host = self.leases.values().filter(|lease| lease.host == HOST);
        let mut clients: Vec<u32> = of_host.map(|lease| lease.client).collect();
        clients.sort_unstable();
        clients
    }

    /// Checks what the stranger's word did to each honest client.
    fn check(&self) -> Result<(), String> {
        let Pool { core, now, .. } = &self.pool;
        let index = |agent: u32| core.agents.find(&node(agent)).unwrap();
        let rows = core.rows();
        for agent in CLIENTS {
            if core.past_unpaired(index(agent)) {
                return Err(format!("{agent} is locked out"));
            }
            let pair = Pair { client: index(agent), host: index(HOST) };
            if core.metering.is_barred(pair, *now, &core.agents, &core.limits) {
                return Err(format!("{agent} is kept from an honest host"));
            }
            let times = rows.iter().find_map(|row| match row {
                Row::Times(times) if times.client == node(agent) => Some(times),
                _ => None,
            });
            for pair in times.iter().flat_map(|times| &times.hosts) {
                let part = pair.time.billed_week() * u64::from(core.limits.unpaired_percent) / 100;
                let most = core.limits.silence_ms + core.limits.unpaired_pair_ms + part;
                if u64::from(pair.time.counted_ms) > most || pair.time.block_ms > 0 {
                    return Err(format!("{agent}: {:?}, at most {most} ms may count", pair.time));
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The whole sequence is within one day.
    #[test]
    fn whatever_a_host_says_it_keeps_no_client_from_others(acts in proptest::collection::vec(acts(), 1..120)) {
        let mut harm = Harm::new();
        for act in acts {
            harm.act(&act);
            prop_assert_eq!(harm.check(), Ok(()), "after {:?}", act);
        }
        prop_assert_eq!(harm.still_get_the_honest_host(), CLIENTS);
    }
}

/// The acts above do claim clients that are not connected, beyond what a pair may.
#[test]
fn a_host_that_claims_its_clients_is_kept_from_them_alone() {
    let mut harm = Harm::new();
    for _ in 0..150 {
        (0..LIARS.len()).for_each(|liar| harm.act(&Act::Delta(liar, u8::MAX, 0)));
        harm.act(&Act::Wait(2 * STEP_MS));
    }
    assert!(harm.claimed > 20 * MINUTE_MS, "{} ms", harm.claimed);
    let Pool { core, now, .. } = &harm.pool;
    let index = |agent: u32| core.agents.find(&node(agent)).unwrap();
    let barred = |client: u32, host: u32| {
        let pair = Pair { client: index(client), host: index(host) };
        core.metering.is_barred(pair, *now, &core.agents, &core.limits)
    };
    assert!(CLIENTS.into_iter().all(|client| LIARS.into_iter().any(|liar| barred(client, liar))));
    assert_eq!(harm.check(), Ok(()));
}
