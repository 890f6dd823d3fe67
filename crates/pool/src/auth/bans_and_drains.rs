use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};
use vipnode_files::OpenDir;
use vipnode_pool_core::{Drains, PoolLimits};
use vipnode_store::{RecordFile, StoreError};
use vipnode_types::{AgentPublic, Ms, NodeId, errors};

use crate::auth::{Ban, BanTarget, ban::BanNotice};

/// The bans and drains of the operator.
///
/// They protect a pool under attack: a ban shuts out a node, an agent, or a network, whatever limits it keeps to. Bans
/// and drains survive a reload, and a restart of a pool with a data directory, where they are one file, written whole.
/// Both tables are bounded, since each new connection is compared with them.
#[derive(Debug)]
pub(crate) struct BansAndDrains {
    dir: Option<OpenDir>,
    most_bans: usize,
    most_drained: usize,
    state: RwLock<Arc<BanState>>,
    /// Held while a ban or drain is written, so that none is lost to another.
    changes: Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct BanState {
    bans: BTreeMap<BanTarget, Ban>,
    /// The lengths of the banned networks, so that an address is looked up once for each; true for IPv6.
    lengths: BTreeSet<(bool, u8)>,
    drains: Drains,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredBan {
    Ban(Ban),
    DrainNode(NodeId),
    DrainPool,
}

/// The file; its limit of records is above those of both tables.
const FILE: RecordFile = RecordFile { name: "orders", records: 10_000_000 };

errors! {
    /// Why an order of the operator cannot be followed.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum BanError {
        /// The number of bans has reached the `bans` limit.
        BansFull {
            /// How many bans a pool may have.
            limit: usize,
        }: Unsuitable, "this pool already has {limit} bans",
            hint "Ban a network that contains others, remove bans (`vipnode pool admin unban`), or raise --limit bans.";
        /// The number of individually drained nodes has reached the `drained_nodes` limit.
        DrainsFull {
            /// How many nodes a pool may drain at once.
            limit: usize,
        }: Unsuitable, "this pool already has {limit} drained nodes",
            hint "Drain the whole pool (`vipnode pool admin drain`), or raise --limit drained_nodes.";
        /// The ban has already ended or been removed, or its target is mistyped.
        NoBan {
            /// The node, key, or network that is not banned.
            target: String,
        }: Unsuitable, "{target} is not banned", hint "List the bans: `vipnode pool admin bans`.";
    }
    also {
        /// The file cannot be written; nothing has changed.
        Store(StoreError);
    }
}

impl BansAndDrains {
    /// Reads the bans and drains of a data directory. Without one, there are none yet.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged. A pool must not start without bans that it should have.
    pub(crate) fn open(dir: Option<&OpenDir>, limits: &PoolLimits) -> Result<Self, StoreError> {
        let stored = match dir {
            Some(dir) => FILE.read::<StoredBan>(dir)?,
            None => Vec::new(),
        };
        let mut state = BanState::default();
        for order in stored {
            match order {
                StoredBan::Ban(ban) => {
                    state.bans.insert(ban.target, ban);
                }
                StoredBan::DrainNode(node) => {
                    state.drains.nodes.insert(node);
                }
                StoredBan::DrainPool => state.drains.all = true,
            }
        }
        Ok(Self {
            dir: dir.cloned(),
            most_bans: limits.bans,
            most_drained: limits.drained_nodes,
            state: RwLock::new(Arc::new(state.indexed())),
            changes: Mutex::new(()),
        })
    }

    /// Returns the ban of an address, if there is one.
    pub(crate) fn ban_of_address(&self, ip: IpAddr, now: Ms) -> Option<BanNotice> {
        let state = self.state();
        let ip = ip.to_canonical();
        let networks = state.lengths.iter().filter(|(v6, _)| *v6 == ip.is_ipv6());
        networks.filter_map(|(_, length)| state.ban(&BanTarget::network(ip, *length)?, now)).next()
    }

    /// Returns the ban of a node or of its agent's key, if there is one.
    pub(crate) fn ban_of_node(&self, node: &NodeId, agent: Option<&AgentPublic>, now: Ms) -> Option<BanNotice> {
        let state = self.state();
        let agent = || state.ban(&BanTarget::Agent(*agent?), now);
        state.ban(&BanTarget::Node(*node), now).or_else(agent)
    }

    /// Whether nobody is banned.
    pub(crate) fn no_bans(&self) -> bool {
        self.state().bans.is_empty()
    }

    /// Returns the bans that have not ended, by their targets.
    pub(crate) fn bans(&self, now: Ms) -> Vec<Ban> {
        self.state().bans.values().filter(|ban| !ban.is_over(now)).cloned().collect()
    }

    /// Returns what is drained.
    pub(crate) fn drains(&self) -> Drains {
        self.state().drains.clone()
    }

    /// Whether bans and drains survive a restart.
    pub(crate) const fn are_kept(&self) -> bool {
        self.dir.is_some()
    }

    /// Adds a ban, or replaces the one of the same target.
    ///
    /// # Errors
    /// See [`BanError`]; nothing has changed then.
    pub(crate) fn ban(&self, ban: Ban, now: Ms) -> Result<(), BanError> {
        self.change(now, |state| {
            state.bans.insert(ban.target, ban);
            let limit = self.most_bans;
            if state.bans.len() > limit { Err(BanError::BansFull { limit }) } else { Ok(()) }
        })
    }

    /// Removes a ban.
    ///
    /// # Errors
    /// See [`BanError`]; nothing has changed then.
    pub(crate) fn unban(&self, target: &BanTarget, now: Ms) -> Result<(), BanError> {
        self.change(now, |state| match state.bans.remove(target) {
            Some(_) => Ok(()),
            None => Err(BanError::NoBan { target: target.to_string() }),
        })
    }

    /// Drains a node, or the whole pool, or stops that.
    ///
    /// # Errors
    /// See [`BanError`]; nothing has changed then.
    pub(crate) fn drain(&self, node: Option<NodeId>, drained: bool, now: Ms) -> Result<(), BanError> {
        self.change(now, |state| {
            match (node, drained) {
                (None, drained) => state.drains.all = drained,
                (Some(node), true) => {
                    state.drains.nodes.insert(node);
                }
                (Some(node), false) => {
                    state.drains.nodes.remove(&node);
                }
            }
            let limit = self.most_drained;
            if state.drains.nodes.len() > limit { Err(BanError::DrainsFull { limit }) } else { Ok(()) }
        })
    }

    /// Makes a change durable, then applies it. Bans that have ended are removed on this occasion.
    fn change(&self, now: Ms, change: impl FnOnce(&mut BanState) -> Result<(), BanError>) -> Result<(), BanError> {
        let _one_at_a_time = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = BanState::clone(&self.state());
        state.bans.retain(|_, ban| !ban.is_over(now));
        change(&mut state)?;
        if let Some(dir) = &self.dir {
            FILE.write(dir, state.stored())?;
        }
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state.indexed());
        Ok(())
    }

    fn state(&self) -> Arc<BanState> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl BanState {
    fn indexed(mut self) -> Self {
        let networks = self.bans.keys().filter_map(|target| match target {
            BanTarget::Network(network) => Some((network.addr().is_ipv6(), network.prefix_len())),
            BanTarget::Node(_) | BanTarget::Agent(_) => None,
        });
        self.lengths = networks.collect();
        self
    }

    fn ban(&self, target: &BanTarget, now: Ms) -> Option<BanNotice> {
        self.bans.get(target).filter(|ban| !ban.is_over(now)).map(Ban::notice)
    }

    fn stored(&self) -> impl Iterator<Item = StoredBan> {
        let bans = self.bans.values().cloned().map(StoredBan::Ban);
        let nodes = self.drains.nodes.iter().copied().map(StoredBan::DrainNode);
        bans.chain(nodes).chain(self.drains.all.then_some(StoredBan::DrainPool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ms = Ms::new(1_000_000);

    fn ban(target: &str, until: Option<u64>) -> Ban {
        let reason = Some("flood".to_owned());
        Ban { target: target.parse().unwrap(), reason, since_ms: NOW, until_ms: until.map(Ms::new) }
    }

    fn bans_and_drains(limits: &PoolLimits) -> BansAndDrains {
        BansAndDrains::open(None, limits).unwrap()
    }

    #[test]
    fn a_banned_network_has_its_addresses_and_no_others() {
        let bans_and_drains = bans_and_drains(&PoolLimits::default());
        for target in ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7"] {
            bans_and_drains.ban(ban(target, None), NOW).unwrap();
        }
        let banned = |ip: &str| bans_and_drains.ban_of_address(ip.parse().unwrap(), NOW);
        for ip in ["203.0.113.9", "::ffff:203.0.113.9", "2001:db8:9::1", "198.51.100.7"] {
            let notice = banned(ip).unwrap().to_string();
            assert_eq!(notice, "the operator of this pool banned this address: flood", "{ip}");
        }
        for ip in ["203.0.114.9", "2001:db9::1", "198.51.100.8", "127.0.0.1"] {
            assert_eq!(banned(ip), None, "{ip}");
        }
        bans_and_drains.unban(&"203.0.113.0/24".parse().unwrap(), NOW).unwrap();
        assert_eq!(banned("203.0.113.9"), None);
        let again = bans_and_drains.unban(&"203.0.113.0/24".parse().unwrap(), NOW);
        assert!(matches!(again, Err(BanError::NoBan { .. })));
    }

    #[test]
    fn a_node_is_banned_by_its_id_or_by_the_key_of_its_agent_until_the_ban_ends() {
        let bans_and_drains = bans_and_drains(&PoolLimits::default());
        let (node, key) = (NodeId::new([0x0a; 64]), format!("02{}", "ab".repeat(32)));
        let agent: AgentPublic = key.parse().unwrap();
        bans_and_drains.ban(ban(&key, Some(NOW.get() + 60_000)), NOW).unwrap();
        assert!(
            bans_and_drains
                .ban_of_node(&node, Some(&agent), NOW)
                .unwrap()
                .to_string()
                .contains("until 1970-01-01T00:17:40Z")
        );
        assert_eq!(bans_and_drains.ban_of_node(&node, None, NOW), None);
        assert_eq!(bans_and_drains.ban_of_node(&node, Some(&agent), NOW.plus(60_000)), None, "it has ended");
        bans_and_drains.ban(ban(&node.to_string(), None), NOW.plus(60_000)).unwrap();
        assert_eq!(bans_and_drains.bans(Ms::ZERO).len(), 1, "the one that ended is removed");
        assert!(bans_and_drains.ban_of_node(&node, None, NOW).is_some());
    }

    #[test]
    fn both_tables_are_bounded() {
        let bans_and_drains = bans_and_drains(&PoolLimits { bans: 2, drained_nodes: 1, ..PoolLimits::default() });
        for target in ["203.0.113.1", "203.0.113.2", "203.0.113.2"] {
            bans_and_drains.ban(ban(target, None), NOW).unwrap();
        }
        assert_eq!(bans_and_drains.ban(ban("203.0.113.3", None), NOW), Err(BanError::BansFull { limit: 2 }));
        assert_eq!(bans_and_drains.bans(NOW).len(), 2, "nothing has changed");
        let node = |byte| NodeId::new([byte; 64]);
        bans_and_drains.drain(Some(node(1)), true, NOW).unwrap();
        assert_eq!(bans_and_drains.drain(Some(node(2)), true, NOW), Err(BanError::DrainsFull { limit: 1 }));
        bans_and_drains.drain(Some(node(1)), false, NOW).unwrap();
        bans_and_drains.drain(Some(node(2)), true, NOW).unwrap();
        bans_and_drains.drain(None, true, NOW).unwrap();
        assert_eq!(bans_and_drains.drains(), Drains { all: true, nodes: BTreeSet::from([node(2)]) });
    }

    #[test]
    fn orders_survive_a_restart_and_a_damaged_file_stops_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let limits = PoolLimits::default();
        let opened = OpenDir::open(dir.path()).unwrap();
        let open = || BansAndDrains::open(Some(&opened), &limits);
        let first = open().unwrap();
        first.ban(ban("203.0.113.0/24", Some(NOW.get() + 9)), NOW).unwrap();
        first.drain(None, true, NOW).unwrap();
        first.drain(Some(NodeId::new([1; 64])), true, NOW).unwrap();
        let second = open().unwrap();
        assert_eq!((second.bans(NOW), second.drains()), (first.bans(NOW), first.drains()));
        assert!(second.ban_of_address([203, 0, 113, 1].into(), NOW).is_some() && second.are_kept());
        std::fs::write(dir.path().join("orders"), "cut").unwrap();
        assert!(matches!(open(), Err(StoreError::Damaged { .. })));
    }
}
