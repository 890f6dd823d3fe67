//! Pays from the client's payment channel: asks the pool what was metered, and signs ahead.

use vipnode_types::{
    Amount, Ms, PaymentMode, Price,
    payment::{ChannelId, ChannelTerms, Voucher},
    wire::{ChannelFunds, Side, WireError},
};

use crate::{
    Action, AgentCore, CannotPay, Notice, PayConfig, PoolAnswer, ToPool, VoucherRecord, limits,
    payment::channel_payments::ChannelStanding,
    pool::session::{Request, retry_ms},
};

/// The agent's own meter may be so much time behind the pool's, for each lease.
const TOLERANCE_MS: u64 = 5_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the pool charges, and how this agent pays it.
struct Paying {
    config: PayConfig,
    chain_id: u64,
    channel: ChannelId,
    price: Price,
    /// The most that may be signed for in a day.
    a_day: Amount,
}

impl Paying {
    /// How to pay a price from a channel at a pool with these terms.
    fn by(config: PayConfig, price: Price, terms: &ChannelTerms) -> Result<Self, CannotPay> {
        if config.chain_id != terms.chain_id {
            return Err(CannotPay::OtherChain { pool: terms.chain_id, channel: config.chain_id });
        }
        terms.check(&config.channel)?;
        let decimals = price.asset().decimals();
        if decimals != config.decimals {
            return Err(CannotPay::OtherDecimals { pool: decimals, token: config.decimals });
        }
        let per_day = config.max_spend.in_asset(price.asset()).map_err(|why| CannotPay::MaxSpend { why })?;
        Ok(Self {
            chain_id: terms.chain_id,
            channel: config.channel.id(terms.chain_id),
            a_day: per_day.cost(DAY_MS).unwrap_or(Amount::MAX),
            config,
            price,
        })
    }
}

impl AgentCore {
    /// Sets what earlier runs signed ([`Action::KeepVouchers`]). The caller calls this before the first event.
    pub fn restore_vouchers(&mut self, record: VoucherRecord) {
        self.payments.restore(record);
    }

    /// How the agent pays at the connected pool; an error if it cannot, `None` if it need not.
    fn paying(&self) -> Option<Result<Paying, CannotPay>> {
        let config = self.config.pay.clone().filter(|_| self.config.min_peers > 0 && self.session.is_live())?;
        let price = self.session.price().filter(|price| !price.is_free())?;
        let terms = self.session.terms().filter(|terms| terms.payment == PaymentMode::X402)?.channel;
        let paying = terms.ok_or(CannotPay::NoTerms).and_then(|terms| Paying::by(config, price, &terms));
        Some(paying)
    }

    /// Whether the client asks for hosts only after the pool took its voucher, because it would be refused before. A pool with free
    /// trials may serve it anyway, unless the voucher is about to be answered.
    pub(crate) fn waits_for_channel(&self) -> bool {
        let has_trial = self.session.terms().is_some_and(|terms| terms.trial_ms.is_some());
        self.paying().is_some()
            && match self.payments.standing() {
                ChannelStanding::Unknown => true,
                ChannelStanding::Accepted => false,
                ChannelStanding::Refused => !has_trial,
            }
    }

    /// When to ask the pool about the channel.
    pub(crate) fn pay_due(&self) -> Option<Ms> {
        let due = self.payments.due().filter(|_| self.stopping.is_none())?;
        self.paying().map(|_| due)
    }

    pub(crate) fn send_payment(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.pay_due().is_none_or(|due| due > now) {
            return;
        }
        match self.paying() {
            None => {}
            Some(Err(why)) => {
                self.payments.refused();
                if self.payments.notice() {
                    out.push(Action::Notice(Notice::CannotPay { why }));
                }
                self.payments.wait_until(now.plus(limits::BACKOFF_MOST_MS));
            }
            Some(Ok(_)) => {
                let tag = self.new_tag();
                self.payments.sent(Request { tag, sent: now });
                out.push(Action::Pool { tag, request: ToPool::Funds });
            }
        }
    }

    /// Handles the answer to a question about the funds, or to a voucher.
    pub(crate) fn payment_answered(&mut self, now: Ms, answer: Result<PoolAnswer, WireError>, out: &mut Vec<Action>) {
        match answer {
            Ok(PoolAnswer::Funds(funds)) => self.funds_answered(now, funds.channel, out),
            Ok(PoolAnswer::Voucher(funds)) => {
                self.payments.works();
                self.plan_payment(now, funds.signed);
                // What it has now may suffice for hosts.
                self.asks.wait_until(now);
            }
            Ok(_) => self.payments.wait_until(now.plus(limits::BACKOFF_MOST_MS)),
            Err(error) => {
                self.payments.refused();
                let wait_ms = retry_ms(&error).unwrap_or(limits::BACKOFF_MOST_MS).max(limits::ASK_LEAST_MS);
                if self.payments.notice() {
                    out.push(Action::Notice(Notice::PoolRefused(error)));
                }
                self.payments.wait_until(now.plus(wait_ms));
            }
        }
    }

    fn funds_answered(&mut self, now: Ms, funds: Option<ChannelFunds>, out: &mut Vec<Action>) {
        let Some(Ok(paying)) = self.paying() else {
            self.payments.wait_until(now.plus(limits::BACKOFF_MOST_MS));
            return;
        };
        let funds = funds.filter(|funds| funds.id == paying.channel);
        let mut record = self.payments.record(paying.channel);
        if let Some(funds) = funds.filter(|funds| funds.signed > record.signed) {
            // The agent lost its record: what it signed counts all the same, once it is shown to have signed it.
            let voucher = Voucher { channel: funds.id, max_claimable: funds.signed };
            if voucher.verify(paying.chain_id, &funds.signature, &paying.config.channel.payer_authorizer).is_ok() {
                record = self.payments.adopt(paying.channel, funds.signed, now);
                out.push(Action::KeepVouchers(record.clone()));
            }
        }
        let own = self.own_cost();
        self.payments.take_funds(funds.as_ref(), paying.channel, own);
        let pool = funds.map_or(Amount::ZERO, |funds| funds.metered);
        let ahead = self.cost_ahead(&paying, paying.config.ahead_ms, self.config.min_peers);
        let tolerance = self.cost_ahead(&paying, TOLERANCE_MS, 0);
        let next = self.payments.next_voucher(&record, (own, pool), tolerance, (ahead, paying.a_day), now);
        if next.is_limited && self.payments.notice() {
            out.push(Action::Notice(Notice::SpendLimit { max_spend: paying.config.max_spend.clone() }));
        }
        let pool_has = funds.is_some_and(|funds| funds.signed == record.signed);
        // A little more is not worth a signature.
        let more = next.amount.checked_sub(record.signed).unwrap_or_default().get();
        let rises = more > 0 && more >= ahead.get() / 4;
        if next.amount == Amount::ZERO || (pool_has && !rises) {
            if pool_has {
                self.payments.works();
            } else {
                self.payments.refused();
            }
            self.plan_payment(now, record.signed);
            return;
        }
        let amount = if rises { next.amount } else { record.signed };
        let record = self.payments.signs(record, amount, now);
        let tag = self.new_tag();
        self.payments.sent(Request { tag, sent: now });
        out.push(Action::KeepVouchers(record));
        let (channel, chain_id) = (paying.config.channel, paying.chain_id);
        out.push(Action::Pool { tag, request: ToPool::Voucher { channel: Box::new(channel), chain_id, amount } });
    }

    /// Plans when the pool is asked again: when half of what is signed ahead is used, by the agent's own meter.
    fn plan_payment(&mut self, now: Ms, signed: Amount) {
        let Some(Ok(paying)) = self.paying() else { return };
        let own = self.payments.own_meter(self.own_cost());
        let of = |ms| self.cost_ahead(&paying, ms, self.config.min_peers).get();
        let [ahead, an_hour] = [paying.config.ahead_ms, limits::HOUR_MS].map(of);
        let left = signed.checked_sub(own).unwrap_or_default().get();
        let until_half = left.saturating_sub(ahead / 2);
        let ms = until_half.saturating_mul(limits::HOUR_MS.into()).checked_div(an_hour.max(1)).unwrap_or_default();
        // Other leases may begin meanwhile.
        let most = paying.config.ahead_ms / 4;
        let ms = u64::try_from(ms).unwrap_or(most).clamp(limits::PAY_LEAST_MS, most.max(limits::PAY_LEAST_MS));
        self.payments.wait_until(now.plus(ms));
    }

    /// What the client's hosts cost in a time, at least `hosts` of them: each lease at its own price, and those that it has yet to get,
    /// or has on trial, at the pool's price, if that is not more than the user pays.
    fn cost_ahead(&self, paying: &Paying, ms: u64, hosts: u32) -> Amount {
        let of = |price: Price| price.cost(ms).unwrap_or(Amount::MAX).get();
        let running =
            self.leases.iter().filter(|lease| lease.side() == Side::Client && lease.runs() && !lease.is_direct());
        let priced = running.filter_map(|lease| lease.price().filter(|price| !price.is_free()));
        let (leases, cost) = priced
            .fold((0_u32, 0_u128), |(leases, cost), price| (leases.saturating_add(1), cost.saturating_add(of(price))));
        let wanted = self.leases.running(Side::Client).max(hosts).saturating_sub(leases);
        let of_one = if self.config.pays(paying.price) { of(paying.price) } else { 0 };
        Amount::new(cost.saturating_add(of_one.saturating_mul(wanted.into())))
    }

    /// What all leases as a client cost since the agent started, by its own meter.
    fn own_cost(&self) -> Amount {
        let running = self.leases.iter().filter(|lease| lease.side() == Side::Client);
        let running = running.filter_map(|lease| lease.cost(self.now));
        running.fold(self.ended.client.cost, |sum, cost| sum.checked_add(cost).unwrap_or(Amount::MAX))
    }
}
