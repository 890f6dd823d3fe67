use std::sync::Arc;

use vipnode_node::{
    Endpoint, Node,
    finder::{self, Surroundings},
};

use crate::{
    args::NodeArgs,
    failure::Failure,
    screen::{Line, Screen, Tone},
};

/// A node, and how it is reached.
pub(crate) struct Beside {
    pub(crate) node: Arc<dyn Node>,
    pub(crate) endpoint: Endpoint,
}

/// The node that the user named, else the one found at the usual places, which is said.
pub(crate) async fn find_node(args: &NodeArgs, screen: Screen) -> Result<Beside, Failure> {
    if let Some(rpc) = &args.rpc {
        let endpoint: Endpoint = rpc.parse()?;
        return Ok(Beside { node: endpoint.open(args.insecure).await?, endpoint });
    }
    let found = finder::find(&Surroundings::here()).await?;
    let place = found.endpoint.to_string();
    let text = format!("found a node at {place} (another one: --rpc)");
    screen.say(&Line::new("node_found", Tone::Plain, text).with("rpc", place));
    Ok(Beside { node: found.node, endpoint: found.endpoint })
}
