use std::path::Path;

use serde::{Deserialize, Serialize};
use vipnode_files::OpenDir;
use vipnode_types::{NodeId, PoolId};

use super::{StateDir, files};
use crate::AgentError;

const POOLS: &str = "pools.json";

/// The IDs of pools that this agent has used, each with the pool's URL. At most [`crate::limits::POOL_PINS`]; a further one drops the one
/// that was pinned first. Only URLs that the user passed get here, so no pool can drop the pin of another.
#[derive(Debug)]
pub struct PoolPins {
    dir: OpenDir,
    /// In the order in which they were pinned.
    pins: Vec<PoolPin>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PoolPin {
    url: String,
    id: PoolId,
}

impl StateDir {
    /// The IDs of the pools that this agent has used.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub fn pool_pins(&self) -> Result<PoolPins, AgentError> {
        PoolPins::read(self.dir.clone())
    }
}

/// The ID of the pool at `url` that the agent of `node` remembers. Nothing is locked or changed.
///
/// # Errors
/// [`AgentError::File`], [`AgentError::Damaged`].
pub fn pinned_pool(root: &Path, node: NodeId, url: &str) -> Result<Option<PoolId>, AgentError> {
    let Some(dir) = files::open_existing(root, node)? else { return Ok(None) };
    Ok(PoolPins::read(dir)?.get(url))
}

impl PoolPins {
    fn read(dir: OpenDir) -> Result<Self, AgentError> {
        let Some(bytes) = files::read(&dir, POOLS)? else { return Ok(Self { dir, pins: Vec::new() }) };
        match serde_json::from_slice(&bytes) {
            Ok(pins) => Ok(Self { dir, pins }),
            Err(error) => Err(AgentError::Damaged { path: dir.file(POOLS), why: error.to_string() }),
        }
    }

    /// Returns the ID that is pinned for a URL.
    #[must_use]
    pub fn get(&self, url: &str) -> Option<PoolId> {
        self.pins.iter().find(|pin| pin.url == url).map(|pin| pin.id)
    }

    /// Pins an ID for a URL in place of the one before, or removes the pin. Durable when this returns.
    ///
    /// # Errors
    /// [`AgentError::File`]; then everything is as before.
    pub fn set(&mut self, url: &str, id: Option<PoolId>) -> Result<(), AgentError> {
        let mut pins: Vec<PoolPin> = self.pins.iter().filter(|pin| pin.url != url).cloned().collect();
        pins.extend(id.map(|id| PoolPin { url: url.to_owned(), id }));
        files::write_bounded(&self.dir, POOLS, &mut pins)?;
        self.pins = pins;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{NodeKey, PoolKey};

    use super::*;
    use crate::limits::{FILE_BYTES, POOL_PINS};

    fn id(number: u8) -> PoolId {
        PoolKey::from_random([number; 32]).unwrap().id()
    }

    #[test]
    fn pins_survive_a_restart_and_are_replaced_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let node = NodeKey::read(&[1; 32]).unwrap().id();
        assert_eq!(pinned_pool(root.path(), node, "wss://a/").unwrap(), None);
        let state = StateDir::open(root.path(), &node).unwrap();
        let mut pins = state.pool_pins().unwrap();
        pins.set("wss://a/", Some(id(1))).unwrap();
        pins.set("wss://b/", Some(id(2))).unwrap();
        pins.set("wss://a/", Some(id(3))).unwrap();
        let read = |url| pinned_pool(root.path(), node, url).unwrap();
        assert_eq!((read("wss://a/"), read("wss://b/"), read("wss://c/")), (Some(id(3)), Some(id(2)), None));
        pins.set("wss://a/", None).unwrap();
        assert_eq!((read("wss://a/"), read("wss://b/")), (None, Some(id(2))));
    }

    #[test]
    fn at_the_limit_the_first_pin_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDir::open(root.path(), &NodeKey::read(&[1; 32]).unwrap().id()).unwrap();
        let mut pins = state.pool_pins().unwrap();
        for number in 0..=POOL_PINS {
            pins.set(&format!("wss://{number}/"), Some(id(1))).unwrap();
        }
        assert_eq!(pins.pins.len(), POOL_PINS);
        assert_eq!((pins.get("wss://0/"), pins.get("wss://1/")), (None, Some(id(1))));
        let long = "x".repeat(usize::try_from(FILE_BYTES).unwrap() / 2);
        pins.set(&format!("wss://{long}/1"), Some(id(1))).unwrap();
        pins.set(&format!("wss://{long}/2"), Some(id(1))).unwrap();
        assert_eq!(pins.pins.len(), 1, "the file is bounded, too");
        assert_eq!(state.pool_pins().unwrap().pins, pins.pins);
    }
}
