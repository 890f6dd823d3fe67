use std::path::Path;

use serde_json::{Value, json};
use vipnode_agent::{
    PoolAddress,
    local::{self, AgentStatus},
    state::StateDir,
};

use crate::{
    account::funds_page,
    error::{CliError, CommandError},
    output::{Screen, Styled, format::quoted, terminal::page_width},
};

/// Characters that are shown of a text from an agent or its pool.
const WORDS: usize = 1_000;

/// Shows what the nodes of local agents may spend at their pools, and what they earned. Their agents ask, so no key is needed.
///
/// # Errors
/// There is no such agent, or none of them gets an answer.
pub(super) async fn show(state_dir: Option<&Path>, pool: Option<&str>, screen: Screen) -> Result<(), CliError> {
    let pool = pool.map(PoolAddress::read).transpose()?;
    let (mut page, mut shown, mut failed) = (Styled::default(), Vec::new(), None);
    for socket in local::agents(&StateDir::root(state_dir)?)? {
        let Ok(status) = local::status(&socket).await else { continue };
        if status.pool.url.is_empty() || pool.as_ref().is_some_and(|pool| pool.url() != status.pool.url) {
            continue;
        }
        match local::funds(&socket).await {
            Ok(funds) => {
                page.push(if shown.is_empty() { "" } else { "\n\n" });
                let of = (&status.node.id, &*status.pool.url);
                page.append(&funds_page(of, &funds, &hint(&status), page_width()));
                shown.push(json!({"node": status.node.id, "pool": status.pool.url, "funds": funds}));
            }
            Err(error) => failed = failed.or_else(|| Some(CliError::from(error).sanitized(WORDS))),
        }
    }
    if shown.is_empty() {
        return Err(failed.unwrap_or_else(|| CommandError::NoAgentWithPool.into()));
    }
    screen.print(&page, &json!({"event": "funds", "agents": Value::from(shown)}));
    Ok(())
}

/// How the node of this agent gets an account, by its role.
fn hint(status: &AgentStatus) -> String {
    match (&status.host, &status.client) {
        (Some(_), None) => "Pass the account that receives the earnings of this host: --payout 0x…".to_owned(),
        _ => format!("Let an account pay for this node: `{}`", link_command(status)),
    }
}

/// The command that links an account to the node of this agent, with all flags that it needs.
fn link_command(status: &AgentStatus) -> String {
    let mut command = format!("vipnode account link {} --keystore FILE", quoted(&status.pool.url));
    let mut add = |flag: &str, value: &str| command += &format!(" --{flag} {}", quoted(value));
    // Another node may be found first.
    if !status.node.at.contains("://") {
        add("rpc", &status.node.at);
    }
    if let Some(tls_ca) = &status.connections.tls_ca {
        add("tls-ca", tls_ca);
    }
    if status.connections.insecure {
        command += " --insecure";
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_links_an_account_is_complete() {
        let mut status = crate::tests::agent(1, None, None);
        status.connections.tls_ca = Some("/my dir/ca.pem".to_owned());
        assert_eq!(
            link_command(&status),
            "vipnode account link wss://pool.example/ --keystore FILE --rpc /x/geth.ipc --tls-ca '/my dir/ca.pem'"
        );
    }

    #[test]
    fn a_host_without_an_account_needs_a_payout_account() {
        let mut status = crate::tests::agent(1, None, None);
        status.client = None;
        assert!(status.host.is_some() && hint(&status).ends_with("--payout 0x…"), "{}", hint(&status));
        status = AgentStatus { host: None, ..crate::tests::agent(1, None, None) };
        assert!(hint(&status).contains("account link"), "{}", hint(&status));
    }
}
