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
use vipnode_types::TypedError;

use vipnode_types::sanitize;

use crate::{args::StatusArgs, error::CliError};

/// The agents of this machine, as far as this user may ask them.
#[derive(Debug)]
pub(crate) struct Agents {
    /// The directories that were searched.
    pub(crate) roots: Vec<PathBuf>,
    /// The agents that answered, each with its socket.
    pub(crate) answered: Vec<(PathBuf, AgentStatus)>,
    /// The sockets whose agents did not answer.
    pub(crate) silent: Vec<Silent>,
    /// Directories of agents that this user may not access.
    pub(crate) hidden: Vec<Silent>,
}

/// An agent that did not answer, and what to do about it.
#[derive(Debug)]
pub(crate) struct Silent {
    pub(crate) place: PathBuf,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Where the packaged services keep their agents' state.
#[cfg(unix)]
const SERVICES: [&str; 2] = ["/var/lib/vipnode-host", "/var/lib/vipnode-client"];
#[cfg(not(unix))]
const SERVICES: [&str; 0] = [];

/// So many agents are asked at once.
const AT_ONCE: usize = 32;
/// Characters that are shown of a word that an agent got from elsewhere.
const WORDS: usize = 1_000;

impl Agents {
    /// Asks the agents that the arguments name.
    ///
    /// # Errors
    /// There is no state directory, or the named one may not be read.
    pub(crate) async fn ask(args: &StatusArgs) -> Result<Self, CliError> {
        let named = StateDir::root(args.state_dir.as_deref())?;
        let mut roots = vec![named];
        if args.state_dir.is_none() {
            roots.extend(SERVICES.map(PathBuf::from));
        }
        let mut all = Self { roots, answered: Vec::new(), silent: Vec::new(), hidden: Vec::new() };
        let (mut sockets, mut cut) = (Vec::new(), false);
        for (number, root) in all.roots.iter().enumerate() {
            match local::agents(root) {
                Ok(found) => {
                    cut |= found.len() >= LOCAL_AGENTS;
                    sockets.extend(found);
                }
                Err(error) if number == 0 => return Err(unreadable(error, root)),
                Err(error) => {
                    let CliError { message, hint } = unreadable(error, root);
                    all.hidden.push(Silent { place: root.clone(), message, hint });
                }
            }
        }
        if cut {
            let message = format!("Only {LOCAL_AGENTS} agents of one directory are shown; there may be more");
            let hint = "Name one: vipnode status NODE".to_owned();
            all.hidden.push(Silent { place: PathBuf::new(), message, hint });
        }
        sockets.retain(|socket| may_be(socket, args.node.as_deref()));
        let asked = stream::iter(sockets.into_iter().map(async |socket| (local::status(&socket).await, socket)));
        for (answer, socket) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
            match answer {
                Ok(status) if is(&status, args.node.as_deref()) => all.answered.push((socket, clean(status))),
                Ok(_of_another_node) => {}
                Err(error) => all.silent.push(Silent::of(socket, &error)),
            }
        }
        Ok(all)
    }

    /// Whether at least one was asked and all have answered.
    pub(crate) fn complete(&self) -> bool {
        !self.answered.is_empty() && self.silent.is_empty()
    }
}

impl Silent {
    pub(crate) fn of(place: PathBuf, error: &LocalError) -> Self {
        Self {
            place,
            message: sanitize(&error.to_string(), WORDS),
            hint: sanitize(&error.hint().unwrap_or_default(), WORDS),
        }
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
        AgentError::File { path, why, .. } if why.kind() == ErrorKind::PermissionDenied => CliError::new(
            format!("This user may not access the agents in {}", path.display()),
            format!("Run it as their user or as root: sudo vipnode status --state-dir {}", root.display()),
        ),
        other => other.into(),
    }
}

/// Sanitizes what an agent heard from its node and its pool.
pub(crate) fn clean(mut status: AgentStatus) -> AgentStatus {
    let clean = |text: &mut String| *text = sanitize(text, WORDS);
    clean(&mut status.agent_version);
    clean(&mut status.node.client_version);
    clean(&mut status.node.at);
    clean(&mut status.pool.url);
    if let Some(why) = status.host.as_mut().and_then(|host| host.why_none.as_mut()) {
        clean(why);
    }
    if let Some(why) = status.client.as_mut().and_then(|client| client.why_missing.as_mut()) {
        clean(why);
    }
    status
}
