use std::collections::BTreeSet;

use vipnode_types::{BrokenInvariant, wire::Side};

use crate::{AgentCore, leases::Lease, limits, pool::protocol2::Protocol2Translation};

/// Checks the invariants.
///
/// # Errors
/// The invariant that does not hold.
pub(crate) fn check(core: &AgentCore) -> Result<(), BrokenInvariant> {
    core.leases.iter().try_for_each(check_lease)?;
    let mut busy = BTreeSet::new();
    for lease in core.leases.iter().filter(|lease| lease.task().is_some()) {
        BrokenInvariant::unless(busy.insert(lease.peer_id()), || format!("{:?}: two tasks for one peer", lease.id()))?;
    }
    let most = limits::LEASES.max(core.unreleased);
    BrokenInvariant::unless(core.leases.len() <= most, || "more leases than the limit".to_owned())?;
    BrokenInvariant::unless(core.failed_hosts.remembered() <= limits::AVOID, || {
        "more avoided hosts than the limit".to_owned()
    })?;
    let former = core.former_clients.len();
    BrokenInvariant::unless(former <= limits::FORMER_CLIENTS, || format!("{former} former clients"))?;
    let pending = core.pending_calls();
    BrokenInvariant::unless(pending <= limits::PENDING_CALLS, || format!("{pending} calls wait"))?;
    BrokenInvariant::unless(core.node.peers().len() <= limits::PEERS, || "more peers than the limit".to_owned())?;
    let up = core.node.is_up();
    BrokenInvariant::unless(up || busy.is_empty(), || "a task runs while the node is down".to_owned())?;
    let unseen = core.dialect.protocol2().map_or(0, Protocol2Translation::unseen);
    BrokenInvariant::unless(unseen <= most, || format!("{unseen} unseen clients of {} leases", core.leases.len()))?;
    let slots = core.config.host.as_ref().map_or(0, |host| host.sellable(core.config.direct.allowed()));
    let fresh = core.leases.iter().filter(|lease| lease.side() == Side::Host && lease.socket() > 0).count();
    let most = usize::try_from(slots).unwrap_or(usize::MAX).max(core.unreleased);
    BrokenInvariant::unless(fresh <= most, || format!("{fresh} clients on {slots} slots"))?;
    check_direct(core)?;
    let unleased = core.strict.dropping();
    BrokenInvariant::unless(unleased <= limits::UNLEASED_PEERS, || {
        format!("{unleased} unleased are being disconnected")
    })?;
    BrokenInvariant::unless(up || unleased == 0, || "unleased of a node that is down".to_owned())?;
    let live = core.session.is_live();
    let speaks = core.reports.in_flight().or(core.asks.in_flight()).or(core.leaving.in_flight()).is_some();
    BrokenInvariant::unless(live || !speaks, || "a request is in flight on no socket".to_owned())
}

fn check_direct(core: &AgentCore) -> Result<(), BrokenInvariant> {
    let mut named = BTreeSet::new();
    for lease in core.leases.iter().filter(|lease| lease.is_direct() && lease.runs() && !lease.is_unreleased()) {
        let id = lease.id();
        let host = lease.side() == Side::Host;
        BrokenInvariant::unless(named.insert((lease.peer_id(), host)), || {
            format!("{id:?}: held twice without a pool")
        })?;
        let spoken_of = lease.socket() > 0 || lease.terms().price.is_some();
        BrokenInvariant::unless(!spoken_of, || format!("{id:?}: a pool spoke of it"))?;
        BrokenInvariant::unless(lease.pending() == 0 && lease.dial().is_none(), || {
            format!("{id:?}: a pool waits for it")
        })?;
    }
    BrokenInvariant::unless(core.config.pool || !core.session.is_live(), || "a pool where there is none".to_owned())
}

fn check_lease(lease: &Lease) -> Result<(), BrokenInvariant> {
    let (id, connection) = (lease.id(), lease.connection());
    let known = lease.is_journaled() || lease.is_kept_by_node();
    BrokenInvariant::unless(!lease.is_applied() || known, || format!("{id:?}: done and not in the journal"))?;
    let sent = lease.task().is_some_and(|task| !task.lists);
    BrokenInvariant::unless(!sent || lease.is_journaled(), || {
        format!("{id:?}: the command precedes the journal entry")
    })?;
    let both = lease.is_kept_by_node() && lease.is_journaled();
    BrokenInvariant::unless(!both, || format!("{id:?}: the node's own, and in the journal"))?;
    BrokenInvariant::unless(lease.runs() || !connection.is_up(), || format!("{id:?}: over and still seen"))?;
    let doubted = connection.is_doubted() || connection.is_returning();
    BrokenInvariant::unless(connection.is_up() || !doubted, || format!("{id:?}: suspected unseen"))
}
