//! `vipnode ping`: tests the path to a node, step by step, and reports where it breaks. Changes nothing.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use vipnode_agent::{
    KnownPool, NetConnector,
    local::{AgentStatus, LeaseStatus, PoolState},
    reach,
};
use vipnode_node::{Endpoint, NodeAccess, Trust};
use vipnode_types::{
    NodeFacts, is_public,
    wire::{Reach, ReachRequest},
};

use super::{
    Report, agent_page,
    agents_page::unresponsive_json,
    local_agents::{LocalAgents, UnresponsiveAgent},
    local_pools::LocalPools,
};
use crate::{
    args::{PingArgs, TrustArgs},
    discover::named_pool,
    error::CliError,
    output::{
        Styled, Tone,
        format::{milliseconds, span},
        terminal::page_width,
    },
};

/// A step takes no longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// One step of a path.
#[derive(Debug)]
struct PathStep {
    /// Its name in JSON.
    name: &'static str,
    tone: Tone,
    text: String,
    hint: String,
}

impl PathStep {
    fn new(name: &'static str, tone: Tone, text: impl Into<String>) -> Self {
        Self { name, tone, text: text.into(), hint: String::new() }
    }

    fn failed(name: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..Self::new(name, Tone::Bad, text) }
    }
}

/// The other side of a lease: "host" or "client", and the lease.
type Leased<'a> = (&'static str, &'a LeaseStatus);

/// The path from an agent's node, to a leased peer if there is one, and its steps.
type Path<'a> = (&'a AgentStatus, Option<Leased<'a>>, Vec<PathStep>);

/// Tests the paths that the arguments name.
///
/// # Errors
/// A state directory or a certificate cannot be read.
pub(crate) async fn ping(args: &PingArgs) -> Result<Report, CliError> {
    let agents = LocalAgents::ask_in(args.state_dir.as_deref(), None).await?;
    args.trust.trust()?;
    let mut paths = Vec::new();
    for (_, status) in &agents.answered {
        let prefix = args.node.as_deref();
        let own = prefix.is_none_or(|prefix| status.node.id.to_string().starts_with(prefix));
        let leased =
            leases(status).find(|(_, lease)| prefix.is_some_and(|prefix| lease.peer.to_string().starts_with(prefix)));
        if own || leased.is_some() {
            let leased = leased.filter(|_| !own);
            paths.push((status, leased, path(status, leased, &args.trust).await));
        }
    }
    let gone: Vec<&UnresponsiveAgent> =
        agents.unresponsive.iter().filter(|agent| agent.is_named(args.node.as_deref())).collect();
    let complete = !paths.is_empty()
        && gone.is_empty()
        && paths.iter().flat_map(|(.., steps)| steps).all(|step| step.tone != Tone::Bad);
    let json = json!({"event": "ping", "paths": paths.iter().map(|(status, leased, steps)| json!({
        "node": status.node.id,
        "peer": leased.map(|(_, lease)| lease.peer),
        "steps": steps.iter().map(step_json).collect::<Value>(),
    })).collect::<Value>(), "unresponsive": unresponsive_json(gone.iter().copied())});
    let mut text = page(&paths, &gone, args.node.as_deref());
    if paths.is_empty() && gone.is_empty() && args.node.is_none() && args.state_dir.is_none() {
        let pools = LocalPools::ask().await.page();
        text.push("\n");
        text.append(&pools);
    }
    Ok(Report { text: text.trimmed().wrapped(page_width()), json, complete })
}

/// The paths, the agents that did not respond, and `node`, as the user gave it.
fn page(paths: &[Path<'_>], gone: &[&UnresponsiveAgent], node: Option<&str>) -> Styled {
    let mut text = Styled::default();
    for (status, leased, steps) in paths {
        let to = leased.map(|(whom, lease)| format!(" to {whom} {}", lease.peer.short())).unwrap_or_default();
        text.push(&format!("From node {}{to}\n", status.node.id.short()));
        steps.iter().for_each(|step| show(&mut text, step));
    }
    for UnresponsiveAgent { error, .. } in gone {
        show(&mut text, &PathStep::failed("agent", &error.message, &error.hint));
    }
    if paths.is_empty() && gone.is_empty() {
        let step = match node {
            Some(node) => PathStep::failed(
                "agent",
                format!("No local agent has a node or a lease whose ID begins with {node}"),
                "List the agents and their leases: `vipnode status`",
            ),
            None => PathStep::failed("agent", "No agent is running on this machine", "Start an agent: `vipnode agent`"),
        };
        show(&mut text, &step);
    }
    text.trimmed()
}

fn show(text: &mut Styled, step: &PathStep) {
    text.mark(step.tone);
    text.push(&step.text);
    text.hint(&step.hint, "  ");
    text.push("\n");
}

fn step_json(step: &PathStep) -> Value {
    let verdict = match step.tone {
        Tone::Good => "ok",
        Tone::Plain => "skipped",
        Tone::Warning => "warning",
        Tone::Bad => "error",
    };
    json!({"step": step.name, "verdict": verdict, "text": step.text, "hint": step.hint})
}

/// The leases of an agent, each with what the other side is.
fn leases(status: &AgentStatus) -> impl Iterator<Item = (&'static str, &LeaseStatus)> {
    let hosts = status.client.iter().flat_map(|client| &client.leases).map(|lease| ("host", lease));
    hosts.chain(status.host.iter().flat_map(|host| &host.leases).map(|lease| ("client", lease)))
}

async fn path(status: &AgentStatus, leased: Option<Leased<'_>>, own: &TrustArgs) -> Vec<PathStep> {
    let mut steps = Vec::new();
    let trust = own.trust_as(&status.connections).or_else(|CliError { message, hint }| {
        steps.push(PathStep::failed("tls_ca", message, hint));
        own.trust()
    });
    let trust = trust.unwrap_or_default();
    let (node, facts) = node(status, &trust).await;
    steps.push(node);
    steps.extend(pool(status, facts.as_ref(), &trust).await);
    if let Some((whom, lease)) = leased {
        steps.extend(peer(status, whom, lease).await);
    }
    steps
}

/// Whether the node answers and offers admin calls.
async fn node(status: &AgentStatus, trust: &Trust) -> (PathStep, Option<NodeFacts>) {
    let at = &status.node.at;
    if is_inside_agent(at) {
        let text = format!("The node at {at} is simulated by the agent (fakenode://), so it was not tested");
        return (PathStep::new("node", Tone::Plain, text), None);
    }
    let began = Instant::now();
    let asked = async {
        let endpoint: Endpoint = at.parse()?;
        endpoint.open(&NodeAccess { trust: trust.clone(), ..NodeAccess::default() }).await?.facts().await
    };
    match timeout(DEADLINE, asked).await {
        Ok(Ok(facts)) => {
            let text = format!("The node at {at} responded to an admin call in {}", ms(began));
            (PathStep::new("node", Tone::Good, text), Some(facts))
        }
        Ok(Err(error)) => {
            let CliError { message, hint } = error.into();
            (PathStep::failed("node", message, hint), None)
        }
        Err(_elapsed) => {
            let text = format!("The node at {at} did not respond within {} s", DEADLINE.as_secs());
            (PathStep::failed("node", text, "Check the node's log, and restart it if it hangs"), None)
        }
    }
}

/// Whether a simulated node runs inside the agent's process: the address of one that others can reach has a port.
fn is_inside_agent(at: &str) -> bool {
    at.strip_prefix("sim://").is_some_and(|place| !place.contains(':'))
}

/// Whether the pool answers, has accepted the agent, and reaches the node's p2p port.
async fn pool(status: &AgentStatus, facts: Option<&NodeFacts>, trust: &Trust) -> Vec<PathStep> {
    let link = &status.pool;
    if link.state == PoolState::None {
        return vec![PathStep::new("pool", Tone::Plain, "The agent has no pool")];
    }
    let mut steps = Vec::new();
    let began = Instant::now();
    let port = facts.map(|facts| facts.enode.port).filter(|port| *port != 0);
    let (id, chain_id) = (status.node.id, status.node.chain.chain_id);
    let request = ReachRequest { port, node: id, chain_id, join: None, connect: None };
    let asked = async {
        let address = named_pool(&link.url)?;
        address.check(trust)?;
        let (known, connector) = (KnownPool::new(&address, link.id, None), NetConnector::new(address, trust.clone()));
        Ok::<_, CliError>(reach(&connector, request, None, None, known).await?)
    };
    let reached = match timeout(DEADLINE, asked).await {
        Ok(Ok(reached)) => reached,
        Ok(Err(CliError { message, hint })) => return vec![PathStep::failed("pool", message, hint)],
        Err(_elapsed) => {
            let text = format!("The pool at {} did not respond within {} s", link.url, DEADLINE.as_secs());
            return vec![PathStep::failed("pool", text, "Check the network between this machine and the pool")];
        }
    };
    steps.push(PathStep::new("pool", Tone::Good, format!("The pool at {} responded in {}", link.url, ms(began))));
    steps.push(match link.state {
        PoolState::Joined => PathStep::new("joined", Tone::Good, "The agent has joined the pool"),
        _ => {
            let text = format!("The agent has not joined the pool: {}", agent_page::pool_state(status));
            PathStep::failed("joined", text, "Find the cause: run `vipnode doctor` with the flags of the agent")
        }
    });
    let tested = match reached.reply.and_then(|reply| reply.port_error.clone().map_or(Ok(reply), Err)) {
        Ok(reply) => reply.port.map(|reached| (reached, reply.address)),
        Err(error) => {
            let text = format!("The pool did not test the node's p2p port: {error}");
            steps.push(PathStep {
                hint: error.hint().unwrap_or_default().to_owned(),
                ..PathStep::new("p2p", Tone::Warning, text)
            });
            None
        }
    };
    steps.extend(tested.zip(port).map(|((reached, address), port)| {
        let place = format!("the node's p2p port {port} at {address}");
        let hint = format!("Open TCP port {port} in the firewall, and forward it from the router to this machine");
        match reached {
            Reach::Open => PathStep::new("p2p", Tone::Good, format!("The pool can reach {place}")),
            Reach::Refused => {
                PathStep::failed("p2p", format!("The pool cannot reach {place}: connection refused"), hint)
            }
            Reach::Timeout => PathStep::failed("p2p", format!("The pool cannot reach {place}: timed out"), hint),
        }
    }));
    steps
}

/// Whether a leased peer is connected. The address of one that is not is tried from this machine. That of a connected
/// one is
/// not: geth refuses a public address that connected to it within the last 30 s, so the test would keep the node's own
/// connection from coming back.
async fn peer(status: &AgentStatus, whom: &'static str, lease: &LeaseStatus) -> Vec<PathStep> {
    let who = format!("{} {}", if whom == "host" { "Host" } else { "Client" }, lease.peer.short());
    if let Some(since) = lease.connected {
        let since = span(status.now.since(since));
        let trip = lease.latency_us.map(Duration::from_micros).map(milliseconds);
        let trip = trip.map(|trip| format!("; the round-trip time is {trip}")).unwrap_or_default();
        let at = lease.address.as_ref().map(|address| format!(" at {address}")).unwrap_or_default();
        let text = format!("{who}{at} has been connected to the node for {since}{trip}");
        return vec![PathStep::new("connected", Tone::Good, text)];
    }
    let hint = match (whom, lease.direct) {
        ("host", false) => "Find the cause: `vipnode status --why`".to_owned(),
        ("host", true) => {
            format!("Start that node, and ask its operator to run `vipnode host --allow {}`", status.node.id)
        }
        _ => "Start that node and its agent".to_owned(),
    };
    let connected = PathStep::failed("connected", format!("{who} is not connected to the node"), hint);
    let Some(address) = lease.address.as_ref().filter(|address| address.contains(':')) else {
        return vec![connected, PathStep::new("address", Tone::Plain, format!("{who} has no known address to dial"))];
    };
    let began = Instant::now();
    let tried = match timeout(DEADLINE, TcpStream::connect(address)).await {
        Ok(Ok(_open)) => Ok(began.elapsed()),
        // Without the number of the error.
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Err(error.kind().into()),
        Ok(Err(error)) => Err(error),
        Err(_elapsed) => Err(ErrorKind::TimedOut.into()),
    };
    vec![connected, address_step(&who, address, tried)]
}

/// Whether an address accepts connections: after which time, or why not.
fn address_step(who: &str, address: &str, tried: io::Result<Duration>) -> PathStep {
    let ip = address.parse().map(|address: SocketAddr| address.ip().to_canonical()).ok();
    match tried {
        Ok(after) => {
            let refuses = match ip {
                Some(ip) if is_public(ip) => {
                    ". This test opened and closed a connection; geth refuses the next one from this machine's address for \
                     30 s"
                }
                _ => "",
            };
            let text = format!("{who} accepted a TCP connection at {address} in {}{refuses}", milliseconds(after));
            PathStep::new("address", Tone::Good, text)
        }
        Err(why) => {
            let text = format!("{who} cannot be reached at {address}: {why}");
            let hint = match ip {
                Some(ip) if ip.is_loopback() => LOOPBACK_HINT,
                _ => {
                    "Ask the operator of that node to open its p2p port, or check the firewall on this machine for outgoing \
                     connections"
                }
            };
            PathStep::failed("address", text, hint)
        }
    }
}

/// Of an address that leads to the machine that dials it.
const LOOPBACK_HINT: &str = "A loopback address always refers to the local machine. If the node runs on another machine, use its address \
                             there: have its operator start it with `geth --nat extip:ADDRESS`, or pass an enode with that \
                             address";

fn ms(began: Instant) -> String {
    milliseconds(began.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{agent, pages, plain};

    #[tokio::test]
    async fn a_node_inside_the_agent_is_not_tested() {
        let mut status = agent(1, Some(20_000_000), Some(12_000));
        status.node.at = "sim://0a0a0a0a0a0a".to_owned();
        let (step, facts) = node(&status, &Trust::default()).await;
        assert!(step.tone == Tone::Plain && step.text.contains("fakenode://") && facts.is_none(), "{step:?}");
        assert!(!is_inside_agent("sim://127.0.0.1:4/node"), "another process can ask it");
    }

    #[test]
    fn snapshot_of_the_paths() {
        let (well, ill) = (agent(1, Some(20_000_000), Some(12_000)), agent(2, None, None));
        let leased = leases(&well).next().unwrap();
        let hint = "Open TCP port 30303 in the firewall, and forward it from the router to this machine";
        let node = || PathStep::new("node", Tone::Good, "The node at /x/geth.ipc responded to an admin call in 1.2 ms");
        let paths: [Path<'_>; 3] = [
            (
                &well,
                None,
                vec![
                    node(),
                    PathStep::new("pool", Tone::Good, "The pool at wss://pool.example/ responded in 31.4 ms"),
                    PathStep::new("joined", Tone::Good, "The agent has joined the pool"),
                    PathStep::new("p2p", Tone::Good, "The pool can reach the node's p2p port 30303 at 203.0.113.7"),
                ],
            ),
            (
                &well,
                Some(leased),
                vec![
                    node(),
                    PathStep::new("pool", Tone::Plain, "The agent has no pool"),
                    address_step("Host abababababab", "10.0.0.7:30303", Ok(Duration::from_micros(1_250))),
                    address_step("Host abababababab", "203.0.113.9:30303", Ok(Duration::from_millis(31))),
                    address_step("Host abababababab", "10.0.0.7:30303", Err(ErrorKind::TimedOut.into())),
                    address_step("Host abababababab", "127.0.0.1:30303", Err(ErrorKind::ConnectionRefused.into())),
                ],
            ),
            (
                &ill,
                None,
                vec![
                    PathStep::failed(
                        "node",
                        "no node responds at /x/geth.ipc: the file does not exist",
                        "Start the node",
                    ),
                    PathStep::failed(
                        "p2p",
                        "The pool cannot reach the node's p2p port 30303 at 203.0.113.7: timed out",
                        hint,
                    ),
                ],
            ),
        ];
        let shown = pages(|width| {
            let every = [page(&paths, &[], None), page(&[], &[], Some("1f3a")), page(&[], &[], None)];
            let every = every.map(|page| plain(&page.wrapped(width).to_string()));
            every.join("\n\n")
        });
        insta::assert_snapshot!("ping", shown);
    }
}
