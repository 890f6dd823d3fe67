//! Those who mean the pool ill, each from one address block.

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
    agent::Agent,
    wire::{Wire, frame},
};

/// What is done to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Attack {
    /// One socket calls as fast as it can, and comes back when it is closed.
    Socket,
    /// Many sockets of one address block do.
    Block,
    /// Sockets are opened, signed for in vain and closed, as fast as can be.
    Connects,
    /// Connections are opened and say half a sentence.
    HalfOpen,
}

/// Frames that are sent again and again.
pub(crate) struct Flood {
    attack: Attack,
    pool: SocketAddr,
    calls: Vec<u8>,
    connect: Vec<u8>,
}

/// A flooder that cannot reach the pool waits this long.
const PAUSE: Duration = Duration::from_millis(1);
/// A half sentence is held this long; the pool's patience is longer.
const HELD: Duration = Duration::from_secs(5);

impl Attack {
    pub(crate) const fn words(self) -> &'static str {
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
        let agent = Agent::new(0x00ff_0000)?;
        // The signature holds, the challenge is another socket's: the pool learns that from the signature only.
        let signed = agent.signed(&format!("ws://{pool}"), "another", &agent.hello(None))?;
        let connect = frame(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{signed}}}"#, method::CONNECT));
        Ok(Flood { attack: self, pool, calls: call.repeat(200), connect })
    }
}

impl Flood {
    /// One of its sockets, for ever.
    pub(crate) async fn go_on(self: Rc<Self>, number: u32) {
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
        let (mut answers, mut calls) = tokio::io::split(Wire::open(self.pool, from).await?.into_stream());
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
        let mut wire = Wire::open(self.pool, from).await?;
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
