use std::{path::Path, sync::Arc, time::Duration};

use tokio::time::sleep;
use vipnode_agent::state::load_node_key;
use vipnode_node::{
    Endpoint, Node, NodeError, Trust,
    finder::{self, FinderEnvironment},
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
    patience: RetryPolicy,
    screen: Screen,
) -> Result<FoundNode, CliError> {
    if let Some(rpc) = &args.rpc {
        if let Some(fake) = fake_node(rpc) {
            return fake;
        }
        let endpoint: Endpoint = rpc.parse()?;
        return Ok(FoundNode { node: open(&endpoint, &args.trust()?, patience, screen).await?, endpoint });
    }
    // A key file that cannot be read is an error where the key is needed.
    let wanted = nodekey.and_then(|path| load_node_key(path).ok()).map(|key| key.id());
    let found = finder::find(&FinderEnvironment::here(), wanted).await?;
    let place = found.endpoint.to_string();
    let by = found.running.map(|who| format!(" ({who})")).unwrap_or_default();
    let text = format!("Found a node at {place}{by}. To use another node, pass --rpc");
    screen.say(&Line::new("node_found", Tone::Plain, text).with("rpc", place));
    Ok(FoundNode { node: found.node, endpoint: found.endpoint })
}

async fn open(
    endpoint: &Endpoint,
    trust: &Trust,
    patience: RetryPolicy,
    screen: Screen,
) -> Result<Arc<dyn Node>, NodeError> {
    let mut wait = RETRY_FIRST;
    let mut said = false;
    loop {
        match endpoint.open(trust).await {
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
