//! Finds the node beside us, and the file of its key, where nobody said where they are.

mod node_key;
mod places;

use std::{fmt, path::Path, sync::Arc};

pub use node_key::{FoundKey, KeyNotFound, find_node_key};
pub use places::{Os, Surroundings, data_dirs, ipc_paths};

use crate::{Endpoint, Node, NodeError, Trust};

/// A node that was found.
pub struct Found {
    /// Its driver.
    pub node: Arc<dyn Node>,
    /// Where it answers.
    pub endpoint: Endpoint,
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
#[error("no execution client was found on this machine. Tried, in order:{}\n{}", Lines(tried), mend)]
pub struct NotFound {
    /// In order.
    pub tried: Vec<Tried>,
    /// What to do, of the place that came nearest.
    pub mend: String,
}

/// Looks for a node at geth's default places: the IPC files of the chains it knows, then
/// `http://127.0.0.1:8545`. Takes the first that can be driven.
///
/// # Errors
/// With everything that was tried.
pub async fn find(surroundings: &Surroundings) -> Result<Found, NotFound> {
    let mut endpoints: Vec<Endpoint> = ipc_paths(surroundings).into_iter().map(Endpoint::Ipc).collect();
    endpoints.push(Endpoint::Http("http://127.0.0.1:8545".to_owned()));
    find_among(endpoints).await
}

async fn find_among(endpoints: Vec<Endpoint>) -> Result<Found, NotFound> {
    let mut tried = Vec::new();
    let mut nearest: Option<NodeError> = None;
    for endpoint in endpoints {
        match endpoint.open(&Trust::default()).await {
            Ok(node) => return Ok(Found { node, endpoint, tried }),
            Err(error) => {
                tried.push(Tried { place: endpoint.to_string(), why: reason(&error) });
                // A node that is there and does not do is nearer than one that is not there.
                if nearest.as_ref().is_none_or(|nearest| nearest.is_away() && !error.is_away()) {
                    nearest = Some(error);
                }
            }
        }
    }
    let mend = nearest.map(|error| error.mend()).unwrap_or_default();
    Err(NotFound { tried, mend })
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
