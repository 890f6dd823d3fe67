use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::TrustArgs;

/// The id of `--pool` of `vipnode status`. It differs from the pool of an agent, which a variable or a file may set.
pub(crate) const ASKED_POOL: &str = "asked_pool";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode status                            show all local agents\n  \
                        vipnode status 1f3a --watch               watch one of them\n  \
                        vipnode status --why                      explain the choice of hosts\n  \
                        vipnode status --pool wss://pool.example  show the status of a pool\n\n\
                        Exit code: 0 everyone asked has answered, 1 no agent runs or one did not\n           \
                        answer, 2 the command failed: a wrong flag, or the pool did not answer")]
pub(crate) struct StatusArgs {
    /// Show only the agent of this node, in full.
    ///
    /// Takes the id of the node, or the first characters of it.
    #[arg(value_name = "NODE", value_parser = node_prefix, help_heading = "Node")]
    pub(crate) node: Option<String>,
    /// Look for agents in this state directory.
    ///
    /// [default: ~/.local/state/vipnode, and those of the packaged services]
    #[arg(long, value_name = "DIR", help_heading = "Node")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Ask the pool why each client got its hosts.
    #[arg(long, help_heading = "Pool")]
    pub(crate) why: bool,
    /// Ask this pool for its status instead of local agents.
    ///
    /// Takes a ws://, wss://, http:// or https:// URL. You need not be a member.
    #[arg(id = ASKED_POOL, help_heading = "Pool", long = "pool", value_name = "URL", conflicts_with_all = ["node", "why"])]
    pub(crate) pool: Option<String>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    /// Repeat every 2s, or at this interval, until Ctrl-C.
    ///
    /// On a terminal the page is rewritten in place; in a pipe each page follows the one before.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "2s",
          value_parser = interval, help_heading = "Output")]
    pub(crate) watch: Option<Duration>,
}

/// The beginning of an id.
fn node_prefix(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('…').to_ascii_lowercase();
    let is_id = !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        Ok(text)
    } else {
        Err("a node id is hexadecimal: pass its beginning, such as 1f3a, or all 128 characters")
    }
}

/// A shorter interval is load without news.
fn interval(text: &str) -> Result<Duration, String> {
    let alone = text.parse().map(Duration::from_secs).ok();
    let read = || humantime::parse_duration(text).map_err(|error| format!("{error}: pass 2s or 1m"));
    let interval = alone.map_or_else(read, Ok)?;
    let fits = (Duration::from_millis(500)..=Duration::from_secs(3_600)).contains(&interval);
    if fits { Ok(interval) } else { Err("pass 500ms to 1h".to_owned()) }
}
