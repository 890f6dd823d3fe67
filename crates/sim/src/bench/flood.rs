//! Attackers, each from one address block.

use std::{
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
use vipnode_types::wire::method;

use super::{
    load_agent::LoadAgent,
    ws_client::{WsClient, frame},
};

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
}

/// An attack with the frames that it sends repeatedly.
pub(crate) struct Flood {
    attack: Attack,
    pool: SocketAddr,
    calls: Vec<u8>,
    connect: Vec<u8>,
}

/// The wait of an attacker that cannot reach the pool.
const PAUSE: Duration = Duration::from_millis(1);
/// How long half a request is left open; the pool's timeout is longer.
const HELD: Duration = Duration::from_secs(5);

impl Attack {
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Socket => "the flood of one socket",
            Self::Block => "the flood of 500 sockets of one address block",
            Self::Connects => "a storm of signed connects of one address block",
            Self::HalfOpen => "a storm of half-open connections of one address block",
        }
    }

    pub(crate) const fn sockets(self) -> u32 {
        match self {
            Self::Socket => 1,
            Self::Block => 500,
            Self::Connects => 64,
            Self::HalfOpen => 2_000,
        }
    }

    pub(crate) fn prepare(self, pool: SocketAddr) -> io::Result<Flood> {
        let call = frame(r#"{"jsonrpc":"2.0","id":1,"method":"vipnode_ping"}"#);
        let agent = LoadAgent::new(0x00ff_0000)?;
        // The signature is valid for the challenge of another socket, which the pool finds out by verifying it.
        let signed = agent.signed(&format!("ws://{pool}"), "another", &agent.hello(None))?;
        let connect = frame(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{signed}}}"#, method::CONNECT));
        Ok(Flood { attack: self, pool, calls: call.repeat(200), connect })
    }
}

impl Flood {
    /// Runs one of its sockets forever.
    pub(crate) async fn run_socket(self: Rc<Self>, number: u32) {
        let [.., low] = number.to_be_bytes();
        let from = IpAddr::V4(Ipv4Addr::new(127, 255, 7, low.clamp(1, 250)));
        loop {
            let once = match self.attack {
                Attack::Socket | Attack::Block => self.calls(from).await,
                Attack::Connects => self.connects(from).await,
                Attack::HalfOpen => self.half(from).await,
            };
            if once.is_err() {
                sleep(PAUSE).await;
            }
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

    async fn half(&self, from: IpAddr) -> io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        let mut stream: TcpStream = socket.connect(self.pool).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await?;
        let _refused_or_held = timeout(HELD, stream.read(&mut [0; 512])).await;
        Ok(())
    }
}
