use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use vipnode_types::{BrokenInvariant, Ms};

use crate::{
    Action, AgentConfig, AgentCounters, AgentGauges, AgentView, EndedLeases, Event, NodeChange, NodeTask, PoolState,
    RequestTag,
    client::{failed_hosts::FailedHosts, kept_price::KeptPrice, missing_hosts::MissingHosts},
    direct::direct_peers::DirectPeers,
    flows::stop::StopState,
    host::{host_state::HostState, offer::head_due, waiting_admits::WaitingAdmits},
    invariants,
    leases::{Lease, Leases},
    node::{
        former_clients::FormerClients, light_slots::LightSlots, own_peers::OwnPeers, state::NodeState,
        strict::StrictPeers,
    },
    payment::channel_payments::ChannelPayments,
    pool::{
        dialect::PoolProtocol, host_requests::HostRequests, leave::LeaveQueue, report::Reports, session::PoolSession,
    },
};

/// The agent's state machine. See the [crate] for its guarantees.
#[derive(Debug, Clone)]
pub struct AgentCore {
    pub(crate) config: AgentConfig,
    pub(crate) rng: ChaCha8Rng,
    /// The latest time that was passed in: time never runs backwards in here.
    pub(crate) now: Ms,
    pub(crate) leases: Leases,
    // The node.
    pub(crate) node: NodeState,
    pub(crate) own_peers: OwnPeers,
    pub(crate) light_slots: LightSlots,
    pub(crate) former_clients: FormerClients,
    pub(crate) strict: StrictPeers,
    // The pool.
    pub(crate) dialect: PoolProtocol,
    pub(crate) session: PoolSession,
    pub(crate) reports: Reports,
    pub(crate) asks: HostRequests,
    pub(crate) missing_hosts: MissingHosts,
    pub(crate) leaving: LeaveQueue,
    // The roles.
    pub(crate) hosting: HostState,
    pub(crate) waiting_admits: WaitingAdmits,
    pub(crate) failed_hosts: FailedHosts,
    pub(crate) kept_price: KeptPrice,
    pub(crate) payments: ChannelPayments,
    pub(crate) direct: DirectPeers,
    // The run.
    pub(crate) counters: AgentCounters,
    pub(crate) ended: EndedLeases,
    /// How many leases an earlier run left.
    pub(crate) unreleased: usize,
    pub(crate) stopping: Option<StopState>,
    pub(crate) stopped: bool,
    next_tag: RequestTag,
    next_task: u64,
}

impl AgentCore {
    /// Creates a core with the changes that an earlier run did not undo (see [`crate::unreleased_changes`]). They stay until
    /// the pool confirms or ends their leases.
    #[must_use]
    pub fn new(config: AgentConfig, journal: impl IntoIterator<Item = NodeChange>, now: Ms) -> Self {
        let mut rng = ChaCha8Rng::from_seed(config.seed);
        let mut leases = Leases::default();
        for change in journal {
            leases.insert(Lease::unreleased(change, now));
        }
        // A new run must not take the answer to a request of the run before for an answer to its own.
        let next_tag = u64::from(rand::Rng::next_u32(&mut rng));
        let ids = leases.iter().map(Lease::id).filter(|id| !id.is_direct());
        Self {
            unreleased: leases.len(),
            dialect: PoolProtocol::new(config.protocol2, ids),
            direct: DirectPeers::new(&config.direct, &leases),
            config,
            rng,
            now,
            leases,
            node: NodeState::default(),
            own_peers: OwnPeers::default(),
            light_slots: LightSlots::default(),
            former_clients: FormerClients::default(),
            strict: StrictPeers::default(),
            session: PoolSession::default(),
            reports: Reports::default(),
            asks: HostRequests::default(),
            missing_hosts: MissingHosts::default(),
            leaving: LeaveQueue::default(),
            hosting: HostState::default(),
            waiting_admits: WaitingAdmits::default(),
            failed_hosts: FailedHosts::default(),
            kept_price: KeptPrice::default(),
            payments: ChannelPayments::default(),
            counters: AgentCounters::default(),
            ended: EndedLeases::default(),
            stopping: None,
            stopped: false,
            next_tag,
            next_task: 0,
        }
    }

    /// The state of the connection to the pool.
    pub(crate) const fn pool_state(&self) -> PoolState {
        if self.config.pool { self.session.state() } else { PoolState::None }
    }

    /// Handles an event at `now` and appends the resulting actions, in order.
    pub fn handle(&mut self, now: Ms, event: Event, out: &mut Vec<Action>) {
        if self.stopped {
            return;
        }
        let now = self.now.max(now);
        self.now = now;
        match event {
            Event::NodeUp(facts) => self.node_up(now, *facts, out),
            Event::NodeDown { why } => self.node_down(why, out),
            Event::Peers(peers) => self.see_peers(now, &peers, out),
            Event::PeerGone(peer, cause) => self.suspect_gone(now, peer, cause, out),
            Event::Head { head, wall_s } => self.node.see_head(now, head, wall_s),
            Event::NodeDone { task, result } => self.node_done(now, task, result, out),
            Event::Listed { task, result } => self.listed(now, task, result, out),
            Event::Resolved { name, result } => self.resolved(now, &name, result, out),
            Event::Configured(config) => self.configured(now, *config, out),
            Event::PoolOpen => self.pool_open(now, out),
            Event::PoolLost { why } => self.pool_lost(now, why, out),
            Event::PoolUntrusted { why } => self.pool_untrusted(now, why, out),
            Event::PoolAddress(address) => self.session.reached_at(address),
            Event::PoolCalls { tag, call } => self.pool_calls(now, tag, call, out),
            Event::PoolAnswers { tag, answer } => self.pool_answers(now, tag, answer, out),
            Event::Stop(_) => self.stop(now, out),
            Event::Tick => {}
        }
        self.settle(now, out);
    }

    /// Returns when [`Event::Tick`] is due, unless something else happens before; `None` while only an event can change
    /// anything.
    #[must_use]
    pub fn next_wake(&self) -> Option<Ms> {
        if self.stopped {
            return None;
        }
        let due = self.watch_due().chain(self.node_due()).chain(self.pool_due()).chain(self.stop_due());
        let head_due = head_due(&self.config, &self.node, self.now);
        let due = due.chain(head_due).chain(self.unseen_due()).chain(self.light_slots.due());
        let due = due.chain(self.waiting_admits.due());
        due.chain(self.direct_due()).chain(self.strict_due()).chain(self.missing_due()).min()
    }

    /// Applies new settings and sends a new hello to the pool, which keeps the leases.
    fn configured(&mut self, now: Ms, config: AgentConfig, out: &mut Vec<Action>) {
        let AgentConfig { protocol2, seed, pool, request_ms, .. } = self.config;
        let host = config.host.filter(|_| self.config.host.is_some()).or_else(|| self.config.host.clone());
        self.config = AgentConfig { protocol2, seed, pool, request_ms, host, ..config };
        self.use_kept_price();
        self.direct.configured(&self.config.direct);
        self.hosting.configured();
        // Current peers may not satisfy the new rules.
        self.leases.iter_mut().for_each(Lease::recheck);
        if self.stopping.is_none() {
            self.present(now, true, out);
        }
    }

    /// Does what is due by the clock or follows from the event: first at the node, then toward the pool.
    fn settle(&mut self, now: Ms, out: &mut Vec<Action>) {
        self.watch_expire(now, out);
        self.tasks_expire(now, out);
        self.session_expire(now, out);
        self.unseen_expire(now, out);
        self.light_slots.expire(now);
        self.strict.expire(now);
        self.last_list_expire(now, out);
        self.keep_direct(now, out);
        self.work(now, out);
        while self.admit_waiting(now, out) {
            self.work(now, out);
        }
        if self.direct.is_due() {
            // Another lease took over what had to be undone, so it ended at once.
            self.keep_direct(now, out);
            self.work(now, out);
        }
        self.announce_offer(now, out);
        self.missing_expire(now, out);
        self.speak(now, out);
        self.finish_stop(now, out);
    }

    pub(crate) fn new_tag(&mut self) -> RequestTag {
        self.next_tag = self.next_tag.wrapping_add(1);
        self.next_tag
    }

    pub(crate) fn new_task(&mut self) -> NodeTask {
        self.next_task = self.next_task.wrapping_add(1);
        NodeTask(self.next_task)
    }

    /// Returns the agent's status at the moment of its last event.
    #[must_use]
    pub fn view(&self) -> AgentView {
        AgentView::of(self)
    }

    /// Returns the gauges at the moment of the last event.
    #[must_use]
    pub fn gauges(&self) -> AgentGauges {
        AgentGauges::of(self)
    }

    /// Returns the counters since the start.
    #[must_use]
    pub const fn counters(&self) -> &AgentCounters {
        &self.counters
    }

    /// Checks the invariants, for tests and the simulator.
    ///
    /// # Errors
    /// The invariant that does not hold.
    pub fn check(&self) -> Result<(), BrokenInvariant> {
        invariants::check(self)
    }
}
