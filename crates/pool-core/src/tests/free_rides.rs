//! A client that may do anything that the protocol allows, to use honest hosts without being billed.

use std::{collections::BTreeMap, net::IpAddr};

use proptest::prelude::*;
use vipnode_types::{LeaseId, Ms, wire::LeaveReason};

use super::pool::{Pool, client, host, node, wei};
use crate::{CallOutcome, Limits, PoolCall};

const HOSTS: [u32; 4] = [1, 2, 3, 4];
const RIDER: u32 = 9;
const STEP_MS: u64 = 5_000;
const REASONS: [LeaveReason; 4] =
    [LeaveReason::NotConnected, LeaveReason::Surplus, LeaveReason::Lost, LeaveReason::Rejected];

/// What the client does next. The numbers choose among its leases.
#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    Ask(u32),
    Dial(u8),
    Delta(u8, u8),
    Full(u8, u8),
    Leave(u8, u8),
    Reconnect(u8, u8),
    Hide,
}

fn acts() -> impl Strategy<Value = Act> {
    let (leases, most) = (any::<u8>, 200_000 / STEP_MS);
    prop_oneof![
        4 => (1..most).prop_map(|steps| Act::Wait(steps * STEP_MS)),
        3 => (1..5_u32).prop_map(Act::Ask),
        4 => leases().prop_map(Act::Dial),
        3 => (leases(), leases()).prop_map(|(up, down)| Act::Delta(up, down)),
        3 => (leases(), leases()).prop_map(|(up, kept)| Act::Full(up, kept)),
        1 => (leases(), leases()).prop_map(|(lease, reason)| Act::Leave(lease, reason)),
        1 => (leases(), leases()).prop_map(|(up, kept)| Act::Reconnect(up, kept)),
        1 => Just(Act::Hide),
    ]
}

/// A lease that a host admitted.
#[derive(Debug)]
struct Ride {
    host: u32,
    /// Since when the nodes are connected.
    since: Option<Ms>,
}

struct Rides {
    pool: Pool,
    connected: bool,
    leases: BTreeMap<LeaseId, Ride>,
    served_ms: BTreeMap<u32, u64>,
}

impl Rides {
    fn new() -> Self {
        let mut pool = Pool::with(Limits { price: wei(60_000), ..Limits::default() });
        for agent in HOSTS {
            // Each in a wide block of its own.
            let address = IpAddr::from([30 + u8::try_from(agent).unwrap(), 1, 1, 1]);
            pool.connect_from(agent, host(agent, 8), address).unwrap();
            pool.full(agent, &[]);
        }
        let mut rides = Self { pool, connected: false, leases: BTreeMap::new(), served_ms: BTreeMap::new() };
        rides.act(&Act::Reconnect(0, 0));
        rides
    }

    /// The leases whose bits are set.
    fn some(&self, bits: u8) -> Vec<LeaseId> {
        let chosen = |(at, lease): (usize, &LeaseId)| (bits >> (at % 8) & 1 == 1).then_some(*lease);
        self.leases.keys().enumerate().filter_map(chosen).collect()
    }

    fn full(&mut self, up: u8, kept: u8) {
        let kept = self.some(kept);
        let all: Vec<(LeaseId, bool)> = self.some(up).into_iter().map(|lease| (lease, kept.contains(&lease))).collect();
        self.pool.full(RIDER, &all);
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Wait(ms) => self.pass(ms),
            Act::Reconnect(up, kept) => {
                self.pool.connect(RIDER, client(RIDER)).unwrap();
                self.connected = true;
                self.full(up, kept);
            }
            Act::Dial(bits) => {
                for lease in self.some(bits) {
                    let now = self.pool.now;
                    let Some(ride) = self.leases.get_mut(&lease).filter(|ride| ride.since.is_none()) else { continue };
                    ride.since = Some(now);
                    let host = ride.host;
                    self.pool.delta(host, &[lease], &[]);
                }
            }
            _ if !self.connected => {}
            Act::Ask(want) => {
                self.pool.ask(RIDER, want);
            }
            Act::Delta(up, down) => {
                let (up, down) = (self.some(up), self.some(down));
                self.pool.delta(RIDER, &up, &down);
            }
            Act::Full(up, kept) => self.full(up, kept),
            Act::Leave(which, reason) => {
                let all: Vec<LeaseId> = self.leases.keys().copied().collect();
                if let Some(lease) = all.get(usize::from(which) % all.len().max(1)) {
                    self.pool.leave(RIDER, *lease, REASONS[usize::from(reason) % REASONS.len()]);
                }
            }
            Act::Hide => {
                self.pool.disconnect(RIDER);
                self.connected = false;
            }
        }
        self.settle();
    }

    /// The hosts report each 30 s, and answer calls at once.
    fn pass(&mut self, ms: u64) {
        for step in 1..=ms / STEP_MS {
            self.pool.pass(STEP_MS);
            if step % 6 == 0 {
                HOSTS.into_iter().for_each(|host| self.pool.beat(host));
            }
            self.settle();
        }
    }

    fn settle(&mut self) {
        for host in HOSTS {
            while let Some((call, lease)) = self.pool.take_admit(host) {
                self.leases.insert(lease, Ride { host, since: None });
                self.pool.done(call, CallOutcome::Done);
            }
            while let Some(evict) = self.pool.take_evict(host) {
                let since = self.leases.remove(&evict.lease).and_then(|ride| ride.since);
                if let Some(since) = since {
                    *self.served_ms.entry(host).or_default() += self.pool.now.since(since);
                    self.pool.delta(host, &[], &[evict.lease]);
                }
            }
        }
        let any = |call: &PoolCall| (!matches!(call, PoolCall::Admit(_))).then_some(());
        while let Some((call, ())) = self.pool.take_call(RIDER, any) {
            self.pool.done(call, CallOutcome::Done);
        }
        let connection = self.pool.connection(RIDER);
        self.connected &= !self.pool.closed.contains(&connection);
    }

    /// What was free at each host beyond 5 % of what was billed for it, and what was billed in all.
    fn free_ms(&self) -> (Vec<u64>, u64) {
        let billed = |agent: u32| -> u64 {
            let rows = self.pool.metered();
            rows.iter().filter(|row| row.lease.host == node(agent)).map(|row| row.billed_ms).sum()
        };
        let free = HOSTS.map(|agent| {
            let served = self.served_ms.get(&agent).copied().unwrap_or(0);
            served.saturating_sub(billed(agent)).saturating_sub(billed(agent) / 20)
        });
        (free.to_vec(), HOSTS.into_iter().map(billed).sum())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The whole sequence is within one day.
    #[test]
    fn whatever_a_client_does_it_uses_no_more_for_nothing_than_it_may(
        acts in proptest::collection::vec(acts(), 1..150)
    ) {
        let mut rides = Rides::new();
        acts.iter().for_each(|act| rides.act(act));
        rides.act(&Act::Hide);
        rides.pass(400_000);
        prop_assert!(rides.leases.values().all(|ride| ride.since.is_none()), "{:?}", rides.leases);
        let limits = Limits::default();
        let pair = limits.silence_ms + limits.unpaired_pair_ms;
        // A row that a client lets run ends once it is silent, and its host hears of it with the next step.
        let late = limits.silence_ms + 2 * STEP_MS;
        let (free, billed) = rides.free_ms();
        prop_assert!(free.iter().all(|free| *free <= pair + late), "{free:?}");
        let part = (limits.unpaired_ms_a_day + billed / 20).div_ceil(limits.lockout_blocks.into());
        let most = u64::from(limits.lockout_blocks - 1) * pair + part + HOSTS.len() as u64 * late;
        prop_assert!(free.iter().sum::<u64>() <= most, "{free:?} of {most} ms");
    }
}
