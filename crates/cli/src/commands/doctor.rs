use std::process::ExitCode;

use vipnode_agent_core::HostConfig;

use crate::{
    args::{DoctorArgs, Peered, RoleName},
    doctor::{Finding, Requirements, Verdict, gather, judge},
    error::CliError,
    output::{Line, Screen, Tone, format::counted},
};

/// Reports what the role needs and lacks. Exit code 1: the role cannot work like this.
pub(crate) async fn run(args: &DoctorArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let selling = &args.agent.selling;
    let peered = Peered::of(&args.agent.between.pool, &selling.allow)?;
    let wants = Requirements {
        host: (args.role != RoleName::Client)
            .then(|| selling.host_config())
            .map(|host| HostConfig { slots: if peered.has_pool() { host.slots } else { 0 }, ..host }),
        client: args.role != RoleName::Host,
        strict: args.agent.between.speaking.strict_peers,
        direct: peered.direct.clone(),
        node_max_peers: selling.node_max_peers,
        port: None,
    };
    let findings = judge(&gather(&args.agent.between, &peered, wants, screen).await?);
    for finding in &findings {
        screen.say(&line(finding));
    }
    let count = |verdict| {
        let count = findings.iter().filter(|finding| finding.verdict == verdict).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    let (bad, warnings) = (count(Verdict::Bad), count(Verdict::Warning));
    let (tone, text) = match (bad, warnings) {
        (0, 0) => (Tone::Good, "No problems found".to_owned()),
        (0, _) => (Tone::Good, format!("Works, with {}", counted(warnings, "warning"))),
        _ => (Tone::Bad, format!("{}, {}", counted(bad, "problem"), counted(warnings, "warning"))),
    };
    screen.say(&Line::new("examined", tone, text).with("bad", bad).with("warnings", warnings));
    Ok(ExitCode::from(u8::from(bad > 0)))
}

fn line(finding: &Finding) -> Line {
    let tone = match finding.verdict {
        Verdict::Well => Tone::Good,
        Verdict::Warning => Tone::Warning,
        Verdict::Bad => Tone::Bad,
        Verdict::Skipped => Tone::Plain,
    };
    let line = Line::new("check", tone, finding.text.as_str());
    line.with("check", finding.check).with("verdict", finding.verdict.name()).hint(&finding.hint)
}
