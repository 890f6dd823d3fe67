//! Finds the node on this machine and the file of its key, where the user did not name them: the arguments of running
//! clients first, then the clients' default locations, then the usual ports.
//!
//! May use `driver` to try an address. What is found is never changed, and is read only if this user may read it.

mod default_locations;
mod finder_error;
mod geth_settings;
mod node_key;
mod running_clients;
mod static_and_trusted_peers;

use std::{fmt, sync::Arc};

use futures_util::future::join_all;
use vipnode_types::{NodeFacts, NodeId};

pub use default_locations::{FinderEnvironment, Os, data_dirs, ipc_paths};
pub use finder_error::{FinderError, Tried};
pub use node_key::{FoundKey, find_node_key};
pub use static_and_trusted_peers::kept_peers;

use crate::{Endpoint, Node, NodeAccess, NodeError};

/// A node that was found.
pub struct Found {
    /// The driver that speaks to the node.
    pub node: Arc<dyn Node>,
    /// Where it answers.
    pub endpoint: Endpoint,
    /// The client and process whose arguments named the location; `None` for a default location.
    pub running: Option<String>,
    /// What was tried before, in order.
    pub tried: Vec<Tried>,
}

/// Looks for a node: where the arguments of running execution clients say, if this user may read them, then at
/// the clients' default locations, then at ports 8545 and 8546 of this machine. Of several nodes, only `wanted` is taken: a guess
/// could be the node of another chain. A running client that does not answer counts as one: it may be restarting.
///
/// # Errors
/// [`FinderError::NoNode`] with everything that was tried, and [`FinderError::SeveralNodes`].
pub async fn find(
    environment: &FinderEnvironment,
    wanted: Option<NodeId>,
    access: &NodeAccess,
) -> Result<Found, FinderError> {
    find_among(locations_of(environment), wanted, access).await
}

/// Where to look.
#[derive(Debug, Default)]
struct Locations {
    /// In order, with the process that named it.
    known: Vec<(Endpoint, Option<String>)>,
    /// Processes whose arguments name no address. They may answer at a default location.
    unlocated: Vec<String>,
}

fn locations_of(environment: &FinderEnvironment) -> Locations {
    let mut locations = Locations::default();
    for running in running_clients::running(environment) {
        let who = format!("{}, process {}", running.client, running.pid);
        if running.endpoints.is_empty() {
            locations.unlocated.push(who);
            continue;
        }
        locations.known.extend(running.endpoints.into_iter().map(|endpoint| (endpoint, Some(who.clone()))));
    }
    let usual = ipc_paths(environment).into_iter().map(Endpoint::Ipc);
    let ports = [Endpoint::Http("http://127.0.0.1:8545".to_owned()), Endpoint::Ws("ws://127.0.0.1:8546".to_owned())];
    for endpoint in usual.chain(ports) {
        if !locations.known.iter().any(|(location, _)| *location == endpoint) {
            locations.known.push((endpoint, None));
        }
    }
    locations
}

/// A node that answers, and its facts where it reports them.
type Candidate = (Found, Option<NodeFacts>);

/// Running clients that do not answer.
#[derive(Debug, Default)]
struct Silent {
    /// At the addresses that their arguments name.
    located: Vec<Tried>,
    /// Their arguments name no address, so that they may be the nodes that answer at default locations.
    unlocated: Vec<Tried>,
}

async fn find_among(locations: Locations, wanted: Option<NodeId>, access: &NodeAccess) -> Result<Found, FinderError> {
    let opened = join_all(locations.known.into_iter().map(|(endpoint, running)| async move {
        let node = endpoint.open(access).await;
        let facts = match &node {
            Ok(node) => node.facts().await.ok(),
            Err(_) => None,
        };
        (endpoint, running, node, facts)
    }));
    let mut candidates: Vec<Candidate> = Vec::new();
    let (mut tried, mut nearest, mut failed) = (Vec::new(), None, Vec::new());
    for (endpoint, running, node, facts) in opened.await {
        match node {
            Ok(node) => candidates.push((Found { node, endpoint, running, tried: Vec::new() }, facts)),
            Err(error) => {
                let by = running.as_ref().map(|who| format!(" ({who})")).unwrap_or_default();
                let one = Tried { location: endpoint.to_string(), why: format!("{}{by}", reason(&error)) };
                failed.extend(running.map(|who| (who, one.clone())));
                tried.push(one);
                if nearest.as_ref().is_none_or(|nearest: &NodeError| closeness(nearest) < closeness(&error)) {
                    nearest = Some(error);
                }
            }
        }
    }
    let answers = |who: &String| candidates.iter().any(|(found, _)| found.running.as_ref() == Some(who));
    failed.retain(|(who, _)| !answers(who));
    failed.dedup_by(|(who, _), (before, _)| who == before);
    let unlocated = locations.unlocated.into_iter().map(Tried::without_address).collect::<Vec<_>>();
    tried.extend(unlocated.iter().cloned());
    let silent = Silent { located: failed.into_iter().map(|(_, one)| one).collect(), unlocated };
    match choose(candidates, silent, wanted)? {
        Some(found) => Ok(Found { tried, ..found }),
        None => {
            let none = || NodeError::Address { text: String::new(), why: "no location to search".into() };
            Err(FinderError::NoNode { tried, nearest: Box::new(nearest.unwrap_or_else(none)) })
        }
    }
}

/// Returns the only node, at its first location, or the wanted one. A node that does not report who it is counts only if no
/// other one does.
fn choose(candidates: Vec<Candidate>, silent: Silent, wanted: Option<NodeId>) -> Result<Option<Found>, FinderError> {
    let mut nodes: Vec<(Found, NodeFacts)> = Vec::new();
    let mut unknown = None;
    for (found, facts) in candidates {
        match facts {
            Some(facts) if nodes.iter().any(|(_, other)| other.id == facts.id) => {}
            Some(facts) => nodes.push((found, facts)),
            None => unknown = unknown.or(Some(found)),
        }
    }
    if let Some(place) = nodes.iter().position(|(_, facts)| wanted == Some(facts.id)) {
        return Ok(Some(nodes.swap_remove(place).0));
    }
    let at_default = nodes.iter().filter(|(found, _)| found.running.is_none()).count();
    let mut others = silent.located;
    if silent.unlocated.len() > at_default {
        others.extend(silent.unlocated);
    }
    if nodes.len() > 1 || !(nodes.is_empty() || others.is_empty()) {
        let found = nodes.into_iter().map(|(found, facts)| {
            let by = found.running.map(|who| format!(" ({who})")).unwrap_or_default();
            let why = format!("node {} on {}, {}{by}", facts.id.short(), facts.chain, facts.client_version);
            Tried { location: found.endpoint.to_string(), why }
        });
        return Err(FinderError::SeveralNodes { found: found.chain(others).collect() });
    }
    Ok(nodes.pop().map(|(found, _)| found).or(unknown))
}

/// A node that answers but cannot be used is nearer than one that only accepts connections, as a suspended process does, and
/// that is nearer than nothing.
const fn closeness(error: &NodeError) -> u8 {
    match error {
        NodeError::Expired { .. } => 1,
        error if error.is_offline() => 0,
        _ => 2,
    }
}

fn reason(error: &NodeError) -> String {
    match error {
        NodeError::Unreachable { why, .. } => why.clone(),
        NodeError::NotPermitted { owner: Some(owner), .. } => {
            format!("exists, but this user cannot open it; it belongs to {owner}")
        }
        NodeError::OtherUser { user, .. } => format!("there, but this user cannot open it; it belongs to {user}"),
        NodeError::NotPermitted { .. } => "there, but this user cannot open it".to_owned(),
        NodeError::NotOffered { method, .. } => {
            format!("a node responds but does not offer {method}")
        }
        other => other.to_string(),
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("endpoint", &self.endpoint).field("tried", &self.tried).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
