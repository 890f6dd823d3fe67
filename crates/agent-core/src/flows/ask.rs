//! Asks the pool for hosts.

use vipnode_types::{
    Ms,
    wire::{AskRequest, ErrorCode, Side, WireError},
};

use crate::{
    Action, AgentCore, Notice, PoolAnswer, limits,
    pool::session::{Request, retry_ms},
};

impl AgentCore {
    /// Returns how many of the wanted hosts are missing.
    pub(crate) fn missing_hosts(&self) -> u32 {
        self.config.min_peers.saturating_sub(self.leases.running(Side::Client))
    }

    fn asks_now(&self) -> bool {
        let may = self.session.is_live() && self.stopping.is_none() && self.node.is_up();
        may && self.asks.in_flight().is_none() && self.missing_hosts() > 0 && !self.waits_for_channel()
    }

    pub(crate) fn ask_due(&self) -> Option<Ms> {
        self.asks_now().then(|| self.asks.next())
    }

    /// Returns when the user is notified that hosts are still missing. The next answer of the pool can be minutes away.
    pub(crate) fn missing_due(&self) -> Option<Ms> {
        let may = self.session.is_live() && self.stopping.is_none() && self.missing_hosts() > 0;
        self.missing_hosts.late_due().filter(|_| may)
    }

    pub(crate) fn missing_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.missing_due().is_some_and(|due| due <= now) {
            let missing = self.missing_hosts();
            let retry_ms = self.failed_hosts.retry_ms(now);
            out.extend(self.missing_hosts.announce_late(now, missing, retry_ms).map(Action::Notice));
        }
    }

    pub(crate) fn send_ask(&mut self, now: Ms, out: &mut Vec<Action>) {
        if !self.asks_now() || now < self.asks.next() {
            return;
        }
        let tag = self.new_tag();
        self.asks.sent(Request { tag, sent: now });
        let ask = AskRequest { want: self.config.min_peers, avoid: self.failed_hosts.avoided(now) };
        let request = self.dialect.ask(ask, self.missing_hosts(), self.node.facts());
        out.push(Action::Pool { tag, request });
    }

    pub(crate) fn ask_answered(&mut self, now: Ms, answer: Result<PoolAnswer, WireError>, out: &mut Vec<Action>) {
        let missing = self.missing_hosts();
        let answer = self.dialect.ask_reply(answer, missing, |host| self.failed_hosts.avoids(host, self.now));
        self.asks.answered();
        let wait_ms = match answer {
            Ok(reply) => {
                self.asks.accepted();
                let before = self.leases.running(Side::Client);
                for leased in reply.hosts.into_iter().take(limits::REPLY_HOSTS) {
                    // A slot with any problem is left at once.
                    let _refused = self.take_host(now, leased, out);
                }
                if self.leases.running(Side::Client) > before {
                    self.asks.succeeded();
                }
                // A pool may name more than were asked for.
                let missing = reply.missing.min(self.config.min_peers);
                let retry_ms = self.failed_hosts.retry_ms(now);
                out.extend(self.missing_hosts.answered(now, missing, reply.reason, retry_ms).map(Action::Notice));
                self.asks.next_wait_ms(&mut self.rng)
            }
            Err(error) => {
                let wait_ms = retry_ms(&error).unwrap_or(limits::BACKOFF_MOST_MS);
                let wait_ms = wait_ms.max(self.asks.refused(&mut self.rng));
                if error.is(ErrorCode::PaymentRequired) {
                    self.missing_hosts.refused_unpaid(&error.message);
                }
                out.push(Action::Notice(Notice::PoolRefused(error)));
                wait_ms
            }
        };
        self.asks.wait_until(now.plus(wait_ms.max(limits::ASK_LEAST_MS)));
    }
}
