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

use crate::{args::StatusArgs, error::Failure};

/// The agents of this machine, as far as this user may ask them.
#[derive(Debug)]
pub(crate) struct Agents {
    /// Where was looked.
    pub(crate) roots: Vec<PathBuf>,
    /// Who has answered, with the socket at which it did.
    pub(crate) told: Vec<(PathBuf, AgentStatus)>,
    /// Whose socket is there, and who has not.
    pub(crate) silent: Vec<Silent>,
    /// Where agents may be that this user may not ask.
    pub(crate) hidden: Vec<Silent>,
}

/// Who gives no answer, and how to fix it.
#[derive(Debug)]
pub(crate) struct Silent {
    pub(crate) place: PathBuf,
    pub(crate) what: String,
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
    /// Asks those that the user means.
    ///
    /// # Errors
    /// There is no state directory, or the named one may not be read.
    pub(crate) async fn ask(args: &StatusArgs) -> Result<Self, Failure> {
        let named = StateDir::root(args.state_dir.as_deref())?;
        let mut roots = vec![named];
        if args.state_dir.is_none() {
            roots.extend(SERVICES.map(PathBuf::from));
        }
        let mut all = Self { roots, told: Vec::new(), silent: Vec::new(), hidden: Vec::new() };
        let (mut sockets, mut cut) = (Vec::new(), false);
        for (number, root) in all.roots.iter().enumerate() {
            match local::agents(root) {
                Ok(found) => {
                    cut |= found.len() >= LOCAL_AGENTS;
                    sockets.extend(found);
                }
                Err(error) if number == 0 => return Err(unreadable(error, root)),
                Err(error) => {
                    let Failure { what, hint } = unreadable(error, root);
                    all.hidden.push(Silent { place: root.clone(), what, hint });
                }
            }
        }
        if cut {
            let what = format!("{LOCAL_AGENTS} agents are shown of one directory, and there may be more");
            let hint = "name the one you mean: vipnode status NODE".to_owned();
            all.hidden.push(Silent { place: PathBuf::new(), what, hint });
        }
        sockets.retain(|socket| may_be(socket, args.node.as_deref()));
        let asked = stream::iter(sockets.into_iter().map(async |socket| (local::status(&socket).await, socket)));
        for (answer, socket) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
            match answer {
                Ok(status) if is(&status, args.node.as_deref()) => all.told.push((socket, clean(status))),
                Ok(_of_another_node) => {}
                Err(error) => all.silent.push(Silent::of(socket, &error)),
            }
        }
        Ok(all)
    }

    /// Whether somebody was asked and all of them have answered.
    pub(crate) fn complete(&self) -> bool {
        !self.told.is_empty() && self.silent.is_empty()
    }
}

impl Silent {
    pub(crate) fn of(place: PathBuf, error: &LocalError) -> Self {
        Self { place, what: sanitize(&error.to_string(), WORDS), hint: sanitize(&error.hint().unwrap_or_default(), WORDS) }
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

fn unreadable(error: AgentError, root: &Path) -> Failure {
    match error {
        AgentError::File { path, why, .. } if why.kind() == ErrorKind::PermissionDenied => Failure::new(
            format!("this user may not ask the agents in {}", path.display()),
            format!("ask as their user, or as root: sudo vipnode status --state-dir {}", root.display()),
        ),
        other => other.into(),
    }
}

/// What an agent was told by its node and its pool may be a stranger's.
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
