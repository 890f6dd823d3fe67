use std::{path::Path, sync::Arc, time::Duration};

use tokio::time::sleep;
use vipnode_agent::state::load_node_key;
use vipnode_node::{
    Endpoint, Node, NodeAccess, NodeError, Trust,
    finder::{self, FinderEnvironment},
    limits::NodeLimits,
};
use vipnode_types::TypedError;

use crate::{
    args::NodeArgs,
    discover::simulated::fake_node,
    error::CliError,
    output::{Line, Screen, Tone},
};

/// A node, and how it is reached.
pub(crate) struct FoundNode {
    pub(crate) node: Arc<dyn Node>,
    pub(crate) endpoint: Endpoint,
}

/// What to do if the node that the user named does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryPolicy {
    /// Wait for it: agent and node may be started together, in any order.
    Wait,
    /// Report it and end.
    None,
}

/// The first retry of a node that does not answer; each further one waits twice as long ...
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// ... up to this.
const RETRY_MOST: Duration = Duration::from_secs(5);

/// Returns the node that the user named, else the one that was found on this machine, and reports which. Of several, it is the one
/// of the key file `nodekey`.
pub(crate) async fn find_node(
    args: &NodeArgs,
    nodekey: Option<&Path>,
    limits: NodeLimits,
    patience: RetryPolicy,
    screen: Screen,
) -> Result<FoundNode, CliError> {
    let access = args.access(limits)?;
    if let Some(rpc) = &args.rpc {
        if let Some(fake) = fake_node(rpc) {
            return fake;
        }
        let endpoint: Endpoint = rpc.parse()?;
        return Ok(FoundNode { node: open(&endpoint, &access, patience, screen).await?, endpoint });
    }
    // A key file that cannot be read is an error where the key is needed.
    let wanted = nodekey.and_then(|path| load_node_key(path).ok()).map(|key| key.id());
    let access = NodeAccess { trust: Trust::default(), ..access };
    let found = finder::find(&FinderEnvironment::here(), wanted, &access).await?;
    screen.say(&found_line(&found.endpoint, found.running.as_deref()));
    Ok(FoundNode { node: found.node, endpoint: found.endpoint })
}

/// Which node was found; `running` is the client whose arguments named it.
fn found_line(endpoint: &Endpoint, running: Option<&str>) -> Line {
    let place = endpoint.to_string();
    let by = running.map(|who| format!(" ({who})")).unwrap_or_default();
    let text = format!("Found a node at {place}{by}. To use another node, pass --rpc");
    Line::new("node_found", Tone::Plain, text).with("rpc", place)
}

async fn open(
    endpoint: &Endpoint,
    access: &NodeAccess,
    patience: RetryPolicy,
    screen: Screen,
) -> Result<Arc<dyn Node>, NodeError> {
    let mut wait = RETRY_FIRST;
    let mut said = false;
    loop {
        match endpoint.open(access).await {
            Err(error) if error.is_offline() && patience == RetryPolicy::Wait => {
                if !std::mem::replace(&mut said, true) {
                    let text = format!("Waiting for the node: {error}");
                    screen.say(
                        &Line::new("waiting_for_node", Tone::Warning, text).hint(&error.hint().unwrap_or_default()),
                    );
                }
            }
            opened => return opened,
        }
        sleep(wait).await;
        wait = wait.saturating_mul(2).min(RETRY_MOST);
    }
}

#[cfg(test)]
mod tests {
    use vipnode_node::finder::{FinderError, Tried};

    use super::*;

    #[test]
    fn snapshot_of_the_nodes_of_a_machine() {
        let one = |location: &str, why: &str| Tried { location: location.to_owned(), why: why.to_owned() };
        let several = FinderError::SeveralNodes {
            found: vec![
                one(
                    "/home/ana/.ethereum/geth.ipc",
                    "node 070707070707, Geth/v1.17.5-stable/linux-amd64/go1.26.0, mainnet",
                ),
                one(
                    "http://127.0.0.1:8547",
                    "node 0b0b0b0b0b0b, reth/v2.5.1-abcdef0/x86_64-unknown-linux-gnu, sepolia",
                ),
                one("erigon, process 4711", "its arguments name no RPC address; pass it with --rpc"),
            ],
        };
        let endpoint: Endpoint = "/home/ana/.ethereum/geth.ipc".parse().unwrap();
        let found = [found_line(&endpoint, Some("geth, process 17")), found_line(&endpoint, None)];
        let page = format!("{}\n{}", crate::tests::text_of(&found), crate::tests::text_of_error(&several.into()));
        insta::assert_snapshot!("several_nodes", crate::tests::at_each_width(&page));
    }
}
