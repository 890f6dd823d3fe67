use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use serde_json::json;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use vipnode_types::{LeaseId, wire::method};

use super::agent_socket::{AgentSocket, SocketMessage};
use crate::bench::LoadAgent;

/// How often an agent reports.
const EVERY: Duration = Duration::from_secs(10);

/// An agent that keeps its leases, and reports.
pub(super) struct SteadyAgent {
    pub(super) agent: LoadAgent,
    /// The slots of a host; `None` for a client, which gets one host.
    pub(super) slots: Option<u32>,
    pub(super) tally: Rc<SteadyTally>,
}

/// What all agents noticed of their pool.
#[derive(Debug, Default)]
pub(super) struct SteadyTally {
    /// Unchanged reports that were answered.
    pub(super) reports: Cell<u64>,
    /// Full reports that the pool asked for.
    pub(super) described: Cell<u64>,
    /// Leases that the pool ended since [`Self::begin`].
    pub(super) ended: Cell<u64>,
    /// Why sockets ended since then.
    pub(super) closed: RefCell<Vec<String>>,
}

impl SteadyTally {
    /// From now on, it counts what the pool ends.
    pub(super) fn begin(&self) {
        self.ended.set(0);
    }
}

impl SteadyAgent {
    /// Runs until the socket ends, and notes why.
    pub(super) async fn run(self, pool: SocketAddr, connecting: Rc<Semaphore>) {
        if let Err(error) = self.serve(pool, &connecting).await {
            self.tally.closed.borrow_mut().push(format!("agent {}: {error}", self.agent.number));
        }
    }

    async fn serve(&self, pool: SocketAddr, connecting: &Semaphore) -> io::Result<()> {
        let permit = connecting.acquire().await.map_err(io::Error::other)?;
        let (wire, _) = self.agent.connect_for_reply(pool, self.slots).await?;
        let (mut socket, mut news) = (AgentSocket::new(wire), News::default());
        socket.send_report(&[], &[], true).await?;
        if self.slots.is_none() {
            let asked =
                socket.call(method::ASK, &json!([{"want": 1}]), |method, lease| news.add(&method, lease)).await?;
            let host = asked.pointer("/hosts/0/lease").and_then(serde_json::Value::as_u64);
            news.up.extend(host.map(LeaseId::new));
            self.report_news(&mut socket, &mut news).await?;
        }
        drop(permit);
        loop {
            let next = Instant::now() + EVERY;
            while let Ok(message) = timeout_at(next, socket.next()).await {
                if let SocketMessage::Call(method, lease) = message? {
                    news.add(&method, lease);
                    self.report_news(&mut socket, &mut news).await?;
                }
            }
            let resync = socket.beat(|method, lease| news.add(&method, lease)).await?;
            add(&self.tally.reports);
            if resync {
                socket.send_report(&[], &[], true).await?;
                add(&self.tally.described);
            }
            self.report_news(&mut socket, &mut news).await?;
        }
    }

    /// Reports what came and what went, and what came and went meanwhile.
    async fn report_news(&self, socket: &mut AgentSocket, news: &mut News) -> io::Result<()> {
        while !news.is_empty() {
            let News { mut up, down } = std::mem::take(news);
            self.tally.ended.set(self.tally.ended.get().saturating_add(u64::try_from(down.len()).unwrap_or(u64::MAX)));
            // A host may be asked to dial a client that it admitted.
            up.retain(|lease| !socket.sees(*lease));
            up.sort_unstable();
            up.dedup();
            if self.slots.is_none() {
                // A client needs one host; further ones are offered while the first is slow.
                up.truncate(usize::from(!socket.sees_any()));
            }
            // One that came and went was never reported.
            let (gone, went): (Vec<_>, Vec<_>) = down.into_iter().partition(|lease| up.contains(lease));
            up.retain(|lease| !gone.contains(lease));
            let went: Vec<LeaseId> = went.into_iter().filter(|lease| socket.sees(*lease)).collect();
            if !up.is_empty() || !went.is_empty() {
                let report = socket.report(&up, &went, false);
                socket.call(method::REPORT, &report, |method, lease| news.add(&method, lease)).await?;
            }
        }
        Ok(())
    }
}

fn add(cell: &Cell<u64>) {
    cell.set(cell.get().saturating_add(1));
}

/// Leases that the pool began and ended.
#[derive(Debug, Default)]
struct News {
    up: Vec<LeaseId>,
    down: Vec<LeaseId>,
}

impl News {
    fn add(&mut self, method: &str, lease: Option<LeaseId>) {
        match method {
            method::ADMIT | method::DIAL => self.up.extend(lease),
            method::EVICT => self.down.extend(lease),
            _ => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.up.is_empty() && self.down.is_empty()
    }
}
