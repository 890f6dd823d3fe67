//! The operator of a pool whose clients pay: enters credits and debits, links nodes with accounts, and settles. It repeats what
//! was not acknowledged, with the same key, as an operator's script does.

use std::{collections::BTreeMap, net::IpAddr};

use vipnode_pool_core::{
    AccountLink, Command, ConnectionId, Effect, LedgerChange, LedgerChangeKind, LinkConsent, OperatorOrder,
    PayoutState, Reply, RequestId,
};
use vipnode_types::{Account, Amount, Ms, NodeId};

use super::{RunEvent, Simulation, phases::Phase};
use crate::{
    EPOCH_MS,
    checks::{Promise, ledger::AcknowledgedOrders},
    scenarios::honest_chain,
};

/// The gateway of the operator's socket.
pub(super) const OPERATOR: u16 = 99;

const OPERATOR_CONNECTION: ConnectionId = ConnectionId { gateway: OPERATOR, connection: 0, generation: 0 };

/// The operator's orders of one run.
#[derive(Debug, Default)]
pub(crate) struct Operator {
    /// Accounts that pay, with the nodes that they pay for.
    payers: Vec<(Account, Vec<NodeId>)>,
    orders: Vec<PendingOrder>,
    requests: BTreeMap<RequestId, usize>,
    /// The links that the pool accepted, with the requests for those that it has not answered.
    links: Vec<AccountLink>,
    sent_links: BTreeMap<RequestId, AccountLink>,
    /// Whether these links are sent again: the pool lost some of them, and each is the newest that its account signed for a while.
    has_lost_links: bool,
    pub(super) acknowledged: AcknowledgedOrders,
    /// Whether every payer has enough.
    has_credited_all: bool,
}

/// An order, and whether the pool acknowledged it.
#[derive(Debug, Clone, Copy)]
struct PendingOrder {
    what: OrderKind,
    done: bool,
}

#[derive(Debug, Clone, Copy)]
enum OrderKind {
    Link { node: NodeId, payer: Account },
    Change(LedgerChangeKind),
}

impl Operator {
    /// The operator of a pool; `payers` is empty if nobody pays.
    pub(super) fn new(payers: Vec<(Account, Vec<NodeId>)>) -> Self {
        // A payer is known once it is credited.
        let credits = payers
            .iter()
            .map(|(payer, _)| OrderKind::Change(LedgerChangeKind::Credit { payer: *payer, amount: Amount::new(1) }));
        let links = payers
            .iter()
            .flat_map(|(payer, nodes)| nodes.iter().map(|node| OrderKind::Link { node: *node, payer: *payer }));
        let orders = credits.chain(links).map(|what| PendingOrder { what, done: false }).collect();
        Self { payers, orders, ..Self::default() }
    }

    pub(super) const fn is_there(&self) -> bool {
        !self.payers.is_empty()
    }

    /// A backup was restored: the operator links all nodes again, and credits the accounts that the backup does not know.
    pub(super) fn restored(&mut self, acknowledged: AcknowledgedOrders) {
        for (number, order) in self.orders.iter_mut().enumerate() {
            let is_known = acknowledged.entries.contains_key(&key(number)) || number >= self.payers.len();
            order.done &= is_known && !matches!(order.what, OrderKind::Link { .. });
        }
        self.acknowledged = acknowledged;
        self.has_lost_links = true;
    }

    /// The pool's process ended: it answers nothing that it has not answered.
    pub(super) fn disconnected(&mut self) {
        self.requests.clear();
        self.sent_links.clear();
    }
}

impl Simulation {
    /// The operator acts, and repeats what was not acknowledged.
    pub(crate) fn operator_acts(&mut self) {
        let most_ms = if self.is_hostile() { 5_000 } else { 40_000 };
        self.within(most_ms / 8, most_ms, RunEvent::OperatorActs);
        if self.pool.core.is_none() || self.pool.sleeps_until > self.now {
            return;
        }
        if self.is_hostile() {
            if self.operator.has_credited_all {
                self.repeat_orders();
            } else {
                self.credit_all();
            }
            return;
        }
        if std::mem::take(&mut self.operator.has_lost_links) {
            self.replay_links();
        }
        if self.phase == Phase::Faults {
            self.back_up();
            let what = self.draw_order();
            self.operator.orders.extend(what.map(|what| PendingOrder { what: OrderKind::Change(what), done: false }));
        }
        self.repeat_orders();
    }

    /// Every payer gets enough for the rest of the run: once there are no more faults, or where there are attackers.
    pub(super) fn credit_all(&mut self) {
        self.operator.has_credited_all = true;
        let plenty = Amount::new(u128::from(u64::MAX));
        let credits = self.operator.payers.iter().map(|(payer, _)| {
            let what = LedgerChangeKind::Credit { payer: *payer, amount: plenty };
            PendingOrder { what: OrderKind::Change(what), done: false }
        });
        let credits: Vec<PendingOrder> = credits.collect();
        self.operator.orders.extend(credits);
        if self.pool.core.is_some() {
            self.repeat_orders();
        }
    }

    fn draw_order(&mut self) -> Option<LedgerChangeKind> {
        let last = u32::try_from(self.operator.payers.len() - 1).unwrap_or(0);
        let payer = self.operator.payers[self.rng.count(0, last) as usize].0;
        // The price of some minutes.
        let minute = self.scenario.limits.price.cost(60_000).unwrap_or_default().get();
        let amount = Amount::new(minute * u128::from(self.rng.range(0, 12)));
        match self.rng.below(10) {
            0..=4 => Some(LedgerChangeKind::Credit { payer, amount }),
            5 => Some(LedgerChangeKind::Debit { payer, amount }),
            6 => Some(LedgerChangeKind::Limit { payer, limit: amount }),
            7 => Some(LedgerChangeKind::ClosePeriod),
            _ => {
                let payouts = self.pool.core.as_ref()?.payouts_of(None, None, usize::MAX)?;
                let due = payouts.into_iter().find(|row| row.state == PayoutState::Due)?;
                let payout = due.number;
                let paid = self.rng.chance(700);
                Some(if paid { LedgerChangeKind::Paid { payout } } else { LedgerChangeKind::Bounced { payout } })
            }
        }
    }

    /// A node sends each link again that the pool accepted before a backup was restored. Its account may have ended it since.
    fn replay_links(&mut self) {
        for link in std::mem::take(&mut self.operator.links) {
            let request = self.pool.next_request;
            self.pool.next_request += 1;
            self.operator.sent_links.insert(request, link);
            let (connection, address) = (OPERATOR_CONNECTION, IpAddr::from([127, 0, 0, 1]));
            self.own_command(Command::Link { connection, request, address, link });
        }
    }

    /// Sends every order that was not acknowledged.
    fn repeat_orders(&mut self) {
        let waiting: Vec<usize> = self.operator.requests.values().copied().collect();
        for number in 0..self.operator.orders.len() {
            let PendingOrder { what, done } = self.operator.orders[number];
            if done || waiting.contains(&number) {
                continue;
            }
            let request = self.pool.next_request;
            self.pool.next_request += 1;
            self.operator.requests.insert(request, number);
            let connection = OPERATOR_CONNECTION;
            let key = Some(key(number));
            let command = match what {
                OrderKind::Link { node, payer } => {
                    let consent = LinkConsent::Both { issued: Ms::NEVER, chain_id: honest_chain().chain_id };
                    // Each counter of an account is higher than the one before.
                    let counter = Ms::new(EPOCH_MS + self.now + number as u64);
                    let link = AccountLink { node, account: payer, counter, consent };
                    self.operator.sent_links.insert(request, link);
                    Command::Link { connection, request, address: IpAddr::from([127, 0, 0, 1]), link }
                }
                OrderKind::Change(kind) => {
                    let order = OperatorOrder { by: Some(0), reason: "a simulation".to_owned(), key };
                    Command::Ledger {
                        connection,
                        request,
                        change: Box::new(LedgerChange { kind, order, allow_negative: true }),
                    }
                }
            };
            self.own_command(command);
        }
    }

    /// The operator gets an answer, which the pool has made durable.
    pub(super) fn operator_receives(&mut self, effect: Effect) {
        let Effect::Reply { request, reply, .. } = effect else { return };
        let sent = self.operator.sent_links.remove(&request);
        let number = self.operator.requests.remove(&request);
        match (sent, number) {
            (Some(link), None) if reply.is_ok() => {
                self.violation(Promise::Ledger, format!("a link from before a restore holds again: {link:?}"));
            }
            (Some(link), Some(_)) if reply.is_ok() => self.operator.links.push(link),
            _ => {}
        }
        if sent.is_some() && number.is_none() {
            return;
        }
        let Some(number) = number else {
            self.violation(Promise::Replies, format!("the pool answers the operator's request {request} twice"));
            return;
        };
        // A refusal, such as that of a period whose payouts are not marked, is an answer, too. A link waits until its node is known.
        let order = &mut self.operator.orders[number];
        order.done = reply.is_ok() || !matches!(order.what, OrderKind::Link { .. });
        if let Ok(Reply::Ledger(reply)) = reply
            && let Some(other) = self.operator.acknowledged.entries.insert(key(number), reply.entry.number)
        {
            self.violation(Promise::Ledger, format!("{} was acknowledged as entry {other}, too", key(number)));
        }
    }
}

fn key(number: usize) -> String {
    format!("order {number}")
}
