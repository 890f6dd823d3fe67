use std::net::IpAddr;

use rand_chacha::ChaCha8Rng;
use vipnode_types::{
    AddressScope, Ms, PaymentMode, PoolId, Price, TypedError,
    wire::{ErrorCode, NextPrice, PaymentTerms, PayoutView, WireError},
};

use super::{backoff::Backoff, displacements::Displacements, pool_loss::PoolLoss};
use crate::{PoolState, RequestTag, limits, policy::dialable::dialed_from};

/// The connection of the agent to its pool.
#[derive(Debug, Clone)]
pub(crate) struct PoolSession {
    state: SessionState,
    /// What is shown while no socket is open.
    disconnected_as: PoolState,
    /// Why the agent is not connected; `None` while it is, and before the first failure.
    loss: Option<PoolLoss>,
    /// Number of the newest socket.
    socket: u64,
    backoff: Backoff,
    displacements: Displacements,
    /// The pool has accepted this agent before.
    accepted_before: bool,
    /// In which state, and because of which kind of error, the user was last notified that the pool is not connected; `None`
    /// while it is.
    announced_loss: Option<(PoolState, String)>,
    price: Option<Price>,
    /// The price that the pool announced last.
    next_price: Option<NextPrice>,
    /// The pool's fee, in basis points of the price.
    fee_bps: u16,
    /// How clients of the pool pay; `None` until the pool reports it.
    terms: Option<PaymentTerms>,
    pool_id: Option<PoolId>,
    /// The account that receives what a host earns.
    payout: Option<PayoutView>,
    /// When the client's free trial ends, as the pool last reported.
    trial_ends: Option<Ms>,
    /// The user was notified that the client is in its free trial.
    trial_announced: bool,
    /// How far the address reaches at which the pool was reached: the pool may have the node dial no nearer ones.
    dialed_from: AddressScope,
}

/// The state of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionState {
    /// No socket.
    Disconnected,
    /// Open; nothing was sent yet, because the node is not known.
    Open,
    /// A connect was sent.
    Connecting(Request),
    /// The pool accepted the agent.
    Live { since: Ms, interval_ms: u64 },
}

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) tag: RequestTag,
    pub(crate) sent: Ms,
}

impl Request {
    /// When the socket counts as half-open if an answer may take `request_ms`.
    pub(crate) const fn due(self, request_ms: u64) -> Ms {
        self.sent.plus(request_ms)
    }
}

impl Default for PoolSession {
    fn default() -> Self {
        Self {
            state: SessionState::Disconnected,
            disconnected_as: PoolState::Connecting,
            loss: None,
            socket: 0,
            backoff: Backoff::default(),
            displacements: Displacements::default(),
            accepted_before: false,
            announced_loss: None,
            price: None,
            next_price: None,
            fee_bps: 0,
            terms: None,
            pool_id: None,
            payout: None,
            trial_ends: None,
            trial_announced: false,
            dialed_from: AddressScope::Public,
        }
    }
}

impl PoolSession {
    /// Whether the pool has accepted the agent on the open socket.
    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.state, SessionState::Live { .. })
    }

    /// Whether there is a socket on which nothing was sent.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, SessionState::Open)
    }

    pub(crate) const fn is_disconnected(&self) -> bool {
        matches!(self.state, SessionState::Disconnected)
    }

    /// Returns the report interval, in milliseconds, while the session is live.
    pub(crate) const fn interval_ms(&self) -> Option<u64> {
        match self.state {
            SessionState::Live { interval_ms, .. } => Some(interval_ms),
            _ => None,
        }
    }

    /// Returns the number of the newest socket.
    pub(crate) const fn socket(&self) -> u64 {
        self.socket
    }

    /// Whether the pool has accepted this agent before.
    pub(crate) const fn was_accepted(&self) -> bool {
        self.accepted_before
    }

    /// Returns the price of a slot, as last reported by the pool.
    pub(crate) const fn price(&self) -> Option<Price> {
        self.price
    }

    /// Returns what a host gets of the price, after the pool's fee.
    pub(crate) fn price_after_fee(&self) -> Option<Price> {
        self.price.map(|price| price.less_fee(self.fee_bps))
    }

    /// Returns the pool's fee, in basis points of the price.
    pub(crate) const fn fee_bps(&self) -> u16 {
        self.fee_bps
    }

    /// Returns how clients of the pool pay, as of the last connect; `None` until the pool reports it.
    pub(crate) const fn terms(&self) -> Option<PaymentTerms> {
        self.terms
    }

    /// Returns how clients of the pool pay.
    pub(crate) fn payment(&self) -> PaymentMode {
        self.terms.map(|terms| terms.payment).unwrap_or_default()
    }

    /// Returns the price that the pool announced, as last reported by the pool.
    pub(crate) const fn next_price(&self) -> Option<NextPrice> {
        self.next_price
    }

    /// Records the price that the pool announced. Returns the one before.
    pub(crate) const fn set_next_price(&mut self, next: Option<NextPrice>) -> Option<NextPrice> {
        std::mem::replace(&mut self.next_price, next)
    }

    /// Records that the pool's price changed, or its fee; an older pool does not name the fee.
    pub(crate) fn set_price(&mut self, price: Price, fee_bps: Option<u16>) {
        self.price = Some(price);
        self.fee_bps = fee_bps.unwrap_or(self.fee_bps);
    }

    /// Returns the pool's ID, as of the last connect; `None` for a pool without one.
    pub(crate) const fn pool_id(&self) -> Option<PoolId> {
        self.pool_id
    }

    /// Returns the account that receives what a host earns, as last reported by the pool.
    pub(crate) const fn payout(&self) -> Option<PayoutView> {
        self.payout
    }

    /// Whether the pool has an account to which it pays what the host earns.
    pub(crate) const fn has_payout(&self) -> bool {
        self.payout.is_some()
    }

    /// Records that account. Returns the one before.
    pub(crate) const fn set_payout(&mut self, payout: Option<PayoutView>) -> Option<PayoutView> {
        std::mem::replace(&mut self.payout, payout)
    }

    /// The narrowest scope of addresses that the pool may have the node dial, by the address that the open connection leads to.
    pub(crate) const fn dialed_from(&self) -> AddressScope {
        self.dialed_from
    }

    /// Records the address that the open connection leads to.
    pub(crate) fn reached_at(&mut self, address: IpAddr) {
        self.dialed_from = dialed_from(address);
    }

    /// Records when the client's free trial ends, as the pool reports it.
    pub(crate) const fn trial_ends_at(&mut self, ends: Ms) {
        self.trial_ends = Some(ends);
    }

    /// Returns when the client's free trial ends, as the pool last reported; also once it is over.
    pub(crate) const fn trial_ends(&self) -> Option<Ms> {
        self.trial_ends
    }

    /// Records that the user is notified that the client is in its free trial. Returns whether that is new.
    pub(crate) const fn announce_trial(&mut self) -> bool {
        !std::mem::replace(&mut self.trial_announced, true)
    }

    pub(crate) const fn state(&self) -> PoolState {
        match self.state {
            SessionState::Disconnected => self.disconnected_as,
            SessionState::Open | SessionState::Connecting(_) => PoolState::Connecting,
            SessionState::Live { .. } => PoolState::Joined,
        }
    }

    /// Returns when the pool accepted the agent, while the session is live.
    pub(crate) const fn joined(&self) -> Option<Ms> {
        match self.state {
            SessionState::Live { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Returns the connect that waits for its answer.
    pub(crate) const fn connecting(&self) -> Option<Request> {
        match self.state {
            SessionState::Connecting(request) => Some(request),
            _ => None,
        }
    }

    /// Records that a socket is open.
    pub(crate) const fn opened(&mut self) {
        self.socket = self.socket.saturating_add(1);
        self.state = SessionState::Open;
    }

    /// Records that a connect was sent.
    pub(crate) const fn connect_sent(&mut self, request: Request) {
        self.state = SessionState::Connecting(request);
    }

    /// Records that the pool accepted the agent, with the report interval in milliseconds.
    pub(crate) fn accepted(
        &mut self,
        now: Ms,
        interval_ms: u64,
        (price, fee_bps, terms): (Option<Price>, u16, Option<PaymentTerms>),
        pool_id: Option<PoolId>,
    ) {
        let interval_ms = interval_ms.clamp(limits::INTERVAL_LEAST_MS, limits::INTERVAL_MOST_MS);
        self.state = SessionState::Live { since: now, interval_ms };
        self.accepted_before = true;
        self.disconnected_as = PoolState::Disconnected;
        self.announced_loss = None;
        self.loss = None;
        self.price = price;
        self.fee_bps = fee_bps;
        self.terms = terms;
        self.pool_id = pool_id;
    }

    /// Records that the socket was closed. Returns whether the pool had accepted the agent on it.
    pub(crate) fn closed(&mut self, now: Ms) -> bool {
        if matches!(self.state, SessionState::Live { since, .. } if now.since(since) >= limits::GOOD_MS) {
            self.backoff.reset();
        }
        let live = self.is_live();
        self.dialed_from = AddressScope::Public;
        self.state = SessionState::Disconnected;
        live
    }

    /// Records why no socket is open.
    pub(crate) fn disconnected_because(&mut self, now: Ms, state: PoolState, why: &str) {
        self.disconnected_as = state;
        self.loss = Some(PoolLoss::again(self.loss.take(), now, why));
    }

    /// Records when the agent opens the next socket.
    pub(crate) const fn retries_at(&mut self, retry: Ms) {
        if let Some(loss) = &mut self.loss {
            loss.retry = Some(retry);
        }
    }

    /// Why the agent is not connected; `None` while it is, and before the first failure.
    pub(crate) const fn loss(&self) -> Option<&PoolLoss> {
        self.loss.as_ref()
    }

    /// Records that the user is notified why the pool is not connected. Returns whether that is new: another state, or another
    /// kind of error.
    pub(crate) fn announce_loss(&mut self, state: PoolState, why: &dyn TypedError) -> bool {
        let loss = Some((state, why.kind()));
        let news = self.announced_loss != loss;
        self.announced_loss = loss;
        news
    }

    /// Records which open connection of the same node the pool closed for this one. Returns the address of another agent with
    /// the same key if there is one.
    pub(crate) fn replaced(&mut self, now: Ms, other: Option<IpAddr>) -> Option<IpAddr> {
        self.displacements.connected(now, other)
    }

    /// Returns how long to wait after a lost socket, in milliseconds.
    pub(crate) fn wait_after_loss_ms(&mut self, now: Ms, rng: &mut ChaCha8Rng) -> u64 {
        self.displacements.wait_ms(now, rng).unwrap_or_else(|| self.backoff.next_ms(rng))
    }

    /// Returns how long to wait before the next socket, in milliseconds.
    pub(crate) fn next_wait_ms(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        self.backoff.next_ms(rng)
    }
}

/// Returns the wait that the pool requested, clamped. A pool that requests no wait at all gets a request a second at most.
pub(crate) fn retry_ms(error: &WireError) -> Option<u64> {
    let asked = error.data.as_ref().and_then(|data| data.retry_ms);
    let asked = asked.or_else(|| error.is(ErrorCode::Busy).then_some(limits::BACKOFF_FIRST_MS));
    asked.map(|ms| ms.clamp(limits::RETRY_LEAST_MS, limits::RETRY_MOST_MS))
}
