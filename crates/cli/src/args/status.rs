use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::TrustArgs;

/// The id of `--pool` here. Elsewhere a pool is what an agent works with, which may be said once and for all.
pub(crate) const ASKED_POOL: &str = "asked_pool";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode status                            the agents of this machine\n  \
                        vipnode status 1f3a --watch               one of them, again and again\n  \
                        vipnode status --why                      why these hosts, and how many others were left out\n  \
                        vipnode status --pool wss://pool.example  what a pool tells of itself\n\n\
                        Exit code: 0 all that were asked have answered, 1 no agent runs or one is silent,\n           \
                        2 the look itself failed: a wrong flag, a pool that is away or hides itself")]
pub(crate) struct StatusArgs {
    /// Only the agent of this node, in full: its id, or the first characters of it.
    #[arg(value_name = "NODE", value_parser = node_prefix)]
    pub(crate) node: Option<String>,
    /// Where agents keep their state [default: ~/.local/state/vipnode, and those of the system's services].
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Ask the pool why these hosts, through the agent of each client.
    #[arg(long)]
    pub(crate) why: bool,
    /// Ask this pool about itself, not the agents: ws://, wss://, http:// or https://. Needs no place there.
    #[arg(id = ASKED_POOL, long = "pool", value_name = "URL", conflicts_with_all = ["node", "why"])]
    pub(crate) pool: Option<String>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    /// Look again and again, every 2s or this often, until Ctrl-C: in place on a terminal, line after line in a pipe.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "2s",
          value_parser = interval)]
    pub(crate) watch: Option<Duration>,
}

/// The beginning of an id.
fn node_prefix(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('…').to_ascii_lowercase();
    let is_id = !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Ok(text) } else { Err("the id of a node is hex, such as 1f3a or all 128 characters") }
}

/// More often is load and no news.
fn interval(text: &str) -> Result<Duration, String> {
    let alone = text.parse().map(Duration::from_secs).ok();
    let read = || humantime::parse_duration(text).map_err(|error| format!("{error}: write 2s or 1m"));
    let interval = alone.map_or_else(read, Ok)?;
    let fits = (Duration::from_millis(500)..=Duration::from_secs(3_600)).contains(&interval);
    if fits { Ok(interval) } else { Err("from 500ms to 1h".to_owned()) }
}
