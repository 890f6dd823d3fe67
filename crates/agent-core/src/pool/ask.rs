use vipnode_types::{
    Ms,
    wire::{AskReply, AskRequest, Side, WireError},
};

use crate::{
    Action, AgentCore, Notice, RequestTag, ToPool, limits,
    pool::backoff::Backoff,
    pool::link::{Request, retry_ms},
};

/// Asking the pool for hosts: one ask in flight, further ones after a wait that grows while the pool
/// has none.
#[derive(Debug, Clone)]
pub(crate) struct Asks {
    in_flight: Option<Request>,
    /// Not before.
    next: Ms,
    last: Option<Ms>,
    backoff: Backoff,
    /// What was last said to the user of missing hosts.
    said: Option<(u32, String)>,
}

impl Default for Asks {
    fn default() -> Self {
        let backoff = Backoff::new(limits::ASK_FIRST_MS, limits::BACKOFF_MOST_MS);
        Self { in_flight: None, next: Ms::ZERO, last: None, backoff, said: None }
    }
}

impl Asks {
    pub(crate) const fn in_flight(&self) -> Option<Request> {
        self.in_flight
    }

    pub(crate) fn is(&self, tag: RequestTag) -> bool {
        self.in_flight.is_some_and(|request| request.tag == tag)
    }

    pub(crate) fn new_socket(&mut self, now: Ms) {
        self.next = now;
        self.last = None;
    }

    pub(crate) fn lose_socket(&mut self) {
        self.in_flight = None;
    }

    /// Why hosts are missing, as the pool last said it.
    pub(crate) fn why_missing(&self) -> Option<&str> {
        self.said.as_ref().map(|(_, why)| why.as_str()).filter(|why| !why.is_empty())
    }

    /// A place was lost or an avoided host is new: ask again soon, though not in a storm.
    pub(crate) fn soon(&mut self, now: Ms) {
        let least = self.last.map_or(now, |last| last.plus(limits::ASK_LEAST_MS));
        self.next = self.next.min(least.max(now));
    }
}

impl AgentCore {
    /// Hosts that are missing to those wanted.
    pub(crate) fn missing_hosts(&self) -> u32 {
        self.config.min_peers.saturating_sub(self.leases.running(Side::Client))
    }

    fn asks_now(&self) -> bool {
        self.link.is_live()
            && self.stopping.is_none()
            && self.node.up
            && self.asks.in_flight.is_none()
            && self.missing_hosts() > 0
    }

    pub(crate) fn ask_due(&self) -> Option<Ms> {
        self.asks_now().then_some(self.asks.next)
    }

    pub(crate) fn say_ask(&mut self, now: Ms, out: &mut Vec<Action>) {
        if !self.asks_now() || now < self.asks.next {
            return;
        }
        let tag = self.new_tag();
        self.asks.in_flight = Some(Request { tag, sent: now });
        self.asks.last = Some(now);
        let avoid = self.avoid.list(now);
        let request = match self.protocol2 {
            Some(_) => self.peer_request(avoid.len()),
            None => ToPool::Ask(AskRequest { want: self.config.min_peers, avoid }),
        };
        out.push(Action::Pool { tag, request });
    }

    pub(crate) fn ask_answered(&mut self, now: Ms, answer: Result<AskReply, WireError>, out: &mut Vec<Action>) {
        self.asks.in_flight = None;
        let wait_ms = match answer {
            Ok(reply) => {
                let before = self.leases.running(Side::Client);
                for grant in reply.hosts.into_iter().take(limits::REPLY_HOSTS) {
                    // Whatever is wrong with a place, it is left there and then.
                    let _refused = self.take_host(now, grant, out);
                }
                if self.leases.running(Side::Client) > before {
                    self.asks.backoff.reset();
                }
                self.say_missing(reply.missing, reply.reason, out);
                self.asks.backoff.next_ms(&mut self.rng).max(limits::ASK_LEAST_MS)
            }
            Err(error) => {
                let wait_ms = retry_ms(&error).unwrap_or(limits::BACKOFF_MOST_MS);
                out.push(Action::Notice(Notice::PoolRefused(error)));
                wait_ms.max(limits::ASK_LEAST_MS)
            }
        };
        self.asks.next = now.plus(wait_ms);
    }

    fn say_missing(&mut self, missing: u32, why: Option<String>, out: &mut Vec<Action>) {
        let news = (missing > 0).then(|| (missing, why.unwrap_or_default()));
        if news == self.asks.said {
            return;
        }
        self.asks.said.clone_from(&news);
        if let Some((missing, why)) = news {
            out.push(Action::Notice(Notice::HostsMissing { missing, why }));
        }
    }
}
