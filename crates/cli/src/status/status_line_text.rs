use std::time::Duration;

use vipnode_agent::local::{AgentClientStatus, AgentHostStatus, AgentStatus, NodeStatus, PoolState};
use vipnode_pool::PoolSummary;

use super::{
    agent_page::{pool_state, role, short_client, sold_slots},
    local_agents::clean,
};
use crate::output::format::{brief, counted, head};

const BETWEEN: &str = " · ";

/// The age of a newest block is shown if it is at least this.
const OLD_MS: u64 = 60_000;

/// The state of an agent. The most important parts come first, since a narrow terminal cuts off the end.
pub(super) fn agent_line(status: AgentStatus) -> String {
    let status = clean(status);
    let pool = match status.pool.state {
        PoolState::None if !status.stopping => "no pool".to_owned(),
        _ => format!("pool {}", pool_state(&status)),
    };
    let mut parts = vec![role(&status).to_owned(), pool];
    parts.extend(status.host.as_ref().filter(|_| status.pool.state != PoolState::None).map(slots));
    parts.extend(status.client.as_ref().map(|client| {
        let connected = client.leases.iter().filter(|lease| lease.connected.is_some()).count();
        format!("{connected} of {} connected", counted(client.wants.into(), "host"))
    }));
    parts.extend(status.client.as_ref().and_then(redial));
    parts.push(counted(status.node.own_peers.into(), "own peer"));
    let at = if status.node.up { parts.len() } else { 1 };
    parts.insert(at, node(&status.node));
    parts.join(BETWEEN)
}

/// When the node dials a host again, if it waits with that.
fn redial(client: &AgentClientStatus) -> Option<String> {
    let next_ms = client.leases.iter().filter_map(|lease| lease.redial_ms).min()?;
    Some(format!("geth waits up to 35 s before it dials again; next try in {} s", next_ms.div_ceil(1_000)))
}

fn node(node: &NodeStatus) -> String {
    let client = short_client(&node.client_version);
    match (node.up, node.head, node.head_age_ms) {
        (false, ..) => format!("{client} does not answer"),
        (true, Some(number), age_ms) => format!("{client} {}", head(number, age_ms.filter(|age| *age >= OLD_MS))),
        (true, None, _) => client,
    }
}

fn slots(host: &AgentHostStatus) -> String {
    match host.why_none {
        Some(_) => format!("{}, none offered", sold_slots(host.sold)),
        None => format!("{} of {} sold", host.sold, counted(host.slots.into(), "slot")),
    }
}

/// The state of a pool; `before` is the state one `moment` ago.
pub(super) fn pool_line(before: &PoolSummary, now: &PoolSummary, moment: Duration) -> String {
    let requests = now.requests.saturating_sub(before.requests);
    let a_second = requests / moment.as_secs().max(1);
    let mut parts = vec![
        "pool".to_owned(),
        format!("{}, {}", counted(now.hosts, "host"), counted(now.clients, "client")),
        format!("{}, {} running", counted(now.leases, "lease"), now.running),
        format!("{} free", counted(now.free_slots, "slot")),
    ];
    if now.waiting > 0 {
        parts.push(format!("{} waiting", counted(now.waiting, "client")));
    }
    let requests = if a_second == 1 { "request" } else { "requests" };
    parts.push(format!("{} {requests}/s", brief(a_second)));
    parts.join(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_shows_its_slots_and_its_load() {
        let before = PoolSummary { requests: 1_000, ..PoolSummary::default() };
        let now = PoolSummary {
            hosts: 12,
            clients: 40,
            leases: 75,
            running: 70,
            free_slots: 45,
            requests: 2_250,
            ..PoolSummary::default()
        };
        let line = pool_line(&before, &now, Duration::from_secs(1));
        assert_eq!(line, "pool · 12 hosts, 40 clients · 75 leases, 70 running · 45 slots free · 1.2k requests/s");
        let waiting = PoolSummary { waiting: 1, ..PoolSummary::default() };
        assert!(
            pool_line(&PoolSummary::default(), &waiting, Duration::from_secs(1))
                .contains(" · 1 client waiting · 0 requests/s")
        );
        let one_each_second = PoolSummary { requests: 60, ..PoolSummary::default() };
        let line = pool_line(&PoolSummary::default(), &one_each_second, Duration::from_secs(60));
        assert!(line.ends_with(" · 1 request/s"), "{line}");
    }
}
