use std::net::{IpAddr, Ipv4Addr};

use vipnode_types::{ChainSpec, Enode, Hash256, NodeId, keccak256};

/// The properties of a simulated node, which stay the same after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimSpec {
    /// Its public key.
    pub id: NodeId,
    /// Its address, as others see it.
    pub ip: IpAddr,
    /// TCP and UDP port of the node's devp2p listener.
    pub port: u16,
    /// `--maxpeers`.
    pub max_peers: u32,
    /// What it calls itself, in the form of `web3_clientVersion`.
    pub client_version: String,
    /// Whether it serves snap in addition to eth.
    pub snap: bool,
    /// What it serves.
    pub kind: SimKind,
    /// The execution client whose RPC calls and timing it imitates.
    pub family: SimFamily,
    /// The chain it follows.
    pub chain: ChainSpec,
    /// Its newest block.
    pub head: SimHead,
}

/// What a simulated node serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimKind {
    /// A full node with this many slots for light nodes (`--light.maxpeers`), 0 for none.
    Full {
        /// Slots for light nodes.
        light_max_peers: u32,
    },
    /// A light node.
    Light,
}

/// The execution client whose RPC calls and timing a simulated node imitates. Not the [`crate::NodeFamily`] of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimFamily {
    /// Dials a peer at once.
    Geth,
    /// Dials a peer at its next tick, and refuses a text that is not an enode as a wrong parameter.
    Reth,
    /// Dials a peer at once, and refuses an ID alone.
    Nethermind,
    /// Dials a peer at once, and cannot trust peers.
    Besu,
}

/// The newest block of a simulated node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimHead {
    /// A block every 12 s, on time.
    Fresh,
    /// Stands still.
    At {
        /// Block number.
        number: u64,
        /// Seconds since the Unix epoch.
        timestamp_s: u64,
        /// What `eth_syncing` returns.
        syncing: bool,
    },
}

impl SimSpec {
    /// A full node called `name` on the simulated chain, 1337, with geth's default of 50 peers.
    /// Its secret key is [`sim_key`] of the name, its address 127.0.0.1.
    #[must_use]
    pub fn new(name: &str, port: u16) -> Self {
        let id = vipnode_types::NodeKey::read(sim_key(name).as_slice());
        Self {
            // keccak256 yields a value that is not a valid key once in 2^128.
            id: id.map_or(NodeId::new([0; 64]), |key| key.id()),
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
            max_peers: 50,
            client_version: concat!("simulated/v", env!("CARGO_PKG_VERSION")).to_owned(),
            snap: true,
            kind: SimKind::Full { light_max_peers: 0 },
            family: SimFamily::Geth,
            chain: ChainSpec { chain_id: 1337, genesis: keccak256("the simulated chain of vipnode") },
            head: SimHead::Fresh,
        }
    }

    /// Where it can be dialed.
    #[must_use]
    pub const fn enode(&self) -> Enode {
        Enode::at(self.id, self.ip, self.port)
    }

    /// Connections it dials itself: geth's dial ratio of 3, at least 1.
    #[must_use]
    pub const fn dial_slots(&self) -> u32 {
        match self.max_peers {
            0 => 0,
            1..=5 => 1,
            max => max / 3,
        }
    }

    /// Connections it takes from nodes that it does not trust.
    #[must_use]
    pub const fn inbound_slots(&self) -> u32 {
        self.max_peers.saturating_sub(self.dial_slots())
    }
}

/// The secret key of the simulated node of that name. Not secret at all: it is made of the name.
#[must_use]
pub fn sim_key(name: &str) -> Hash256 {
    keccak256(format!("simulated node of vipnode: {name}"))
}
