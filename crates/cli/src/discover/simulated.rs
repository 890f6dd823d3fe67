//! `--rpc fakenode://ID?fakepeers=N&fakeblock=N&fullnode=1`, as in the original: a simulated node inside this process,
//! to watch an agent and a pool communicate. Its network has no other nodes, so it never reaches a host.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use vipnode_node::{
    Endpoint, Node,
    sim::{SimHead, SimKind, SimNet, SimSpec},
};
use vipnode_types::NodeId;

use crate::{
    discover::FoundNode,
    error::{CliError, CommandError},
};

const SCHEME: &str = "fakenode://";
/// Simulated peers of a simulated node; more are refused.
const MOST_PEERS: u16 = 1_000;

/// The simulated node that `rpc` asks for; `None` where it names a real one.
pub(crate) fn fake_node(rpc: &str) -> Option<Result<FoundNode, CliError>> {
    let rest = rpc.strip_prefix(SCHEME)?;
    Some(Fake::read(rest).map(Fake::start).map_err(CliError::from))
}

#[derive(Debug, PartialEq, Eq)]
struct Fake {
    id: NodeId,
    peers: u16,
    block: u64,
    full: bool,
}

impl Fake {
    fn read(rest: &str) -> Result<Self, CommandError> {
        let wrong = |why: String| CommandError::FakeNode { why };
        let (id, query) = rest.split_once('?').unwrap_or((rest, ""));
        let id = id.parse().map_err(|error| wrong(format!("{error}")))?;
        let mut fake = Self { id, peers: 0, block: 0, full: false };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let number = value.parse::<u64>().map_err(|_| wrong(format!("{name} is not a number")))?;
            match name {
                "fakepeers" => {
                    let peers = u16::try_from(number).ok().filter(|peers| *peers <= MOST_PEERS);
                    fake.peers = peers.ok_or_else(|| wrong(format!("at most {MOST_PEERS} peers can be simulated")))?;
                }
                "fakeblock" => fake.block = number,
                "fullnode" => fake.full = number != 0,
                _ => return Err(wrong(format!("unknown parameter {name:?}: use fakepeers, fakeblock, or fullnode"))),
            }
        }
        Ok(fake)
    }

    fn start(self) -> FoundNode {
        let net = SimNet::new();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let kind = if self.full { SimKind::Full { light_max_peers: 0 } } else { SimKind::Light };
        // Where no block is named it stands at the first, in sync.
        let head = SimHead::At { number: self.block.max(1), timestamp_s: now.as_secs(), syncing: false };
        let own =
            SimSpec { id: self.id, kind, head, max_peers: 50 + u32::from(self.peers), ..SimSpec::new("fake", 30_303) };
        let node: Arc<dyn Node> = net.add(own);
        for number in 1..=self.peers {
            let peer = SimSpec::new(&format!("fake peer {number}"), 30_303 + number);
            let enode = peer.enode();
            net.add(peer);
            net.with(|world| world.add_peer(self.id, enode));
        }
        FoundNode { node, endpoint: Endpoint::Sim(format!("sim://127.0.0.1:0/{}", self.id)) }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_node::sim::sim_key;

    use super::*;

    fn id() -> NodeId {
        vipnode_types::NodeKey::read(sim_key("node").as_slice()).unwrap().id()
    }

    #[tokio::test]
    async fn it_is_what_the_address_says() {
        let rpc = format!("fakenode://{}?fakepeers=2&fakeblock=7&fullnode=1", id());
        let FoundNode { node, .. } = fake_node(&rpc).unwrap().unwrap_or_else(|error| panic!("{error:?}"));
        let facts = node.facts().await.unwrap();
        assert_eq!((facts.id, facts.full, node.head().await.unwrap().number), (id(), true, 7));
        assert!(facts.client_version.starts_with("simulated/"), "{}", facts.client_version);
        let light = fake_node(&format!("fakenode://{}", id())).unwrap().unwrap_or_else(|error| panic!("{error:?}"));
        assert!(!light.node.facts().await.unwrap().full);
    }

    #[test]
    fn what_is_wrong_with_it_is_said() {
        assert!(fake_node("http://127.0.0.1:8545").is_none());
        for bad in ["1", "?fakepeers=3", "{id}?fakepeers=x", "{id}?fakepeers=5000", "{id}?peers=1"] {
            let rpc = format!("fakenode://{}", bad.replace("{id}", &id().to_string()));
            let Some(Err(error)) = fake_node(&rpc) else { panic!("{rpc}") };
            assert!(error.hint.contains("fakenode://"), "{error:?}");
        }
    }
}
