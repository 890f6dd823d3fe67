use std::fmt::Write;

use serde_json::{Value, json};
use vipnode_agent::local::{AgentStatus, PoolState};

use super::{
    agent_page::{agent_page, offered, pool_state, short_chain, short_client, tone},
    local_agents::{LocalAgents, UnresponsiveAgent},
};
use crate::{
    args::StatusArgs,
    output::{
        Column, Styled, Table, Tone,
        format::{counted, head_age},
    },
};

/// The agents that answered: one in full, several in a row each. At most `width` columns wide.
pub(super) fn agents_page(agents: &LocalAgents, args: &StatusArgs, width: usize) -> Styled {
    let mut page = Styled::default();
    match &*agents.answered {
        [] => {}
        [(_, one)] => page.append(&agent_page(one, width)),
        some if args.node.is_some() => {
            for (number, (_, status)) in some.iter().enumerate() {
                page.push(if number == 0 { "" } else { "\n" });
                page.append(&agent_page(status, width));
            }
        }
        many => {
            page.append(&rows(many.iter().map(|(_, status)| status), width));
            page.push("\n");
            page.push(&sums(many.iter().map(|(_, status)| status)));
        }
    }
    if agents.answered.is_empty() && agents.unresponsive.is_empty() {
        page.append(&nobody(agents, args));
    }
    page.append(&said(&agents.unresponsive, Tone::Bad));
    page.append(&said(&agents.inaccessible, Tone::Plain));
    page.trimmed().wrapped(width)
}

/// The same for programs.
pub(super) fn agents_json(agents: &LocalAgents) -> Value {
    let answered = agents.answered.iter().map(|(socket, status)| {
        let mut value = json!(status);
        if let Value::Object(fields) = &mut value {
            fields.insert("socket".to_owned(), socket.display().to_string().into());
        }
        value
    });
    json!({
        "event": "status",
        "agents": answered.collect::<Value>(),
        "unresponsive": unresponsive_json(&agents.unresponsive),
        "inaccessible": unresponsive_json(&agents.inaccessible),
    })
}

pub(super) fn unresponsive_json<'a>(unresponsive: impl IntoIterator<Item = &'a UnresponsiveAgent>) -> Value {
    let one = |UnresponsiveAgent { place, error }: &UnresponsiveAgent| json!({"at": place.display().to_string(), "text": error.message, "hint": error.hint});
    unresponsive.into_iter().map(one).collect()
}

/// The agents that did not answer.
pub(super) fn said(unresponsive: &[UnresponsiveAgent], tone: Tone) -> Styled {
    let mut text = Styled::default();
    for UnresponsiveAgent { error, .. } in unresponsive {
        text.mark(tone);
        text.push(&error.message);
        text.hint(&error.hint, "  ");
        text.push("\n");
    }
    text
}

/// What is shown if no agent runs.
pub(super) fn nobody(agents: &LocalAgents, args: &StatusArgs) -> Styled {
    let places: Vec<String> = agents.roots.iter().map(|root| root.display().to_string()).collect();
    let places = places.join(", ");
    let what = match &args.node {
        Some(node) => format!("No local agent has a node whose ID begins with {node}. Searched {places}"),
        None => format!("No agent is running on this machine. Searched {places}"),
    };
    let next = match &args.node {
        // clap takes the text after a space for the node.
        Some(node) if args.watch.is_some() && node.len() < 5 && node.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("To repeat every {node} s, pass --watch={node}s. To list the agents, run `vipnode status`")
        }
        Some(_) => "List the agents: `vipnode status`".to_owned(),
        None => "Start an agent: `vipnode agent`".to_owned(),
    };
    let mut text = Styled::default();
    text.mark(Tone::Warning);
    let _infallible =
        writeln!(text, "{what}\n  -> {next}. To find an agent that was started with --state-dir, pass the same flag");
    text
}

fn rows<'a>(agents: impl Iterator<Item = &'a AgentStatus>, width: usize) -> Styled {
    let mut table = Table::new([
        Column::text("node"),
        Column::text("client version").rank(3).least(14),
        Column::text("chain").rank(2).least(8),
        Column::number("head").rank(1),
        Column::number("own").rank(4),
        Column::text("pool"),
        Column::number("sold"),
        Column::number("hosts"),
    ]);
    for status in agents {
        table.add(Some(tone(status)), row(status));
    }
    table.fit(width)
}

fn row(status: &AgentStatus) -> [String; 8] {
    let AgentStatus { node, host, client, .. } = status;
    let head = match (node.up, node.head_age_ms) {
        (false, _) => "down".to_owned(),
        (true, age_ms) => head_age(node.head, age_ms),
    };
    let none = || "-".to_owned();
    [
        node.id.short(),
        short_client(&node.client_version),
        short_chain(&node.chain),
        head,
        node.own_peers.to_string(),
        pool_state(status).to_owned(),
        host.as_ref()
            .filter(|_| status.pool.state != PoolState::None)
            .map_or_else(none, |host| format!("{}/{}", host.sold, offered(host))),
        client.as_ref().map_or_else(none, |client| {
            let connected = client.leases.iter().filter(|lease| lease.connected.is_some()).count();
            format!("{connected}/{}", client.wants)
        }),
    ]
}

fn sums<'a>(agents: impl Iterator<Item = &'a AgentStatus>) -> String {
    let (mut count, mut joined, mut nodes_down, mut sold, mut slots) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    let (mut connected, mut wanted, mut without_a_pool) = (0_u64, 0_u64, 0_u64);
    for status in agents {
        count += 1;
        joined += u64::from(!status.stopping && status.pool.state == PoolState::Joined);
        nodes_down += u64::from(!status.node.up);
        without_a_pool += u64::from(status.pool.state == PoolState::None);
        if let Some(host) = &status.host {
            sold += u64::from(host.sold);
            slots += u64::from(offered(host));
        }
        if let Some(client) = &status.client {
            connected += client.leases.iter().filter(|lease| lease.connected.is_some()).map(|_| 1).sum::<u64>();
            wanted += u64::from(client.wants);
        }
    }
    let mut parts = vec![counted(count, "agent")];
    if joined > 0 || without_a_pool < count {
        parts.push(format!("{joined} joined"));
    }
    if without_a_pool > 0 {
        parts.push(format!("{without_a_pool} without a pool"));
    }
    if nodes_down > 0 {
        parts.push(format!("{} down", counted(nodes_down, "node")));
    }
    let mut sides = Vec::new();
    if slots > 0 {
        sides.push(format!("{sold} of {} sold", counted(slots, "slot")));
    }
    if wanted > 0 {
        sides.push(format!("{connected} of {} connected", counted(wanted, "host")));
    }
    let sides = if sides.is_empty() { String::new() } else { format!("; {}", sides.join(", ")) };
    format!("{}{sides}\nShow one in full: vipnode status NODE\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn an_unknown_node_leads_to_the_list_of_agents() {
        let said = |line: &[&str]| {
            let cli = Cli::read(["vipnode", "status"].iter().chain(line)).unwrap();
            let Some(Command::Status(args)) = cli.command else { panic!() };
            let (answered, unresponsive, inaccessible) = (Vec::new(), Vec::new(), Vec::new());
            let agents = LocalAgents { roots: vec!["/x".into()], answered, unresponsive, inaccessible };
            crate::tests::plain(&nobody(&agents, &args).to_string())
        };
        assert!(said(&[]).contains("-> Start an agent: `vipnode agent`"));
        for line in [&["1f3a"][..], &["--why", "1f3a"], &["1f3a", "--watch"]] {
            let said = said(line);
            assert!(said.contains("-> List the agents: `vipnode status`") && !said.contains("Start"), "{said}");
        }
        assert!(said(&["--watch", "5"]).contains("pass --watch=5s"));
    }
}
