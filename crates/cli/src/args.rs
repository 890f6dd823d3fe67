//! The command line. Names and defaults stand here and nowhere else.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind, parser::ValueSource};
use vipnode_types::{Account, JoinSecret, Price};

const EXAMPLES: &str = "\
Examples:
  vipnode demo                            see all of it on this machine, in half a minute
  vipnode pool --bind 0.0.0.0:8080        run a pool
  vipnode host ws://127.0.0.1:8080        sell places on the full node beside you
  vipnode client ws://127.0.0.1:8080      get good peers for the node beside you
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
    /// Reads a command line. What only an agent without a command understands is refused before a command;
    /// clap's own `args_conflicts_with_subcommands` would take `vipnode -v pool` for a pool called "pool".
    pub(crate) fn read(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(line)?;
        if let Some((name, _)) = matches.subcommand() {
            let given = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
            let ours = |id: &&clap::Id| matches!(id.as_str(), "verbose" | "json") || command_has_group(&command, id);
            if let Some(id) = matches.ids().filter(given).find(|id| !ours(id)) {
                let flag = id.as_str().replace('_', "-");
                let text = format!("`{flag}` stands before `{name}`; give the flags of a command after its name");
                return Err(command.error(ErrorKind::ArgumentConflict, text));
            }
        }
        Self::from_arg_matches(&matches)
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
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring hosts and clients together, and meter who served whom.
    Pool(PoolArgs),
    /// Sell places on the full node beside this.
    Host(HostArgs),
    /// Get good peers for the node beside this.
    Client(ClientArgs),
    /// Be host and client at once, as every node of a fleet is.
    Agent(AgentArgs),
    /// Undo what a crashed agent left on the node. Needs no pool.
    Release(ReleaseArgs),
    /// Show all of it on this machine, in half a minute.
    Demo(DemoArgs),
}

/// The pool and the node that an agent stands between.
#[derive(Debug, Args)]
pub(crate) struct Between {
    /// The pool, for example ws://127.0.0.1:8080 [default: a pool that answers there].
    #[arg(value_name = "POOL", env = "VIPNODE_POOL")]
    pub(crate) pool: Option<String>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Key file of the node, read once to sign a delegation [default: found beside the node].
    #[arg(long, value_name = "FILE", env = "VIPNODE_NODEKEY")]
    pub(crate) nodekey: Option<PathBuf>,
    /// Secret of a closed pool.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
    /// Show each call to the node that would be made, and make none. The pool is not contacted.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The node's admin RPC: path of its IPC file, http:// or ws:// [default: geth's usual places].
    #[arg(long, value_name = "PATH|URL", env = "VIPNODE_RPC")]
    pub(crate) rpc: Option<String>,
    /// Where agents keep their key, delegation and journal [default: ~/.local/state/vipnode].
    #[arg(long, value_name = "DIR", env = "VIPNODE_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Allow ws:// and http:// beyond this machine, where anybody on the way can read and change it.
    #[arg(long)]
    pub(crate) insecure: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct JoinArgs {
    /// The join secret itself; other users of this machine may see it, so prefer the file.
    #[arg(long, value_name = "SECRET", env = "VIPNODE_JOIN_SECRET", hide_env_values = true, value_parser = join_secret)]
    pub(crate) join_secret: Option<JoinSecret>,
    /// A file that holds the join secret.
    #[arg(long, value_name = "FILE", env = "VIPNODE_JOIN_SECRET_FILE")]
    pub(crate) join_secret_file: Option<PathBuf>,
}

/// What a host sells and keeps.
#[derive(Debug, Args)]
pub(crate) struct Selling {
    /// Places to sell.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) slots: u32,
    /// Places kept for the node's own peers.
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub(crate) reserve: u32,
    /// --maxpeers of the node, which no RPC tells.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) node_max_peers: u32,
    /// Who earns: an Ethereum address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) payout: Option<Account>,
    /// Offer nothing while the newest block is older; "off" for a private chain that stands still.
    #[arg(long, default_value = "10m", value_name = "TIME|off", value_parser = head_age)]
    pub(crate) max_head_age: HeadAge,
}

/// What a client wants.
#[derive(Debug, Args)]
pub(crate) struct Seeking {
    /// Hosts to keep.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) min_peers: u32,
    /// The dearest place to take, a minute: "100 gwei" [default: any].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) max_price: Option<Price>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode host ws://127.0.0.1:8080 --slots 20 --payout 0x…")]
pub(crate) struct HostArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) selling: Selling,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode client ws://127.0.0.1:8080 --min-peers 5")]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) seeking: Seeking,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode agent ws://10.0.0.1:8080 --insecure --join-secret-file /etc/vipnode/secret"
)]
pub(crate) struct AgentArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) selling: Selling,
    #[command(flatten)]
    pub(crate) seeking: Seeking,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode release --rpc ~/.ethereum/geth.ipc")]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode pool --bind 0.0.0.0:8080 --public-url ws://pool.example:8080\n  \
                        vipnode pool --members members.txt        only these node ids, one a line")]
pub(crate) struct PoolArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) bind: SocketAddr,
    /// A URL under which agents reach this pool; what they sign names it. May be given several times.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Vec<String>,
    /// Admit only these nodes: a file with a node id a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) members: Option<PathBuf>,
    /// Admit only agents that know a secret.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
    /// Shown to every agent that joins.
    #[arg(long, value_name = "TEXT")]
    pub(crate) welcome: Option<String>,
    /// What a place costs a minute: "100 gwei". Metered; nothing is collected in this version.
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub(crate) price: Price,
    /// How often agents report, 1s to 119s. A lease whose side dies is metered up to its last report.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = report_interval)]
    pub(crate) report_interval: Duration,
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

/// How old the newest block may be; `None` inside is "off".
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadAge(pub(crate) Option<Duration>);

fn head_age(text: &str) -> Result<HeadAge, String> {
    if text == "off" {
        return Ok(HeadAge(None));
    }
    let age = humantime::parse_duration(text).map_err(|error| format!("{error}: write 10m, 90s, 1h or off"))?;
    Ok(HeadAge(Some(age)))
}

/// A15. Below a second reports are load and no news; an agent silent for 180 s is down.
fn report_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}: write 60s or 1m"))?;
    let fits = (Duration::from_secs(1)..=Duration::from_secs(119)).contains(&interval);
    if fits { Ok(interval) } else { Err("from 1s to 119s, since an agent silent for 180 s is down".to_owned()) }
}

fn join_secret(text: &str) -> Result<JoinSecret, String> {
    JoinSecret::new(text).ok_or_else(|| "the secret is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_is_an_agent() {
        let cli = Cli::read(["vipnode", "ws://127.0.0.1:1", "--slots", "3"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.agent.between.pool.as_deref(), Some("ws://127.0.0.1:1"));
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
            &["vipnode", "client", "--max-price", "1 euro"],
            &["vipnode", "pool", "--bind", "nowhere"],
            &["vipnode", "pool", "--join-secret", " "],
            &["vipnode", "pool", "--report-interval", "120s"],
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
