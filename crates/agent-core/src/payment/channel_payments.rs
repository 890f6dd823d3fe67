use std::collections::BTreeMap;

use vipnode_types::{Amount, Ms, payment::ChannelId, wire::ChannelFunds};

use super::VoucherRecord;
use crate::{RequestTag, pool::session::Request};

/// What is signed on the agent's channel, and what the pool knows of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelPayments {
    records: BTreeMap<ChannelId, VoucherRecord>,
    in_flight: Option<Request>,
    standing: ChannelStanding,
    /// When the pool is asked next, at the earliest.
    next: Ms,
    /// What the agent's own meter showed when it took over the pool's figure, and that figure.
    base: Option<Base>,
    /// Whether the user was notified that the limit of a day is reached, or that the channel does not fit.
    noticed: bool,
}

/// Whether the pool accepts the agent's vouchers, by its answers on the present socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ChannelStanding {
    /// The pool was not asked yet, or has not answered.
    #[default]
    Unknown,
    /// The node can spend from the channel.
    Accepted,
    /// The pool does not take the channel, or not yet.
    Refused,
}

/// Where the agent's own meter of the channel begins.
#[derive(Debug, Clone, Copy)]
struct Base {
    own: Amount,
    channel: Amount,
}

/// So much is added to the agent's own meter for what the pool may have seen earlier: 0.5 %, rounded up.
const TOLERANCE_OF: u128 = 200;

/// What an agent may sign for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NextVoucher {
    /// The amount of the voucher.
    pub(crate) amount: Amount,
    /// Whether the limit of a day made it less than it should be.
    pub(crate) is_limited: bool,
}

impl ChannelPayments {
    /// Sets what earlier runs signed.
    pub(crate) fn restore(&mut self, record: VoucherRecord) {
        self.records.insert(record.channel, record);
    }

    /// What was signed for in the last 24 hours, on all channels.
    fn raised_in_a_day(&self, now: Ms) -> Amount {
        let raised = self.records.values().map(|record| record.raised_in_a_day(now));
        raised.fold(Amount::ZERO, |sum, raised| sum.checked_add(raised).unwrap_or(Amount::MAX))
    }

    /// The record of a channel.
    pub(crate) fn record(&self, channel: ChannelId) -> VoucherRecord {
        self.records.get(&channel).cloned().unwrap_or_else(|| VoucherRecord::new(channel))
    }

    pub(crate) const fn in_flight(&self) -> Option<Request> {
        self.in_flight
    }

    /// When to ask the pool, if it may be asked.
    pub(crate) fn due(&self) -> Option<Ms> {
        self.in_flight.is_none().then_some(self.next)
    }

    pub(crate) const fn sent(&mut self, request: Request) {
        self.in_flight = Some(request);
    }

    /// Whether an answer is to the request in flight, which then has ended.
    pub(crate) fn answered(&mut self, tag: RequestTag) -> bool {
        self.in_flight.take_if(|request| request.tag == tag).is_some()
    }

    pub(crate) const fn lose_socket(&mut self, now: Ms) {
        (self.in_flight, self.standing, self.next) = (None, ChannelStanding::Unknown, now);
    }

    pub(crate) const fn wait_until(&mut self, next: Ms) {
        self.next = next;
    }

    pub(crate) const fn standing(&self) -> ChannelStanding {
        self.standing
    }

    /// The pool does not take the channel.
    pub(crate) const fn refused(&mut self) {
        self.standing = ChannelStanding::Refused;
    }

    /// Whether to notify the user of something that lasts; once until [`Self::works`].
    pub(crate) const fn notice(&mut self) -> bool {
        !std::mem::replace(&mut self.noticed, true)
    }

    /// The node can spend from the channel.
    pub(crate) const fn works(&mut self) {
        self.standing = ChannelStanding::Accepted;
        self.noticed = false;
    }

    /// Takes what the pool knows of the channel. Its meter is believed up to the amount that was signed before, which is promised anyway.
    pub(crate) fn take_funds(&mut self, funds: Option<&ChannelFunds>, channel: ChannelId, own: Amount) {
        let record = self.record(channel);
        let metered = funds.map_or(Amount::ZERO, |funds| funds.metered).min(record.signed);
        self.base.get_or_insert(Base { own, channel: metered });
    }

    /// What the channel owes by the agent's own meter.
    pub(crate) fn own_meter(&self, own: Amount) -> Amount {
        let Some(base) = self.base else { return Amount::ZERO };
        base.channel.checked_add(own.checked_sub(base.own).unwrap_or_default()).unwrap_or(Amount::MAX)
    }

    /// The next voucher: what is used, by the agent's meter with a tolerance and at most by the pool's, and `ahead`; within what
    /// may be signed for in a day.
    pub(crate) fn next_voucher(
        &self,
        record: &VoucherRecord,
        (own, pool): (Amount, Amount),
        tolerance: Amount,
        (ahead, a_day): (Amount, Amount),
        now: Ms,
    ) -> NextVoucher {
        let own = self.own_meter(own);
        let part = own.get().div_ceil(TOLERANCE_OF);
        let own = Amount::new(own.get().saturating_add(part).saturating_add(tolerance.get()));
        let wanted = own.min(pool).checked_add(ahead).unwrap_or(Amount::MAX).max(record.signed);
        let free = a_day.checked_sub(self.raised_in_a_day(now)).unwrap_or_default();
        let most = record.signed.checked_add(free).unwrap_or(Amount::MAX);
        NextVoucher { amount: wanted.min(most), is_limited: wanted > most }
    }

    /// Records a voucher that is about to be signed.
    pub(crate) fn signs(&mut self, mut record: VoucherRecord, amount: Amount, now: Ms) -> VoucherRecord {
        record.raise(amount, now);
        self.restore(record.clone());
        record
    }

    /// Takes over a voucher that the agent signed and has no record of.
    pub(crate) fn adopt(&mut self, channel: ChannelId, signed: Amount, now: Ms) -> VoucherRecord {
        let mut record = self.record(channel);
        record.raise(signed, now);
        self.restore(record.clone());
        record
    }
}
