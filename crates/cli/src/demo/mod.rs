//! `vipnode demo`: a pool, two hosts, and three clients on this machine, each in its own process and connected over
//! real sockets. One host is killed during the run. The demo ends by itself after 11 s (18 s with geth) and cleans up. With
//! `--pay` ([`pay`]), the clients pay on a development chain.
//!
//! May use `args`, `error`, `output`, and `signals`, and `pay` also `account` and `wallet`; pools and agents run in other
//! processes, not in this one.

mod display;
mod fleet;
mod geth;
mod pay;
mod processes;
mod roles;
mod scenario;
mod tables;
mod timeline;
mod wording;

#[cfg(test)]
mod tests;

use crate::{args::DemoArgs, error::CliError, output::Screen, signals::Signals};

/// Runs the demo. On Ctrl-C it stops everything in order.
pub(crate) async fn run(args: DemoArgs, screen: Screen, signals: Signals, verbose: u8) -> Result<(), CliError> {
    let display = display::DemoDisplay::new(screen);
    match args.pay {
        true => Box::pin(pay::run(&args, display, &signals, verbose)).await,
        false => scenario::run(&args, display, &signals, verbose).await,
    }
}
