use std::process::ExitCode;

use crate::{
    args::StatusArgs,
    failure::Failure,
    screen::Screen,
    signals::Signals,
    status::{Paper, look},
};

/// Says once, or again and again, what agents or a pool are about.
pub(crate) async fn run(args: &StatusArgs, screen: Screen, signals: Signals) -> Result<ExitCode, Failure> {
    let looked = tokio::select! {
        looked = look(args, Paper::here()) => looked?,
        () = signals.first() => return Ok(ExitCode::SUCCESS),
    };
    screen.print(&looked.text, &looked.json);
    Ok(ExitCode::from(u8::from(!looked.complete)))
}
