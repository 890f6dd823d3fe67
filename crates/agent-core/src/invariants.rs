use std::collections::BTreeSet;

use vipnode_types::wire::Side;

use crate::{AgentCore, leases::lease::Lease, limits};

impl AgentCore {
    /// Whether everything that always holds does hold; for tests and the simulator.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self) -> Result<(), String> {
        self.leases.iter().try_for_each(check_lease)?;
        let mut busy = BTreeSet::new();
        for lease in self.leases.iter().filter(|lease| lease.task.is_some()) {
            ensure(busy.insert(lease.peer.id), || format!("{:?}: two tasks for one peer", lease.id))?;
        }
        let most = limits::LEASES.max(self.left_over);
        ensure(self.leases.len() <= most, || "more leases than the limit".to_owned())?;
        ensure(self.avoid.len() <= limits::AVOID, || "more avoided hosts than the limit".to_owned())?;
        let former = self.former_clients.len();
        ensure(former <= limits::FORMER_CLIENTS, || format!("{former} former clients"))?;
        let pending = self.leases.pending_calls();
        ensure(pending <= limits::PENDING_CALLS, || format!("{pending} calls wait"))?;
        ensure(self.node.peers.len() <= limits::PEERS, || "more peers than the limit".to_owned())?;
        ensure(self.node.up || busy.is_empty(), || "a task runs while the node is away".to_owned())?;
        let unseen = self.protocol2.as_ref().map_or(0, crate::pool::protocol2::Protocol2::unseen);
        ensure(unseen <= most, || format!("{unseen} unseen clients of {} leases", self.leases.len()))?;
        let places = self.config.host.as_ref().map_or(0, |host| host.places(self.config.direct.allowed()));
        let fresh = self.leases.iter().filter(|lease| lease.side == Side::Host && lease.socket > 0).count();
        let most = usize::try_from(places).unwrap_or(usize::MAX).max(self.left_over);
        ensure(fresh <= most, || format!("{fresh} clients on {places} places"))?;
        self.check_direct()?;
        let strangers = self.strict.dropping();
        ensure(strangers <= limits::STRANGERS, || format!("{strangers} strangers are being disconnected"))?;
        ensure(self.node.up || strangers == 0, || "strangers of a node that is away".to_owned())?;
        let live = self.link.is_live();
        let speaks = self.reports.in_flight().or(self.asks.in_flight()).or(self.leaving.in_flight()).is_some();
        ensure(live || !speaks, || "a request is in flight on no socket".to_owned())
    }
}

impl AgentCore {
    fn check_direct(&self) -> Result<(), String> {
        let mut named = BTreeSet::new();
        for lease in self.leases.iter().filter(|lease| lease.id.is_direct() && lease.runs() && !lease.leftover) {
            let id = lease.id;
            let side = lease.side == Side::Host;
            ensure(named.insert((lease.peer.id, side)), || format!("{id:?}: held twice without a pool"))?;
            ensure(lease.socket == 0 && lease.price.is_none(), || format!("{id:?}: a pool spoke of it"))?;
            ensure(lease.waiting.is_empty() && lease.dial.is_none(), || format!("{id:?}: a pool waits for it"))?;
        }
        ensure(self.config.pool || !self.link.is_live(), || "a pool where there is none".to_owned())
    }
}

fn check_lease(lease: &Lease) -> Result<(), String> {
    let id = lease.id;
    ensure(!lease.applied || lease.is_journaled() || lease.nodes_own, || {
        format!("{id:?}: done and not in the journal")
    })?;
    let told = lease.task.is_some_and(|task| !task.lists);
    ensure(!told || lease.is_journaled(), || format!("{id:?}: the node is told before the journal"))?;
    ensure(!lease.nodes_own || !lease.is_journaled(), || format!("{id:?}: the node's own, and in the journal"))?;
    ensure(lease.runs() || lease.up.is_none(), || format!("{id:?}: over and still seen"))?;
    let seen = lease.up.is_some();
    ensure(seen || (lease.suspect.is_none() && !lease.returning), || format!("{id:?}: suspected unseen"))
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
