use std::process::ExitCode;

use vipnode_agent_core::HostConfig;

use crate::{
    args::{DoctorArgs, Peered, RoleName},
    doctor::{Finding, Verdict, Wants, gather, judge},
    error::Failure,
    output::{Line, Screen, Tone},
};

/// Says what the role needs and has not. Something that keeps it from working is exit code 1.
pub(crate) async fn run(args: &DoctorArgs, screen: Screen) -> Result<ExitCode, Failure> {
    let selling = &args.agent.selling;
    let peered = Peered::of(&args.agent.between.pool, &selling.allow)?;
    let wants = Wants {
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
        screen.say(&line(finding, screen));
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (bad, warnings) = (count(Verdict::Bad), count(Verdict::Warning));
    let (tone, text) = match (bad, warnings) {
        (0, 0) => (Tone::Good, "all is well".to_owned()),
        (0, _) => (Tone::Good, format!("it works; {warnings} to look at")),
        _ => (Tone::Bad, format!("{bad} to fix, {warnings} to look at")),
    };
    screen.say(&Line::new("examined", tone, text).with("bad", bad).with("warnings", warnings));
    Ok(ExitCode::from(u8::from(bad > 0)))
}

fn line(finding: &Finding, screen: Screen) -> Line {
    let tone = match finding.verdict {
        Verdict::Well => Tone::Good,
        Verdict::Warning => Tone::Warning,
        Verdict::Bad => Tone::Bad,
        Verdict::Skipped => Tone::Plain,
    };
    let text = match finding.hint.as_str() {
        hint if hint.is_empty() || screen.is_json() => finding.text.clone(),
        hint => format!("{}\n  -> {hint}", finding.text),
    };
    let line = Line::new("check", tone, text).with("check", finding.check).with("verdict", finding.verdict.name());
    line.with("hint", finding.hint.as_str())
}
