use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use vipnode_types::{
    LeaseId, Ms,
    wire::{LeaveReason, PairFault},
};

use crate::{
    Action, AgentConfig, Counters, Event, Grant, NodeTask, RequestTag, client::avoid::Avoid,
    client::connect_failure::SaidCauses, direct::named_peers::Direct, flows::stop::Stopping, leases::lease::Lease,
    leases::table::Leases, leases::totals::EndedLeases, node::former_clients::FormerClients,
    node::light_slots::LightPlaces, node::own_peers::OwnPeers, node::state::NodeSide, node::strict::Strict,
    pool::ask::Asks, pool::leave::Leaving, pool::link::PoolLink, pool::protocol2::Protocol2, pool::report::Reports,
};

/// The agent's mind. See the [crate] for what it promises.
#[derive(Debug, Clone)]
pub struct AgentCore {
    pub(crate) config: AgentConfig,
    pub(crate) rng: ChaCha8Rng,
    /// The newest moment handed in: time never runs backwards in here.
    pub(crate) now: Ms,
    pub(crate) node: NodeSide,
    pub(crate) leases: Leases,
    pub(crate) link: PoolLink,
    pub(crate) asks: Asks,
    pub(crate) avoid: Avoid,
    pub(crate) direct: Direct,
    pub(crate) strict: Strict,
    pub(crate) reports: Reports,
    pub(crate) leaving: Leaving,
    pub(crate) own_peers: OwnPeers,
    pub(crate) counters: Counters,
    pub(crate) former_clients: FormerClients,
    /// When a client was last connected.
    pub(crate) last_client: Option<Ms>,
    /// Why hosts were not connected, as told to the user.
    pub(crate) not_connected_said: SaidCauses,
    /// The same of clients.
    pub(crate) clients_not_connected_said: SaidCauses,
    pub(crate) light_places: LightPlaces,
    /// Set where the pool is one of the original.
    pub(crate) protocol2: Option<Protocol2>,
    /// What was last said to the user of the places offered.
    pub(crate) offer_said: Option<(u32, Option<String>)>,
    pub(crate) stopping: Option<Stopping>,
    pub(crate) stopped: bool,
    pub(crate) ended: EndedLeases,
    /// How many leases an earlier run left.
    pub(crate) left_over: usize,
    next_tag: RequestTag,
    next_task: u64,
}

impl AgentCore {
    /// A mind that knows what an earlier run left undone (see [`crate::left_undone`]). These grants are
    /// kept until the pool says which of them still live.
    #[must_use]
    pub fn new(config: AgentConfig, journal: impl IntoIterator<Item = Grant>, now: Ms) -> Self {
        let mut rng = ChaCha8Rng::from_seed(config.seed);
        let mut leases = Leases::default();
        for grant in journal {
            leases.insert(Lease::left_over(grant, now));
        }
        // Two runs of one agent must not take the answer to an old request for the answer to a new one.
        let next_tag = u64::from(rand::Rng::next_u32(&mut rng));
        let ids = leases.iter().map(|lease| lease.id).filter(|id| !id.is_direct());
        let protocol2 = config.protocol2.map(|config| Protocol2::new(config, ids));
        Self {
            left_over: leases.len(),
            strict: Strict::default(),
            direct: Direct::new(&config.direct, &leases),
            config,
            rng,
            now,
            node: NodeSide::default(),
            leases,
            link: PoolLink::default(),
            asks: Asks::default(),
            avoid: Avoid::default(),
            reports: Reports::default(),
            leaving: Leaving::default(),
            own_peers: OwnPeers::default(),
            counters: Counters::default(),
            former_clients: FormerClients::default(),
            last_client: None,
            not_connected_said: SaidCauses::default(),
            clients_not_connected_said: SaidCauses::default(),
            light_places: LightPlaces::default(),
            protocol2,
            offer_said: None,
            stopping: None,
            stopped: false,
            ended: EndedLeases::default(),
            next_tag,
            next_task: 0,
        }
    }

    /// Takes in what happened at `now` and appends what is to be done, in order.
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
            Event::PoolCalls { tag, call } => self.pool_calls(now, tag, call, out),
            Event::PoolAnswers { tag, answer } => self.pool_answers(now, tag, answer, out),
            Event::Stop(_) => self.stop(now, out),
            Event::Tick => {}
        }
        self.settle(now, out);
    }

    /// The moment at which [`Event::Tick`] is due, unless something else happens before; `None` while
    /// only an event can change anything.
    #[must_use]
    pub fn next_wake(&self) -> Option<Ms> {
        if self.stopped {
            return None;
        }
        let due = self.watch_due().chain(self.node_due()).chain(self.pool_due()).chain(self.stop_due());
        let due = due.chain(self.head_due()).chain(self.unseen_due()).chain(self.light_places.due());
        due.chain(self.direct_due()).chain(self.strict_due()).min()
    }

    /// Presents itself anew to the pool, which keeps the leases.
    fn configured(&mut self, now: Ms, config: AgentConfig, out: &mut Vec<Action>) {
        let AgentConfig { protocol2, seed, pool, .. } = self.config;
        let host = config.host.filter(|_| self.config.host.is_some()).or_else(|| self.config.host.clone());
        self.config = AgentConfig { protocol2, seed, pool, host, ..config };
        self.direct.configured(&self.config.direct);
        self.clients_not_connected_said = SaidCauses::default();
        // Other rules may not suit who is here.
        self.leases.iter_mut().for_each(|lease| lease.judged = false);
        if self.stopping.is_none() {
            self.present(now, true, out);
        }
    }

    /// Does what is due by the clock or follows from what changed: first at the node, then towards the pool.
    fn settle(&mut self, now: Ms, out: &mut Vec<Action>) {
        self.watch_expire(now, out);
        self.tasks_expire(now, out);
        self.link_expire(now, out);
        self.unseen_expire(now, out);
        self.light_places.expire(now);
        self.strangers_expire(now);
        self.last_list_expire(now, out);
        self.keep_direct(now, out);
        self.work(now, out);
        if self.direct.is_due() {
            // What another lease covered was gone at once.
            self.keep_direct(now, out);
            self.work(now, out);
        }
        self.say_offer(now, out);
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

    /// Tells the pool that a lease is left, at the next chance. Over protocol 2 the next update says so.
    pub(crate) fn leave(&mut self, lease: LeaseId, reason: LeaveReason) {
        self.leave_because(lease, reason, None);
    }

    /// As [`Self::leave`], with what the node saw. Of two words on one lease the first counts.
    pub(crate) fn leave_because(&mut self, lease: LeaseId, reason: LeaveReason, fault: Option<PairFault>) {
        if lease.is_direct() {
            return;
        }
        if self.protocol2.is_none() && self.link.is_live() && self.stopping.is_none() {
            self.leaving.add(lease, reason, fault);
        }
    }
}
