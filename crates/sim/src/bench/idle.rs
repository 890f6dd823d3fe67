//! The pool's user memory for agents that connected, reported, and are idle since.

use std::{io, time::Duration};

use tokio::time::sleep;
use vipnode_types::wire::method;

use super::{
    BenchArgs,
    certificate::SelfSigned,
    load::scaled,
    load_agent::LoadAgent,
    machine,
    measured_process::{ServerKind, ServerProcess},
    measurement::Measurement,
};

/// The most bytes that an idle agent may take.
const PLAIN_BYTES: u64 = 12 * 1_024;
/// The most bytes that an idle agent over TLS may take.
const TLS_BYTES: u64 = 32 * 1_024;

/// Measures plain sockets, and sockets with TLS.
pub(crate) async fn run(args: &BenchArgs, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let certificate = SelfSigned::new()?;
    for (certificate, sockets, target) in
        [(None, "plain sockets", PLAIN_BYTES), (Some(&certificate), "sockets with TLS 1.3", TLS_BYTES)]
    {
        let pool = ServerProcess::start_with(ServerKind::Pool, certificate)?;
        let (user, kernel) = (machine::user_bytes(pool.pid())?, machine::kernel_bytes()?);
        let mut wires = Vec::new();
        for number in 0..args.sockets {
            let agent = LoadAgent::new(number)?;
            let mut wire = match certificate {
                None => agent.connect(pool.address, Some(10)).await?,
                Some(certificate) => agent.connect_tls(pool.address, certificate.trust(), Some(10)).await?,
            };
            wire.call(method::REPORT, r#"[{"seq":1,"full":[],"hash":"0000000000000000"}]"#).await?;
            wire.call(method::REPORT, r#"[{"seq":2}]"#).await?;
            wire.call(method::REPORT, r#"[{"seq":3}]"#).await?;
            wires.push(wire);
        }
        // By now freed memory is returned to the system, or never will be.
        sleep(Duration::from_secs(1)).await;
        let count = u64::from(args.sockets);
        let each = scaled(machine::user_bytes(pool.pid())?.saturating_sub(user), 1, count);
        let kernel = scaled(machine::kernel_bytes()?.saturating_sub(kernel), 1, count);
        figures.push(Measurement {
            bench: "idle",
            what: format!("user memory of an idle agent, {count} {sockets}, after a connect and three reports"),
            figure: format!("{each} bytes"),
            floor: format!("kernel: {kernel} bytes for both ends of its socket"),
            ratio: String::new(),
            target: format!("<= {target} bytes"),
            reached: Some(each <= target),
        });
    }
    Ok(())
}
