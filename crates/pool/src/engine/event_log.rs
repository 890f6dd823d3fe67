use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use tracing::{info, warn};
use vipnode_pool_core::{ConnectionId, Core, Effect, EpochStep, PoolCall, Reply, Row};
use vipnode_types::{NodeId, protocol2::Protocol2Reply};

/// The log, at `-v`, of what nodes do: joins, leaves, leases, evictions, and closed connections. A flood of them must neither
/// fill the disk nor slow the core down, so lines beyond [`LINES`] a second are only counted.
#[derive(Debug)]
pub(super) struct EventLog {
    began: Instant,
    lines: u32,
    skipped: u64,
    /// The epoch, its step, and its problem that were written last.
    epoch: (u64, EpochStep, Option<String>),
}

/// Lines a second.
const LINES: u32 = 50;
const SECOND: Duration = Duration::from_secs(1);

impl EventLog {
    pub(super) const fn new(now: Instant) -> Self {
        Self { began: now, lines: 0, skipped: 0, epoch: (0, EpochStep::Open, None) }
    }

    /// Writes what an effect means for its node.
    pub(super) fn write_effect(&mut self, core: &Core, effect: &Effect) {
        if let Effect::Persist(rows) = effect {
            rows.iter().for_each(|row| self.write_epoch(row));
        }
        let (Effect::Reply { connection, .. } | Effect::Call { connection, .. } | Effect::Close { connection, .. }) =
            effect
        else {
            return;
        };
        let joined = |reply: &Reply| match reply {
            Reply::Connect(_) => true,
            Reply::Protocol2(reply) => !matches!(**reply, Protocol2Reply::Update(_) | Protocol2Reply::Peer(_)),
            _ => false,
        };
        let is_event = match effect {
            Effect::Reply { reply: Ok(reply), .. } => joined(reply),
            Effect::Call { message, .. } => {
                !matches!(message, PoolCall::Dial(_) | PoolCall::Notice(_) | PoolCall::Price(_))
            }
            Effect::Close { .. } => true,
            Effect::Reply { reply: Err(_), .. } | Effect::Persist(_) | Effect::Chain(_) => false,
        };
        let Some((node, address)) = is_event.then(|| self.place(core, *connection)).flatten() else { return };
        match effect {
            Effect::Call { message: PoolCall::Admit(call), .. } => {
                info!(host = %node, %address, client = %call.client, lease = %call.lease, "lease: asking the host to admit the client");
            }
            Effect::Call { message: PoolCall::Whitelist(client), .. } => {
                info!(host = %node, %address, %client, "lease: asking the host to admit the client (protocol 2)");
            }
            Effect::Call { message: PoolCall::Evict(call), .. } => {
                info!(%node, %address, peer = %call.peer, lease = %call.lease, reason = call.reason.name(), "lease ended");
            }
            Effect::Close { reason, .. } => info!(%node, %address, %reason, "closing the connection"),
            _ => info!(%node, %address, "joined"),
        }
    }

    /// Writes that the agent at a connection has gone. To be called before the core hears of it.
    pub(super) fn write_left(&mut self, core: &Core, connection: ConnectionId) {
        if let Some((node, address)) = self.place(core, connection) {
            info!(%node, %address, "left");
        }
    }

    /// Returns the node at a connection and its address, if the log is on and has room.
    fn place(&mut self, core: &Core, connection: ConnectionId) -> Option<(NodeId, IpAddr)> {
        if !tracing::enabled!(tracing::Level::INFO) {
            return None;
        }
        let place = core.node_at(connection).zip(core.address_at(connection))?;
        let (may, skipped) = self.take(Instant::now());
        if skipped > 0 {
            info!(skipped, "more events than the log writes a second");
        }
        may.then_some(place)
    }

    /// Writes each step of an epoch, what is wrong with it, and its transactions. They are few.
    fn write_epoch(&mut self, row: &Row) {
        match row {
            Row::Epoch(row) => {
                let (epoch, step) = (row.number, row.step.name());
                let written = (row.number, row.step, row.problem.clone());
                if self.epoch == written {
                    return;
                }
                self.epoch = written;
                match &row.problem {
                    Some(problem) => warn!(epoch, step, problem, "the epoch waits"),
                    None => info!(epoch, step, "epoch"),
                }
            }
            Row::EpochClaim(row) => {
                if let Some(reason) = &row.set_aside {
                    warn!(payer = %row.signer, channel = %row.channel, reason, "the epoch does not claim from a channel");
                }
            }
            Row::ChainTransaction(row) if row.cost_wei.is_none() => {
                let claims = row.purpose.signers().len();
                info!(transaction = %row.hash, nonce = row.nonce, claims, bumps = row.bumps, "sending a transaction of the epoch");
            }
            _ => {}
        }
    }

    /// Takes one line. Returns whether it may be written, and how many were skipped in the second that is over.
    fn take(&mut self, now: Instant) -> (bool, u64) {
        let mut skipped = 0;
        if now.saturating_duration_since(self.began) >= SECOND {
            skipped = std::mem::take(&mut self.skipped);
            (self.began, self.lines) = (now, 0);
        }
        let may = self.lines < LINES;
        if may {
            self.lines = self.lines.saturating_add(1);
        } else {
            self.skipped = self.skipped.saturating_add(1);
        }
        (may, skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_events_is_counted_and_not_written() {
        let now = Instant::now();
        let mut log = EventLog::new(now);
        let written = (0..1_000).filter(|_| log.take(now).0).count();
        assert_eq!(written, usize::try_from(LINES).unwrap());
        assert_eq!(log.take(now + SECOND), (true, 1_000 - u64::from(LINES)));
        assert_eq!(log.take(now + SECOND), (true, 0));
    }
}
