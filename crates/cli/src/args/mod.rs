//! The command line: one file a group of flags. Names and defaults stand here and nowhere else; clap reads them, and what
//! clap cannot check is checked here.
//!
//! May use `error` alone: what a flag asks for is done by `commands`.

mod agent;
mod doctor;
pub(crate) mod limit_flag;
mod link;
mod metrics;
mod original_pool;
mod peered;
mod pool;
mod speaking;
mod status;
mod tls;
mod trust;

use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum, error::ErrorKind, parser::ValueSource};
use vipnode_types::{JoinSecret, Price};

#[cfg(feature = "acme")]
pub(crate) use self::tls::AcmeArgs;
pub(crate) use self::{
    agent::{AgentArgs, Between, ClientArgs, HostArgs, NodeArgs, ReleaseArgs, Seeking, Selling},
    doctor::{DoctorArgs, RoleName},
    link::LinkArgs,
    metrics::MetricsArgs,
    peered::Peered,
    pool::PoolArgs,
    speaking::{Speaking, UPDATE_INTERVAL},
    status::{ASKED_POOL, StatusArgs},
    tls::TlsArgs,
    trust::TrustArgs,
};

const EXAMPLES: &str = "\
Examples:
  vipnode demo                            see all of it on this machine, in half a minute
  vipnode pool --bind 0.0.0.0:8080        run a pool
  vipnode host ws://127.0.0.1:8080        sell places on the full node beside you
  vipnode client ws://127.0.0.1:8080      get good peers for the node beside you
  vipnode client enode://<id>@<host>:30303
                                          stay connected to that host, without a pool
  vipnode link                            have the node's key sign once, so that it need not stay readable
  vipnode doctor                          look whether all is well, and how to fix it
  vipnode status                          what the agents of this machine are about
  vipnode release                         undo what a crashed agent left on the node";

/// An economic incentive to run Ethereum full nodes and to serve light clients.
#[derive(Debug, Parser)]
#[command(name = "vipnode", version, after_help = EXAMPLES, subcommand_precedence_over_arg = true)]
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
    /// What clap took. What only an agent without a command understands is refused before a command; clap's own
    /// `args_conflicts_with_subcommands` would take `vipnode -v pool` for a pool called "pool".
    pub(crate) fn of(command: &mut clap::Command, matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        if let Some((name, _)) = matches.subcommand() {
            let given = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
            let ours = |id: &&clap::Id| {
                command.get_arguments().any(|arg| arg.is_global_set() && arg.get_id() == *id)
                    || command_has_group(command, id)
            };
            if let Some(id) = matches.ids().filter(given).find(|id| !ours(id)) {
                let flag = id.as_str().replace('_', "-");
                let text = format!("`{flag}` stands before `{name}`; give the flags of a command after its name");
                return Err(command.error(ErrorKind::ArgumentConflict, text));
            }
        }
        Self::from_arg_matches(matches)
    }

    /// Reads a line that nothing completes.
    #[cfg(test)]
    pub(crate) fn read(
        line: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let mut command = <Self as clap::CommandFactory>::command();
        let matches = command.try_get_matches_from_mut(line)?;
        Self::of(&mut command, &matches)
    }
}

/// Groups are ids too; an argument in them is reported by its own.
fn command_has_group(command: &clap::Command, id: &clap::Id) -> bool {
    command.get_groups().any(|group| group.get_id() == id)
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Say more: -v what happens, -vv every step.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// One JSON object a line instead of sentences.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How the log on stderr is written.
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true, global = true)]
    pub(crate) log_format: LogFormat,
    /// Read settings from a TOML file. A flag is stronger than its variable `VIPNODE_<FLAG>`, and that than the file.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Print all settings of the command as such a file, with where each comes from, and end.
    #[arg(long, global = true)]
    pub(crate) print_config: bool,
    /// Of the original, without a counterpart; taken so that the refusal can say what to do instead.
    #[arg(long, value_name = "ADDR", hide = true, global = true)]
    pub(crate) pprof: Option<String>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring hosts and clients together, and meter who served whom.
    Pool(Box<PoolArgs>),
    /// Sell places on the full node beside this.
    Host(HostArgs),
    /// Get good peers for the node beside this.
    Client(ClientArgs),
    /// Be host and client at once, as every node of a fleet is.
    Agent(AgentArgs),
    /// Let the agent speak for a node, once, so that the node's key file need not stay readable.
    Link(LinkArgs),
    /// Look whether all that a role needs is there, and say how to fix it. Changes nothing.
    Doctor(Box<DoctorArgs>),
    /// What the agents of this machine are about; or a pool, or why these hosts.
    Status(StatusArgs),
    /// Undo what a crashed agent left on the node. Needs no pool.
    Release(ReleaseArgs),
    /// Show all of it on this machine, in half a minute.
    Demo(DemoArgs),
    /// Print what a shell reads to complete a line.
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them.
    Man(ManArgs),
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct JoinArgs {
    /// The join secret itself; other users of this machine may see it, so prefer the file.
    #[arg(long, value_name = "SECRET", hide_env_values = true, value_parser = join_secret)]
    pub(crate) join_secret: Option<JoinSecret>,
    /// A file that holds the join secret.
    #[arg(long, value_name = "FILE")]
    pub(crate) join_secret_file: Option<PathBuf>,
}

impl JoinArgs {
    /// Whether there is a secret at all.
    pub(crate) const fn is_given(&self) -> bool {
        self.join_secret.is_some() || self.join_secret_file.is_some()
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vipnode demo                 on geth if it is on the PATH, else on simulated nodes\n  \
                        vipnode demo --keep          stays up, to look around"
)]
pub(crate) struct DemoArgs {
    /// Run on real nodes: this geth, on a private chain that only this machine can reach [default: geth on the PATH].
    #[arg(long, value_name = "PATH", conflicts_with = "simulated")]
    pub(crate) geth: Option<PathBuf>,
    /// Run on simulated nodes even where there is a geth.
    #[arg(long)]
    pub(crate) simulated: bool,
    /// Stay up until Ctrl-C, and print the pool's address.
    #[arg(long)]
    pub(crate) keep: bool,
    /// What a place costs a minute.
    #[arg(long, default_value = "100 gwei", value_name = "AMOUNT")]
    pub(crate) price: Price,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode completions bash > /etc/bash_completion.d/vipnode")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vipnode man | man -l -\n  vipnode man --dir /usr/local/share/man/man1\n  vipnode man --openrpc > openrpc.json"
)]
#[group(multiple = false)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print the whole command line as a page of the book instead.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Print what pools and agents measure as a page of the book instead.
    #[arg(long)]
    pub(crate) metrics: bool,
    /// Print every method of the wire as a page of the book instead.
    #[arg(long)]
    pub(crate) methods: bool,
    /// Print every method of the wire as an OpenRPC document instead.
    #[arg(long)]
    pub(crate) openrpc: bool,
}

fn join_secret(text: &str) -> Result<JoinSecret, String> {
    JoinSecret::new(text).ok_or_else(|| "the secret is empty".to_owned())
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
        assert_eq!(cli.agent.between.pool, ["ws://127.0.0.1:1".parse().unwrap()]);
        assert_eq!(cli.agent.selling.slots, 3);
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
            &["vipnode", "client", "--max-price", "1 euro"],
            &["vipnode", "pool", "--bind", "nowhere"],
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
