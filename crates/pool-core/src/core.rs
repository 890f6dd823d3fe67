use std::collections::BTreeMap;

use vipnode_types::{ChainSpec, Ms, NodeId, Price};

use crate::{
    Command, ConnectionId, Counters, Effect, Limits, Row, agents::presence::Presences, agents::profile::Profile,
    agents::registry::Registry, collections::interner::Interner, collections::seeded_rng::SeededRng,
    flows::ask::PendingAsk, gauges::Roles, leases::agent_calls::AgentCalls, leases::table::LeaseTable,
    matching::open_hosts::OpenHosts, matching::pending_offers::PendingOffers, matching::recent_pairs::RecentPairs,
    matching::selection::Selections, matching::wait_queue::WaitQueue, metering::unpaired::UnpairedBlocks,
    output::Output, protocol2::Caller, timers::Timers,
};

/// The pool's mind.
#[derive(Debug)]
pub struct Core {
    pub(crate) limits: Limits,
    pub(crate) rng: SeededRng,
    /// Pool time: the latest moment handed in, never earlier than what the rows say.
    pub(crate) now: Ms,
    pub(crate) started: Ms,
    /// Nobody is silent who reported, or could not report, up to here.
    pub(crate) grace: Ms,
    /// The reconnect window's end.
    pub(crate) window_ends: Ms,
    /// When the pool itself last came back, from a start or a pause, and until when offers from before
    /// wait for their sides to come back too.
    pub(crate) resumed: Ms,
    pub(crate) offers_wait: Ms,
    pub(crate) next_lease: u64,
    /// Lease numbers below this are reserved durably.
    pub(crate) reserved_leases: u64,

    pub(crate) nodes: Registry,
    pub(crate) leases: LeaseTable,
    pub(crate) chains: Interner<ChainSpec>,
    pub(crate) versions: Interner<Box<str>>,
    pub(crate) profiles: Interner<Profile>,
    /// Versions that nodes did not take, by rules that their agents keep to themselves; the oldest first.
    pub(crate) unwanted: BTreeMap<u32, Vec<u32>>,
    pub(crate) prices: Interner<Price>,

    pub(crate) open_hosts: OpenHosts,
    pub(crate) wait_queue: WaitQueue,
    pub(crate) asks: BTreeMap<u32, PendingAsk>,
    pub(crate) next_ask: u64,
    pub(crate) agent_calls: AgentCalls,
    pub(crate) recent_pairs: RecentPairs,
    pub(crate) selections: Selections,
    pub(crate) pending_offers: PendingOffers,
    pub(crate) unpaired: UnpairedBlocks,
    pub(crate) presences: Presences,
    pub(crate) timers: Timers,
    pub(crate) roles: Roles,
    pub(crate) counters: Counters,
}

impl Core {
    /// A pool that nobody has joined yet.
    #[must_use]
    pub fn new(limits: Limits, seed: [u8; 32], now: Ms) -> Self {
        let mut rng = SeededRng::new(seed);
        Self {
            now,
            started: now,
            grace: Ms::ZERO,
            window_ends: Ms::ZERO,
            resumed: now,
            offers_wait: Ms::ZERO,
            next_lease: 1,
            reserved_leases: 1,
            nodes: Registry::new(rng.keys()),
            leases: LeaseTable::new(rng.keys()),
            chains: Interner::new(rng.keys(), limits.chains as usize),
            versions: Interner::new(rng.keys(), limits.versions as usize),
            profiles: Interner::new(rng.keys(), limits.profiles as usize),
            unwanted: BTreeMap::new(),
            prices: Interner::new(rng.keys(), usize::MAX),
            open_hosts: OpenHosts::default(),
            wait_queue: WaitQueue::default(),
            asks: BTreeMap::new(),
            next_ask: 0,
            agent_calls: AgentCalls::default(),
            recent_pairs: RecentPairs::new(rng.keys()),
            selections: Selections::default(),
            pending_offers: PendingOffers::default(),
            unpaired: UnpairedBlocks::default(),
            presences: Presences::new(now.plus(limits.flush_ms)),
            timers: Timers::new(),
            roles: Roles::default(),
            counters: Counters::default(),
            rng,
            limits,
        }
    }

    /// Pool time. It begins at what the rows say, where that is later than the `now` handed in; whoever
    /// runs the mind hands in moments from there on.
    #[must_use]
    pub const fn now(&self) -> Ms {
        self.now
    }

    /// Leases are numbered from here on, where that is beyond what was given out.
    pub fn number_leases_from(&mut self, first: u64) {
        if first > self.next_lease {
            (self.next_lease, self.reserved_leases) = (first, first);
        }
    }

    /// The node that presented itself on a connection and is still there.
    #[must_use]
    pub fn node_at(&self, peer: ConnectionId) -> Option<NodeId> {
        let index = self.nodes.at_peer(peer)?;
        self.nodes.get(index).map(|node| node.id)
    }

    /// Takes in one command. Moments before an earlier one count as that one.
    pub fn handle(&mut self, now: Ms, command: Command, out: &mut Vec<Effect>) {
        let now = now.max(self.now);
        self.notice_pause(now);
        self.now = now;
        let mut output = Output::new(now);
        self.dispatch(&mut output, command);
        output.finish(out);
    }

    fn dispatch(&mut self, output: &mut Output, command: Command) {
        match command {
            Command::Connect { peer, request, identity, address, callable, hello } => {
                self.connect(output, peer, request, &identity, address, callable, &hello);
            }
            Command::Report { peer, request, report } => self.report(output, peer, request, &report),
            Command::Ask { peer, request, ask } => self.ask(output, peer, request, &ask),
            Command::Explain { peer, request } => self.explain(output, peer, request),
            Command::Leave { peer, request, leave } => self.leave(output, peer, request, &leave),
            Command::Bye { peer, request } => self.bye(output, peer, request),
            Command::Protocol2 { peer, request, node, nonce, address, callable, call } => {
                let caller = Caller { peer, node, nonce, address, callable };
                self.protocol2(output, &caller, request, call);
            }
            Command::Status { peer, request } => self.status(output, peer, request),
            Command::CallDone { call, outcome } => self.call_done(output, call, &outcome),
            Command::Latency { peer, rtt_us } => self.latency(peer, rtt_us),
            Command::Disconnected { peer } => self.disconnected(output, peer),
            Command::Tick => self.tick(output),
        }
    }

    /// Names a lease; the numbers are reserved durably by the thousand.
    pub(crate) fn name_lease(&mut self, output: &mut Output) -> vipnode_types::LeaseId {
        let number = self.next_lease;
        self.next_lease = number.saturating_add(1);
        if number >= self.reserved_leases {
            self.reserved_leases = number.saturating_add(1_000);
            output.persist(Row::NextLease(self.reserved_leases));
        }
        vipnode_types::LeaseId::new(number)
    }
}
