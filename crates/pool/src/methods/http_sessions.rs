use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vipnode_pool_core::{AddressBlock, BlockShares, ConnectionId, Identity, Limits, PoolLimits};
use vipnode_types::{Ms, NodeId, wire::WireError};

use crate::{call_refusal::CallRefusal, engine::ConnectionEntry};

/// Sessions over HTTP, where no socket identifies a connection: each key that signs calls, of an agent in protocol 3 or
/// of a node in protocol 2, has at most one. One limit applies to the sessions of both protocols.
///
/// A session keeps the highest nonce until older ones are refused by their age, so nothing can be removed early to make
/// room. An outsider with many keys could fill the table; therefore address blocks share it, and a call that cannot begin
/// a session takes no part of it.
#[derive(Debug)]
pub(crate) struct HttpSessions {
    limit: usize,
    /// How far an agent's nonce may be ahead of the pool's clock, in milliseconds.
    ahead_ms: u64,
    /// How far it may be behind, in milliseconds.
    behind_ms: u64,
    /// Earlier nonces are refused, because it is not known which of them were used (fault D9, docs/faults.md).
    started: Ms,
    table: Mutex<SessionTable>,
}

#[derive(Debug)]
struct SessionTable {
    sessions: BTreeMap<SessionKey, HttpSession>,
    /// Sessions of each block, not counting those of a closed pool's members.
    shares: BlockShares,
}

/// The key that signs the calls of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionKey {
    Agent([u8; 33]),
    Node(NodeId),
}

/// Whether a call may begin a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// It is for a session that exists.
    No,
    /// For a caller of this block.
    InBlock(AddressBlock),
    /// For a member of a closed pool. All members may come from one block.
    ForMember,
}

#[derive(Debug)]
struct HttpSession {
    /// The block whose share it is part of.
    block: Option<AddressBlock>,
    /// The highest nonce used by an agent; the core checks those of nodes.
    nonce: Option<u64>,
    /// The node that the session is for.
    node: NodeId,
    entry: Option<ConnectionEntry>,
    heard: Instant,
}

/// When a refused caller may try again. Sessions end by their age only.
const RETRY_MS: u64 = 60_000;

impl HttpSessions {
    /// `started` is the wall clock at the pool's start.
    pub(crate) fn new(limits: &PoolLimits, core: &Limits, started: Ms) -> Self {
        let Limits { nonce_ahead_ms: ahead_ms, nonce_behind_ms: behind_ms, .. } = *core;
        let table = SessionTable { sessions: BTreeMap::new(), shares: BlockShares::new(limits.block_minimum) };
        Self { limit: limits.http_agents, ahead_ms, behind_ms, started, table: Mutex::new(table) }
    }

    /// How far a signed time may be ahead of the pool's clock, in milliseconds.
    pub(crate) const fn ahead_ms(&self) -> u64 {
        self.ahead_ms
    }

    /// Accepts the nonce of an agent's call after its signature was checked (fault D8, docs/faults.md). Each nonce has to
    /// be greater than the one before. `begins` is whether the call may begin a session.
    pub(crate) fn use_nonce(
        &self,
        identity: &Identity,
        nonce: &str,
        wall: Ms,
        begins: Begins,
    ) -> Result<(), WireError> {
        let nonce = self.check_time(nonce, wall)?;
        let mut table = self.lock();
        let key = SessionKey::of(identity);
        match table.sessions.get_mut(&key) {
            Some(session) if session.node != identity.node => return Err(CallRefusal::AgentOfOtherNode.into()),
            Some(HttpSession { nonce: Some(used), .. }) if nonce <= *used => {
                return Err(CallRefusal::NonceUsed.into());
            }
            Some(session) => (session.nonce, session.heard) = (Some(nonce), Instant::now()),
            None => table.begin(key, identity.node, begins, self.limit)?.nonce = Some(nonce),
        }
        Ok(())
    }

    /// Returns the nonce as a number, if it is near the pool's clock.
    pub(crate) fn check_time(&self, nonce: &str, wall: Ms) -> Result<u64, CallRefusal> {
        let digits = nonce.bytes().all(|byte| byte.is_ascii_digit());
        let nonce = nonce.parse::<u64>().ok().filter(|_| digits).ok_or(CallRefusal::NonceForm)?;
        if nonce > wall.plus(self.ahead_ms).get() {
            return Err(CallRefusal::NonceAhead { limit_s: self.ahead_ms / 1_000 });
        }
        if nonce < wall.minus(self.behind_ms).get() {
            return Err(CallRefusal::NonceBehind { limit_s: self.behind_ms / 1_000 });
        }
        if nonce < self.started.get() {
            return Err(CallRefusal::NonceBeforeStart);
        }
        Ok(nonce)
    }

    /// Returns the connection of a session for `node`, and marks the session as active.
    pub(crate) fn connection(&self, key: SessionKey, node: NodeId) -> Option<ConnectionId> {
        let mut table = self.lock();
        let session = table.sessions.get_mut(&key).filter(|session| session.node == node)?;
        session.heard = Instant::now();
        session.entry.as_ref().map(ConnectionEntry::connection)
    }

    /// Sets the connection of a session, which begins if it does not exist. The previous connection ends.
    pub(crate) fn open(
        &self,
        key: SessionKey,
        node: NodeId,
        entry: ConnectionEntry,
        begins: Begins,
    ) -> Result<(), WireError> {
        let mut table = self.lock();
        let session = match table.sessions.get_mut(&key) {
            Some(session) => session,
            None => table.begin(key, node, begins, self.limit)?,
        };
        let old = session.entry.replace(entry);
        drop(table);
        drop(old);
        Ok(())
    }

    /// Ends the connection of a session if it is this one. An agent's nonce is kept.
    pub(crate) fn close(&self, key: SessionKey, connection: ConnectionId) {
        let mut table = self.lock();
        let Some(session) = table.sessions.get_mut(&key) else { return };
        let ended = session.entry.take_if(|entry| entry.connection() == connection);
        if session.nonce.is_none() && session.entry.is_none() {
            table.remove(&key);
        }
        drop(table);
        drop(ended);
    }

    /// Ends the connections of sessions that were silent for `idle`. Nonces are kept as long as they could be used again.
    pub(crate) fn expire(&self, idle: Duration) {
        let forget = Duration::from_millis(self.ahead_ms.saturating_add(self.behind_ms)).max(idle);
        let mut ended = Vec::new();
        let mut table = self.lock();
        let SessionTable { sessions, shares } = &mut *table;
        sessions.retain(|_, session| {
            let silent = session.heard.elapsed();
            if silent >= idle {
                ended.extend(session.entry.take());
            }
            let stays = silent < if session.nonce.is_some() { forget } else { idle };
            if let Some(block) = session.block.filter(|_| !stays) {
                shares.give_back(block);
            }
            stays
        });
        drop(table);
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, SessionTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionTable {
    /// Begins a session, if the call may and there is room for its block.
    fn begin(
        &mut self,
        key: SessionKey,
        node: NodeId,
        begins: Begins,
        limit: usize,
    ) -> Result<&mut HttpSession, CallRefusal> {
        let free = u32::try_from(limit.saturating_sub(self.sessions.len())).unwrap_or(u32::MAX);
        let block = match begins {
            Begins::No => return Err(CallRefusal::NotAuthenticated),
            Begins::InBlock(block) if self.shares.may_take(block, free) => Some(block),
            Begins::ForMember if free > 0 => None,
            Begins::InBlock(_) | Begins::ForMember => return Err(CallRefusal::Overloaded { retry_ms: RETRY_MS }),
        };
        if let Some(block) = block {
            self.shares.take(block);
        }
        let new = HttpSession { block, nonce: None, node, entry: None, heard: Instant::now() };
        Ok(self.sessions.entry(key).or_insert(new))
    }

    fn remove(&mut self, key: &SessionKey) {
        if let Some(block) = self.sessions.remove(key).and_then(|session| session.block) {
            self.shares.give_back(block);
        }
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

    fn block(text: &str) -> Begins {
        Begins::InBlock(AddressBlock::of(text.parse().unwrap()))
    }

    fn sessions(limit: usize) -> HttpSessions {
        let limits = PoolLimits { http_agents: limit, ..PoolLimits::default() };
        HttpSessions::new(&limits, &Limits::default(), wall_clock())
    }

    fn connections() -> Arc<Connections> {
        let (inbox, _reader) = inbox(Gauge::default(), &vipnode_pool_core::PoolLimits::default());
        Arc::new(Connections::new(inbox))
    }

    #[test]
    fn d9_nonces_grow_and_stay_near_the_clock() {
        let agents = sessions(2);
        let wall = agents.started.plus(20 * 60_000);
        let take = |seed: u8, nonce: u64| {
            agents.use_nonce(&identity(seed), &nonce.to_string(), wall, block(&format!("10.{seed}.0.1")))
        };
        assert!(take(1, wall.get()).is_ok());
        assert!(take(1, wall.get()).is_err());
        assert!(take(1, wall.get() - 1).is_err());
        assert!(take(1, wall.plus(agents.ahead_ms).get()).is_ok());
        assert!(take(2, wall.plus(agents.ahead_ms + 1).get()).is_err());
        assert!(take(2, wall.minus(agents.behind_ms + 1).get()).is_err());
        assert!(agents.use_nonce(&identity(2), "+5", wall, block("10.0.0.1")).is_err());
        let before = agents.started.minus(1);
        assert!(
            agents.use_nonce(&identity(2), &before.get().to_string(), agents.started, block("10.0.0.1")).is_err(),
            "before the start"
        );
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
        agents.use_nonce(&identity, &wall.get().to_string(), wall, block("10.0.0.1")).unwrap();
        agents.open(key, identity.node, entry, block("10.0.0.1")).unwrap();
        agents.expire(Duration::from_secs(1));
        assert_eq!(agents.connection(key, identity.node), Some(connection));
        assert_eq!(agents.connection(key, NodeId::new([9; 64])), None, "another node's");
        agents.expire(Duration::ZERO);
        assert_eq!((agents.connection(key, identity.node), connections.open()), (None, vec![]));
        assert!(agents.use_nonce(&identity, &wall.get().to_string(), wall, block("10.0.0.1")).is_err());
    }

    #[test]
    fn the_table_is_limited_for_both_protocols_together_and_silent_nodes_leave() {
        let (sessions, connections) = (sessions(1), connections());
        let (one, other) = (NodeId::new([1; 64]), NodeId::new([2; 64]));
        let open = |node| {
            let entry = connections.add(Transport::Http);
            let connection = entry.connection();
            sessions.open(SessionKey::Node(node), node, entry, block("10.0.0.1")).map(|()| connection)
        };
        let heard = |node| sessions.connection(SessionKey::Node(node), node);
        let first = open(one).unwrap();
        let second = open(one).unwrap();
        assert_eq!((heard(one), connections.open()), (Some(second), vec![second]), "instead of the first");
        assert!(open(other).unwrap_err().is(ErrorCode::Busy));
        let wall = sessions.started;
        let agent = sessions.use_nonce(&identity(3), &wall.get().to_string(), wall, block("10.0.0.1"));
        assert!(agent.unwrap_err().is(ErrorCode::Busy), "an agent's counts too");
        sessions.close(SessionKey::Node(one), first);
        assert_eq!(heard(one), Some(second), "only its own connection is closed");
        sessions.expire(Duration::ZERO);
        assert_eq!((heard(one), connections.open()), (None, vec![]));
        let again = open(other).unwrap();
        sessions.close(SessionKey::Node(other), again);
        assert!(
            sessions.lock().sessions.is_empty() && sessions.lock().shares.is_empty() && connections.open().is_empty(),
            "nothing is left"
        );
    }

    #[test]
    fn blocks_share_the_table_members_do_not_and_a_call_that_begins_nothing_takes_nothing() {
        let sessions = sessions(40);
        let wall = sessions.started;
        let take = |seed: u8, begins| sessions.use_nonce(&identity(seed), &wall.get().to_string(), wall, begins);
        assert!(take(200, Begins::No).unwrap_err().is(ErrorCode::Unauthorized));
        assert!(sessions.lock().sessions.is_empty());
        let of_one = (1..40).filter(|seed| take(*seed, block("10.0.0.1")).is_ok()).count();
        let of_wide = (40..80).filter(|seed| take(*seed, block(&format!("10.0.{seed}.1"))).is_ok()).count();
        assert!(of_one <= 14 && of_one + of_wide <= 20, "{of_one} {of_wide}");
        assert!(take(100, block("10.1.0.1")).is_ok(), "another provider");
        assert!(take(101, Begins::ForMember).is_ok());
        assert!(take(1, block("10.0.0.1")).unwrap_err().is(ErrorCode::Unauthorized), "no nonce was forgotten");
        sessions.expire(Duration::ZERO);
        assert!(!sessions.lock().sessions.is_empty(), "nonces stay for their window");
    }

    #[test]
    fn an_agents_key_is_for_one_node() {
        let sessions = sessions(4);
        let wall = sessions.started;
        let other = Identity { node: NodeId::new([9; 64]), ..identity(1) };
        let take =
            |identity: &Identity, nonce: u64| sessions.use_nonce(identity, &nonce.to_string(), wall, block("10.0.0.1"));
        take(&identity(1), wall.get()).unwrap();
        let error = take(&other, wall.get() + 1).unwrap_err();
        assert!(error.is(ErrorCode::Unauthorized) && error.message.contains("another node"), "{error}");
        take(&identity(1), wall.get() + 1).unwrap();
    }
}
