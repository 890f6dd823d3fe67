use std::process::ExitCode;

use crate::{args::PingArgs, error::CliError, output::Screen, status::ping};

/// Tests the path to nodes. Exit code 1: a step fails.
pub(crate) async fn run(args: &PingArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let report = ping(args).await?;
    screen.print(&report.text, &report.json);
    Ok(ExitCode::from(u8::from(!report.complete)))
}
