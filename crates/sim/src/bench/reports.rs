//! Protocol-3 reports over real sockets, compared with an echo of the same frames.

use std::{io, net::SocketAddr, path::Path, time::Duration};

use vipnode_types::wire::method;

use super::{
    BenchArgs,
    load::{Load, LoadMessage, MeasuredRate, median, scaled},
    load_agent::LoadAgent,
    machine,
    measured_process::{ServerKind, ServerProcess},
    measurement::Measurement,
    ws_client::{WsClient, call_text, frame},
};

/// Sockets under load.
const SOCKETS: u32 = 100;

struct Report {
    seq: u32,
    echo: bool,
}

impl LoadMessage for Report {
    fn next(&mut self) -> Option<Vec<u8>> {
        self.seq = self.seq.saturating_add(1);
        Some(frame(&call_text(u64::from(self.seq), method::REPORT, &format!(r#"[{{"seq":{}}}]"#, self.seq))))
    }

    fn accepts(&self, answer: &str) -> bool {
        self.echo || answer.ends_with(r#""result":{}}"#)
    }
}

/// Measures reports and the echo; returns reports per CPU-second of the pool.
pub(crate) async fn run(args: &BenchArgs, figures: &mut Vec<Measurement>) -> io::Result<u64> {
    measure(machine::temporary_dir()?.path(), args, figures).await
}

async fn measure(dir: &Path, args: &BenchArgs, figures: &mut Vec<Measurement>) -> io::Result<u64> {
    let (pool, echo) = (ServerProcess::start_in(dir)?, ServerProcess::start(ServerKind::Echo)?);
    let mut reports = Load::of_all(agents(pool.address).await?);
    let mut echoes = Load::of_all(echoing(echo.address).await?);
    let (mut ratios, mut report_rates, mut echo_rates) = (Vec::new(), Vec::new(), Vec::new());
    let mut busy = Vec::new();
    for _ in 0..args.rounds {
        let time = Duration::from_secs(args.seconds);
        let (floor, report): (MeasuredRate, MeasuredRate);
        (echoes, floor) = echoes.run(echo.pid(), time).await?;
        (reports, report) = reports.run(pool.pid(), time).await?;
        ratios.push(scaled(report.per_cpu_second(), 100, floor.per_cpu_second()));
        report_rates.push(report.per_cpu_second());
        echo_rates.push(floor.per_cpu_second());
        busy.push(report.busy_percent());
    }
    let (rate, floor, ratio) = (median(report_rates), median(echo_rates), median(ratios));
    figures.push(Measurement {
        bench: "reports",
        what: format!(
            "unchanged protocol-3 reports, {SOCKETS} sockets, state in a database ({} % of the CPU core used)",
            median(busy)
        ),
        figure: format!("{rate} per CPU-second"),
        floor: format!("{floor} echoes of the same frames per CPU-second"),
        ratio: format!("{ratio} %"),
        target: ">= 50 % of the echo".to_owned(),
        reached: Some(ratio >= 50),
    });
    Ok(rate)
}

async fn agents(pool: SocketAddr) -> io::Result<Vec<(WsClient, Report)>> {
    let mut wires = Vec::new();
    for number in 0..SOCKETS {
        let mut wire = LoadAgent::new(number)?.connect(pool, Some(10)).await?;
        wire.call(method::REPORT, r#"[{"seq":1,"full":[],"hash":"0000000000000000"}]"#).await?;
        wires.push((wire, Report { seq: 1, echo: false }));
    }
    Ok(wires)
}

async fn echoing(echo: SocketAddr) -> io::Result<Vec<(WsClient, Report)>> {
    let mut wires = Vec::new();
    for number in 0..SOCKETS {
        wires.push((WsClient::open(echo, LoadAgent::new(number)?.address()).await?, Report { seq: 1, echo: true }));
    }
    Ok(wires)
}
