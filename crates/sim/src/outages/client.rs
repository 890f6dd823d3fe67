use std::{cell::RefCell, io, net::SocketAddr, rc::Rc, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;
use vipnode_sim::SimRng;
use vipnode_types::{
    LeaseId, PoolId,
    wire::{Side, method},
};

use super::{
    agent_socket::{AgentSocket, is_end},
    client_accounts::{ClientAccounts, send_link, send_unlink},
    known_state::{KnownState, LastSign},
};
use crate::bench::LoadAgent;

/// A client that begins and ends leases until its socket ends, and has now one account pay for them, now another.
pub(super) struct Client {
    pub(super) agent: LoadAgent,
    pub(super) accounts: ClientAccounts,
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
        let id = reply.get("pool_id").cloned().unwrap_or_default();
        let pool = (pool, serde_json::from_value(id)?);
        self.replay_link(pool.0).await?;
        let mut last: Option<LeaseId> = None;
        loop {
            if self.known.borrow().payer(&self.agent.id()).is_none() || self.rng.chance(100) {
                self.change_link(pool).await?;
            }
            let asked = socket.call(method::ASK, &json!([{"want": 1}]), |_, _| ()).await?;
            let [lease] = leases_of(&asked, "/hosts", "/lease")[..] else {
                sleep(Duration::from_millis(3)).await;
                continue;
            };
            self.known.borrow_mut().leases.insert(lease);
            let mut sign = LastSign::new();
            let lived = self.live((&mut socket, pool), (lease, last), &mut sign).await;
            self.known.borrow_mut().down(lease, Side::Client, sign);
            lived?;
            last = Some(lease);
        }
    }

    /// Begins a lease, reports for a while, and leaves.
    async fn live(
        &mut self,
        (socket, pool): (&mut AgentSocket, (SocketAddr, PoolId)),
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
            if self.rng.chance(100) {
                // The lease goes on, and another account pays from then on.
                self.link(pool).await?;
            }
        }
        sign.sent();
        self.leave(socket, lease).await?;
        sign.answered();
        Ok(())
    }

    /// Ends the link now and then, and links with one of the accounts.
    async fn change_link(&mut self, pool: (SocketAddr, PoolId)) -> io::Result<()> {
        let (node, payer) = (self.agent.id(), self.known.borrow().payer(&self.agent.id()));
        if let Some(account) = payer.filter(|_| self.rng.chance(300)) {
            let unlink = self.accounts.unlink(account, pool.1, node);
            self.known.borrow_mut().asks_link(node, None);
            send_unlink(&self.agent, pool.0, &unlink).await?;
            self.known.borrow_mut().has_link(node, None);
        }
        self.link(pool).await
    }

    async fn link(&mut self, (pool, id): (SocketAddr, PoolId)) -> io::Result<()> {
        let node = self.agent.id();
        let link = self.accounts.link(self.rng.index(2), id, node);
        self.known.borrow_mut().asks_link(node, Some(link.account));
        send_link(&self.agent, pool, &link).await?;
        self.known.borrow_mut().has_link(node, Some(link));
        Ok(())
    }

    /// Sends a link again that the pool acknowledged: it must be refused, also by a pool that was killed since.
    async fn replay_link(&self, pool: SocketAddr) -> io::Result<()> {
        let used = self.known.borrow().used_link(&self.agent.id());
        let Some(used) = used else { return Ok(()) };
        match send_link(&self.agent, pool, &used).await {
            Ok(()) => Err(io::Error::other(format!("a link was accepted a second time: {used:?}"))),
            Err(error) if is_end(&error) => Err(error),
            Err(_) => Ok(()),
        }
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
