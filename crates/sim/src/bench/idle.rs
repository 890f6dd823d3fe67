//! User memory of agents that have connected, reported, and say nothing more.

use std::{io, time::Duration};

use tokio::time::sleep;
use vipnode_types::wire::method;

use super::{
    BenchArgs,
    agent::Agent,
    child::{Kind, Server},
    figure::Figure,
    load::scaled,
    machine,
};

/// Bytes an agent may cost.
const PLAIN_BYTES: u64 = 12 * 1_024;

pub(crate) async fn run(args: &BenchArgs, figures: &mut Vec<Figure>) -> io::Result<()> {
    let pool = Server::start(Kind::Pool)?;
    let (user, kernel) = (machine::user_bytes(pool.pid())?, machine::kernel_bytes()?);
    let mut wires = Vec::new();
    for number in 0..args.sockets {
        let mut wire = Agent::new(number)?.connect(pool.address, Some(10)).await?;
        wire.call(method::REPORT, r#"[{"seq":1,"full":[],"hash":"0000000000000000"}]"#).await?;
        wire.call(method::REPORT, r#"[{"seq":2}]"#).await?;
        wire.call(method::REPORT, r#"[{"seq":3}]"#).await?;
        wires.push(wire);
    }
    // What was freed is given back by then, or never.
    sleep(Duration::from_secs(1)).await;
    let sockets = u64::from(args.sockets);
    let each = scaled(machine::user_bytes(pool.pid())?.saturating_sub(user), 1, sockets);
    let kernel = scaled(machine::kernel_bytes()?.saturating_sub(kernel), 1, sockets);
    figures.push(Figure {
        bench: "idle",
        what: format!("user memory of an idle agent, {sockets} plain sockets, after a connect and three reports"),
        figure: format!("{each} bytes"),
        floor: format!("kernel: {kernel} bytes for both ends of its socket"),
        ratio: String::new(),
        target: format!("<= {PLAIN_BYTES} bytes"),
        reached: Some(each <= PLAIN_BYTES),
    });
    Ok(())
}
