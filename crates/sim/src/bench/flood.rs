//! Attackers, each from one address block.

use std::{
    cell::Cell,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use vipnode_types::{
    protocol2::{self, signed_params},
    wire::method,
};

use super::{
    attackers::{self, Party},
    load_agent::LoadAgent,
    ws_client::{WsClient, call_text, frame},
};

/// An attack with the frames that it sends repeatedly.
pub(crate) struct Flood {
    attack: Attack,
    pool: SocketAddr,
    calls: Vec<u8>,
    connect: Vec<u8>,
    large: Vec<u8>,
    /// Ids used so far.
    ids: Cell<u32>,
}

/// A kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Attack {
    /// One socket that calls as fast as it can, and reconnects when it is closed.
    Socket,
    /// Many such sockets of one address block.
    Block,
    /// Sockets that are opened, fail to authenticate with a valid signature and close, as fast as possible.
    Connects,
    /// Connections that send half a request.
    HalfOpen,
    /// Hosts of one kind, and clients that ask for another kind as often as they may, all from one address block.
    Asks,
    /// Ids that connect with a chain, a version, and capabilities of their own and leave, as fast as possible, all from
    /// one
    /// address block.
    Ids,
    /// Hosts that admit every client and connect with none, and clients of theirs.
    SilentHosts,
    /// Hosts and clients that report invented versions, capabilities, and faults.
    Liars,
    /// Clients that use the leases of their own hosts without being billed.
    FreeRiders,
    /// Hosts that report clients as connected that never connect.
    FalseHosts,
    /// Calls of protocol 2 that are as large as the pool accepts, with signatures that it finds to be wrong, as fast as
    /// they
    /// may come.
    LargeCalls,
}

/// The wait of an attacker that cannot reach the pool.
const PAUSE: Duration = Duration::from_millis(1);
/// How long half a request is left open; the pool's timeout is longer.
const HELD: Duration = Duration::from_secs(5);
/// Bytes of the padding of [`Attack::LargeCalls`]: the pool takes messages of up to 128 KiB.
const LARGE_BYTES: usize = 127 << 10;
/// Hosts of [`Attack::Asks`], each with the same capabilities and version.
const HOSTS: u32 = 1_024;
/// Clients of it.
const ASKING: u32 = 100;
/// The time between two connects of it: the pool accepts so many of one address block.
const CONNECT_EVERY: Duration = Duration::from_millis(12);
/// The time between two asks of a client, which is within its rate limit.
const ASK_EVERY: Duration = Duration::from_millis(55);

impl Attack {
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Socket => "a flood from one socket",
            Self::Block => "a flood from 500 sockets in one address block",
            Self::Connects => "a storm of signed connect calls from one address block",
            Self::HalfOpen => "a storm of half-open connections from one address block",
            Self::Ids => "a storm of node IDs from one address block that connect, each on its own chain, and leave",
            Self::SilentHosts => "40 silent hosts and 60 clients that ask and leave, all in one address block",
            Self::Liars => "40 hosts and 60 clients that send false reports, all in one address block",
            Self::FreeRiders => {
                "60 clients that begin a billing period with each report, and 40 hosts, all in one address block"
            }
            Self::FalseHosts => "40 hosts that falsely report 60 clients as connected, all in one address block",
            Self::LargeCalls => {
                "128 KiB protocol 2 calls with invalid signatures, on 64 sockets from one address block"
            }
            Self::Asks => "1,024 hosts of one kind and 100 sockets that ask for another kind, all in one address block",
        }
    }

    pub(crate) const fn sockets(self) -> u32 {
        match self {
            Self::Socket => 1,
            Self::Block => 500,
            Self::Connects | Self::Ids | Self::LargeCalls => 64,
            Self::HalfOpen => 2_000,
            Self::Asks => HOSTS.saturating_add(ASKING),
            Self::SilentHosts | Self::Liars | Self::FreeRiders | Self::FalseHosts => attackers::SOCKETS,
        }
    }

    /// The attackers with hosts of their own.
    const fn party(self) -> Option<Party> {
        match self {
            Self::SilentHosts => Some(Party::SilentHosts),
            Self::Liars => Some(Party::Liars),
            Self::FreeRiders => Some(Party::FreeRiders),
            Self::FalseHosts => Some(Party::FalseHosts),
            Self::Socket
            | Self::Block
            | Self::Connects
            | Self::HalfOpen
            | Self::Asks
            | Self::Ids
            | Self::LargeCalls => None,
        }
    }

    /// The time until all its sockets are open.
    pub(crate) const fn opens_in(self) -> Duration {
        if self.opens_slowly() {
            CONNECT_EVERY.saturating_mul(self.sockets()).saturating_add(PAUSE)
        } else {
            Duration::ZERO
        }
    }

    const fn opens_slowly(self) -> bool {
        self.party().is_some() || matches!(self, Self::Asks)
    }

    pub(crate) fn prepare(self, pool: SocketAddr) -> io::Result<Flood> {
        let call = frame(r#"{"jsonrpc":"2.0","id":1,"method":"vipnode_ping"}"#);
        let agent = LoadAgent::new(0x00ff_0000)?;
        // The signature is valid for the challenge of another socket, which the pool finds out by verifying it.
        let signed = agent.signed(&format!("ws://{pool}"), "another", &agent.hello(None))?;
        let connect = frame(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{signed}}}"#, method::CONNECT));
        Ok(Flood { attack: self, pool, calls: call.repeat(200), connect, large: large_call(&agent), ids: Cell::new(0) })
    }
}

impl Flood {
    /// Runs one of its sockets forever.
    pub(crate) async fn run_socket(self: Rc<Self>, number: u32) {
        let [.., low] = number.to_be_bytes();
        let from = IpAddr::V4(Ipv4Addr::new(127, 255, 7, low.clamp(1, 250)));
        if self.attack.opens_slowly() {
            sleep(CONNECT_EVERY.saturating_mul(number)).await;
        }
        loop {
            let once = match self.attack {
                Attack::SilentHosts | Attack::Liars | Attack::FreeRiders | Attack::FalseHosts => {
                    self.attackers(number, from).await
                }
                Attack::Socket | Attack::Block => self.calls(from).await,
                Attack::Connects => self.connects(from).await,
                Attack::HalfOpen => self.half(from).await,
                Attack::Asks => self.asks(number, from).await,
                Attack::Ids => self.id(from).await,
                Attack::LargeCalls => self.large_calls(from).await,
            };
            if once.is_err() {
                sleep(PAUSE).await;
            }
        }
    }

    async fn attackers(&self, number: u32, from: IpAddr) -> io::Result<()> {
        match self.attack.party() {
            Some(party) => attackers::run(party, self.pool, number, from).await,
            None => Ok(()),
        }
    }

    async fn calls(&self, from: IpAddr) -> io::Result<()> {
        let (mut answers, mut calls) = tokio::io::split(WsClient::open(self.pool, from).await?.into_stream());
        let write = async {
            while calls.write_all(&self.calls).await.is_ok() {}
            Err::<(), _>(io::Error::other("closed"))
        };
        let read = async {
            let mut buffer = vec![0; 64 << 10];
            while answers.read(&mut buffer).await? > 0 {}
            Err::<(), _>(io::Error::other("closed"))
        };
        tokio::try_join!(write, read).map(|_| ())
    }

    async fn connects(&self, from: IpAddr) -> io::Result<()> {
        let mut wire = WsClient::open(self.pool, from).await?;
        wire.send_frame(&self.connect).await?;
        wire.next().await?;
        Ok(())
    }

    async fn asks(&self, number: u32, from: IpAddr) -> io::Result<()> {
        let hosts = number < HOSTS;
        let agent = LoadAgent::new(number.saturating_add(0x00e0_0000))?;
        let mut hello = agent.hello(hosts.then_some(4));
        let list = |text: &str| text.parse().map(|capability| vec![capability]).map_err(io::Error::other);
        hello.capabilities = list("eth")?;
        if let Some(client) = &mut hello.client {
            client.required_capabilities = list("les")?;
        }
        let mut wire = WsClient::open(self.pool, from).await?;
        let params = agent.signed(&format!("ws://{}", self.pool), &wire.challenge, &hello)?;
        wire.call(method::CONNECT, &params).await?;
        wire.call(method::REPORT, r#"[{"seq":1,"full":[],"hash":"0000000000000000"}]"#).await?;
        if hosts {
            loop {
                wire.next().await?;
            }
        }
        loop {
            wire.call(method::ASK, r#"[{"want":1}]"#).await?;
            sleep(ASK_EVERY).await;
        }
    }

    async fn id(&self, from: IpAddr) -> io::Result<()> {
        let id = self.ids.get();
        self.ids.set(id.wrapping_add(1));
        let agent = LoadAgent::new(id.wrapping_add(0x0100_0000))?;
        let mut hello = agent.hello(None);
        hello.chain.chain_id = u64::from(id).saturating_add(2);
        hello.client_version = format!("Geth/v{id}");
        hello.capabilities = vec![format!("own/{id}").parse().map_err(io::Error::other)?];
        let mut wire = WsClient::open(self.pool, from).await?;
        let params = agent.signed(&format!("ws://{}", self.pool), &wire.challenge, &hello)?;
        // A refusal is an answer too.
        let _accepted = wire.call(method::CONNECT, &params).await;
        Ok(())
    }

    async fn large_calls(&self, from: IpAddr) -> io::Result<()> {
        let mut wire = WsClient::open(self.pool, from).await?;
        loop {
            wire.send_frame(&self.large).await?;
            wire.next().await?;
        }
    }

    async fn half(&self, from: IpAddr) -> io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        let mut stream: TcpStream = socket.connect(self.pool).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await?;
        let _refused_or_held = timeout(HELD, stream.read(&mut [0; 512])).await;
        Ok(())
    }
}

/// A frame with an update of protocol 2 whose signature is of another nonce.
fn large_call(agent: &LoadAgent) -> Vec<u8> {
    let argument = format!(r#"{{"peers_info":[],"block_number":1,"padding":"{}"}}"#, "x".repeat(LARGE_BYTES));
    let params = signed_params(agent.node(), protocol2::method::UPDATE, 1, &argument).replacen("\",1,", "\",2,", 1);
    frame(&call_text(1, protocol2::method::UPDATE, &params))
}
