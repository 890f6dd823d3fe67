use std::{path::Path, process::ExitCode};

use crate::{
    args::{DoctorArgs, RoleName},
    commands::agent::Role,
    doctor::{Finding, Requirements, Verdict, evaluate, gather, overall},
    error::CliError,
    output::{
        Line, Screen, Tone,
        format::{counted, quoted},
    },
    status::LocalAgents,
};

/// Reports what the role needs and lacks. Exit code 1: the role cannot work like this.
pub(crate) async fn run(args: DoctorArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let (client, node_max_peers) = (args.role != RoleName::Host, args.agent.hosting.node_max_peers);
    let role = Role::of_doctor(args);
    if role.print_limits(screen)? {
        return Ok(ExitCode::SUCCESS);
    }
    role.check(screen)?;
    let targets = role.targets()?;
    if targets.pool.is_none() && targets.direct.is_empty() {
        running_agent(role.connection().node.state_dir.as_deref()).await.iter().for_each(|line| screen.say(line));
    }
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

/// The agent that runs here, which the checks ignore if no pool is named: it may use another pool, and one role only.
async fn running_agent(state_dir: Option<&Path>) -> Option<Line> {
    let agents = LocalAgents::ask_in(state_dir, None).await.ok()?;
    agents.answered.iter().find_map(|(_, status)| {
        let role = match (&status.host, &status.client) {
            (Some(_), None) => "host",
            (None, Some(_)) => "client",
            _ => "agent",
        };
        let url = Some(&*status.pool.url).filter(|url| !url.is_empty())?;
        Some(running_agent_line(&status.node.id.short(), url, role))
    })
}

fn running_agent_line(node: &str, url: &str, role: &str) -> Line {
    let text = format!("The agent of node {node} is running here with the pool {url}; no pool was named to check");
    let line = Line::new("running_agent", Tone::Plain, text).with("node", node).with("url", url).with("role", role);
    line.hint(&format!("To check the setup of this agent, run `vipnode doctor {} --role {role}`", quoted(url)))
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

    #[test]
    fn the_hint_names_the_pool_and_the_role_of_the_agent() {
        let said = crate::tests::text_of(&[running_agent_line("1f3a", "wss://pool.example/", "client")]);
        assert!(said.contains("`vipnode doctor wss://pool.example/ --role client`"), "{said}");
    }
}
