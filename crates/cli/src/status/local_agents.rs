use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, stream};
use vipnode_agent::{
    AgentError,
    limits::LOCAL_AGENTS,
    local::{self, AgentStatus, LocalError},
    state::StateDir,
};

use crate::{
    args::StatusArgs,
    error::{CliError, CommandError},
    output::{format::quoted, shorten},
};

/// The agents of this machine that this user may ask.
#[derive(Debug)]
pub(crate) struct LocalAgents {
    /// The directories that were searched.
    pub(crate) roots: Vec<PathBuf>,
    /// The agents that answered, each with its socket.
    pub(crate) answered: Vec<(PathBuf, AgentStatus)>,
    /// The sockets whose agents did not answer.
    pub(crate) unresponsive: Vec<UnresponsiveAgent>,
    /// Directories of agents that this user may not access.
    pub(crate) inaccessible: Vec<UnresponsiveAgent>,
}

/// An agent that did not answer, and what to do about it.
#[derive(Debug)]
pub(crate) struct UnresponsiveAgent {
    pub(crate) place: PathBuf,
    pub(crate) error: CliError,
}

/// Where the packaged services keep their agents' state.
#[cfg(unix)]
const SERVICES: [&str; 3] = ["/var/lib/vipnode-host", "/var/lib/vipnode-client", "/var/lib/vipnode-agent"];
#[cfg(not(unix))]
const SERVICES: [&str; 0] = [];

/// So many agents are asked at once.
const AT_ONCE: usize = 32;
/// Characters that are shown of a word that an agent got from elsewhere.
const WORDS: usize = 1_000;

impl LocalAgents {
    /// Asks the agents that the arguments name.
    ///
    /// # Errors
    /// No state directory can be determined, or the named one cannot be read.
    pub(crate) async fn ask(args: &StatusArgs) -> Result<Self, CliError> {
        Self::ask_in(args.state_dir.as_deref(), args.node.as_deref()).await
    }

    /// Asks the agents in a state directory, or of a node whose ID begins like this.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(crate) async fn ask_in(state_dir: Option<&Path>, node: Option<&str>) -> Result<Self, CliError> {
        let named = StateDir::root(state_dir)?;
        let mut roots = vec![named];
        if state_dir.is_none() {
            roots.extend(SERVICES.map(PathBuf::from));
        }
        let mut all = Self { roots, answered: Vec::new(), unresponsive: Vec::new(), inaccessible: Vec::new() };
        let (mut sockets, mut cut) = (Vec::new(), false);
        for (number, root) in all.roots.iter().enumerate() {
            match local::agents(root) {
                Ok(found) => {
                    cut |= found.len() >= LOCAL_AGENTS;
                    sockets.extend(found);
                }
                Err(error) if number == 0 => return Err(unreadable(error, root)),
                Err(error) => {
                    all.inaccessible.push(UnresponsiveAgent::new(root.clone(), unreadable(error, root)));
                }
            }
        }
        if cut {
            let error = CommandError::AgentsCut { most: LOCAL_AGENTS };
            all.inaccessible.push(UnresponsiveAgent::new(PathBuf::new(), error.into()));
        }
        sockets.retain(|socket| may_be(socket, node));
        let asked = stream::iter(sockets.into_iter().map(async |socket| (local::status(&socket).await, socket)));
        for (answer, socket) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
            match answer {
                Ok(status) if is(&status, node) => all.answered.push((socket, clean(status))),
                Ok(_of_another_node) => {}
                Err(error) => {
                    let mut agent = UnresponsiveAgent::of(socket, error);
                    if let Some(root) = state_dir {
                        let command = format!("`vipnode release --state-dir {}`", quoted(&root.display().to_string()));
                        agent.error.hint = agent.error.hint.replace("`vipnode release`", &command);
                    }
                    all.unresponsive.push(agent);
                }
            }
        }
        Ok(all)
    }

    /// Whether at least one was asked and all have answered.
    pub(crate) fn complete(&self) -> bool {
        !self.answered.is_empty() && self.unresponsive.is_empty()
    }
}

impl UnresponsiveAgent {
    fn new(place: PathBuf, error: CliError) -> Self {
        Self { place, error }
    }

    /// Whether its node's ID may begin like this.
    pub(crate) fn is_named(&self, node: Option<&str>) -> bool {
        may_be(&self.place, node)
    }

    pub(crate) fn of(place: PathBuf, error: LocalError) -> Self {
        Self::new(place, CliError::from(error).sanitized(WORDS))
    }
}

/// The name of a socket is the beginning of the node's id.
fn may_be(socket: &Path, node: Option<&str>) -> bool {
    let name = socket.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    node.is_none_or(|node| name.starts_with(node) || node.starts_with(name))
}

fn is(status: &AgentStatus, node: Option<&str>) -> bool {
    node.is_none_or(|node| status.node.id.to_string().starts_with(node))
}

fn unreadable(error: AgentError, root: &Path) -> CliError {
    match error {
        AgentError::File { path, why, .. } if why.kind() == ErrorKind::PermissionDenied => {
            CommandError::AgentsUnreadable { path, root: root.to_owned() }.into()
        }
        other => other.into(),
    }
}

/// Sanitizes what an agent heard from its node and its pool.
pub(crate) fn clean(mut status: AgentStatus) -> AgentStatus {
    let clean = |text: &mut String| *text = shorten(text, WORDS);
    clean(&mut status.agent_version);
    clean(&mut status.node.client_version);
    clean(&mut status.node.at);
    clean(&mut status.pool.url);
    let of_host = status.host.iter_mut().flat_map(|host| &mut host.leases);
    for lease in of_host.chain(status.client.iter_mut().flat_map(|client| &mut client.leases)) {
        clean(&mut lease.client_version);
        lease.address.iter_mut().for_each(clean);
    }
    if let Some(why) = status.host.as_mut().and_then(|host| host.why_none.as_mut()) {
        clean(why);
    }
    if let Some(why) = status.client.as_mut().and_then(|client| client.why_missing.as_mut()) {
        clean(why);
    }
    status
}
