use vipnode_types::{
    Ms, Price,
    wire::{ConnectReply, ErrorCode, WireError},
};

use crate::{Action, AgentCore, Notice, PoolAnswer, RequestTag, ToPool, limits, pool::backoff::Backoff};

/// Where the agent stands with its pool.
#[derive(Debug, Clone)]
pub(crate) struct PoolLink {
    pub(crate) state: LinkState,
    /// How many sockets there were.
    pub(crate) socket: u64,
    pub(crate) backoff: Backoff,
    /// The pool took this agent once.
    pub(crate) taken_before: bool,
    pub(crate) away_said: bool,
    pub(crate) price: Option<Price>,
}

/// What the socket is good for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// There is none.
    Away,
    /// Nothing was said on it: the node is not known yet.
    Open,
    /// The pool was asked to take the agent.
    Connecting(Request),
    /// The pool took it.
    Live { since: Ms, interval_ms: u64 },
}

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) tag: RequestTag,
    pub(crate) sent: Ms,
}

impl Request {
    /// Past this the socket is taken for half-open.
    pub(crate) const fn due(self) -> Ms {
        self.sent.plus(limits::REQUEST_MS)
    }
}

impl Default for PoolLink {
    fn default() -> Self {
        Self {
            state: LinkState::Away,
            socket: 0,
            backoff: Backoff::new(limits::BACKOFF_FIRST_MS, limits::BACKOFF_MOST_MS),
            taken_before: false,
            away_said: false,
            price: None,
        }
    }
}

impl PoolLink {
    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.state, LinkState::Live { .. })
    }
}

impl AgentCore {
    pub(crate) fn pool_open(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_some() {
            return;
        }
        self.forget_socket(now);
        self.link.socket = self.link.socket.saturating_add(1);
        self.link.state = LinkState::Open;
        self.present(now, false, out);
    }

    /// Presents the agent as soon as both socket and node are there, and again where it is `another`.
    pub(crate) fn present(&mut self, now: Ms, another: bool, out: &mut Vec<Action>) {
        match self.link.state {
            LinkState::Away => {}
            LinkState::Open => {
                let request = match self.protocol2 {
                    Some(_) => self.hello_of_original(),
                    None => self.hello(now).map(|hello| ToPool::Connect(Box::new(hello))),
                };
                let Some(request) = request else { return };
                let tag = self.new_tag();
                self.link.state = LinkState::Connecting(Request { tag, sent: now });
                self.reports.slots_said(self.config.host.as_ref().map(|_| self.offer(now).0));
                out.push(Action::Pool { tag, request });
            }
            LinkState::Connecting(_) | LinkState::Live { .. } if another => self.reconnect(now, 0, out),
            LinkState::Connecting(_) | LinkState::Live { .. } => {}
        }
    }

    /// The pool's absence ends nothing: leases stay as they are (fail static).
    pub(crate) fn pool_lost(&mut self, now: Ms, why: String, out: &mut Vec<Action>) {
        self.say_away(why, out);
        self.forget_socket(now);
        self.reconnect_later(out);
    }

    pub(crate) fn pool_answers(
        &mut self,
        now: Ms,
        tag: RequestTag,
        answer: Result<PoolAnswer, WireError>,
        out: &mut Vec<Action>,
    ) {
        if matches!(self.link.state, LinkState::Connecting(request) if request.tag == tag) {
            match answer.and_then(|answer| self.connect_reply(answer)) {
                Ok(reply) => self.taken(now, reply, out),
                Err(error) => self.not_taken(now, error, out),
            }
        } else if self.reports.is(tag) {
            let answer = answer.and_then(|answer| self.report_reply(now, answer, out));
            self.report_answered(now, answer, out);
        } else if self.asks.is(tag) {
            let answer = self.ask_reply(answer);
            self.ask_answered(now, answer, out);
        } else if !self.leaving.answered(tag) {
            // An answer to a request of an old socket falls through: it changes nothing.
            self.bye_answered(tag);
        }
    }

    fn taken(&mut self, now: Ms, reply: ConnectReply, out: &mut Vec<Action>) {
        let interval_ms = reply.report_interval_ms.clamp(limits::INTERVAL_LEAST_MS, limits::INTERVAL_MOST_MS);
        self.link.state = LinkState::Live { since: now, interval_ms };
        self.link.taken_before = true;
        self.link.away_said = false;
        self.link.price = self.protocol2.is_none().then_some(reply.price);
        out.push(Action::Notice(Notice::Connected { welcome: reply.welcome, price: self.link.price }));
        self.reports.new_socket(now);
        self.asks.new_socket(now);
        self.reconcile(now, &reply.leases, out);
    }

    /// The pool said no to the agent itself.
    pub(crate) fn not_taken(&mut self, now: Ms, error: WireError, out: &mut Vec<Action>) {
        let lasting = [ErrorCode::Unauthorized, ErrorCode::NotMember, ErrorCode::Unsuitable];
        let stranger = self.protocol2.is_some() && error.is(ErrorCode::MethodNotFound);
        let error = if stranger { speaks_no_protocol_2(&error) } else { error };
        // On protocol 2 a pool of ours has no code for it, but says how to fix it, and not when to try again.
        let explained = |error: &WireError| error.data.as_ref().is_some_and(|data| data.retry_ms.is_none());
        let explained = error.is(ErrorCode::Server) && explained(&error);
        let lasting = stranger || explained || lasting.into_iter().any(|code| error.is(code));
        out.push(Action::Notice(Notice::PoolRefused(error.clone())));
        if lasting && !self.link.taken_before {
            self.forget_socket(now);
            self.stop_because(now, Some(error), out);
        } else if lasting {
            self.reconnect(now, limits::REFUSED_MS, out);
        } else if let Some(retry_ms) = retry_ms(&error) {
            let jitter_ms = crate::pool::backoff::up_to(limits::BACKOFF_FIRST_MS, &mut self.rng);
            self.reconnect(now, retry_ms.saturating_add(jitter_ms), out);
        } else {
            self.forget_socket(now);
            self.reconnect_later(out);
        }
    }

    /// A request without an answer means a half-open socket (D40).
    pub(crate) fn link_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.requests().any(|request| request.due() <= now) {
            let why = format!("no answer within {} s", limits::REQUEST_MS / 1_000);
            self.say_away(why, out);
            self.forget_socket(now);
            self.reconnect_later(out);
        }
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = Request> {
        let connect = match self.link.state {
            LinkState::Connecting(request) => Some(request),
            _ => None,
        };
        [connect, self.reports.in_flight(), self.asks.in_flight(), self.leaving.in_flight()].into_iter().flatten()
    }

    /// When something towards the pool is due.
    pub(crate) fn pool_due(&self) -> impl Iterator<Item = Ms> {
        let requests = self.requests().map(Request::due);
        requests.chain(self.report_due()).chain(self.ask_due())
    }

    /// Says to the pool what is to be said, in the order in which it makes sense to it.
    pub(crate) fn speak(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.stopping.is_none() && self.link.is_live() {
            self.say_report(now, out);
            self.say_leave(now, out);
            self.say_ask(now, out);
        }
    }

    fn say_away(&mut self, why: String, out: &mut Vec<Action>) {
        if !std::mem::replace(&mut self.link.away_said, true) {
            out.push(Action::Notice(Notice::PoolAway { why }));
        }
    }

    fn reconnect(&mut self, now: Ms, after_ms: u64, out: &mut Vec<Action>) {
        self.forget_socket(now);
        if self.stopping.is_none() {
            out.push(Action::Reconnect { after_ms });
        }
    }

    fn reconnect_later(&mut self, out: &mut Vec<Action>) {
        if self.stopping.is_none() {
            let after_ms = self.link.backoff.next_ms(&mut self.rng);
            out.push(Action::Reconnect { after_ms });
        }
    }

    /// Whatever waits for an answer on the old socket, on either side, waits no more.
    pub(crate) fn forget_socket(&mut self, now: Ms) {
        if matches!(self.link.state, LinkState::Live { since, .. } if now.since(since) >= limits::GOOD_MS) {
            self.link.backoff.reset();
        }
        if self.link.is_live() {
            self.counters.pool_lost();
        }
        self.link.state = LinkState::Away;
        let lost = self.reports.lose_socket();
        self.unsay_blinks(&lost);
        self.asks.lose_socket();
        self.leaving.clear();
        self.bye_lost();
        for lease in self.leases.iter_mut() {
            lease.waiting.clear();
            if let Some(dial) = &mut lease.dial {
                dial.waiting.clear();
            }
            if let Some(over) = &mut lease.over {
                over.waiting.clear();
            }
        }
    }
}

fn speaks_no_protocol_2(error: &WireError) -> WireError {
    let text = format!("the pool does not speak protocol 2: {}", error.message);
    WireError::new(ErrorCode::MethodNotFound, text, "leave out --protocol 2, or check the pool's address")
}

pub(crate) fn odd() -> WireError {
    WireError::new(ErrorCode::Internal, "the pool answered something else than was asked", "")
}

/// How long the pool asks to wait, held to a bound.
pub(crate) fn retry_ms(error: &WireError) -> Option<u64> {
    let asked = error.data.as_ref().and_then(|data| data.retry_ms);
    let asked = asked.or_else(|| error.is(ErrorCode::Busy).then_some(limits::BACKOFF_FIRST_MS));
    asked.map(|ms| ms.min(limits::RETRY_MOST_MS))
}
