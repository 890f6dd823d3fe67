use std::{cell::RefCell, io, net::SocketAddr, rc::Rc, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;
use vipnode_sim::SimRng;
use vipnode_types::{
    LeaseId,
    wire::{Side, method},
};

use super::{
    agent_socket::AgentSocket,
    known_state::{KnownState, LastSign},
};
use crate::bench::LoadAgent;

/// A client that begins and ends leases until its socket ends.
pub(super) struct Client {
    pub(super) agent: LoadAgent,
    pub(super) known: Rc<RefCell<KnownState>>,
    pub(super) rng: SimRng,
}

impl Client {
    /// Runs until the socket ends.
    ///
    /// # Errors
    /// Why it ended; also if the pool forgot a lease.
    pub(super) async fn run(mut self, pool: SocketAddr) -> io::Result<()> {
        let (wire, reply) = self.agent.connect_for_reply(pool, None).await?;
        let mut socket = AgentSocket::new(wire);
        let listed: Vec<LeaseId> = leases_of(&reply, "/leases", "/lease");
        self.known.borrow_mut().nodes.insert(self.agent.id());
        for lease in listed {
            self.leave(&mut socket, lease).await?;
        }
        socket.send_report(&[], &[], true).await?;
        let mut last: Option<LeaseId> = None;
        loop {
            let asked = socket.call(method::ASK, &json!([{"want": 1}]), |_, _| ()).await?;
            let [lease] = leases_of(&asked, "/hosts", "/lease")[..] else {
                sleep(Duration::from_millis(3)).await;
                continue;
            };
            self.known.borrow_mut().leases.insert(lease);
            let mut sign = LastSign::new();
            let lived = self.live(&mut socket, (lease, last), &mut sign).await;
            self.known.borrow_mut().down(lease, Side::Client, sign);
            lived?;
            last = Some(lease);
        }
    }

    /// Begins a lease, reports for a while, and leaves.
    async fn live(
        &mut self,
        socket: &mut AgentSocket,
        (lease, last): (LeaseId, Option<LeaseId>),
        sign: &mut LastSign,
    ) -> io::Result<()> {
        self.known.borrow_mut().up(lease, Side::Client);
        let down: Vec<LeaseId> = last.into_iter().collect();
        sign.sent();
        socket.send_report(&[lease], &down, false).await?;
        sign.answered();
        for _ in 0..self.rng.below(4) {
            sleep(Duration::from_millis(self.rng.below(20))).await;
            sign.sent();
            socket.send_report(&[], &[], false).await?;
            sign.answered();
        }
        sign.sent();
        self.leave(socket, lease).await?;
        sign.answered();
        Ok(())
    }

    async fn leave(&self, socket: &mut AgentSocket, lease: LeaseId) -> io::Result<()> {
        // From here on, it may be gone.
        self.known.borrow_mut().leases.remove(&lease);
        socket.call(method::LEAVE, &json!([{"leases": [lease], "reason": "surplus"}]), |_, _| ()).await?;
        let mut known = self.known.borrow_mut();
        known.ended.insert(lease);
        known.operations += 1;
        Ok(())
    }
}

/// The leases of a list in an answer.
fn leases_of(answer: &Value, list: &str, lease: &str) -> Vec<LeaseId> {
    let list = answer.pointer(list).and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(|entry| entry.pointer(lease)?.as_u64()).map(LeaseId::new).collect()
}
