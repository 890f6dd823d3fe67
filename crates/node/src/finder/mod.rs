//! Finds the node beside us, and the file of its key, where nobody said where they are.

mod locations;
mod node_key;
mod running;

use std::{fmt, path::Path, sync::Arc};

pub use locations::{Os, Surroundings, data_dirs, ipc_paths};
pub use node_key::{FoundKey, KeyNotFound, find_node_key};

use crate::{Endpoint, Node, NodeError, Trust};

/// A node that was found.
pub struct Found {
    /// Its driver.
    pub node: Arc<dyn Node>,
    /// Where it answers.
    pub endpoint: Endpoint,
    /// The client and process whose arguments told the place; `None` for a default place.
    pub running: Option<String>,
    /// What was tried before, in order.
    pub tried: Vec<Tried>,
}

/// A place where something was looked for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Path or URL.
    pub place: String,
    /// Why it did not do.
    pub why: String,
}

/// No node was found. The text lists what was tried and the flag to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no execution client was found on this machine. Tried, in order:{}\n{}", Lines(tried), hint)]
pub struct NotFound {
    /// In order.
    pub tried: Vec<Tried>,
    /// What to do, of the place that came nearest.
    pub hint: String,
}

/// Looks for a node: where the arguments of running execution clients say, as far as this user may read them, then at
/// the clients' default places, then at ports 8545 and 8546 of this machine. Takes the first that can be driven.
///
/// # Errors
/// With everything that was tried.
pub async fn find(surroundings: &Surroundings) -> Result<Found, NotFound> {
    find_among(places_of(surroundings)).await
}

/// Where to look, in order, and who told.
fn places_of(surroundings: &Surroundings) -> Vec<(Endpoint, Option<String>)> {
    let mut places: Vec<(Endpoint, Option<String>)> = Vec::new();
    for running in running::running(surroundings) {
        let who = format!("{}, process {}", running.client, running.pid);
        places.extend(running.endpoints.into_iter().map(|endpoint| (endpoint, Some(who.clone()))));
    }
    let usual = ipc_paths(surroundings).into_iter().map(Endpoint::Ipc);
    let ports = [Endpoint::Http("http://127.0.0.1:8545".to_owned()), Endpoint::Ws("ws://127.0.0.1:8546".to_owned())];
    for endpoint in usual.chain(ports) {
        if !places.iter().any(|(place, _)| *place == endpoint) {
            places.push((endpoint, None));
        }
    }
    places
}

async fn find_among(places: Vec<(Endpoint, Option<String>)>) -> Result<Found, NotFound> {
    let mut tried = Vec::new();
    let mut nearest: Option<NodeError> = None;
    for (endpoint, running) in places {
        match endpoint.open(&Trust::default()).await {
            Ok(node) => return Ok(Found { node, endpoint, running, tried }),
            Err(error) => {
                tried.push(Tried { place: endpoint.to_string(), why: reason(&error) });
                // A node that is there and does not do is nearer than one that is not there.
                if nearest.as_ref().is_none_or(|nearest| nearest.is_away() && !error.is_away()) {
                    nearest = Some(error);
                }
            }
        }
    }
    let hint = nearest.map(|error| error.hint()).unwrap_or_default();
    Err(NotFound { tried, hint })
}

fn reason(error: &NodeError) -> String {
    match error {
        NodeError::Unreachable { why, .. } => why.clone(),
        NodeError::NotPermitted { owner: Some(owner), .. } => {
            format!("there, but this user may not open it; it belongs to {owner}")
        }
        NodeError::NotPermitted { .. } => "there, but this user may not open it".to_owned(),
        NodeError::NoAdmin { method, .. } | NodeError::NoEth { method, .. } => {
            format!("a node answers, but does not offer {method} there")
        }
        other => other.to_string(),
    }
}

/// Each on a line of its own.
struct Lines<'a>(&'a [Tried]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Tried { place, why } in self.0 {
            write!(f, "\n  {place}: {why}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("endpoint", &self.endpoint).field("tried", &self.tried).finish_non_exhaustive()
    }
}

fn not_there(path: &Path) -> Tried {
    Tried { place: path.display().to_string(), why: "there is no such file".to_owned() }
}

#[cfg(test)]
mod tests;
