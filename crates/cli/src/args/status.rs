use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::TrustArgs;

/// The id of `--pool` of `vipnode status`. It differs from the pool of an agent, which a variable or a file may set.
pub(crate) const ASKED_POOL: &str = "asked_pool";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode status                            show all local agents\n  \
                        vipnode status 1f3a --watch               watch one agent\n  \
                        vipnode status --why                      explain the choice of hosts\n  \
                        vipnode status --pool wss://pool.example  show the status of a pool\n\n\
                        Exit codes:\n  0  every agent (or the pool) responded\n  \
                        1  no agent is running, or one did not respond\n  \
                        2  the command failed, for example because the pool is unreachable")]
pub(crate) struct StatusArgs {
    /// Show only the agent of this node, in full.
    ///
    /// Takes the node ID or its first characters.
    #[arg(value_name = "NODE", value_parser = status_node, help_heading = "Node")]
    pub(crate) node: Option<String>,
    /// Look for agents in this state directory.
    ///
    /// [default: ~/.local/state/vipnode and the directories of the packaged services]
    #[arg(long, value_name = "DIR", help_heading = "Node")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Ask the pool why it assigned each client its hosts.
    #[arg(long, help_heading = "Pool")]
    pub(crate) why: bool,
    /// Show the status of this pool instead of the local agents.
    ///
    /// Takes a ws://, wss://, http://, or https:// URL. If the pool runs with --status members, this machine needs an
    /// agent that has joined it at this URL.
    #[arg(id = ASKED_POOL, help_heading = "Pool", long = "pool", value_name = "URL", conflicts_with_all = ["node", "why"])]
    pub(crate) pool: Option<String>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    /// Repeat every 2s, or at this interval, until Ctrl-C.
    ///
    /// On a terminal, the page is redrawn in place. In a pipe, pages are printed one after another.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "2s",
          value_parser = interval, help_heading = "Output")]
    pub(crate) watch: Option<Duration>,
}

/// Parses the beginning of a node id.
pub(super) fn node_prefix(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('…').to_ascii_lowercase();
    let is_id = !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        Ok(text)
    } else {
        Err("a node ID is hexadecimal: pass its first characters, such as 1f3a, or all 128 characters")
    }
}

/// Parses the node of `vipnode status`, in whose place a pool or the interval of --watch is typed as well.
fn status_node(text: &str) -> Result<String, String> {
    node_prefix(text).map_err(|error| {
        if text.contains("://") {
            return format!("pass the URL of a pool as --pool {}", shlex::try_quote(text).unwrap_or_default());
        }
        if interval(text).is_ok() {
            return format!("pass an interval as --watch={text}");
        }
        error.to_owned()
    })
}

/// Parses an interval; a shorter one adds load without news.
fn interval(text: &str) -> Result<Duration, String> {
    let alone = text.parse().map(Duration::from_secs).ok();
    let read = || humantime::parse_duration(text).map_err(|error| format!("{error}: pass 2s or 1m"));
    let interval = alone.map_or_else(read, Ok)?;
    let fits = (Duration::from_millis(500)..=Duration::from_secs(3_600)).contains(&interval);
    if fits { Ok(interval) } else { Err("pass 500ms to 1h".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_in_place_of_a_node_names_its_flag() {
        assert_eq!(status_node("1F3a…"), Ok("1f3a".to_owned()));
        for (text, part) in
            [("wss://pool.example", "--pool wss://pool.example"), ("5s", "--watch=5s"), ("xyz", "hexadecimal")]
        {
            assert!(status_node(text).is_err_and(|error| error.contains(part)), "{text}");
        }
    }
}
