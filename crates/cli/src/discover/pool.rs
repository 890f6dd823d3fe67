use std::time::Duration;

use tokio::time::timeout;
use vipnode_agent::{Connector, NetConnector, PoolAddress, PoolConnection as Open};
use vipnode_node::Trust;

use crate::{
    error::{CliError, CommandError},
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
    let connector = NetConnector::new(address.clone(), Trust::default());
    if let Ok(Ok(Open::Socket(opened))) = timeout(LOCAL_DEADLINE, connector.open()).await
        && (opened.challenge.is_some() || !ours)
    {
        let text = format!("Using the pool at {LOCAL}. To use another pool, pass its URL or set VIPNODE_POOL");
        screen.say(&Line::new("pool_found", Tone::Plain, text).with("pool", LOCAL));
        return Ok(address);
    }
    Err(CommandError::NoPool { local: LOCAL }.into())
}

/// The pool of this address.
pub(crate) fn named_pool(text: &str) -> Result<PoolAddress, CliError> {
    if text == IN_MEMORY {
        return Err(CommandError::PoolInMemory { url: IN_MEMORY }.into());
    }
    Ok(PoolAddress::read(text)?)
}
