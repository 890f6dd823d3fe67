use std::time::Duration;

use tokio::time::timeout;
use vipnode_agent::{Connector, NetConnector, PoolAddress, PoolConnection as Open};
use vipnode_node::Trust;

use crate::{
    error::CliError,
    output::{Line, Screen, Tone},
};

/// Where a pool listens by default.
const LOCAL: &str = "ws://127.0.0.1:8080";
/// A pool on this machine answers within this time.
const LOCAL_DEADLINE: Duration = Duration::from_secs(2);

/// What the original calls a pool inside its own agent.
const IN_MEMORY: &str = ":memory:";

/// Returns the pool that the user named (argument or `VIPNODE_POOL`), else one that answers on this machine, which is
/// reported.
pub(crate) async fn find_pool(named: Option<&str>, ours: bool, screen: Screen) -> Result<PoolAddress, CliError> {
    if let Some(text) = named {
        return named_pool(text);
    }
    let address = PoolAddress::read(LOCAL)?;
    let door = NetConnector::new(address.clone(), Trust::default());
    if let Ok(Ok(Open::Socket(opened))) = timeout(LOCAL_DEADLINE, door.open()).await
        && (opened.challenge.is_some() || !ours)
    {
        let text = format!("Using the pool at {LOCAL}; pass a URL or set VIPNODE_POOL for another");
        screen.say(&Line::new("pool_found", Tone::Plain, text).with("pool", LOCAL));
        return Ok(address);
    }
    Err(CliError::new(
        format!("no pool was given, and none answers at {LOCAL}"),
        "Pass the URL of a pool or set VIPNODE_POOL; or start a pool: `vipnode pool`; or try one: `vipnode demo`",
    ))
}

/// The pool of this address.
pub(crate) fn named_pool(text: &str) -> Result<PoolAddress, CliError> {
    if text == IN_MEMORY {
        return Err(CliError::new(
            format!("{IN_MEMORY} is the original's pool inside its agent, which this vipnode does not have"),
            "Run a pool next to the agent: `vipnode pool`; or see everything at once: `vipnode demo`",
        ));
    }
    Ok(PoolAddress::read(text)?)
}
