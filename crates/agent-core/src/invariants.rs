use std::collections::BTreeSet;

use vipnode_types::wire::Side;

use crate::{AgentCore, leases::Lease, limits, pool::protocol2::Protocol2};

/// Checks the invariants.
///
/// # Errors
/// The invariant that does not hold.
pub(crate) fn check(core: &AgentCore) -> Result<(), String> {
    core.leases.iter().try_for_each(check_lease)?;
    let mut busy = BTreeSet::new();
    for lease in core.leases.iter().filter(|lease| lease.task().is_some()) {
        ensure(busy.insert(lease.peer_id()), || format!("{:?}: two tasks for one peer", lease.id()))?;
    }
    let most = limits::LEASES.max(core.left_over);
    ensure(core.leases.len() <= most, || "more leases than the limit".to_owned())?;
    ensure(core.host_search.remembered() <= limits::AVOID, || "more avoided hosts than the limit".to_owned())?;
    let former = core.former_clients.len();
    ensure(former <= limits::FORMER_CLIENTS, || format!("{former} former clients"))?;
    let pending = core.pending_calls();
    ensure(pending <= limits::PENDING_CALLS, || format!("{pending} calls wait"))?;
    ensure(core.node.peers().len() <= limits::PEERS, || "more peers than the limit".to_owned())?;
    let up = core.node.is_up();
    ensure(up || busy.is_empty(), || "a task runs while the node is down".to_owned())?;
    let unseen = core.dialect.protocol2().map_or(0, Protocol2::unseen);
    ensure(unseen <= most, || format!("{unseen} unseen clients of {} leases", core.leases.len()))?;
    let slots = core.config.host.as_ref().map_or(0, |host| host.sellable(core.config.direct.allowed()));
    let fresh = core.leases.iter().filter(|lease| lease.side() == Side::Host && lease.socket() > 0).count();
    let most = usize::try_from(slots).unwrap_or(usize::MAX).max(core.left_over);
    ensure(fresh <= most, || format!("{fresh} clients on {slots} slots"))?;
    check_direct(core)?;
    let strangers = core.strict.dropping();
    ensure(strangers <= limits::STRANGERS, || format!("{strangers} strangers are being disconnected"))?;
    ensure(up || strangers == 0, || "strangers of a node that is down".to_owned())?;
    let live = core.link.is_live();
    let speaks = core.reports.in_flight().or(core.asks.in_flight()).or(core.leaving.in_flight()).is_some();
    ensure(live || !speaks, || "a request is in flight on no socket".to_owned())
}

fn check_direct(core: &AgentCore) -> Result<(), String> {
    let mut named = BTreeSet::new();
    for lease in core.leases.iter().filter(|lease| lease.is_direct() && lease.runs() && !lease.is_leftover()) {
        let id = lease.id();
        let host = lease.side() == Side::Host;
        ensure(named.insert((lease.peer_id(), host)), || format!("{id:?}: held twice without a pool"))?;
        let spoken_of = lease.socket() > 0 || lease.terms().price.is_some();
        ensure(!spoken_of, || format!("{id:?}: a pool spoke of it"))?;
        ensure(lease.pending() == 0 && lease.dial().is_none(), || format!("{id:?}: a pool waits for it"))?;
    }
    ensure(core.config.pool || !core.link.is_live(), || "a pool where there is none".to_owned())
}

fn check_lease(lease: &Lease) -> Result<(), String> {
    let (id, presence) = (lease.id(), lease.presence());
    let known = lease.is_journaled() || lease.is_nodes_own();
    ensure(!lease.is_applied() || known, || format!("{id:?}: done and not in the journal"))?;
    let sent = lease.task().is_some_and(|task| !task.lists);
    ensure(!sent || lease.is_journaled(), || format!("{id:?}: the command precedes the journal entry"))?;
    let both = lease.is_nodes_own() && lease.is_journaled();
    ensure(!both, || format!("{id:?}: the node's own, and in the journal"))?;
    ensure(lease.runs() || !presence.is_up(), || format!("{id:?}: over and still seen"))?;
    let doubted = presence.is_doubted() || presence.is_returning();
    ensure(presence.is_up() || !doubted, || format!("{id:?}: suspected unseen"))
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
