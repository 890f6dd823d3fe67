use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, try_join},
};
use serde_json::value::RawValue;
use tokio::time::sleep;
use vipnode_types::{ChainSpec, Enode, Hash256, HeadFact, NodeFacts, NodeId, PeerCommand, PeerFact};

use super::{
    NodeFamily, answers, call_order,
    cancel_late_dials::LateDials,
    capabilities::{empty, params},
    events, exposure,
    ids_by_hash::IdsByHash,
    redial::Redial,
};
use crate::{
    AnswerError, Node, NodeError, PeerConnection, PeerEvents, PlannedCall, Transport, TransportError,
    limits::{MAX_DIALED, NodeLimits, SETTLED, SETTLING},
};

/// The driver of all clients. None of their answers shows whether a connection was made: geth and reth return `true` in
/// any case, Besu `false` for a peer that is already connected, older Nethermind the enode.
pub struct AdminNode {
    rpc: Arc<dyn Transport>,
    limits: NodeLimits,
    family: NodeFamily,
    names: Arc<IdsByHash>,
    /// The address with which a node was last added. It has to be removed by the same one, and adding its ID with
    /// another one has no effect.
    added: Mutex<BTreeMap<NodeId, Enode>>,
    redial: Redial,
    late: LateDials,
}

impl AdminNode {
    /// Creates a driver over `rpc`; [`crate::drive`] finds out first whether it fits.
    #[must_use]
    pub fn new(rpc: Arc<dyn Transport>, family: NodeFamily) -> Self {
        Self {
            limits: rpc.limits(),
            rpc,
            family,
            names: Arc::default(),
            added: Mutex::default(),
            redial: Redial::default(),
            late: LateDials::default(),
        }
    }

    async fn ask(&self, method: &str, params: Box<RawValue>) -> Result<Box<RawValue>, NodeError> {
        self.rpc
            .call(method, params, self.limits.node_call)
            .await
            .map_err(|fault| fault.into_error(self.rpc.at(), method, self.limits.node_call))
    }

    fn unreadable(&self, method: &str, why: AnswerError) -> NodeError {
        TransportError::Answer(why).into_error(self.rpc.at(), method, self.limits.node_call)
    }

    async fn block(&self, which: &str) -> Result<answers::Block, NodeError> {
        let method = "eth_getBlockByNumber";
        let json = self.ask(method, params(&(which, false))).await?;
        answers::block(&json).map_err(|why| self.unreadable(method, why))
    }

    async fn node_info(&self) -> Result<answers::NodeInfoAnswer, NodeError> {
        let method = "admin_nodeInfo";
        let json = self.ask(method, empty()).await?;
        answers::node_info(&json).map_err(|why| self.unreadable(method, why))
    }

    async fn genesis(&self) -> Result<Hash256, NodeError> {
        self.block("0x0").await?.hash.ok_or_else(|| self.unreadable("eth_getBlockByNumber", AnswerError::NoHash))
    }

    /// A number other than 0, where the node has one.
    async fn number(&self, method: &str) -> Result<Option<u64>, NodeError> {
        match self.ask(method, empty()).await {
            Ok(json) => Ok(answers::number(&json).filter(|number| *number != 0)),
            Err(error) if error.is_offline() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The client's version, from `admin_nodeInfo` if `web3` is not offered.
    async fn client_version(&self) -> Result<String, NodeError> {
        match self.rpc.call("web3_clientVersion", empty(), self.limits.node_call).await {
            Ok(json) => Ok(answers::text(Some(&json))),
            Err(TransportError::Remote { .. }) => Ok(String::new()),
            Err(fault) => Err(fault.into_error(self.rpc.at(), "web3_clientVersion", self.limits.node_call)),
        }
    }

    async fn ask_facts(&self) -> Result<NodeFacts, NodeError> {
        let (info, version, reported, genesis) = futures_util::try_join!(
            self.node_info(),
            self.client_version(),
            self.number("eth_chainId"),
            self.genesis()
        )?;
        // Before the fork that gave chains an ID, clients return 0, null, or an error. Then the settings of the node have
        // one, or else its network has the same number.
        let chain_id = match reported.or(info.chain_id) {
            Some(id) => Some(id),
            None => self.number("net_version").await?,
        };
        let chain_id = chain_id.ok_or_else(|| self.unreadable("eth_chainId", AnswerError::NoChainId))?;
        let client_version = if version.is_empty() { info.name } else { version };
        let chain = ChainSpec { chain_id, genesis };
        Ok(NodeFacts {
            id: info.enode.id,
            enode: info.enode,
            client_version,
            chain,
            full: info.full,
            protocols: info.protocols,
            dials_late: self.family.dials_late(),
        })
    }

    async fn ask_peers(&self) -> Result<Vec<PeerFact>, NodeError> {
        let json = self.ask("admin_peers", empty()).await?;
        let peers = answers::peers(&json, self.limits.node_peers).map_err(|why| self.unreadable("admin_peers", why))?;
        for peer in &peers {
            self.names.learn(peer.id);
        }
        for peer in self.redial.due(&peers) {
            let method = "admin_addPeer";
            // The next reading of the peers tries again.
            if let Err(error) = self.ask(method, params(&(&peer,))).await {
                tracing::debug!(%peer, "could not repeat the dial request: {error}");
            }
        }
        for peer in self.late.came(&peers) {
            if let Err(error) = self.ask("admin_removePeer", params(&(&peer,))).await {
                tracing::debug!(%peer, "could not repeat the remove request: {error}");
            }
        }
        Ok(peers)
    }

    async fn ask_connections(&self) -> Result<Vec<PeerConnection>, NodeError> {
        let json = self.ask("admin_peers", empty()).await?;
        answers::connections(&json, self.limits.node_peers).map_err(|why| self.unreadable("admin_peers", why))
    }

    /// Reads the peers until no dial is left that was in progress while its peer was removed, or the limit of waiting
    /// is reached.
    async fn look_for_late_dials(&self) {
        while self.late.any_within(SETTLED) {
            if self.ask_peers().await.is_err() {
                return;
            }
            sleep(SETTLING).await;
        }
    }

    async fn ask_head(&self) -> Result<HeadFact, NodeError> {
        let (block, syncing) = try_join(self.block("latest"), self.ask("eth_syncing", empty())).await?;
        let syncing = answers::syncing(&syncing, block.number);
        Ok(HeadFact { number: block.number, timestamp_s: block.timestamp_s, syncing })
    }

    async fn carry_out(&self, command: PeerCommand) -> Result<(), NodeError> {
        if matches!(&command, PeerCommand::Admit(peer) if !self.lets_in(peer)) {
            return Err(NodeError::NoAddress { at: self.rpc.at() });
        }
        let calls = self.plan(&command);
        let peer = command.peer().id;
        let dialed = self.added.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&peer);
        self.names.learn(peer);
        for call in calls {
            let answer = self.ask(call.method, params(&(&call.peer,))).await?;
            tracing::debug!(call = %call, answer = answer.get().get(..64).unwrap_or(answer.get()), "node called");
            self.redial.record(&call, &answer);
            self.late.record(&call, dialed);
        }
        self.remember(command);
        Ok(())
    }

    /// A client that cannot trust a peer has to dial it.
    fn lets_in(&self, peer: &Enode) -> bool {
        self.family != NodeFamily::Maintaining || call_order::has_address(peer)
    }

    fn remember(&self, command: PeerCommand) {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        match command {
            PeerCommand::Admit(_) if self.family == NodeFamily::Trusting => {}
            PeerCommand::Admit(peer) if !call_order::has_address(&peer) => {}
            PeerCommand::Dial(peer) | PeerCommand::Admit(peer) => {
                if added.len() >= MAX_DIALED && !added.contains_key(&peer.id) {
                    added.pop_first();
                }
                added.insert(peer.id, peer);
            }
            PeerCommand::Drop(peer) | PeerCommand::Evict(peer) => {
                added.remove(&peer.id);
            }
            PeerCommand::Untrust(peer) if self.family == NodeFamily::Maintaining => {
                added.remove(&peer.id);
            }
            PeerCommand::Untrust(_) => {}
        }
    }
}

impl Node for AdminNode {
    fn facts(&self) -> BoxFuture<'_, Result<NodeFacts, NodeError>> {
        self.ask_facts().boxed()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerFact>, NodeError>> {
        self.ask_peers().boxed()
    }

    fn connections(&self) -> BoxFuture<'_, Result<Vec<PeerConnection>, NodeError>> {
        self.ask_connections().boxed()
    }

    fn head(&self) -> BoxFuture<'_, Result<HeadFact, NodeError>> {
        self.ask_head().boxed()
    }

    fn call(&self, command: PeerCommand) -> BoxFuture<'_, Result<(), NodeError>> {
        self.carry_out(command).boxed()
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        self.look_for_late_dials().boxed()
    }

    fn plan(&self, command: &PeerCommand) -> Vec<PlannedCall> {
        let added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        call_order::calls(self.family, command, added.get(&command.peer().id))
    }

    fn events(&self) -> BoxFuture<'_, Option<PeerEvents>> {
        events::subscribe(&self.rpc, &self.names).boxed()
    }

    fn exposure(&self) -> BoxFuture<'_, Vec<String>> {
        async move {
            match self.node_info().await {
                Ok(info) => exposure::find(&self.rpc.at(), info.enode.id).await,
                Err(_) => Vec::new(),
            }
        }
        .boxed()
    }

    fn data_dir(&self) -> BoxFuture<'_, Option<PathBuf>> {
        async move {
            if !self.rpc.is_local() {
                return None;
            }
            let json = self.ask("admin_datadir", empty()).await.ok()?;
            let path: String = serde_json::from_str(json.get()).ok()?;
            (!path.is_empty()).then(|| path.into())
        }
        .boxed()
    }

    fn at(&self) -> String {
        self.rpc.at()
    }
}

impl std::fmt::Debug for AdminNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AdminNode({:?} at {})", self.family, self.rpc.at())
    }
}
