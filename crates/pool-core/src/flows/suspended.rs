use vipnode_types::{
    Ms,
    protocol2::{Call, PeerReply, Protocol2Reply, Update},
    wire::{ReportReply, ReportRequest, Side},
};

use super::protocol2::{Protocol2Caller, reply};
use crate::{Command, ConnectionId, Core, Effect, Reply, RequestId, output::Output};

/// What a core does with a command while nothing can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhileSuspended {
    /// It is done; the effects have the answer, if it has one.
    Handled,
    /// It has to be refused: the caller may repeat it later.
    Busy,
    /// It has to be passed to [`Core::handle`] later.
    Later(Command),
}

impl Core {
    /// Handles a command while nothing can be stored: no lease begins or ends, and no time is metered but what both sides
    /// are known to have seen. Pool time does not pass.
    ///
    /// Agents of protocol 2 end at an error. They are answered from memory, and get no hosts; those that connect wait.
    pub fn handle_suspended(&mut self, now: Ms, command: Command, out: &mut Vec<Effect>) -> WhileSuspended {
        let mut output = Output::new(now.max(self.clock.now()));
        let done = self.suspended(&mut output, command);
        output.finish(out);
        done
    }

    fn suspended(&mut self, output: &mut Output, command: Command) -> WhileSuspended {
        match command {
            Command::Report { connection, request, report } => {
                return self.report_suspended(output, (connection, request), &report);
            }
            // An error would end the original's agent.
            Command::Protocol2 { call: Call::Connect(_) | Call::Host(_) | Call::Client(_), .. } => {
                return WhileSuspended::Later(command);
            }
            Command::Protocol2 { connection, request, node, nonce, address, callable, call } => {
                let caller = Protocol2Caller { connection, node, nonce, address, callable };
                self.protocol2_suspended(output, &caller, request, call);
            }
            Command::Explain { connection, request } => self.explain(output, connection, request),
            Command::Status { connection, request } => self.status(output, connection, request),
            Command::Latency { connection, rtt_us } => self.latency(connection, rtt_us),
            Command::Disconnected { connection } if self.agents.at(connection).is_none() => {}
            // At most one for each agent, and what the operator orders.
            Command::Disconnected { .. } | Command::Expel { .. } | Command::Chain(_) => {
                return WhileSuspended::Later(command);
            }
            Command::CallDone { .. } | Command::Tick => {}
            Command::Connect { .. }
            | Command::CheckConnect { .. }
            | Command::Ask { .. }
            | Command::Leave { .. }
            | Command::Link { .. }
            | Command::Account { .. }
            | Command::Payout { .. }
            | Command::Funds { .. }
            | Command::Voucher { .. }
            | Command::Ledger { .. }
            | Command::Price { .. }
            | Command::Epoch { .. }
            | Command::Bye { .. } => return WhileSuspended::Busy,
        }
        WhileSuspended::Handled
    }

    /// Notes a report without changes. Another one waits: its agent repeats it.
    fn report_suspended(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        report: &ReportRequest,
    ) -> WhileSuspended {
        let Some(index) = self.agents.at(connection) else { return WhileSuspended::Busy };
        let same = self.agents.get(index).is_some_and(|node| report.hash.is_none_or(|hash| hash == node.hash()));
        let unchanged = report.full.is_none() && report.up.is_empty() && report.down.is_empty();
        if !same || !unchanged {
            return WhileSuspended::Busy;
        }
        self.agents.seen_now(index, output.now);
        output.reply(connection, request, Ok(Reply::Report(ReportReply::default())));
        WhileSuspended::Handled
    }

    fn protocol2_suspended(&mut self, output: &mut Output, caller: &Protocol2Caller, request: RequestId, call: Call) {
        let answer = self.connected2(caller).map(|index| match call {
            Call::Update(update) => Protocol2Reply::Update(self.update2_suspended(output.now, index, update)),
            _ => Protocol2Reply::Peer(PeerReply { peers: Vec::new() }),
        });
        let answer = answer.map(reply).map_err(vipnode_types::wire::WireError::for_protocol2);
        output.reply(caller.connection, request, answer);
    }

    /// Notes an update that names all peers that the node saw last. If one is missing, the time until the store works again
    /// does not count.
    fn update2_suspended(&mut self, now: Ms, index: u32, update: Update) -> vipnode_types::protocol2::UpdateReply {
        self.agents.set_head(index, update.block_number);
        let mut peers = update.peers;
        peers.sort_unstable();
        let sees_all = self.leases.of(index).into_iter().all(|(lease, side): (u32, Side)| {
            let Some(lease) = self.leases.get(lease).filter(|lease| lease.sees(side)) else { return true };
            self.agents.id(lease.node(side.other())).is_some_and(|other| peers.binary_search(&other).is_ok())
        });
        if sees_all {
            self.agents.seen_now(index, now);
        }
        self.peers_of(index, Vec::new())
    }
}
