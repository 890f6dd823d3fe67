use std::time::Duration;

use tokio::time::timeout;
use vipnode_agent::{Connector, NetConnector, PoolAddress, PoolConnection as Open};
use vipnode_node::Trust;

use crate::{
    error::Failure,
    output::{Line, Screen, Tone},
};

/// Where a pool listens that was started without a word.
const LOCAL: &str = "ws://127.0.0.1:8080";
/// One on this machine answers within this time.
const LOCAL_DEADLINE: Duration = Duration::from_secs(2);

/// What the original calls a pool inside its own agent.
const IN_MEMORY: &str = ":memory:";

/// The pool that the user named (argument or `VIPNODE_POOL`), else one that answers on this machine, which is
/// said.
pub(crate) async fn find_pool(named: Option<&str>, ours: bool, screen: Screen) -> Result<PoolAddress, Failure> {
    if let Some(text) = named {
        return named_pool(text);
    }
    let address = PoolAddress::read(LOCAL)?;
    let door = NetConnector::new(address.clone(), Trust::default());
    if let Ok(Ok(Open::Socket(opened))) = timeout(LOCAL_DEADLINE, door.open()).await
        && (opened.challenge.is_some() || !ours)
    {
        let text = format!("using the pool at {LOCAL} (another one: give its address, or set VIPNODE_POOL)");
        screen.say(&Line::new("pool_found", Tone::Plain, text).with("pool", LOCAL));
        return Ok(address);
    }
    Err(Failure::new(
        format!("no pool was named, and none answers at {LOCAL}"),
        "name one: `vipnode <command> ws://host:port` or VIPNODE_POOL; run one: `vipnode pool`; \
         see one: `vipnode demo`",
    ))
}

/// The pool of this address.
pub(crate) fn named_pool(text: &str) -> Result<PoolAddress, Failure> {
    if text == IN_MEMORY {
        return Err(Failure::new(
            format!("{IN_MEMORY} is a pool of the original, inside its agent; there is none here"),
            "run one beside the agent: `vipnode pool`; to see it all at once: `vipnode demo`",
        ));
    }
    Ok(PoolAddress::read(text)?)
}
