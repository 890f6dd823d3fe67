use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use vipnode_types::{
    Account, AgentKey, ChainSpec, Delegation, Enode, Ms, NodeId, NodeKey, PayoutOrder,
    signed::Envelope,
    wire::{ClientCriteria, ConnectRequest, HostOffer, PROTOCOL, method},
};

use super::{certificate::TrustedRoots, ws_client::WsClient};

/// An agent of the load generator; its keys and address follow from its number.
pub(crate) struct LoadAgent {
    pub(crate) number: u32,
    node: NodeKey,
    key: AgentKey,
    delegation: Delegation,
    /// Where what it earns is paid to.
    payout: Option<Account>,
}

impl LoadAgent {
    pub(crate) fn new(number: u32) -> io::Result<Self> {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        seed[31] = 1;
        let node = NodeKey::read(&seed).map_err(io::Error::other)?;
        seed[31] = 2;
        let key = AgentKey::from_random(seed).map_err(io::Error::other)?;
        let now = now();
        let delegation = Delegation::sign(&node, key.public(), now.minus(1_000), now.plus(86_400_000));
        Ok(Self { number, node, key, delegation, payout: None })
    }

    /// The same agent, which orders that what it earns is paid to an account.
    pub(crate) fn paid_to(self, account: Account) -> Self {
        Self { payout: Some(account), ..self }
    }

    /// Where what it earns is paid to.
    pub(crate) const fn payout(&self) -> Option<Account> {
        self.payout
    }

    pub(crate) fn id(&self) -> NodeId {
        self.node.id()
    }

    pub(crate) const fn node(&self) -> &NodeKey {
        &self.node
    }

    /// A loopback address in an address block that few other agents share.
    pub(crate) fn address(&self) -> IpAddr {
        let [_, a, b, c] = self.number.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(127, b, c, a.wrapping_add(2)))
    }

    /// The params of a connect: a host that offers `slots`, or a client for `None`.
    pub(crate) fn hello(&self, slots: Option<u32>) -> ConnectRequest {
        // The same order each time, as from an agent that starts again.
        let payout = self.payout.map(|account| PayoutOrder::sign(&self.node, account, Ms::new(1_000)));
        ConnectRequest {
            protocol: PROTOCOL,
            agent_version: "vipnode/0.1.0".to_owned(),
            client_version: "Geth/v1.17.5-stable-a1b2c3d4/linux-amd64/go1.26.0".to_owned(),
            capabilities: Vec::new(),
            min_versions: Vec::new(),
            chain: ChainSpec { chain_id: 1, genesis: Default::default() },
            enode: Some(Enode::at(self.id(), self.address(), 30_303)),
            host: slots.map(|slots| HostOffer { slots, payout: payout.clone(), no_trials: false }),
            client: slots.is_none().then(ClientCriteria::default),
            join: None,
            allow_protocol2: false,
        }
    }

    /// Opens a socket and authenticates.
    pub(crate) async fn connect(&self, pool: SocketAddr, slots: Option<u32>) -> io::Result<WsClient> {
        let wire = WsClient::open(pool, self.address()).await?;
        self.begin(wire, &format!("ws://{pool}"), slots).await
    }

    /// Opens a socket over TLS and authenticates.
    pub(crate) async fn connect_tls(
        &self,
        pool: SocketAddr,
        trust: &TrustedRoots,
        slots: Option<u32>,
    ) -> io::Result<WsClient> {
        let wire = WsClient::open_tls(pool, self.address(), trust).await?;
        self.begin(wire, &format!("wss://{pool}"), slots).await
    }

    /// As [`Self::connect`]; also returns the result of the connect.
    pub(crate) async fn connect_for_reply(
        &self,
        pool: SocketAddr,
        slots: Option<u32>,
    ) -> io::Result<(WsClient, serde_json::Value)> {
        let mut wire = WsClient::open(pool, self.address()).await?;
        let params = self.signed(&format!("ws://{pool}"), &wire.challenge, &self.hello(slots))?;
        let answer: serde_json::Value = serde_json::from_str(&wire.call(method::CONNECT, &params).await?)?;
        Ok((wire, answer.get("result").cloned().unwrap_or_default()))
    }

    async fn begin(&self, mut wire: WsClient, url: &str, slots: Option<u32>) -> io::Result<WsClient> {
        let params = self.signed(url, &wire.challenge, &self.hello(slots))?;
        wire.call(method::CONNECT, &params).await?;
        Ok(wire)
    }

    /// The signed params of a connect, as JSON.
    pub(crate) fn signed(&self, url: &str, challenge: &str, hello: &ConnectRequest) -> io::Result<String> {
        self.signed_call(method::CONNECT, (url, challenge), &serde_json::to_string(hello)?)
    }

    /// The signed params of a call, of which `raw` is the JSON, as JSON.
    pub(crate) fn signed_call(&self, method: &str, (url, challenge): (&str, &str), raw: &str) -> io::Result<String> {
        let envelope = Envelope::sign(&self.key, self.delegation.clone(), method, url, challenge, raw);
        Ok(format!("[{raw},{}]", serde_json::to_string(&envelope)?))
    }
}

/// The time of the wall clock.
pub(crate) fn now() -> Ms {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ms::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
