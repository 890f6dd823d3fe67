//! The end and the checks of a run with attackers.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_agent_core::{ChangeKind, unreleased_changes};
use vipnode_pool_core::{ConnectionId, Core, Effect, LeaseRow, PoolCall, Row, RowKey};
use vipnode_store::Store;
use vipnode_types::{
    NodeId,
    wire::{ErrorCode, EvictReason},
};

use super::{Simulation, agents::AgentProcess, phases::Phase};
use crate::{
    AttackerPlan, EPOCH_MS, GroundTruth, Honesty,
    checks::{
        JournalRows, Promise,
        hostile::{
            BUDGETS_OF_A_WIDE_BLOCK, HONEST_WAIT_MS, HostWaits, Loneliness, RECONNECT_MS, RELEASE_MS, UsedService,
            free_service, free_service_of_block, networks, tables, trial_service,
        },
    },
};

/// How long the pool has after the end to close the rows of agents that stopped, in ms.
const CLOSING_MS: u64 = 6 * 60_000;

/// Leases that attackers have at once for each of their sockets, at most, with those of sockets that closed a moment ago.
const LEASES_A_SOCKET: u64 = 6;

/// How long an offer to a client of protocol 2 lasts at most, in ms, with the next attempt of its agent.
const PROTOCOL2_OFFER_MS: u64 = 50_000;

/// What is observed of a run with attackers.
#[derive(Debug)]
pub(crate) struct Hostile {
    lonely: Vec<Loneliness>,
    pub(super) waits: HostWaits,
    /// When hosts had leases with clients, by their journals.
    pub(super) leased: GroundTruth,
    /// The starts of the pool after a crash.
    restarts: Vec<Restart>,
    /// When the pool heard of each agent.
    heard: Vec<HeardAgent>,
    /// When the pool's machine slept, in virtual ms.
    pauses: Vec<(u64, u64)>,
    /// Until when agents may be disconnected because the pool restarted.
    restarts_until: u64,
    /// The rows that attackers have the pool write.
    pub(super) rows: JournalRows,
    /// When the agents were stopped.
    ended: Option<u64>,
}

/// A start of the pool after a crash. Times are virtual, in ms.
#[derive(Debug)]
struct Restart {
    started: u64,
    /// When each agent was last seen, as the store has it.
    seen: Vec<u64>,
    /// When each agent reported first after the start.
    heard: Vec<Option<u64>>,
}

/// When the pool heard of an agent. Times are virtual, in ms.
#[derive(Debug, Clone, Default)]
struct HeardAgent {
    /// The socket and the time of its last report.
    last: Option<(u64, u64)>,
    /// From the last report on each socket to the first on the next one.
    unheard: Vec<(u64, u64)>,
}

impl Hostile {
    pub(crate) fn new(agents: usize) -> Self {
        Self {
            heard: vec![HeardAgent::default(); agents],
            pauses: Vec::new(),
            lonely: vec![Loneliness::default(); agents],
            waits: HostWaits::default(),
            leased: GroundTruth::default(),
            restarts: Vec::new(),
            restarts_until: 0,
            rows: JournalRows::default(),
            ended: None,
        }
    }

    /// The pool's machine sleeps.
    pub(super) fn pool_sleeps(&mut self, from: u64, to: u64) {
        self.pauses.push((from, to));
    }

    /// The pool crashed and starts again in `down_ms`.
    pub(super) const fn pool_restarts(&mut self, now: u64, down_ms: u64) {
        self.restarts_until = now + down_ms + RECONNECT_MS;
    }
}

impl Simulation {
    /// Whether this run has attackers.
    pub(crate) fn is_hostile(&self) -> bool {
        !self.scenario.attackers.is_empty()
    }

    /// Whether what liars use and harm is judged: in a run with attackers, or with one liar whose clients pay.
    pub(super) fn judges_liars(&self) -> bool {
        self.is_hostile() || self.scenario.has_lone_liar()
    }

    /// Whether an agent reports whatever the protocol allows now. Without attackers, it is honest once faults no longer happen.
    pub(super) fn reports_anything(&self, agent: usize) -> bool {
        !self.reports_truly(agent) && (self.is_hostile() || self.phase == Phase::Faults)
    }

    /// Every second of a run with attackers.
    pub(crate) fn sweep_hostile(&mut self) {
        if let Some(gauges) = self.pool.core.as_ref().map(Core::gauges) {
            let honest = self.agents.len() as u64;
            self.require(tables(&gauges, honest, &self.scenario.limits));
        }
        match self.hostile.ended {
            None if self.now >= self.scenario.safety_ms => {
                self.hostile.ended = Some(self.now);
                for agent in 0..self.agents.len() {
                    self.agents[agent].retired = true;
                    self.agent_stops(agent);
                }
            }
            None => self.check_service(),
            Some(ended) if self.now >= ended + CLOSING_MS => {
                self.check_free_service();
                self.check_rows_kept();
                self.phase = Phase::Over;
            }
            Some(_) => {}
        }
    }

    fn check_service(&mut self) {
        let hosts: Vec<usize> = self.hosts().filter(|&host| self.reports_truly(host)).collect();
        let all_hosts = hosts.iter().all(|&host| self.is_connected(host)) && self.pool.core.is_some();
        let restarts = self.now < self.hostile.restarts_until;
        let scarce = self.scenario.is_scarce();
        let most_ms = if scarce { self.scarce_wait_ms() } else { HONEST_WAIT_MS };
        let protocol2_ms = self.protocol2_wait_ms();
        for client in 0..self.agents.len() {
            let a = &self.agents[client];
            let asks = self.reports_truly(client) && a.plan.config.min_peers > 0 && a.core.is_some();
            if !asks {
                continue;
            }
            let here = self.is_connected(client);
            let can_have = here && all_hosts && !scarce && !a.plan.protocol2 && !a.plan.needs_snap();
            let protocol2 = a.plan.protocol2;
            let connected = self.hosts().filter(|&host| self.devp2p.connected(client, host)).count();
            let free_hosts = hosts.iter().any(|&host| self.has_free_slot_for(client, host));
            let has_host = connected >= self.agents[client].plan.config.min_peers as usize || !free_hosts;
            let (now, lonely) = (self.now, &mut self.hostile.lonely[client]);
            if restarts && !(here && all_hosts) {
                lonely.excuse();
                continue;
            }
            let late = lonely.count(has_host, can_have, now, &mut self.hostile.waits);
            let check = lonely.note(client, has_host, if protocol2 { most_ms.max(protocol2_ms) } else { most_ms }, now);
            if let Some(waited_ms) = late {
                self.log(|| format!("agent {client} waited {waited_ms} ms for a host"));
            }
            self.require(check);
        }
    }

    /// How long an honest client may have no host where slots are scarce, in ms. Waiting clients are served by wide block in turn, so in
    /// the worst case one slot is free, and a client of each other wide block holds it for an offer first.
    fn scarce_wait_ms(&self) -> u64 {
        let of_attackers = self.scenario.attackers.iter().flat_map(AttackerPlan::client_ips);
        let of_agents = self.agents.iter().filter(|agent| agent.plan.config.min_peers > 0).map(|agent| agent.plan.ip);
        let blocks: BTreeSet<Vec<u8>> = of_attackers.chain(of_agents).map(|ip| networks(ip)[1].clone()).collect();
        let turns = u64::try_from(blocks.len()).unwrap_or(u64::MAX);
        HONEST_WAIT_MS.max(turns.saturating_mul(self.scenario.limits.offer_ms + RELEASE_MS))
    }

    /// How long an honest client of protocol 2 may have no host, in ms. It cannot be given a further host while one is silent, so in
    /// the worst case it tries a silent host of each wide block of the attackers, one after the other.
    fn protocol2_wait_ms(&self) -> u64 {
        let ips = self.scenario.attackers.iter().flat_map(|plan| plan.ips.iter());
        let blocks: BTreeSet<Vec<u8>> = ips.map(|ip| networks(*ip)[1].clone()).collect();
        HONEST_WAIT_MS + u64::try_from(blocks.len()).unwrap_or(u64::MAX) * PROTOCOL2_OFFER_MS
    }

    /// Whether a host could still serve a client: they are not connected, and the host has a slot without a connection.
    fn has_free_slot_for(&self, client: usize, host: usize) -> bool {
        let slots = self.agents[host].plan.config.host.as_ref().map_or(0, |host| host.slots) as usize;
        let clients = (0..self.agents.len()).filter(|&other| self.devp2p.connected(other, host));
        !self.devp2p.connected(client, host) && clients.count() < slots
    }

    /// The pool starts again with these rows.
    pub(super) fn pool_started(&mut self, rows: &[Row]) {
        let seen_at = |agent: &AgentProcess| {
            let seen = rows.iter().filter_map(|row| match row {
                Row::Node(node) if node.id == agent.plan.id => Some(node.seen),
                Row::LastReport(all) => all.iter().find(|one| one.id == agent.plan.id).map(|one| one.seen),
                _ => None,
            });
            seen.max().map_or(0, |seen| seen.get().saturating_sub(EPOCH_MS))
        };
        let seen = self.agents.iter().map(seen_at).collect();
        self.hostile.rows.restarted();
        self.hostile.restarts.push(Restart { started: self.now, seen, heard: vec![None; self.agents.len()] });
    }

    /// An agent reports on a socket.
    pub(super) fn agent_heard(&mut self, agent: usize, socket: u64) {
        if let Some(restart) = self.hostile.restarts.last_mut() {
            restart.heard[agent].get_or_insert(self.now);
        }
        let HeardAgent { last, unheard } = &mut self.hostile.heard[agent];
        let before = last.replace((socket, self.now));
        unheard.extend(before.filter(|(before, _)| *before != socket).map(|(_, at)| (at, self.now)));
    }

    /// How long a client was connected with a host within a time while the two had a lease, in ms.
    fn served_ms(&self, client: usize, host: usize, from: u64, to: u64) -> u64 {
        self.devp2p.ground_truth.overlap_with(&self.hostile.leased, (client, host), from, to)
    }

    /// How long a client used a host while the pool could not know of it or end it, in ms: after a crash of the pool, from when the
    /// store has one of the two as last seen until the host reports again (no row has that time if it ends before the host
    /// reports, and the time up to the start counts against no client); while the host could not report; and while the pool's
    /// machine slept.
    fn lost_ms(&self, client: usize, host: usize) -> u64 {
        let restarts = self.hostile.restarts.iter().map(|restart| {
            let from = restart.seen[client].min(restart.seen[host]);
            (from, restart.heard[host].unwrap_or(restart.started).max(restart.started))
        });
        let unheard = self.hostile.heard[host].unheard.iter().copied();
        let mut spans: Vec<(u64, u64)> = restarts.chain(unheard).chain(self.hostile.pauses.iter().copied()).collect();
        spans.sort_unstable();
        let (mut lost, mut reached) = (0, 0);
        for (from, to) in spans {
            lost += self.served_ms(client, host, from.max(reached), to);
            reached = reached.max(to);
        }
        lost
    }

    fn reports_truly(&self, agent: usize) -> bool {
        self.agents[agent].plan.honesty == Honesty::Honest
    }

    /// Whether the socket of an agent reaches the pool. After a crash the agent notices late that it does not.
    fn is_connected(&self, agent: usize) -> bool {
        let socket = self.agents[agent].socket.and_then(|number| self.sockets.get(&number));
        socket.is_some_and(|socket| socket.pool_end && !socket.cut)
    }

    fn hosts(&self) -> impl Iterator<Item = usize> {
        (0..self.agents.len()).filter(|&agent| self.agents[agent].plan.config.host.is_some())
    }

    /// An agent wrote to its journal: notes which clients have leases with it.
    pub(crate) fn note_leases(&mut self, host: usize) {
        if !(self.is_hostile() || self.operator.is_there()) || self.agents[host].plan.config.host.is_none() {
            return;
        }
        let journal = self.agents[host].journal.iter().cloned();
        let admitted = unreleased_changes(journal).into_iter().filter(|change| change.kind != ChangeKind::Dialed);
        let clients: Vec<usize> = admitted.filter_map(|change| self.devp2p.number(change.peer.id)).collect();
        for client in 0..self.agents.len() {
            if clients.contains(&client) {
                self.hostile.leased.up(client, host, self.now);
            } else {
                self.hostile.leased.down(client, host, self.now);
            }
        }
    }

    /// Checks what free riders used at honest hosts.
    pub(super) fn check_free_service(&mut self) {
        let hosts: Vec<usize> = self.hosts().filter(|&host| self.reports_truly(host)).collect();
        // By /24 and by /16, or by /48 and by /32.
        let mut together: BTreeMap<(u64, Vec<u8>), Vec<Vec<UsedService>>> = BTreeMap::new();
        for client in 0..self.agents.len() {
            if self.agents[client].plan.honesty != Honesty::FreeRider {
                continue;
            }
            let used = |host: &usize| UsedService {
                served_ms: self.served_ms(client, *host, 0, self.now),
                billed_ms: self.checker.billed_of(client, *host),
                lost_ms: self.lost_ms(client, *host),
                protocol2: [client, *host].map(|agent| self.agents[agent].plan.protocol2),
            };
            let used: Vec<UsedService> = hosts.iter().map(used).collect();
            self.log(|| format!("client {client} used {used:?}"));
            if self.is_hostile() && self.operator.is_there() {
                let check = trial_service(client, &used, &self.scenario.limits);
                self.require(check);
                continue;
            }
            let check = free_service(client, &used, &self.scenario.limits);
            self.require(check);
            let [block, wide] = networks(self.agents[client].plan.ip);
            together.entry((1, block)).or_default().push(used.clone());
            together.entry((BUDGETS_OF_A_WIDE_BLOCK, wide)).or_default().push(used);
        }
        for ((budgets, _), riders) in together {
            let check = free_service_of_block(budgets, &riders, &self.scenario.limits);
            self.require(check);
        }
    }

    /// Notes a row that the pool writes, if an attacker has a part in it.
    pub(super) fn note_flooded(&mut self, row: &Row) {
        let now = self.pool_now().get();
        let ips = |lease: &LeaseRow| [lease.client, lease.host].map(|node| self.attackers.ip_of(node));
        let check = match row {
            Row::Metered(period) if ips(&period.lease).iter().any(Option::is_some) => {
                let ips = ips(&period.lease).into_iter().flatten();
                let sockets: usize = self.scenario.attackers.iter().map(|plan| plan.sockets).sum();
                let leases = LEASES_A_SOCKET * sockets as u64;
                self.hostile.rows.written(ips, now, leases, &self.scenario.limits)
            }
            Row::Deferred(period) if ips(&period.lease).iter().any(Option::is_some) => {
                self.hostile.rows.waits((period.lease.client, period.lease.host), now)
            }
            Row::Delete(RowKey::Deferred(client, host)) => {
                self.hostile.rows.over((*client, *host));
                Ok(())
            }
            _ => Ok(()),
        };
        self.require(check);
    }

    /// Checks that the journal and the rows that wait for it have all that was billed, if the pool knows it: if it did not restart.
    fn check_rows_kept(&mut self) {
        let Some(core) = self.pool.core.as_ref().filter(|_| self.hostile.rows.restarts() == 0) else { return };
        let (billed, rows) = (core.counters().metered_ms, core.rows());
        let unwritten = self.pool.writing.iter().flatten().chain(&self.pool.waiting);
        let ms = |row: &Row| if let Row::Metered(row) = row { row.total_billed_ms() } else { 0 };
        let mut kept: u64 = unwritten.map(ms).sum();
        let ms = |row: &Row| if let Row::Deferred(row) = row { row.total_billed_ms() } else { 0 };
        kept += rows.iter().map(ms).sum::<u64>();
        let read = self.pool.store().metered(0, usize::MAX, &mut |_, row| kept += row.total_billed_ms());
        self.require(read.map_err(|error| Promise::Durability.violation(error)));
        if kept != billed {
            self.violation(Promise::Journal, format!("{billed} ms were billed, and the journal has {kept} ms"));
        }
    }

    /// Checks that the pool denies nothing to an honest agent because of what others report.
    pub(crate) fn check_no_lockout(&mut self, effect: &Effect) {
        let refused = match effect {
            Effect::Reply { connection, reply: Err(error), .. } if error.is(ErrorCode::Unpaired) => {
                self.honest_at(*connection).map(|agent| (agent, "refuses to give it hosts"))
            }
            Effect::Call { connection, message: PoolCall::Evict(evict), .. }
                if evict.reason == EvictReason::Unpaired =>
            {
                let apart = self.honest_at(*connection).filter(|_| self.is_honest(evict.peer));
                apart.map(|agent| (agent, "keeps it apart from an honest peer"))
            }
            _ => None,
        };
        if let Some((agent, what)) = refused {
            self.violation(Promise::NoLockout, format!("agent {agent} is honest, and the pool {what}"));
        }
    }

    fn honest_at(&self, connection: ConnectionId) -> Option<usize> {
        let socket = self.sockets.get(self.pool.sockets.get(&connection)?)?;
        (self.agents[socket.agent].plan.honesty == Honesty::Honest).then_some(socket.agent)
    }

    fn is_honest(&self, id: NodeId) -> bool {
        self.agents.iter().any(|agent| agent.plan.id == id && agent.plan.honesty == Honesty::Honest)
    }
}
