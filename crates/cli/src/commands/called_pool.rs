//! The pool that a command calls for a user whose agent may be connected to it.

use std::path::Path;

use vipnode_agent::{
    PoolAddress,
    local::{AgentStatus, ConnectionSettings},
};
use vipnode_node::Trust;

use crate::{
    args::{AccountPoolArgs, TrustArgs},
    discover::{find_pool, named_pool},
    error::{CliError, CommandError},
    output::{Screen, format::quoted},
    status::LocalAgents,
};

/// The address of a pool, and which connections to it are allowed.
#[derive(Debug)]
pub(super) struct CalledPool {
    pub(super) address: PoolAddress,
    pub(super) trust: Trust,
}

impl CalledPool {
    /// Returns the pool that the user named, or else the one of the agents that run here, which is reported. What such an agent
    /// allows, or a CA that it trusts, the user need not repeat.
    ///
    /// # Errors
    /// The agents have several pools, no pool is found, or its address or the file of a CA cannot be read.
    pub(super) async fn of(
        args: &AccountPoolArgs,
        trust: &TrustArgs,
        state_dir: Option<&Path>,
        screen: Screen,
    ) -> Result<Self, CliError> {
        let address = match args.pool() {
            Some(named) => Some(named_pool(named)?),
            None => None,
        };
        let running = match &address {
            // It needs nothing of an agent.
            Some(_) if trust.is_given() => Vec::new(),
            _ => running_agents(state_dir).await,
        };
        if let Some(address) = address {
            let connections = connections_of(&running, address.url());
            return Ok(Self { trust: trust.trust_as(&connections)?, address });
        }
        let Some(url) = only_pool(&running)? else {
            let address = find_pool(None, true, screen).await?;
            return Ok(Self { address, trust: trust.trust()? });
        };
        screen.note(&format!("Using the pool of the agent that runs here, {url}"));
        let trust = trust.trust_as(&connections_of(&running, url))?;
        Ok(Self { address: named_pool(url)?, trust })
    }
}

/// The agents of this machine that have a pool.
async fn running_agents(state_dir: Option<&Path>) -> Vec<AgentStatus> {
    let agents = LocalAgents::ask_in(state_dir, None).await.map(|agents| agents.answered).unwrap_or_default();
    agents.into_iter().map(|(_, status)| status).filter(|status| !status.pool.url.is_empty()).collect()
}

/// Which connections an agent of this pool allows.
fn connections_of(agents: &[AgentStatus], url: &str) -> ConnectionSettings {
    let own = agents.iter().find(|status| status.pool.url == url);
    own.map(|status| status.connections.clone()).unwrap_or_default()
}

/// The only pool of these agents; `None` if they have none.
fn only_pool(agents: &[AgentStatus]) -> Result<Option<&str>, CommandError> {
    let mut urls: Vec<&str> = agents.iter().map(|status| status.pool.url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    match &*urls {
        [] => Ok(None),
        [url] => Ok(Some(url)),
        [first, ..] => {
            Err(CommandError::SeveralAgentPools { urls: urls.join(", "), first: quoted(first).into_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn the_pool_of_all_agents_is_used_and_several_are_named() {
        let one = crate::tests::agent(1, None, None);
        let mut other = crate::tests::agent(2, None, None);
        assert_eq!(only_pool(&[]).unwrap(), None);
        assert_eq!(only_pool(&[one.clone(), other.clone()]).unwrap(), Some("wss://pool.example/"));
        other.pool.url = "wss://other.example/".to_owned();
        other.connections.tls_ca = Some("/etc/ca.pem".to_owned());
        let several = only_pool(&[one.clone(), other.clone()]).unwrap_err();
        assert!(several.to_string().ends_with("wss://other.example/, wss://pool.example/"), "{several}");
        assert!(several.hint().unwrap().contains("wss://other.example/"));
        let agents = [one, other];
        assert_eq!(connections_of(&agents, "wss://other.example/").tls_ca.as_deref(), Some("/etc/ca.pem"));
        assert_eq!(connections_of(&agents, "wss://pool.example/"), ConnectionSettings::default());
    }
}
