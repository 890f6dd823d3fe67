//! A client that pays by vouchers of its payment channel signs for what it uses, and not for more.

use crate::common::*;
use vipnode_agent_core::{
    Action, AgentConfig, CannotPay, Event, Notice, PayConfig, PoolAnswer, RequestTag, SignedAmountAt, ToPool,
    VoucherRecord,
};
use vipnode_types::{
    Account, AgentKey, Amount, Asset, Hash256, Ms, PaymentMode, Price, TypedError as _,
    payment::{ChannelConfig, ChannelTerms, Voucher},
    wire::{ChannelFunds, LeasePrice, LeaveReason, NodeFunds, PaymentTerms, ReportReply, Side},
};

const CHAIN: u64 = 8_453;
/// 1 unit a millisecond.
const A_MINUTE: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;
const AHEAD: u128 = 3_600_000;

const fn account(byte: u8) -> Account {
    Account::new([byte; 20])
}

const TERMS: ChannelTerms = ChannelTerms {
    chain_id: CHAIN,
    token: account(1),
    receiver: account(2),
    receiver_authorizer: account(3),
    withdraw_delay_s: 1_209_600,
};

fn key() -> AgentKey {
    AgentKey::from_random([9; 32]).unwrap()
}

fn channel() -> ChannelConfig {
    ChannelConfig {
        payer: account(7),
        payer_authorizer: key().account(),
        receiver: TERMS.receiver,
        receiver_authorizer: TERMS.receiver_authorizer,
        token: TERMS.token,
        withdraw_delay_s: TERMS.withdraw_delay_s,
        salt: Hash256::ZERO,
    }
}

/// A client of one host that signs an hour ahead, and for at most three hours' cost a day.
fn paying() -> AgentConfig {
    let max_spend = format!("{} wei/day", 3 * AHEAD).parse().unwrap();
    let pay = PayConfig { chain_id: CHAIN, channel: channel(), decimals: 18, max_spend, ahead_ms: HOUR_MS };
    AgentConfig { pay: Some(pay), ..client_config(1) }
}

/// What the pool knows of the channel.
fn funds(signed: u128, metered: u128) -> ChannelFunds {
    let voucher = Voucher { channel: channel().id(CHAIN), max_claimable: Amount::new(signed) };
    ChannelFunds {
        id: voucher.channel,
        signed: voucher.max_claimable,
        signature: key().sign_typed(&voucher.typed_data(CHAIN)),
        deposited: Amount::new(u128::MAX),
        withdrawing: Amount::ZERO,
        claimed: Amount::ZERO,
        metered: Amount::new(metered),
        hourly: Amount::ZERO,
        read_ms: Ms::ZERO,
    }
}

fn node_funds(channel: Option<ChannelFunds>) -> PoolAnswer {
    PoolAnswer::Funds(Box::new(NodeFunds {
        asset: Asset::ETHER,
        account: None,
        funds: Default::default(),
        payout: None,
        next_payout: None,
        earned: Amount::ZERO,
        payable: Amount::ZERO,
        channel,
    }))
}

impl Bench {
    /// Connects to a pool that takes vouchers; returns the agent's first question about its funds.
    fn connects_to_pay(&mut self, terms: ChannelTerms) -> Option<RequestTag> {
        self.on(Event::PoolLost { why: "closed".into() });
        self.on(Event::PoolOpen);
        let PoolAnswer::Connect(mut reply) = welcome(Vec::new()) else { panic!() };
        let terms = PaymentTerms { payment: PaymentMode::X402, channel: Some(terms), ..PaymentTerms::default() };
        (reply.price, reply.terms) = (Price::per_minute(A_MINUTE), terms);
        let tag = self.connect_tag();
        self.answer(tag, PoolAnswer::Connect(reply));
        self.asked_funds()
    }

    /// A client with a host, whose voucher the pool took, and the voucher's amount.
    fn served() -> (Self, u128) {
        let most = Some(format!("{A_MINUTE} wei/minute").parse().unwrap());
        let mut bench = Self::live(AgentConfig { max_price: most, ..paying() });
        bench.obliging = true;
        let tag = bench.connects_to_pay(TERMS).unwrap();
        bench.answer(tag, node_funds(None));
        let (tag, signed) = bench.voucher().unwrap();
        bench.answer(tag, PoolAnswer::Voucher(Box::new(funds(signed, 0))));
        let mut slot = place(LEASE, HOST);
        slot.price = Price::per_minute(A_MINUTE);
        bench.give(vec![slot]);
        bench.done();
        bench.peers(&[HOST]);
        (bench, signed)
    }

    /// Answers the next report.
    fn report_with(&mut self, reply: ReportReply) {
        // One in `out` may have its answer already.
        self.obliging = false;
        loop {
            self.now = self.now.plus(10_000);
            self.peers(&[HOST]);
            if self.report().is_some() {
                break;
            }
        }
        let (tag, _) = self.report().unwrap();
        self.answer(tag, PoolAnswer::Report(reply));
        self.obliging = true;
    }

    fn asked_funds(&self) -> Option<RequestTag> {
        self.said().into_iter().find_map(|(tag, said)| matches!(said, ToPool::Funds).then_some(tag))
    }

    /// The voucher that the agent sent last. Its record is durable before it leaves.
    fn voucher(&self) -> Option<(RequestTag, u128)> {
        let at = self
            .out
            .iter()
            .position(|action| matches!(action, Action::Pool { request: ToPool::Voucher { .. }, .. }))?;
        let Action::Pool { tag, request: ToPool::Voucher { channel: of, chain_id, amount } } = &self.out[at] else {
            panic!()
        };
        assert_eq!((**of, *chain_id), (channel(), CHAIN));
        let kept = self.out[..at].iter().rev().find_map(|action| match action {
            Action::KeepVouchers(record) => Some(record.signed),
            _ => None,
        });
        assert_eq!(kept, Some(*amount), "written down first: {:?}", self.out);
        Some((*tag, amount.get()))
    }

    fn why_it_cannot_pay(&self) -> Option<CannotPay> {
        self.notices().into_iter().find_map(|notice| match notice {
            Notice::CannotPay { why } => Some(why),
            _ => None,
        })
    }

    fn asks_for_hosts(&self) -> bool {
        self.ask().is_some()
    }
}

#[test]
fn a_client_signs_an_hour_ahead_before_it_asks_for_hosts() {
    let mut bench = Bench::live(paying());
    let tag = bench.connects_to_pay(TERMS).unwrap();
    assert!(!bench.asks_for_hosts(), "it would be refused");
    bench.answer(tag, node_funds(None));
    let (tag, amount) = bench.voucher().unwrap();
    assert_eq!(amount, AHEAD);
    assert!(!bench.asks_for_hosts());
    bench.answer(tag, PoolAnswer::Voucher(Box::new(funds(amount, 0))));
    assert!(bench.asks_for_hosts());
    // On the next socket the pool has it, and no other is signed.
    let tag = bench.connects_to_pay(TERMS).unwrap();
    bench.answer(tag, node_funds(Some(funds(amount, 0))));
    assert_eq!(bench.voucher(), None);
    assert!(bench.asks_for_hosts());
}

#[test]
fn a_client_signs_again_when_half_is_used_and_never_beyond_its_limit_of_a_day() {
    let (mut bench, mut signed) = Bench::served();
    let began = bench.now;
    let mut limited = false;
    for _ in 0..900 {
        bench.peers(&[HOST]);
        bench.after(20_000);
        let used = u128::from(bench.now.since(began));
        if let Some(tag) = bench.asked_funds() {
            bench.answer(tag, node_funds(Some(funds(signed, used))));
            limited |= bench.notices().iter().any(|notice| matches!(notice, Notice::SpendLimit { .. }));
        }
        if let Some((tag, amount)) = bench.voucher() {
            assert!(amount <= used + AHEAD && amount > signed, "{amount} of {used}");
            signed = amount;
            bench.answer(tag, PoolAnswer::Voucher(Box::new(funds(signed, used))));
        }
        assert!(limited || signed >= used, "it is never out of funds before its limit: {signed} of {used}");
    }
    assert_eq!(signed, 3 * AHEAD, "the limit of a day");
    assert!(limited, "the user is notified");
}

/// A pool can take at most what is signed ahead, whatever it reports.
#[test]
fn a_pool_that_reports_more_than_the_agent_metered_gets_no_more() {
    let mut bench = Bench::live(paying());
    let tag = bench.connects_to_pay(TERMS).unwrap();
    bench.answer(tag, node_funds(None));
    let (tag, signed) = bench.voucher().unwrap();
    bench.answer(tag, PoolAnswer::Voucher(Box::new(funds(signed, AHEAD * 9))));
    for _ in 0..300 {
        bench.after(A_MINUTE);
        if let Some(tag) = bench.asked_funds() {
            bench.answer(tag, node_funds(Some(funds(signed, AHEAD * 9))));
        }
        assert_eq!(bench.voucher(), None, "nothing was used");
    }
}

/// The user set a maximum, or the first price of the pool is one.
#[test]
fn nothing_is_signed_ahead_at_a_price_that_the_user_does_not_accept() {
    let most = Some("30000 wei/minute".parse().unwrap());
    let mut bench = Bench::live(AgentConfig { max_price: most, ..paying() });
    let tag = bench.connects_to_pay(TERMS).unwrap();
    bench.answer(tag, node_funds(Some(funds(0, u128::MAX))));
    assert_eq!(bench.voucher(), None);

    let (mut bench, signed) = Bench::served();
    bench.report_with(ReportReply { price: Some(Price::per_minute(A_MINUTE * 1_000)), ..ReportReply::default() });
    for _ in 0..100 {
        bench.peers(&[HOST]);
        bench.after(20_000);
        if let Some(tag) = bench.asked_funds() {
            bench.answer(tag, node_funds(Some(funds(signed, u128::MAX))));
        }
        if let Some((_, amount)) = bench.voucher() {
            assert!(amount <= signed + 2 * AHEAD, "{amount}");
            return;
        }
    }
    panic!("the lease is still paid at its own price");
}

/// Neither in the answer to a report nor in the list of leases, whatever the pool states.
#[test]
fn a_lease_at_a_price_that_the_user_does_not_accept_ends_and_is_not_metered_at_it() {
    let dear = Price::per_minute(A_MINUTE * 1_000);
    let (mut bench, _) = Bench::served();
    bench.report_with(ReportReply {
        lease_prices: vec![LeasePrice { lease: LEASE, price: dear }],
        ..ReportReply::default()
    });
    assert_eq!(bench.leave().map(|leave| (leave.leases, leave.reason)), Some((vec![LEASE], LeaveReason::Price)));
    assert!(bench.core.view().leases.iter().all(|lease| lease.price != Some(dear)));

    let (mut bench, _) = Bench::served();
    bench.on(Event::PoolLost { why: "closed".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    let mut view = view(LEASE, Side::Client, HOST);
    view.price = dear;
    bench.answer(tag, welcome(vec![view]));
    assert_eq!(bench.leave().map(|leave| (leave.leases, leave.reason)), Some((vec![LEASE], LeaveReason::Price)));
}

#[test]
fn what_an_earlier_run_signed_is_never_signed_for_twice() {
    let record = |signed: u128, raised: u128| VoucherRecord {
        channel: channel().id(CHAIN),
        signed: Amount::new(signed),
        raised: vec![SignedAmountAt { at: Ms::new(1), amount: Amount::new(raised) }],
    };
    let mut bench = Bench::new(paying());
    bench.core.restore_vouchers(record(5 * AHEAD, 3 * AHEAD));
    bench.go_live(Vec::new());
    let tag = bench.connects_to_pay(TERMS).unwrap();
    // The pool lost it in a restore; it gets the same again, and the limit of the day is used up.
    bench.answer(tag, node_funds(Some(funds(AHEAD, 5 * AHEAD))));
    assert_eq!(bench.voucher().unwrap().1, 5 * AHEAD);
}

#[test]
fn an_agent_that_lost_its_record_adopts_its_own_signature_and_no_other() {
    let mut bench = Bench::live(paying());
    let tag = bench.connects_to_pay(TERMS).unwrap();
    bench.answer(tag, node_funds(Some(funds(2 * AHEAD, AHEAD))));
    assert_eq!(bench.voucher(), None, "what is signed covers an hour more");
    assert!(
        bench
            .out
            .iter()
            .any(|action| matches!(action, Action::KeepVouchers(record) if record.signed.get() == 2 * AHEAD))
    );
    let mut bench = Bench::live(paying());
    let tag = bench.connects_to_pay(TERMS).unwrap();
    let forged = ChannelFunds { signed: Amount::new(9 * AHEAD), ..funds(2 * AHEAD, 9 * AHEAD) };
    bench.answer(tag, node_funds(Some(forged)));
    assert_eq!(bench.voucher().unwrap().1, AHEAD, "as on a new channel");
}

#[test]
fn a_channel_that_does_not_fit_the_pool_is_not_signed_for() {
    for (terms, words) in [
        (ChannelTerms { chain_id: 1, ..TERMS }, "uses chain 1,"),
        (ChannelTerms { receiver: account(9), ..TERMS }, "receiver is "),
        (ChannelTerms { receiver_authorizer: account(9), ..TERMS }, "receiver authorizer is "),
        (ChannelTerms { token: account(9), ..TERMS }, "charges in 0x09"),
        (ChannelTerms { withdraw_delay_s: 900, ..TERMS }, "not 900 s"),
    ] {
        let mut bench = Bench::live(paying());
        assert_eq!(bench.connects_to_pay(terms), None);
        let why = bench.why_it_cannot_pay().unwrap();
        let hint = why.hint().unwrap();
        assert!(why.to_string().contains(words), "{why}");
        assert!(hint.contains("--pool URL") && hint.contains("--pay NEW_FILE"), "{terms:?}: {hint}");
        bench.after(HOUR_MS);
        assert_eq!((bench.asked_funds(), bench.voucher()), (None, None));
    }
}

/// A pool that states fewer or more decimals than the token has would raise each limit by powers of ten.
#[test]
fn nothing_is_signed_for_an_asset_with_other_decimals_than_the_token() {
    for decimals in [6, 17, 19] {
        let mut config = paying();
        config.pay.as_mut().unwrap().decimals = decimals;
        let mut bench = Bench::live(config);
        assert_eq!(bench.connects_to_pay(TERMS), None);
        let why = bench.why_it_cannot_pay().unwrap();
        assert!(matches!(why, CannotPay::OtherDecimals { pool: 18, token } if token == decimals), "{why}");
        bench.after(HOUR_MS);
        assert_eq!((bench.asked_funds(), bench.voucher()), (None, None));
    }
}

#[test]
fn a_maximum_in_another_asset_is_named_with_the_units_of_the_pool() {
    let mut config = paying();
    config.pay.as_mut().unwrap().max_spend = "1 USDC/day".parse().unwrap();
    let mut bench = Bench::live(config);
    assert_eq!(bench.connects_to_pay(TERMS), None);
    let why = bench.why_it_cannot_pay().unwrap();
    assert!(why.to_string().starts_with("--max-spend-per-day: \"USDC\" is not a unit"), "{why}");
    assert!(why.hint().unwrap().contains("ether"), "{why:?}");
}
