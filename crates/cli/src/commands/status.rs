use std::{io, process::ExitCode, time::Duration};

use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    args::StatusArgs,
    error::{CliError, CommandError},
    output::{Screen, Styled, Tone, terminal},
    signals::Signals,
    status::{Report, query},
};

/// Shows the status of agents or of a pool, once or repeatedly.
pub(crate) async fn run(args: &StatusArgs, screen: Screen, signals: Signals) -> Result<ExitCode, CliError> {
    if let Some(every) = args.watch {
        return watch(args, every, screen, signals).await;
    }
    let looked = query(args).await?;
    screen.print(&looked.text, &looked.json);
    Ok(ExitCode::from(u8::from(!looked.complete)))
}

/// Until Ctrl-C, or until nobody reads. A failure is shown and ends nothing, since it may be fixed meanwhile.
async fn watch(args: &StatusArgs, every: Duration, screen: Screen, signals: Signals) -> Result<ExitCode, CliError> {
    let painted = terminal::rewrites() && !screen.is_json();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut first = true;
    loop {
        let looked = tokio::select! {
            looked = async { ticks.tick().await; query(args).await } => looked.unwrap_or_else(failed),
            () = signals.first() => return Ok(ExitCode::SUCCESS),
        };
        let written = match painted {
            true => screen.repaint(&looked.text, first),
            false => {
                let mut text = looked.text;
                text.push("\n");
                screen.try_print(&text, &looked.json)
            }
        };
        first = false;
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            Err(error) => return Err(CommandError::Output { error }.into()),
        }
    }
}

fn failed(CliError { message, hint }: CliError) -> Report {
    let mut text = Styled::default();
    text.mark(Tone::Bad);
    text.push(&message);
    text.hint(&hint, "  ");
    Report {
        text: text.wrapped(terminal::page_width()),
        json: json!({"event": "error", "text": message, "hint": hint}),
        complete: false,
    }
}
