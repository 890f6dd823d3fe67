//! The binary `vipnode`: reads the command line and runs a role.

mod account;
mod args;
mod commands;
mod config;
mod demo;
mod discover;
mod doctor;
mod error;
mod output;
mod pool_admin;
mod reference;
mod service_manager;
mod signals;
mod statement;
mod status;
#[cfg(test)]
mod tests;
mod wallet;

use std::{io::Write, process::ExitCode};

use clap::CommandFactory;

use crate::{
    args::{Cli, LogFormat},
    config::{Reader, Reload, Unread, VARIABLES, unknown_variables},
    error::CommandError,
    output::{LiveLine, Screen, carry_flags, log, note_terminal, sanitize_all_but_styles, unwritten, written},
};

/// There is one terminal.
static LIVE: LiveLine = LiveLine::new();

fn main() -> ExitCode {
    note_terminal();
    let reader = Reader::here();
    let (cli, settings) = match reader.read() {
        Ok(read) => read,
        Err(unread) => return refuse(unread, &Screen::new(reader.asks_for_json(), &LIVE)),
    };
    if cli.global.print_config {
        let mut out = anstream::stdout().lock();
        written(write!(out, "{}", settings.to_toml()).and_then(|()| out.flush()));
        drop(out);
        return finished(ExitCode::SUCCESS, &Screen::new(cli.global.json, &LIVE));
    }
    carry_flags(settings.carried());
    let verbosity = log::start(cli.global.verbose, cli.global.log_format, &LIVE);
    let programs_read = cli.global.json || cli.global.log_format == LogFormat::Json;
    warn_of_unknown_variables(programs_read);
    let reload = Reload::new(reader, settings, verbosity);
    let screen = Screen::new(cli.global.json, &LIVE);
    match commands::run(cli, &screen, reload) {
        Ok(code) => finished(code, &Screen::new(programs_read, &LIVE)),
        Err(error) => {
            Screen::new(programs_read, &LIVE).error(&error);
            ExitCode::from(2)
        }
    }
}

/// The exit code of a command that succeeded, unless its output could not be written.
fn finished(code: ExitCode, screen: &Screen) -> ExitCode {
    match unwritten() {
        None => code,
        Some(error) => {
            screen.error(&CommandError::Output { error }.into());
            ExitCode::from(2)
        }
    }
}

/// On standard error, since a program may read what is printed.
fn warn_of_unknown_variables(programs_read: bool) {
    let warn = |text: &str| match programs_read {
        true => tracing::warn!("{text}"),
        false => Screen::new(false, &LIVE).warn(text),
    };
    let mut tree = Cli::command();
    tree.build();
    for (name, _) in std::env::vars_os().filter(|(_, value)| value.is_empty()) {
        if let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLES)) {
            warn(&format!("The environment variable {name} is empty and counts as not set"));
        }
    }
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for unknown in unknown_variables(&tree, names) {
        let nearest = unknown.nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
        warn(&format!("Unknown environment variable {}{nearest}", unknown.name));
    }
}

/// Prints help of clap.
fn say_help(error: &clap::Error) {
    let text = sanitize_all_but_styles(&error.render().ansi().to_string());
    if error.use_stderr() {
        let _reader_gone = write!(anstream::stderr().lock(), "{text}");
    } else {
        let mut out = anstream::stdout().lock();
        written(write!(out, "{text}").and_then(|()| out.flush()));
    }
}

/// Help is printed here too.
fn refuse(unread: Unread, screen: &Screen) -> ExitCode {
    let error = match unread {
        Unread::Help(help) if help.use_stderr() && screen.is_json() => CommandError::NoSubcommand.into(),
        Unread::Help(help) => {
            say_help(&help);
            return finished(ExitCode::from(if help.use_stderr() { 2 } else { 0 }), screen);
        }
        Unread::Error(error) => error,
    };
    screen.error(&error);
    ExitCode::from(2)
}
