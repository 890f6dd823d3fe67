//! The command line: one file per group of flags. Names and defaults are defined only here. clap parses the flags; what
//! clap cannot check is checked here.
//!
//! May use only `error`; `commands` carries out what a flag requests.

mod account;
mod agent;
pub(crate) mod asset_flag;
pub(crate) mod chain_flag;
mod doctor;
mod join;
mod ledger_command;
pub(crate) mod limit_flag;
mod link;
mod listen_address;
mod metrics;
mod original_pool;
mod pay;
mod ping;
mod pool;
mod pool_chain;
mod pool_command;
mod protocol;
mod statement;
mod status;
mod targets;
mod tls;
mod trust;
mod typed_target;
mod value_hint;
mod wallet;
mod whole_number;
mod written_price;

use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum, error::ErrorKind, parser::ValueSource};
use vipnode_types::QuotedPrice;

#[cfg(feature = "acme")]
pub(crate) use self::tls::AcmeArgs;
pub(crate) use self::{
    account::{
        AccountArgs, AccountCommand, AccountDailyStatementsArgs, AccountLinkArgs, AccountPayoutArgs, AccountPoolArgs,
        AccountShowArgs, AccountStatementArgs, AccountUnlinkArgs, CALLED_POOL, SignerArgs,
    },
    agent::{
        AgentArgs, ClientArgs, ConnectionArgs, HostArgs, HostSelectionArgs, HostingArgs, NodeArgs, ReleaseArgs,
        RuntimeArgs, TYPED_POOL,
    },
    doctor::{DoctorArgs, RoleName},
    join::JoinArgs,
    ledger_command::{
        AccountsArgs, BalanceArgs, ClaimArgs, ClosePeriodArgs, CorrectArgs, CreditLimitArgs, DebitArgs, EpochAction,
        EpochArgs, LedgerAccountArgs, LedgerStatementArgs, PayoutCommand, PayoutPaidAllArgs, PayoutsArgs, PriceArgs,
        WriteOffArgs,
    },
    link::LinkArgs,
    metrics::MetricsArgs,
    pay::PayArgs,
    ping::PingArgs,
    pool::{PoolArgs, StoreName},
    pool_chain::PoolChainArgs,
    pool_command::{
        AdminCommand, BackupArgs, DrainArgs, FoldArgs, KeyCommand, LeasesArgs, NodesArgs, OrderName, PoolCommand,
        PoolSocketArgs, PruneArgs, RestoreArgs, RotateArgs, VerifyArgs,
    },
    protocol::{ProtocolArgs, UPDATE_INTERVAL},
    statement::StatementOutputArgs,
    status::{ASKED_POOL, StatusArgs},
    targets::Targets,
    tls::{TlsArgs, TlsSource},
    trust::TrustArgs,
    typed_target::TypedTarget,
    value_hint::value_hint,
    wallet::{
        ChainArgs, ChannelFieldArgs, NewKeystoreArgs, SecretKeyFlag, SendingArgs, WalletArgs, WalletBalanceArgs,
        WalletCommand, WalletDepositArgs, WalletImportArgs, WalletKeyArgs, WalletWithdrawArgs,
    },
    written_price::WrittenPrice,
};

const EXAMPLES: &str = "\
Examples:
  vipnode demo                        run a complete demo on this machine (11 s)
  vipnode pool                        run a pool on this machine
  vipnode host ws://127.0.0.1:8080    sell peer slots on the local full node
  vipnode client ws://127.0.0.1:8080  find good peers for the local node

Without a command, vipnode runs `agent`; see `vipnode agent --help`.";

/// Buy and sell peer slots on Ethereum nodes.
///
/// Hosts sell peer slots on their full nodes, clients find good peers, and a pool matches them and meters the leases.
#[derive(Debug, Parser)]
#[command(name = "vipnode", version, override_usage = "vipnode [OPTIONS] [POOL|ENODE]...\n       vipnode <COMMAND> [OPTIONS] ...", after_help = EXAMPLES, subcommand_precedence_over_arg = true, mut_args(only_in_long_help))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Without a command: `agent`.
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

impl Cli {
    /// Returns what clap parsed. Flags of an agent without a command are refused before a command; clap's own
    /// `args_conflicts_with_subcommands` would parse `vipnode -v pool` as a pool named "pool".
    pub(crate) fn of(command: &mut clap::Command, matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        if let Some((name, _)) = matches.subcommand() {
            let given = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
            let ours = |id: &&clap::Id| {
                command.get_arguments().any(|arg| arg.is_global_set() && arg.get_id() == *id)
                    || command_has_group(command, id)
            };
            if let Some(id) = matches.ids().filter(given).find(|id| !ours(id)) {
                let flag = id.as_str().replace('_', "-");
                let text = format!("`{flag}` is before `{name}`; pass a command's flags after the command name");
                return Err(command.error(ErrorKind::ArgumentConflict, text));
            }
        }
        Self::from_arg_matches(matches)
    }

    /// Parses a command line without variables or a settings file.
    #[cfg(test)]
    pub(crate) fn read(
        line: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let mut command = <Self as clap::CommandFactory>::command();
        let matches = command.try_get_matches_from_mut(line)?;
        Self::of(&mut command, &matches)
    }
}

/// Hides the flags of an agent without a command from `vipnode -h`; `vipnode --help` shows them.
fn only_in_long_help(arg: clap::Arg) -> clap::Arg {
    let shown = arg.is_global_set() || arg.is_positional();
    if shown { arg } else { arg.hide_short_help(true) }
}

/// Whether an id is a group of arguments; these are ids too.
fn command_has_group(command: &clap::Command, id: &clap::Id) -> bool {
    command.get_groups().any(|group| group.get_id() == id)
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Increase log verbosity: -v for events, -vv for every step.
    #[arg(display_order = 901, short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Print output as JSON, one object per line.
    #[arg(display_order = 902, long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Write the log on stderr as text or as JSON.
    #[arg(
        display_order = 903,
        long,
        value_name = "text|json",
        default_value = "text",
        hide_possible_values = true,
        global = true,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub(crate) log_format: LogFormat,
    /// Read settings from this TOML file.
    ///
    /// A flag overrides its variable `VIPNODE_<FLAG>`, which overrides the file.
    #[arg(
        display_order = 904,
        long,
        value_name = "FILE",
        global = true,
        help_heading = "Advanced",
        hide_short_help = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// Print all settings and their sources as TOML, then exit.
    #[arg(display_order = 905, long, global = true, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) print_config: bool,
    /// A flag of the original without a counterpart; accepted so that the error can name what to use instead.
    #[arg(
        display_order = 906,
        long,
        value_name = "ADDR",
        hide = true,
        global = true,
        help_heading = "Advanced",
        hide_short_help = true
    )]
    pub(crate) pprof: Option<String>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a pool that matches clients with hosts and meters leases.
    Pool(Box<PoolArgs>),
    /// Sell peer slots on a full node.
    Host(HostArgs),
    /// Find good peers for a node.
    Client(ClientArgs),
    /// Run as both host and client.
    Agent(AgentArgs),
    /// Authorize an agent by signing once with the node key.
    ///
    /// Signs a delegation to the agent with the node key. Afterward, the agent no longer needs to read the key file.
    Link(LinkArgs),
    /// Let nodes spend from an account, and show its balances.
    Account(Box<AccountArgs>),
    /// Create accounts, and move funds to and from payment channels.
    Wallet(Box<WalletArgs>),
    /// Check the setup and suggest fixes.
    ///
    /// Checks everything that the role requires. Makes no changes.
    Doctor(Box<DoctorArgs>),
    /// Show the status of local agents, or of a pool.
    Status(StatusArgs),
    /// Test the path to a local node or to a leased peer, step by step.
    ///
    /// Tests the agent, the node's admin calls, the pool, and the p2p port, and reports where the path breaks. Makes no changes.
    Ping(PingArgs),
    /// Undo what a crashed agent left on the node.
    ///
    /// Does not require a pool.
    Release(ReleaseArgs),
    /// Run a pool, two hosts, and three clients on this machine.
    ///
    /// Takes 11 s with simulated nodes or 18 s with geth, and cleans up after itself.
    Demo(DemoArgs),
    /// Print a shell completion script.
    Completions(CompletionsArgs),
    /// Print manual pages and reference documents.
    Man(ManArgs),
    /// Print the version.
    // -V is in the same list.
    #[command(hide = true, after_help = "Example:\n  vipnode version --json")]
    Version,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode demo                 use geth from the PATH, or else simulated nodes\n  \
                        vipnode demo --pay           let the clients pay on a development chain\n  \
                        vipnode demo --keep-running  keep everything running for you to explore")]
pub(crate) struct DemoArgs {
    /// Run real nodes with this geth, on a private chain.
    ///
    /// Only this machine can reach the chain. [default: geth on the PATH]
    #[arg(long, value_name = "PATH", conflicts_with = "simulated", help_heading = "Node")]
    pub(crate) geth: Option<PathBuf>,
    /// Use simulated nodes even if geth is installed.
    #[arg(long, help_heading = "Node")]
    pub(crate) simulated: bool,
    /// Keep running until Ctrl-C, and print the pool's address.
    #[arg(long, help_heading = "Advanced")]
    pub(crate) keep_running: bool,
    /// Charge this much for a slot.
    #[arg(long, default_value = "100 gwei/minute", value_name = "PRICE", help_heading = "Payment")]
    pub(crate) price: QuotedPrice,
    /// Let the clients pay with a test token on a development chain.
    ///
    /// Shows deposits, vouchers, claims, and payouts, with simulated nodes. At the end, a table shows each party's
    /// balance before and after, and the demo fails if the amounts do not match the pool's ledger. Requires anvil,
    /// which is part of Foundry. Takes 11 s.
    #[arg(long, conflicts_with_all = ["geth", "keep_running", "price"], help_heading = "Payment")]
    pub(crate) pay: bool,
    /// Run the development chain with this anvil.
    ///
    /// [default: anvil on the PATH, or else the one in contracts/node_modules]
    #[arg(long, value_name = "PATH", requires = "pay", help_heading = "Payment")]
    pub(crate) anvil: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode completions bash | sudo tee /etc/bash_completion.d/vipnode >/dev/null")]
pub(crate) struct CompletionsArgs {
    /// Print the script for this shell.
    #[arg(value_name = "SHELL", help_heading = "Output")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vipnode man | man -l -\n  sudo vipnode man --dir /usr/local/share/man/man1\n  vipnode man --openrpc > openrpc.json"
)]
#[group(multiple = false)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this directory.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) dir: Option<PathBuf>,
    /// Print the command-line reference as a page of the book.
    #[arg(long, help_heading = "Output")]
    pub(crate) markdown: bool,
    /// Print the metrics reference as a page of the book.
    #[arg(long, help_heading = "Output")]
    pub(crate) metrics: bool,
    /// Print the method reference as a page of the book.
    #[arg(long, help_heading = "Output")]
    pub(crate) methods: bool,
    /// Print the methods as an OpenRPC document.
    #[arg(long, help_heading = "Output")]
    pub(crate) openrpc: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_holds_together() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_is_an_agent() {
        let cli = Cli::read(["vipnode", "ws://127.0.0.1:1", "--slots", "3"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.agent.connection.pool, ["ws://127.0.0.1:1".parse().unwrap()]);
        assert_eq!(cli.agent.hosting.slots, 3);
    }

    #[test]
    fn flags_for_all_commands_stand_before_and_after() {
        for line in [["vipnode", "-v", "pool"], ["vipnode", "pool", "-v"]] {
            let cli = Cli::read(line).unwrap();
            assert!(matches!(cli.command, Some(Command::Pool(_))) && cli.global.verbose == 1, "{line:?}");
        }
    }

    #[test]
    fn d42_bad_flags_are_refused() {
        for bad in [
            &["vipnode", "host", "--slots", "-1"][..],
            &["vipnode", "host", "--payout", "0x12"],
            &["vipnode", "host", "--max-head-age", "soon"],
            &["vipnode", "client", "--min-peers", "0"],
            &["vipnode", "client", "--update-interval", "5s"],
            &["vipnode", "client", "--update-interval", "120s"],
            &["vipnode", "client", "--protocol", "4"],
            &["vipnode", "client", "--enode", "enode://1"],
            &["vipnode", "client", "enode://1@127.0.0.1:30303"],
            &["vipnode", "client", "--allow", "00"],
            &["vipnode", "host", "--allow", "00"],
            &["vipnode", "client", "--enode.host", "1.2.3.4:5"],
            &["vipnode", "client", "--max-price", "100"],
            &["vipnode", "pool", "--bind", "nowhere"],
            &["vipnode", "pool", "--bind", "+80"],
            &["vipnode", "pool", "--public-url", "wss://*"],
            &["vipnode", "pool", "--public-url", "wss://0"],
            &["vipnode", "pool", "--public-url", "wss://0.0.0.0:8443"],
            &["vipnode", "pool", "--public-url", "wss://[::]"],
            &["vipnode", "pool", "--stats-interval", "1ms"],
            &["vipnode", "pool", "--join-secret", " "],
            &["vipnode", "pool", "--report-interval", "120s"],
            &["vipnode", "pool", "--limit", "calls_a_second"],
            &["vipnode", "pool", "--status", "friends"],
            &["vipnode", "pool", "--welcome", "{{.Name}}"],
            &["vipnode", "pool", "--allow-origin", "pages.example"],
            &["vipnode", "pool", "--restrict-network", "main net"],
            &["vipnode", "pool", "--max-request-hosts", "0"],
            &["vipnode", "pool", "--proxy", "localhost"],
            &["vipnode", "pool", "--proxy", "10.0.0.1", "--proxy-header", "via"],
            &["vipnode", "pool", "--proxy-header", "forwarded"],
            &["vipnode", "pool", "--tls-cert", "x"],
            &["vipnode", "demo", "--geth", "x", "--simulated"],
            &["vipnode", "demo", "--pay", "--price", "1 gwei/minute"],
            &["vipnode", "demo", "--anvil", "x"],
            &["vipnode", "--no-such-flag"],
            &["vipnode", "--slots", "3", "pool"],
        ] {
            assert!(Cli::read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let cli = Cli::read(["vipnode", "host", "--join-secret", "sesame"]).unwrap();
        assert!(!format!("{cli:?}").contains("sesame"));
    }
}
