/// The flags of one execution client for what doctor suggests. `{}` stands for the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientFlags {
    /// The name that people use.
    pub(crate) name: &'static str,
    /// How `web3_clientVersion` begins, in lower case.
    prefix: &'static str,
    /// Its IPC file, if it opens one by default.
    pub(crate) ipc: Option<&'static str>,
    http: &'static str,
    ws: &'static str,
    loopback: &'static str,
    max_peers: &'static str,
    address: &'static str,
    /// What keeps strangers away: no discovery, and connections from named networks only.
    close: &'static str,
    /// One of so many peer slots is for peers that it dials, at least one; `None` where that is not so.
    pub(crate) dial_share: Option<u32>,
}

const GETH: ClientFlags = ClientFlags {
    name: "geth",
    prefix: "geth/",
    ipc: Some("<datadir>/geth.ipc"),
    http: "--http --http.addr 127.0.0.1 --http.api admin,eth,net,web3",
    ws: "--ws --ws.addr 127.0.0.1 --ws.api admin,eth,net,web3",
    loopback: "--http.addr 127.0.0.1 --ws.addr 127.0.0.1",
    max_peers: "--maxpeers {}",
    address: "--nat extip:{}",
    close: "--nodiscover --netrestrict <networks of its peers, such as 10.0.0.0/8>",
    dial_share: Some(3),
};

/// One row per client. Hints for an unknown client use geth's flags, since most forks are geth's.
const TABLE: [ClientFlags; 5] = [
    GETH,
    ClientFlags {
        name: "reth",
        prefix: "reth/",
        ipc: Some("/tmp/reth.ipc"),
        max_peers: "--max-inbound-peers {}",
        close: "--disable-discovery --netrestrict <networks of its peers, such as 10.0.0.0/8>",
        dial_share: None,
        ..GETH
    },
    ClientFlags { name: "erigon", prefix: "erigon/", ipc: None, dial_share: None, ..GETH },
    ClientFlags {
        name: "besu",
        prefix: "besu/",
        ipc: None,
        http: "--rpc-http-enabled --rpc-http-host=127.0.0.1 --rpc-http-api=ADMIN,ETH,NET,WEB3",
        ws: "--rpc-ws-enabled --rpc-ws-host=127.0.0.1 --rpc-ws-api=ADMIN,ETH,NET,WEB3",
        loopback: "--rpc-http-host=127.0.0.1 --rpc-ws-host=127.0.0.1",
        max_peers: "--max-peers={}",
        address: "--p2p-host={}",
        close: "--discovery-enabled=false --net-restrict=<networks of its peers, such as 10.0.0.0/8>",
        dial_share: None,
    },
    ClientFlags {
        name: "nethermind",
        prefix: "nethermind/",
        ipc: None,
        http: "--JsonRpc.Enabled true --JsonRpc.Host 127.0.0.1 --JsonRpc.EnabledModules Admin,Eth,Net,Web3",
        ws: "--JsonRpc.Enabled true --JsonRpc.Host 127.0.0.1 --JsonRpc.EnabledModules Admin,Eth,Net,Web3",
        loopback: "--JsonRpc.Host 127.0.0.1",
        max_peers: "--Network.MaxActivePeers {}",
        address: "--Network.ExternalIp {}",
        close: "--Init.DiscoveryEnabled false --Network.OnlyStaticPeers true, and put a firewall in front of its p2p port",
        dial_share: None,
    },
];

impl ClientFlags {
    /// Returns the flags of the client with this `web3_clientVersion`.
    pub(crate) fn of(client_version: &str) -> Self {
        let name = client_version.to_ascii_lowercase();
        TABLE.into_iter().find(|words| name.starts_with(words.prefix)).unwrap_or(GETH)
    }

    /// How to start the client so that the calls that are needed answer over the transport of this address.
    pub(crate) fn calls(&self, at: &str) -> String {
        let flags = if at.starts_with("ws") { self.ws } else { self.http };
        let ipc = self.ipc.map(|path| format!(", or pass --rpc {path}, which serves all methods")).unwrap_or_default();
        format!("Start {} with {flags}{ipc}", self.name)
    }

    /// How to start the client with room for this many peers.
    pub(crate) fn max_peers(&self, number: u32) -> String {
        self.start_with(&self.max_peers.replace("{}", &number.to_string()))
    }

    /// How to have the node advertise this address.
    pub(crate) fn address(&self, ip: &str) -> String {
        self.start_with(&self.address.replace("{}", ip))
    }

    /// How to keep strangers from connecting.
    pub(crate) fn close(&self) -> String {
        self.start_with(self.close)
    }

    /// How to offer the admin API on this machine only.
    pub(crate) fn loopback(&self) -> String {
        self.start_with(self.loopback)
    }

    fn start_with(&self, flags: &str) -> String {
        format!("Start {} with {flags}", self.name)
    }
}
