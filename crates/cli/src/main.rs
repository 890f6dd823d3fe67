//! The binary `vipnode`: reads the command line and runs a role.

mod args;
mod commands;
mod demo;
mod dry_run;
mod failure;
mod fake_node;
mod find_node;
mod find_pool;
mod limit_flag;
mod log;
mod screen;
mod signals;
mod told_line;

use std::process::ExitCode;

use crate::{args::Cli, screen::Screen};

fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    log::start(cli.global.verbose);
    let screen = Screen::new(cli.global.json);
    match commands::run(cli, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            screen.failure(&failure);
            ExitCode::from(2)
        }
    }
}
