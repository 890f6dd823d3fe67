//! Runs the commands, one file each. A command takes its arguments, finds its node and pool, and then runs a role, a
//! report, or a check until that ends.
//!
//! May use every other folder; none of them uses this one.

mod account;
mod agent;
mod agent_metrics;
mod called_pool;
mod daily_statements;
mod doctor;
mod link;
mod own_funds;
mod ping;
mod pool;
mod pool_admin;
mod pool_certificate;
mod pool_claim;
mod pool_data_dir;
mod pool_database;
mod pool_deposits;
mod pool_key;
mod pool_ledger;
mod pool_restore;
mod pool_start;
mod pool_terms;
mod print_limits;
mod protocol;
mod release;
mod resolve_target;
mod statement;
mod status;
mod wallet;
mod wallet_deposit;
mod wallet_deposit_many;
mod wallet_withdraw;

#[cfg(test)]
pub(crate) use self::pool_data_dir::pool_data_dir;

use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::{
    args::{Cli, Command, Global, PoolCommand},
    commands::agent::Role,
    config::Reload,
    error::{CliError, CommandError},
    output::{Screen, Styled, Tone},
    reference,
    signals::Signals,
};

/// What ends a command that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The first signal, because the command has nothing to undo.
    AtFirst,
    /// The second signal: an agent undoes its changes after the first one.
    AgentAtSecond,
    /// The second signal, after which nothing has to be undone.
    AtSecond,
}

impl Stop {
    const fn of(cli: &Cli) -> Self {
        match &cli.command {
            None | Some(Command::Agent(_) | Command::Host(_) | Command::Client(_)) => Self::AgentAtSecond,
            Some(Command::Pool(args)) if args.command.is_none() => Self::AtSecond,
            Some(Command::Demo(_)) => Self::AtSecond,
            Some(Command::Status(args)) if args.watch.is_some() => Self::AtSecond,
            Some(_) => Self::AtFirst,
        }
    }

    /// Waits for the signal that ends the command at once.
    async fn forced(self, signals: &Signals) -> CommandError {
        match self {
            Self::AtFirst => signals.first().await,
            Self::AgentAtSecond | Self::AtSecond => signals.second().await,
        }
        match self {
            Self::AtFirst => CommandError::Interrupted,
            Self::AgentAtSecond => CommandError::StoppedAtOnce,
            Self::AtSecond => CommandError::StoppedEarly,
        }
    }
}

/// Runs a command until it ends, or until a signal ends it.
pub(crate) fn run(cli: Cli, screen: &Screen, reload: Reload) -> Result<ExitCode, CliError> {
    let runtime = Runtime::new().map_err(|error| CommandError::Threads { error })?;
    let stop = Stop::of(&cli);
    let ended = runtime.block_on(async {
        let signals = Signals::listen()?;
        let signaled = signals.clone();
        tokio::select! {
            ended = dispatch(cli, *screen, signals, reload) => ended,
            error = stop.forced(&signaled) => {
                if stop == Stop::AgentAtSecond {
                    screen.say(&agent::stopped(Tone::Warning, "Stopped at once"));
                }
                Err(error.into())
            }
        }
    });
    runtime.shutdown_background();
    ended
}

/// Refuses what only the original has.
fn refuse_old(global: &Global) -> Result<(), CommandError> {
    if global.pprof.is_some() { Err(CommandError::Pprof) } else { Ok(()) }
}

async fn dispatch(cli: Cli, screen: Screen, signals: Signals, reload: Reload) -> Result<ExitCode, CliError> {
    refuse_old(&cli.global)?;
    let ended = match cli.command {
        None => agent::run(Role::both(cli.agent), screen, signals, reload).await,
        Some(Command::Agent(args)) => agent::run(Role::both(args), screen, signals, reload).await,
        Some(Command::Host(args)) => agent::run(Role::host(args), screen, signals, reload).await,
        Some(Command::Client(args)) => agent::run(Role::client(args), screen, signals, reload).await,
        Some(Command::Link(args)) => link::run(&args, screen).await,
        Some(Command::Account(args)) => return account::run(args.command, screen).await,
        Some(Command::Wallet(args)) => wallet::run(args.command, screen).await,
        Some(Command::Doctor(args)) => return doctor::run(*args, screen, &reload).await,
        Some(Command::Status(args)) => return status::run(&args, screen, signals).await,
        Some(Command::Ping(args)) => return ping::run(&args, screen).await,
        Some(Command::Release(args)) => return release::run(&args, screen).await,
        Some(Command::Demo(args)) => crate::demo::run(args, screen, signals, cli.global.verbose).await,
        Some(Command::Completions(args)) => {
            reference::completions(&args, screen);
            Ok(())
        }
        Some(Command::Man(args)) => reference::man(&args, screen),
        Some(Command::Version) => {
            let version = env!("CARGO_PKG_VERSION");
            let mut text = Styled::default();
            text.push(&format!("vipnode {version}"));
            screen.print(&text, &serde_json::json!({"event": "version", "version": version}));
            Ok(())
        }
        Some(Command::Pool(mut args)) => match args.command.take() {
            None => Box::pin(pool::run(*args, screen, signals, reload)).await,
            Some(PoolCommand::Admin(args)) => return pool_admin::run(args.command, screen).await,
            Some(PoolCommand::Key(args)) => pool_key::run(args.command, screen),
            Some(PoolCommand::Backup(args)) => pool_database::back_up(args, screen).await,
            Some(PoolCommand::Prune(args)) => pool_database::prune(args, screen).await,
            Some(PoolCommand::Fold(args)) => pool_database::fold(args, screen).await,
            Some(PoolCommand::Restore(args)) => pool_restore::run(args, screen).await,
            Some(PoolCommand::Verify(args)) => return pool_database::verify(args, screen).await,
        },
    };
    ended.map(|()| ExitCode::SUCCESS)
}
