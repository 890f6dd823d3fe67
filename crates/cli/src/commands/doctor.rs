use std::process::ExitCode;

use crate::{
    args::{DoctorArgs, RoleName},
    commands::agent::Role,
    doctor::{Finding, Requirements, Verdict, evaluate, gather, overall},
    error::CliError,
    output::{Line, Screen, Tone, format::counted},
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
