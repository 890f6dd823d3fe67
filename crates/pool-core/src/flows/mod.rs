//! What crosses owners: one file for each command, and for what follows from it. A flow asks the owners (agents,
//! matching, leases, metering) in order and hands each what it needs of another. It may call everything; nothing
//! but `core` calls it. State never lives here.

mod ask;
mod call;
mod call_done;
mod close_row;
mod connect;
mod connection;
mod end_lease;
mod explain;
mod forget_nodes;
mod invariants;
mod leave;
mod offer;
mod pair_presence;
mod protocol2;
mod reload;
mod report;
mod restore;
mod rollover;
mod silence;
mod status;
mod tick;

use self::protocol2::Protocol2Caller;
use crate::{Command, Core, output::Output};

/// What the pool calls itself.
const POOL_VERSION: &str = concat!("vipnode/", env!("CARGO_PKG_VERSION"));

impl Core {
    pub(crate) fn dispatch(&mut self, output: &mut Output, command: Command) {
        match command {
            Command::Connect { connection: peer, request, identity, address, callable, hello } => {
                self.connect(output, (peer, request), &identity, (address, callable), &hello);
            }
            Command::Report { connection: peer, request, report } => self.report(output, peer, request, &report),
            Command::Ask { connection: peer, request, ask } => self.ask(output, peer, request, &ask),
            Command::Explain { connection: peer, request } => self.explain(output, peer, request),
            Command::Leave { connection: peer, request, leave } => self.leave(output, peer, request, &leave),
            Command::Bye { connection: peer, request } => self.bye(output, peer, request),
            Command::Protocol2 { connection: peer, request, node, nonce, address, callable, call } => {
                let caller = Protocol2Caller { connection: peer, node, nonce, address, callable };
                self.protocol2(output, &caller, request, call);
            }
            Command::Status { connection: peer, request } => self.status(output, peer, request),
            Command::CallDone { call, outcome } => self.call_done(output, call, &outcome),
            Command::Latency { connection: peer, rtt_us } => self.latency(peer, rtt_us),
            Command::Disconnected { connection: peer } => self.disconnected(output, peer),
            Command::Tick => self.tick(output),
        }
    }
}
