use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vipnode_pool_core::{ConnectionId, Identity, Limits};
use vipnode_types::{Ms, NodeId, wire::WireError};

use crate::{engine::ConnectionEntry, error::Refusal};

/// Sessions over HTTP, where no socket identifies a connection: each key that signs calls, of an agent in protocol 3 or
/// of a node in protocol 2, has at most one. One limit applies to the sessions of both protocols.
#[derive(Debug)]
pub(crate) struct HttpSessions {
    limit: usize,
    /// How far an agent's nonce may be ahead of the pool's clock, in milliseconds.
    ahead_ms: u64,
    /// How far it may be behind, in milliseconds.
    behind_ms: u64,
    /// Earlier nonces are refused, because it is not known which of them were used (fault D9, docs/faults.md).
    started: Ms,
    sessions: Mutex<BTreeMap<SessionKey, HttpSession>>,
}

/// The key that signs the calls of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionKey {
    Agent([u8; 33]),
    Node(NodeId),
}

#[derive(Debug)]
struct HttpSession {
    /// The highest nonce used by an agent; the core checks those of nodes.
    nonce: Option<u64>,
    /// The node that the session is for.
    node: NodeId,
    entry: Option<ConnectionEntry>,
    heard: Instant,
}

impl HttpSessions {
    /// `started` is the wall clock at the pool's start.
    pub(crate) fn new(limit: usize, core: &Limits, started: Ms) -> Self {
        let Limits { nonce_ahead_ms: ahead_ms, nonce_behind_ms: behind_ms, .. } = *core;
        Self { limit, ahead_ms, behind_ms, started, sessions: Mutex::default() }
    }

    /// Accepts the nonce of an agent's call after its signature was checked (fault D8, docs/faults.md). Each nonce has to
    /// be greater than the one before.
    pub(crate) fn use_nonce(&self, identity: &Identity, nonce: &str, wall: Ms) -> Result<(), WireError> {
        let digits = nonce.bytes().all(|byte| byte.is_ascii_digit());
        let Some(nonce) = nonce.parse::<u64>().ok().filter(|_| digits) else {
            return Err(Refusal::NonceForm.into());
        };
        if nonce > wall.plus(self.ahead_ms).get() {
            return Err(Refusal::NonceAhead { limit_s: self.ahead_ms / 1_000 }.into());
        }
        if nonce < wall.minus(self.behind_ms).get() {
            return Err(Refusal::NonceBehind { limit_s: self.behind_ms / 1_000 }.into());
        }
        if nonce < self.started.get() {
            return Err(Refusal::NonceBeforeStart.into());
        }
        let mut sessions = self.lock();
        let full = sessions.len() >= self.limit;
        match sessions.get_mut(&SessionKey::of(identity)) {
            Some(HttpSession { nonce: Some(used), .. }) if nonce <= *used => {
                return Err(Refusal::NonceUsed.into());
            }
            Some(session) => (session.nonce, session.heard) = (Some(nonce), Instant::now()),
            None if full => return Err(Refusal::Overloaded { retry_ms: 60_000 }.into()),
            None => {
                let node = identity.node;
                let session = HttpSession { nonce: Some(nonce), node, entry: None, heard: Instant::now() };
                sessions.insert(SessionKey::of(identity), session);
            }
        }
        Ok(())
    }

    /// Returns the connection of a session for `node`, and marks the session as active.
    pub(crate) fn connection(&self, key: SessionKey, node: NodeId) -> Option<ConnectionId> {
        let mut sessions = self.lock();
        let session = sessions.get_mut(&key).filter(|session| session.node == node)?;
        session.heard = Instant::now();
        session.entry.as_ref().map(ConnectionEntry::connection)
    }

    /// Sets the connection of a session. The previous one ends.
    pub(crate) fn open(&self, key: SessionKey, node: NodeId, entry: ConnectionEntry) -> Result<(), WireError> {
        let mut sessions = self.lock();
        let full = sessions.len() >= self.limit;
        if full && !sessions.contains_key(&key) {
            return Err(Refusal::Overloaded { retry_ms: 60_000 }.into());
        }
        let new = HttpSession { nonce: None, node, entry: None, heard: Instant::now() };
        let session = sessions.entry(key).or_insert(new);
        session.node = node;
        let old = session.entry.replace(entry);
        drop(sessions);
        drop(old);
        Ok(())
    }

    /// Ends the connection of a session if it is this one. An agent's nonce is kept.
    pub(crate) fn close(&self, key: SessionKey, connection: ConnectionId) {
        let mut sessions = self.lock();
        let Some(session) = sessions.get_mut(&key) else { return };
        let ended = session.entry.take_if(|entry| entry.connection() == connection);
        if session.nonce.is_none() && session.entry.is_none() {
            sessions.remove(&key);
        }
        drop(sessions);
        drop(ended);
    }

    /// Ends the connections of sessions that were silent for `idle`. Nonces are kept as long as they could be used again.
    pub(crate) fn expire(&self, idle: Duration) {
        let forget = Duration::from_millis(self.ahead_ms.saturating_add(self.behind_ms)).max(idle);
        let mut ended = Vec::new();
        self.lock().retain(|_, session| {
            let silent = session.heard.elapsed();
            if silent >= idle {
                ended.extend(session.entry.take());
            }
            silent < if session.nonce.is_some() { forget } else { idle }
        });
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionKey, HttpSession>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionKey {
    pub(crate) const fn of(identity: &Identity) -> Self {
        Self::Agent(*identity.agent.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vipnode_metrics::Gauge;
    use vipnode_types::{AgentKey, wire::ErrorCode};

    use super::*;
    use crate::engine::{Connections, Transport, inbox, wall_clock};

    fn identity(seed: u8) -> Identity {
        let agent = AgentKey::from_random([seed; 32]).unwrap().public();
        Identity { node: NodeId::new([seed; 64]), agent, issued: Ms::ZERO }
    }

    fn sessions(limit: usize) -> HttpSessions {
        HttpSessions::new(limit, &Limits::default(), wall_clock())
    }

    fn connections() -> Arc<Connections> {
        let (inbox, _reader) = inbox(Gauge::default());
        Arc::new(Connections::new(inbox))
    }

    #[test]
    fn d9_nonces_grow_and_stay_near_the_clock() {
        let agents = sessions(2);
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
        let (agents, connections) = (sessions(2), connections());
        let wall = agents.started;
        let identity = identity(1);
        let key = SessionKey::of(&identity);
        let entry = connections.add(Transport::Http);
        let connection = entry.connection();
        agents.use_nonce(&identity, &wall.get().to_string(), wall).unwrap();
        agents.open(key, identity.node, entry).unwrap();
        agents.expire(Duration::from_secs(1));
        assert_eq!(agents.connection(key, identity.node), Some(connection));
        assert_eq!(agents.connection(key, NodeId::new([9; 64])), None, "another node's");
        agents.expire(Duration::ZERO);
        assert_eq!((agents.connection(key, identity.node), connections.open()), (None, vec![]));
        assert!(agents.use_nonce(&identity, &wall.get().to_string(), wall).is_err());
    }

    #[test]
    fn the_table_is_limited_for_both_protocols_together_and_silent_nodes_leave() {
        let (sessions, connections) = (sessions(1), connections());
        let (one, other) = (NodeId::new([1; 64]), NodeId::new([2; 64]));
        let open = |node| {
            let entry = connections.add(Transport::Http);
            let connection = entry.connection();
            sessions.open(SessionKey::Node(node), node, entry).map(|()| connection)
        };
        let heard = |node| sessions.connection(SessionKey::Node(node), node);
        let first = open(one).unwrap();
        let second = open(one).unwrap();
        assert_eq!((heard(one), connections.open()), (Some(second), vec![second]), "instead of the first");
        assert!(open(other).unwrap_err().is(ErrorCode::Busy));
        let wall = sessions.started;
        let agent = sessions.use_nonce(&identity(3), &wall.get().to_string(), wall);
        assert!(agent.unwrap_err().is(ErrorCode::Busy), "an agent's counts too");
        sessions.close(SessionKey::Node(one), first);
        assert_eq!(heard(one), Some(second), "only its own connection is closed");
        sessions.expire(Duration::ZERO);
        assert_eq!((heard(one), connections.open()), (None, vec![]));
        let again = open(other).unwrap();
        sessions.close(SessionKey::Node(other), again);
        assert!(sessions.lock().is_empty() && connections.open().is_empty(), "nothing is left");
    }
}
