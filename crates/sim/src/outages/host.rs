use std::{cell::RefCell, io, net::SocketAddr, rc::Rc, time::Duration};

use tokio::time::{Instant, timeout_at};
use vipnode_types::{
    LeaseId,
    wire::{Side, method},
};

use super::{
    agent_socket::{AgentSocket, SocketMessage},
    known_state::{KnownState, LastSign},
};
use crate::bench::LoadAgent;

/// How often a host reports.
const EVERY: Duration = Duration::from_millis(10);
/// Slots of a host.
const SLOTS: u32 = 100;

/// A host that admits everybody, and reports them, until its socket ends.
pub(super) struct Host {
    pub(super) agent: LoadAgent,
    pub(super) known: Rc<RefCell<KnownState>>,
}

impl Host {
    /// Runs until the socket ends.
    ///
    /// # Errors
    /// Why it ended.
    pub(super) async fn run(self, pool: SocketAddr) -> io::Result<()> {
        let mut socket = AgentSocket::new(self.agent.connect(pool, Some(SLOTS)).await?);
        self.known.borrow_mut().nodes.insert(self.agent.id());
        self.known.borrow_mut().payouts.extend(self.agent.payout().map(|account| (self.agent.id(), account)));
        socket.send_report(&[], &[], true).await?;
        let (mut admitted, mut sign) = (Vec::new(), LastSign::new());
        let ended = self.serve(&mut socket, &mut admitted, &mut sign).await;
        let mut known = self.known.borrow_mut();
        admitted.into_iter().for_each(|lease| known.down(lease, Side::Host, sign));
        ended
    }

    async fn serve(
        &self,
        socket: &mut AgentSocket,
        admitted: &mut Vec<LeaseId>,
        sign: &mut LastSign,
    ) -> io::Result<()> {
        loop {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            let until = Instant::now() + EVERY;
            while let Ok(message) = timeout_at(until, socket.next()).await {
                match message? {
                    SocketMessage::Call(method, Some(lease)) if method == method::ADMIT => up.push(lease),
                    SocketMessage::Call(method, Some(lease)) if method == method::EVICT => down.push(lease),
                    SocketMessage::Call(..) => {}
                    SocketMessage::Answer(_, answer) => return Err(io::Error::other(format!("{answer:?}"))),
                }
            }
            // One that came and went was never reported.
            let (gone, went): (Vec<_>, Vec<_>) = down.into_iter().partition(|lease| up.contains(lease));
            up.retain(|lease| !gone.contains(lease));
            let went: Vec<LeaseId> = went.into_iter().filter(|lease| admitted.contains(lease)).collect();
            self.report(socket, (&up, &went), admitted, sign).await?;
        }
    }

    async fn report(
        &self,
        socket: &mut AgentSocket,
        (up, down): (&[LeaseId], &[LeaseId]),
        admitted: &mut Vec<LeaseId>,
        sign: &mut LastSign,
    ) -> io::Result<()> {
        up.iter().for_each(|lease| self.known.borrow_mut().up(*lease, Side::Host));
        admitted.extend(up);
        sign.sent();
        let report = socket.report(up, down, false);
        let mut evicted = Vec::new();
        let mut came = Vec::new();
        let called = |method: String, lease: Option<LeaseId>| match lease {
            Some(lease) if method == method::EVICT => evicted.push(lease),
            Some(lease) if method == method::ADMIT => came.push(lease),
            _ => {}
        };
        socket.call(method::REPORT, &report, called).await?;
        for lease in down {
            self.known.borrow_mut().down(*lease, Side::Host, *sign);
        }
        admitted.retain(|lease| !down.contains(lease));
        sign.answered();
        // What came in between is in the next report.
        if !came.is_empty() || !evicted.is_empty() {
            came.retain(|lease| !evicted.contains(lease));
            evicted.retain(|lease| admitted.contains(lease));
            return Box::pin(self.report(socket, (&came, &evicted), admitted, sign)).await;
        }
        Ok(())
    }
}
