use serde::{Deserialize, Serialize};
use vipnode_pool_core::{AddressBlock, Credentials, NodeRow, PairedTime, Protocol2State, Proven, Signer, WideBlock};
use vipnode_types::{Account, AgentPublic, ChainSpec, Enode, Ms, NodeId, protocol2::Kind};

/// A [`NodeRow`] as a line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredNode {
    id: NodeId,
    signer: StoredSigner,
    issued_ms: Ms,
    #[serde(default)]
    replaced: bool,
    protocol2: Option<StoredProtocol2>,
    seen_ms: Ms,
    chain: ChainSpec,
    enode: Option<Enode>,
    payout: Option<Account>,
    host: bool,
    client: bool,
    proven: bool,
    /// While it is not proven: time with other wide blocks, as the block's number and milliseconds.
    paired: Option<[(u64, u64); 2]>,
    block: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredSigner {
    Agent { key: AgentPublic, protocol2: bool },
    NodeKey { nonce: u64, kind: String, full: bool },
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredProtocol2 {
    nonce: u64,
    drop: Vec<NodeId>,
}

impl From<&NodeRow> for StoredNode {
    fn from(row: &NodeRow) -> Self {
        let NodeRow { id, credentials, seen, chain, enode, payout, host, client, proven, replaced, block } = row;
        let Credentials { signer, issued, protocol2 } = credentials;
        let stored = |state: &Protocol2State| StoredProtocol2 { nonce: state.nonce, drop: state.drop.clone() };
        let paired = match proven {
            Proven::Partly(times) => Some(times.map(|time| (time.with.to_bits(), time.ms))),
            Proven::No | Proven::Yes => None,
        };
        Self {
            id: *id,
            signer: match signer {
                Signer::Agent { key, protocol2 } => StoredSigner::Agent { key: *key, protocol2: *protocol2 },
                Signer::NodeKey { nonce, kind, full } => {
                    StoredSigner::NodeKey { nonce: *nonce, kind: kind.name().to_owned(), full: *full }
                }
            },
            issued_ms: *issued,
            replaced: *replaced,
            protocol2: protocol2.as_deref().map(stored),
            seen_ms: *seen,
            chain: *chain,
            enode: enode.clone(),
            payout: *payout,
            host: *host,
            client: *client,
            proven: proven.is_proven(),
            paired,
            block: block.map(AddressBlock::to_bits),
        }
    }
}

impl From<StoredNode> for NodeRow {
    fn from(stored: StoredNode) -> Self {
        let signer = match stored.signer {
            StoredSigner::Agent { key, protocol2 } => Signer::Agent { key, protocol2 },
            StoredSigner::NodeKey { nonce, kind, full } => Signer::NodeKey { nonce, kind: Kind::named(&kind), full },
        };
        let state = |StoredProtocol2 { nonce, drop }| Box::new(Protocol2State { nonce, drop, announced: 0 });
        let time = |(with, ms)| PairedTime { with: WideBlock::from_bits(with), ms };
        let partly = stored.paired.map(|times| Proven::Partly(Box::new(times.map(time))));
        Self {
            id: stored.id,
            credentials: Credentials { signer, issued: stored.issued_ms, protocol2: stored.protocol2.map(state) },
            seen: stored.seen_ms,
            chain: stored.chain,
            enode: stored.enode,
            payout: stored.payout,
            host: stored.host,
            client: stored.client,
            proven: if stored.proven { Proven::Yes } else { partly.unwrap_or_default() },
            replaced: stored.replaced,
            block: stored.block.map(AddressBlock::from_bits),
        }
    }
}
