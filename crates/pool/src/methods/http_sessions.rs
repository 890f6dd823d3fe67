use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vipnode_pool_core::{ConnectionId, Identity, Limits};
use vipnode_types::{Ms, NodeId, wire::WireError};

use crate::{engine::connections::ConnectionEntry, error};

/// Agents that speak over HTTP: each agent key is a connection of its own, and its nonces grow.
#[derive(Debug)]
pub(crate) struct HttpAgents {
    limit: usize,
    /// How far a nonce may be ahead of the pool's clock, in milliseconds.
    ahead_ms: u64,
    /// How far it may be behind.
    behind_ms: u64,
    /// Nonces of before are refused: which of them were used is not known (D9).
    started: Ms,
    agents: Mutex<BTreeMap<[u8; 33], HttpAgent>>,
}

#[derive(Debug)]
struct HttpAgent {
    nonce: u64,
    node: NodeId,
    entry: Option<ConnectionEntry>,
    heard: Instant,
}

impl HttpAgents {
    pub(crate) fn new(limit: usize, core: &Limits) -> Self {
        let Limits { nonce_ahead_ms: ahead_ms, nonce_behind_ms: behind_ms, .. } = *core;
        Self { limit, ahead_ms, behind_ms, started: crate::engine::clock::wall(), agents: Mutex::new(BTreeMap::new()) }
    }

    /// Takes the nonce of a call whose signature holds (D8); each may be used once and only growing.
    pub(crate) fn use_nonce(&self, identity: &Identity, nonce: &str, wall: Ms) -> Result<(), WireError> {
        let refused = |why: &str| Err(error::unauthorized(why, "check the clocks of both machines, then call again"));
        let digits = nonce.bytes().all(|byte| byte.is_ascii_digit());
        let Some(nonce) = nonce.parse::<u64>().ok().filter(|_| digits) else {
            return refused("over HTTP the nonce is the time in Unix milliseconds");
        };
        if nonce > wall.plus(self.ahead_ms).get() {
            return refused(&format!("the nonce is more than {} s in the future", self.ahead_ms / 1_000));
        }
        if nonce < wall.minus(self.behind_ms).get() {
            return refused(&format!("the nonce is more than {} s old", self.behind_ms / 1_000));
        }
        if nonce < self.started.get() {
            return refused("the nonce is older than this pool's start");
        }
        let mut agents = self.lock();
        let full = agents.len() >= self.limit;
        match agents.get_mut(identity.agent.as_bytes()) {
            Some(agent) if nonce <= agent.nonce => return refused("this nonce, or a later one, was used already"),
            Some(agent) => (agent.nonce, agent.heard) = (nonce, Instant::now()),
            None if full => return Err(error::crowded(60_000)),
            None => {
                let agent = HttpAgent { nonce, node: identity.node, entry: None, heard: Instant::now() };
                agents.insert(*identity.agent.as_bytes(), agent);
            }
        }
        Ok(())
    }

    /// The connection of an agent that connected before, for the same node.
    pub(crate) fn peer(&self, identity: &Identity) -> Option<ConnectionId> {
        let agents = self.lock();
        let agent = agents.get(identity.agent.as_bytes())?;
        agent.entry.as_ref().filter(|_| agent.node == identity.node).map(ConnectionEntry::peer)
    }

    /// Gives an agent its connection, or takes it away; returns the one it had.
    pub(crate) fn set(&self, identity: &Identity, entry: Option<ConnectionEntry>) -> Option<ConnectionEntry> {
        let mut agents = self.lock();
        let agent = agents.get_mut(identity.agent.as_bytes())?;
        agent.node = identity.node;
        std::mem::replace(&mut agent.entry, entry)
    }

    /// Connections of agents that were not heard for `idle`. Their nonces are kept for as long as they
    /// could be said again.
    pub(crate) fn expire(&self, idle: Duration) -> Vec<ConnectionEntry> {
        let mut agents = self.lock();
        let mut left = Vec::new();
        let forget = Duration::from_millis(self.ahead_ms.saturating_add(self.behind_ms)).max(idle);
        agents.retain(|_, agent| {
            let silent = agent.heard.elapsed();
            if silent >= idle {
                left.extend(agent.entry.take());
            }
            silent < forget
        });
        left
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 33], HttpAgent>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vipnode_types::{AgentKey, wire::ErrorCode};

    use super::*;
    use crate::engine::connections::{Connections, Transport};

    fn identity(seed: u8) -> Identity {
        let agent = AgentKey::from_random([seed; 32]).unwrap().public();
        Identity { node: NodeId::new([seed; 64]), agent, issued: Ms::ZERO }
    }

    #[test]
    fn d9_nonces_grow_and_stay_near_the_clock() {
        let agents = HttpAgents::new(2, &Limits::default());
        let wall = agents.started.plus(20 * 60_000);
        let take = |seed, nonce: u64| agents.use_nonce(&identity(seed), &nonce.to_string(), wall);
        assert!(take(1, wall.get()).is_ok());
        assert!(take(1, wall.get()).is_err());
        assert!(take(1, wall.get() - 1).is_err());
        assert!(take(1, wall.plus(agents.ahead_ms).get()).is_ok());
        assert!(take(2, wall.plus(agents.ahead_ms + 1).get()).is_err());
        assert!(take(2, wall.minus(agents.behind_ms + 1).get()).is_err());
        assert!(agents.use_nonce(&identity(2), "+5", wall).is_err());
        let before = agents.started.minus(1);
        assert!(agents.use_nonce(&identity(2), &before.get().to_string(), agents.started).is_err(), "before the start");
        assert!(take(2, wall.get()).is_ok());
        assert!(take(3, wall.get()).unwrap_err().is(ErrorCode::Busy), "the table is full");
    }

    #[test]
    fn a_silent_agent_leaves_and_its_nonce_stays() {
        let agents = HttpAgents::new(2, &Limits::default());
        let wall = agents.started;
        let identity = identity(1);
        let (inbox, _items) = crate::engine::inbox::inbox(vipnode_metrics::Gauge::default());
        let entry = Arc::new(Connections::new(inbox)).add(Transport::Http);
        let peer = entry.peer();
        agents.use_nonce(&identity, &wall.get().to_string(), wall).unwrap();
        assert!(agents.set(&identity, Some(entry)).is_none());
        let expired = |idle| agents.expire(idle).iter().map(ConnectionEntry::peer).collect::<Vec<_>>();
        assert_eq!(expired(Duration::from_secs(1)), []);
        assert_eq!(expired(Duration::ZERO), [peer]);
        assert_eq!(agents.peer(&identity), None);
        assert!(agents.use_nonce(&identity, &wall.get().to_string(), wall).is_err());
    }
}
