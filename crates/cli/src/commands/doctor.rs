use std::{collections::BTreeMap, process::ExitCode};

use vipnode_agent::local::AgentStatus;
use vipnode_node::Endpoint;

use crate::{
    args::{Command, DoctorArgs, RoleName, Targets},
    commands::agent::Role,
    config::Reload,
    doctor::{Finding, Requirements, Verdict, evaluate, gather, overall},
    error::CliError,
    output::{
        Line, Screen, Tone,
        format::{counted, quoted},
    },
    status::LocalAgents,
};

/// Reports what the role needs and lacks. Exit code 1: the role cannot work like this. Without a pool, it checks the setup of the
/// agent that runs here.
pub(crate) async fn run(args: DoctorArgs, screen: Screen, reload: &Reload) -> Result<ExitCode, CliError> {
    let args = match names_nobody(&args)? {
        true => of_running_agent(args, screen, reload).await?,
        false => args,
    };
    let (client, node_max_peers) = (args.role != RoleName::Host, args.agent.hosting.node_max_peers);
    let role = Role::of_doctor(args);
    if role.print_limits(screen)? {
        return Ok(ExitCode::SUCCESS);
    }
    role.check(screen)?;
    let targets = role.targets()?;
    let agent = role.settings(&targets, targets.has_pool())?;
    let wants = Requirements { agent, client, node_max_peers, port: None };
    let findings = evaluate(&gather(role.connection(), &role.limits()?, &targets, wants, screen).await?);
    for finding in &findings {
        screen.say(&line(finding));
    }
    let count = |verdict| {
        let count = findings.iter().filter(|finding| finding.verdict == verdict).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    let (errors, warnings) = (count(Verdict::Error), count(Verdict::Warning));
    let overall = overall(&findings);
    let (tone, text) = match overall {
        Verdict::Ok | Verdict::Skipped => (Tone::Good, "No problems found".to_owned()),
        Verdict::Warning => (Tone::Good, format!("Works, with {}", counted(warnings, "warning"))),
        Verdict::Error => (Tone::Bad, format!("{}, {}", counted(errors, "problem"), counted(warnings, "warning"))),
    };
    screen.say(&Line::new("checked", tone, text).with("errors", errors).with("warnings", warnings));
    Ok(overall.exit_code())
}

/// Whether neither a pool nor a host or a client was named.
fn names_nobody(args: &DoctorArgs) -> Result<bool, CliError> {
    let targets = Targets::of(args.agent.connection.named(), &args.agent.hosting.allow)?;
    Ok(targets.pool.is_none() && targets.direct.is_empty())
}

/// The arguments, completed by the flags of the only agent that runs here. Of several, the user has to choose.
async fn of_running_agent(args: DoctorArgs, screen: Screen, reload: &Reload) -> Result<DoctorArgs, CliError> {
    let node = &args.agent.connection.node;
    let agents = LocalAgents::ask_in(node.state_dir.as_deref(), None).await;
    let answered = agents.map(|agents| agents.answered).unwrap_or_default();
    let of_node = |status: &AgentStatus| node.rpc.as_deref().is_none_or(|rpc| is_at(rpc, &status.node.at));
    let running: Vec<AgentStatus> = answered.into_iter().map(|(_, status)| status).filter(of_node).collect();
    let [status] = &*running else {
        several_agents(&running).iter().for_each(|line| screen.say(line));
        return Ok(args);
    };
    let read = reload.read_with(&flags_of(status))?;
    let Some(Command::Doctor(completed)) = read.and_then(|cli| cli.command) else { return Ok(args) };
    screen.say(&running_agent_line(status, completed.role));
    Ok(*completed)
}

/// Whether a node that a user named is the one at this address.
fn is_at(typed: &str, at: &str) -> bool {
    typed == at || typed.parse::<Endpoint>().is_ok_and(|endpoint| endpoint.to_string() == at)
}

/// The flags with which an agent runs, and what its status has of them if it does not list them.
fn flags_of(status: &AgentStatus) -> BTreeMap<String, Vec<String>> {
    let mut flags = status.flags.clone();
    let role = match (&status.host, &status.client) {
        (Some(_), None) => "host",
        (None, Some(_)) => "client",
        _ => "agent",
    };
    let mut add = |name: &str, value: String| {
        flags.entry(name.to_owned()).or_insert_with(|| vec![value]);
    };
    add("role", role.to_owned());
    if !status.pool.url.is_empty() && !status.flags.contains_key("pool") {
        add("pool", status.pool.url.clone());
    }
    if let Some(tls_ca) = &status.connections.tls_ca {
        add("tls-ca", tls_ca.clone());
    }
    if status.connections.insecure {
        add("insecure", true.to_string());
    }
    // Another node may be found first.
    if !status.node.at.contains("://") {
        add("rpc", status.node.at.clone());
    }
    flags
}

fn running_agent_line(status: &AgentStatus, role: RoleName) -> Line {
    let role = match role {
        RoleName::Agent => "agent",
        RoleName::Host => "host",
        RoleName::Client => "client",
    };
    let (node, url) = (status.node.id.short(), &status.pool.url);
    let pool = if url.is_empty() { String::new() } else { format!(" and the pool {url}") };
    let text = format!("Checking the setup of the agent that runs here ({role}), with its settings, node {node}{pool}");
    Line::new("running_agent", Tone::Plain, text).with("node", node).with("url", url.as_str()).with("role", role)
}

/// That several agents run here, none of which is checked.
fn several_agents(running: &[AgentStatus]) -> Option<Line> {
    let [first, _, ..] = running else { return None };
    let nodes: Vec<String> = running.iter().map(|status| status.node.id.short()).collect();
    let text = format!("Several agents run here, of the nodes {}; their settings are not used", nodes.join(", "));
    let line = Line::new("running_agents", Tone::Warning, text).with("nodes", nodes);
    Some(line.hint(&format!("To check the setup of one of them, pass its node: --rpc {}", quoted(&first.node.at))))
}

fn line(finding: &Finding) -> Line {
    let tone = match finding.verdict {
        Verdict::Ok => Tone::Good,
        Verdict::Warning => Tone::Warning,
        Verdict::Error => Tone::Bad,
        Verdict::Skipped => Tone::Plain,
    };
    let line = Line::new("check", tone, finding.text.as_str());
    line.with("check", finding.check).with("verdict", finding.verdict.name()).hint(&finding.hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::text_of;

    fn client_status() -> AgentStatus {
        AgentStatus { host: None, ..crate::tests::agent(1, None, None) }
    }

    #[test]
    fn an_agent_that_lists_no_flags_is_checked_with_what_its_status_has() {
        let mut status = client_status();
        status.connections.tls_ca = Some("/etc/ca.pem".to_owned());
        let flags = flags_of(&status);
        assert_eq!((&flags["role"][0], &flags["tls-ca"][0]), (&"client".to_owned(), &"/etc/ca.pem".to_owned()));
        assert_eq!(flags["pool"], [status.pool.url.clone()]);
        status.flags = [("pool".to_owned(), vec!["wss://p.example".to_owned(), "enode://x".to_owned()])].into();
        assert_eq!(flags_of(&status)["pool"].len(), 2, "a host that was named with the pool is kept");
    }

    #[test]
    fn of_several_agents_none_is_checked_and_all_are_named() {
        let status = client_status();
        assert!(several_agents(std::slice::from_ref(&status)).is_none());
        let said = text_of(&[several_agents(&[status.clone(), status.clone()]).unwrap()]);
        assert!(
            said.contains(&status.node.id.short()) && said.contains(&format!("--rpc {}", status.node.at)),
            "{said}"
        );
    }
}
