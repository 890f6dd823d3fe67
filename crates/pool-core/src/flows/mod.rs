//! Operations that involve more than one owner: one file per command, and per consequence of commands. A flow calls the
//! owners (agents, matching, leases, metering, ledger) in order and passes each what it needs from another. It may call
//! everything; only `core` calls it. Flows have no state.

mod accepted_clock;
mod account_link;
mod account_view;
mod admin;
mod ask;
mod call;
mod call_done;
mod check_connect;
mod close_period;
mod connect;
mod connection;
mod displacement;
mod end_lease;
mod epoch;
mod explain;
mod extra_hosts;
mod final_part;
mod forget_nodes;
mod funds;
mod invariants;
mod leave;
mod ledger_change;
mod offer;
mod offer_due;
mod pair_reports;
mod payment;
mod payout;
mod price;
mod protocol2;
mod prove_running;
mod reattach;
mod reload;
mod report;
pub(crate) mod restore;
mod restored_backup;
mod rollover;
mod silence;
mod status;
pub(crate) mod suspended;
mod tick;
mod trial;
mod voucher;

use self::protocol2::Protocol2Caller;
use crate::{Command, Core, output::Output};

/// The version that the pool reports.
const POOL_VERSION: &str = concat!("vipnode/", env!("CARGO_PKG_VERSION"));

impl Core {
    pub(crate) fn dispatch(&mut self, output: &mut Output, command: Command) {
        match command {
            Command::Connect { connection, request, identity, address, callable, hello } => {
                self.connect(output, (connection, request), &identity, (address, callable), &hello);
            }
            Command::CheckConnect { connection, request, identity, address, hello } => {
                self.check_connect(output, (connection, request), (&identity, address), &hello);
            }
            Command::Report { connection, request, report } => self.report(output, connection, request, &report),
            Command::Ask { connection, request, ask } => self.ask(output, connection, request, &ask),
            Command::Explain { connection, request } => self.explain(output, connection, request),
            Command::Leave { connection, request, leave } => self.leave(output, connection, request, &leave),
            Command::Bye { connection, request } => self.bye(output, connection, request),
            Command::Protocol2 { connection, request, node, nonce, address, callable, call } => {
                let caller = Protocol2Caller { connection, node, nonce, address, callable };
                self.protocol2(output, &caller, request, call);
            }
            Command::Status { connection, request } => self.status(output, connection, request),
            Command::CallDone { call, outcome } => self.call_done(output, call, &outcome),
            Command::Latency { connection, rtt_us } => self.latency(connection, rtt_us),
            Command::Disconnected { connection } => self.disconnected(output, connection),
            Command::Ledger { connection, request, change } => {
                self.change_ledger(output, (connection, request), *change);
            }
            Command::Price { connection, request, price, fee_bps } => {
                self.set_price(output, (connection, request), (price, fee_bps));
            }
            Command::Link { connection, request, address, link } => {
                self.link(output, (connection, request), address, link);
            }
            Command::Account { connection, request, address, account } => {
                self.account(output, (connection, request), address, account);
            }
            Command::Payout { connection, request, address, node, payout } => {
                self.payout(output, (connection, request), address, (node, payout));
            }
            Command::Funds { connection, request } => self.funds(output, connection, request),
            Command::Voucher { connection, request, voucher } => {
                self.voucher(output, (connection, request), &voucher);
            }
            Command::Epoch { connection, request, run } => self.epoch(output, (connection, request), run),
            Command::Chain(event) => self.chain_event(output, event),
            Command::Expel { node, reason } => self.expel(output, &node, reason),
            Command::Tick => self.tick(output),
        }
    }
}
