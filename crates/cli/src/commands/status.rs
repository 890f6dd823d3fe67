use std::{io, process::ExitCode, time::Duration};

use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    args::StatusArgs,
    error::Failure,
    output::{Screen, Styled, Tone, terminal},
    signals::Signals,
    status::{Report, look},
};

/// Says once, or again and again, what agents or a pool are about.
pub(crate) async fn run(args: &StatusArgs, screen: Screen, signals: Signals) -> Result<ExitCode, Failure> {
    if let Some(every) = args.watch {
        return watch(args, every, screen, signals).await;
    }
    let looked = tokio::select! {
        looked = look(args) => looked?,
        () = signals.first() => return Ok(ExitCode::SUCCESS),
    };
    screen.print(&looked.text, &looked.json);
    Ok(ExitCode::from(u8::from(!looked.complete)))
}

/// Until Ctrl-C, or until nobody reads. What fails may be fixed meanwhile, so it is said and ends nothing.
async fn watch(args: &StatusArgs, every: Duration, screen: Screen, signals: Signals) -> Result<ExitCode, Failure> {
    let painted = terminal::rewrites() && !screen.is_json();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut first = true;
    loop {
        let looked = tokio::select! {
            looked = async { ticks.tick().await; look(args).await } => looked.unwrap_or_else(failed),
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
            Err(error) => return Err(Failure::new(format!("nothing can be written: {error}"), "")),
        }
    }
}

fn failed(Failure { what, hint }: Failure) -> Report {
    let mut text = Styled::default();
    text.mark(Tone::Bad);
    text.push(&what);
    if !hint.is_empty() {
        text.push(&format!("\n  -> {hint}"));
    }
    Report { text, json: json!({"event": "error", "text": what, "hint": hint}), complete: false }
}
