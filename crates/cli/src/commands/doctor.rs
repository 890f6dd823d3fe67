use std::process::ExitCode;

use vipnode_agent_core::HostConfig;

use crate::{
    args::{DoctorArgs, RoleName, Targets},
    doctor::{Finding, Requirements, Verdict, evaluate, gather},
    error::CliError,
    output::{Line, Screen, Tone, format::counted},
};

/// Reports what the role needs and lacks. Exit code 1: the role cannot work like this.
pub(crate) async fn run(args: &DoctorArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let hosting = &args.agent.hosting;
    let targets = Targets::of(&args.agent.connection.pool, &hosting.allow)?;
    let wants = Requirements {
        host: (args.role != RoleName::Client)
            .then(|| hosting.host_config())
            .map(|host| HostConfig { slots: if targets.has_pool() { host.slots } else { 0 }, ..host }),
        client: args.role != RoleName::Host,
        strict: args.agent.connection.protocol.strict_peers,
        direct: targets.direct.clone(),
        node_max_peers: hosting.node_max_peers,
        port: None,
    };
    let findings = evaluate(&gather(&args.agent.connection, &targets, wants, screen).await?);
    for finding in &findings {
        screen.say_wrapped(&line(finding));
    }
    let count = |verdict| {
        let count = findings.iter().filter(|finding| finding.verdict == verdict).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    let (errors, warnings) = (count(Verdict::Error), count(Verdict::Warning));
    let (tone, text) = match (errors, warnings) {
        (0, 0) => (Tone::Good, "No problems found".to_owned()),
        (0, _) => (Tone::Good, format!("Works, with {}", counted(warnings, "warning"))),
        _ => (Tone::Bad, format!("{}, {}", counted(errors, "problem"), counted(warnings, "warning"))),
    };
    screen.say(&Line::new("checked", tone, text).with("errors", errors).with("warnings", warnings));
    Ok(ExitCode::from(u8::from(errors > 0)))
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
