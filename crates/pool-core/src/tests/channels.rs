//! Clients that pay by vouchers of payment channels.

use vipnode_types::{
    Account, AgentKey, Amount, Hash256, PaymentMode,
    payment::{ChannelConfig, ChannelTerms, Voucher},
    wire::{ChannelFunds, ErrorCode, EvictReason, LeaveReason, VoucherRequest},
};

use super::{
    funds::code,
    pool::{Pool, client, host, payout},
    scenario::{CLIENT, HOST, HOUR_MS, MINUTE_MS, SECOND_HOST, SLOTS, priced},
};
use crate::{
    AccountFigures, AddressBlock, ChainEvent, ChainRequest, ChannelReading, Command, LedgerAccount, LedgerChangeKind,
    Limits, Reply, Row, Transaction, ledger::channels::FirstVoucher,
};

const CHAIN: u64 = 8_453;
const TERMS: ChannelTerms = ChannelTerms {
    chain_id: CHAIN,
    token: account(1),
    receiver: account(2),
    receiver_authorizer: account(3),
    withdraw_delay_s: 1_209_600,
};

const fn account(byte: u8) -> Account {
    Account::new([byte; 20])
}

/// 1 unit for each billed millisecond, with a fee of 10 %.
fn limits() -> Limits {
    Limits { payment: PaymentMode::X402, channel: Some(TERMS), fee_bps: 1_000, voucher_interval_ms: 0, ..priced() }
}

fn pool() -> Pool {
    let mut pool = Pool::with(limits());
    pool.settle();
    for agent in [HOST, SECOND_HOST] {
        pool.join(agent, host(agent, SLOTS));
    }
    pool.join(CLIENT, client(CLIENT));
    pool
}

/// The key that signs for the agents of the tests.
fn key() -> AgentKey {
    AgentKey::from_random([9; 32]).unwrap()
}

fn signer() -> Account {
    key().account()
}

fn channel(salt: u8) -> ChannelConfig {
    let ChannelTerms { token, receiver, receiver_authorizer, withdraw_delay_s, .. } = TERMS;
    ChannelConfig {
        payer: account(7),
        payer_authorizer: signer(),
        receiver,
        receiver_authorizer,
        token,
        withdraw_delay_s,
        salt: Hash256([salt; 32]),
    }
}

fn holds(deposited: u64) -> ChannelReading {
    ChannelReading { deposited: Amount::new(deposited.into()), ..ChannelReading::default() }
}

impl Pool {
    fn voucher(&mut self, channel: ChannelConfig, amount: u64) -> Option<Result<ChannelFunds, ErrorCode>> {
        let max_claimable = Amount::new(amount.into());
        let voucher = Voucher { channel: channel.id(CHAIN), max_claimable };
        let signature = key().sign_typed(&voucher.typed_data(CHAIN));
        let request = VoucherRequest { channel, max_claimable, signature };
        assert!(request.verify(CHAIN).is_ok(), "as the gateway checks");
        let connection = self.connection(CLIENT);
        let reply = self.request(Command::Voucher { connection, request: 7, voucher: Box::new(request) })?;
        Some(funds(reply))
    }

    /// The chain answers about a channel; returns the answer to a voucher that waited for it.
    fn reads(&mut self, channel: ChannelConfig, state: ChannelReading) -> Option<Result<ChannelFunds, ErrorCode>> {
        let event = ChainEvent::Channel { id: channel.id(CHAIN), signer: channel.payer_authorizer, state };
        self.request(Command::Chain(event)).map(funds)
    }

    fn claims(&mut self, channel: ChannelConfig, total: u64) {
        let (id, signer, total) = (channel.id(CHAIN), channel.payer_authorizer, Amount::new(total.into()));
        self.handle(Command::Chain(ChainEvent::Claimed { id, signer, total }));
    }

    /// The client has a channel with this deposit, and signed for this amount.
    fn deposits(&mut self, deposited: u64, signed: u64) -> ChannelConfig {
        let channel = channel(0);
        assert_eq!(self.voucher(channel, signed), None, "it waits for the chain");
        let asked = self.chain.pop();
        assert!(
            matches!(&asked, Some(ChainRequest::Watch { config, block: Some(_) }) if **config == channel),
            "{asked:?}"
        );
        let funds = self.reads(channel, holds(deposited)).unwrap().unwrap();
        assert_eq!((funds.id, funds.signed.get()), (channel.id(CHAIN), signed.into()));
        channel
    }
}

fn funds(reply: Result<Reply, vipnode_types::wire::WireError>) -> Result<ChannelFunds, ErrorCode> {
    match reply {
        Ok(Reply::Voucher(funds)) => Ok(*funds),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(code(&error)),
    }
}

#[test]
fn a_client_is_served_within_its_voucher_and_its_deposit() {
    let mut pool = pool();
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired, "nobody pays");
    let channel = pool.deposits(2 * HOUR_MS, 11 * MINUTE_MS);
    assert_eq!(pool.served(1).len(), 1);
    pool.passes(10 * MINUTE_MS);
    assert_eq!(pool.core.gauges().leases, 1);
    let funds = pool.voucher(channel, 30 * MINUTE_MS).unwrap().unwrap();
    assert!(funds.metered.get() >= u128::from(10 * MINUTE_MS), "{funds:?}");
    assert!(funds.hourly.get() >= u128::from(HOUR_MS), "{funds:?}");
    pool.passes(19 * MINUTE_MS);
    assert_eq!(pool.core.gauges().leases, 1, "the newer voucher covers it");
    pool.passes(MINUTE_MS);
    assert_eq!(pool.core.gauges().leases, 0, "and no more");
    let reasons: Vec<_> = [HOST, SECOND_HOST].into_iter().filter_map(|host| pool.evicted(host)).collect();
    assert_eq!(reasons, [EvictReason::NoFunds]);
    let figures = pool.figures(LedgerAccount::Payer(signer()));
    assert!(figures.metered.get() <= u128::from(30 * MINUTE_MS), "never beyond what was signed: {figures:?}");
    assert_eq!(figures.received, Amount::ZERO, "nothing is claimed yet");
}

/// What helps depends on what is missing: a channel, or what is signed for it.
#[test]
fn a_refused_client_can_read_how_to_pay_from_a_channel() {
    let mut pool = pool();
    let missing = pool.refused(1);
    assert_eq!(code(&missing), ErrorCode::PaymentRequired);
    assert!(missing.message.contains("no payment channel pays for this node"), "{missing:?}");
    let hint = missing.hint().unwrap();
    assert!(hint.contains("`vipnode wallet deposit AMOUNT --channel FILE`") && hint.contains("--pay FILE"), "{hint}");
    let channel = pool.deposits(2 * HOUR_MS, 11 * MINUTE_MS);
    pool.served(1);
    pool.passes(6 * MINUTE_MS);
    let short = pool.refused(2);
    assert_eq!(code(&short), ErrorCode::PaymentRequired);
    let id = channel.id(CHAIN).to_string();
    let asset = limits().price.asset();
    let [deposited, signed] = [2 * HOUR_MS, 11 * MINUTE_MS].map(|ms| asset.show(Amount::new(ms.into())).to_string());
    let has = format!("the payment channel {id} has a deposit of {deposited}, of which {signed} is signed and ");
    assert!(short.message.contains(&has) && short.message.contains("is used"), "{short:?}");
    let hint = short.hint().unwrap();
    assert!(hint.starts_with("Deposit more with `vipnode wallet deposit") && hint.contains("--ahead"), "{hint}");
}

/// A deposit that is being withdrawn does not secure a voucher (fault D25, docs/faults.md).
#[test]
fn d25_a_withdrawal_ends_what_is_beyond_it() {
    let mut pool = pool();
    let channel = pool.deposits(2 * HOUR_MS, HOUR_MS);
    pool.served(1);
    pool.passes(5 * MINUTE_MS);
    let state = ChannelReading {
        withdrawing: Amount::new(u128::from(2 * HOUR_MS - 6 * MINUTE_MS)),
        withdrawable_s: 1,
        ..holds(2 * HOUR_MS)
    };
    assert_eq!(pool.reads(channel, state), None);
    pool.passes(2 * MINUTE_MS);
    assert_eq!(pool.core.gauges().leases, 0);
    let metered = pool.figures(LedgerAccount::Payer(signer())).metered.get();
    assert!(metered <= u128::from(6 * MINUTE_MS), "{metered}");
}

/// That a channel names a payer does not prove the consent of that payer.
#[test]
fn another_channel_or_key_is_refused() {
    let mut pool = pool();
    let good = channel(0);
    for (other, refused) in [
        (ChannelConfig { receiver: account(9), ..good }, ErrorCode::InvalidParams),
        (ChannelConfig { receiver_authorizer: account(9), ..good }, ErrorCode::InvalidParams),
        (ChannelConfig { token: account(9), ..good }, ErrorCode::InvalidParams),
        (ChannelConfig { withdraw_delay_s: 900, ..good }, ErrorCode::InvalidParams),
    ] {
        assert_eq!(pool.voucher(other, HOUR_MS), Some(Err(refused)), "{other:?}");
    }
    let stranger = AgentKey::from_random([8; 32]).unwrap();
    let other = ChannelConfig { payer_authorizer: stranger.account(), ..good };
    let voucher = Voucher { channel: other.id(CHAIN), max_claimable: Amount::new(1) };
    let signature = stranger.sign_typed(&voucher.typed_data(CHAIN));
    let request = VoucherRequest { channel: other, max_claimable: Amount::new(1), signature };
    let connection = pool.connection(CLIENT);
    let reply = pool.request(Command::Voucher { connection, request: 7, voucher: Box::new(request) }).unwrap();
    assert_eq!(funds(reply), Err(ErrorCode::Unauthorized));
    assert_eq!(pool.chain, [], "the chain was asked about none of them");
    assert_eq!(pool.core.rows().iter().filter(|row| matches!(row, Row::Channel(_))).count(), 0);
}

#[test]
fn a_voucher_never_falls_and_the_same_again_changes_nothing() {
    let mut pool = pool();
    let channel = pool.deposits(2 * HOUR_MS, HOUR_MS);
    let before = pool.rows.len();
    assert!(pool.voucher(channel, HOUR_MS).unwrap().is_ok());
    assert_eq!(pool.rows.len(), before);
    assert_eq!(pool.voucher(channel, HOUR_MS - 1), Some(Err(ErrorCode::InvalidParams)));
    let limit = pool.figures(LedgerAccount::Payer(signer())).limit;
    assert_eq!(limit.get(), u128::from(HOUR_MS));
    // More than is deposited: the deposit counts.
    assert!(pool.voucher(channel, 9 * HOUR_MS).unwrap().is_ok());
    assert_eq!(pool.figures(LedgerAccount::Payer(signer())).limit.get(), u128::from(2 * HOUR_MS));
    assert_eq!(pool.reads(channel, holds(9 * HOUR_MS)), None);
    assert_eq!(pool.figures(LedgerAccount::Payer(signer())).limit.get(), u128::from(9 * HOUR_MS));
}

#[test]
fn a_claim_pays_the_hosts_and_leaves_what_the_client_can_spend() {
    let mut pool = pool();
    let channel = pool.deposits(2 * HOUR_MS, HOUR_MS);
    let leases = pool.served(1);
    pool.passes(20 * MINUTE_MS);
    pool.leave(CLIENT, leases[0], LeaveReason::Surplus);
    let payer = LedgerAccount::Payer(signer());
    let before = pool.figures(payer);
    let metered = u64::try_from(before.metered.get()).unwrap();
    let host = [HOST, SECOND_HOST].map(|host| LedgerAccount::Payee(payout(host)));
    let payable = |pool: &Pool| host.map(|host| pool.figures(host).payable().get()).iter().sum::<u128>();
    assert_eq!(payable(&pool), 0, "nobody is shown money that was not claimed");
    pool.claims(channel, metered / 2);
    let fee = |metered: u64| u128::from(metered) / 10;
    assert_eq!(payable(&pool), u128::from(metered / 2) - fee(metered / 2));
    pool.claims(channel, metered);
    // The same claim again, and an older one, which a repeated read may bring.
    pool.claims(channel, metered);
    pool.claims(channel, metered / 2);
    assert_eq!(payable(&pool), u128::from(metered) - fee(metered));
    let after = pool.figures(payer);
    assert_eq!(after.received.get(), u128::from(metered));
    let spendable = |figures: AccountFigures| figures.received.get() + figures.limit.get() - figures.sent.get();
    assert_eq!(spendable(after), spendable(before), "a claim spends nothing");
    assert_eq!(after.balance(), Amount::ZERO);
    // A node that is wrong creates no money.
    pool.claims(channel, u64::MAX);
    assert_eq!(pool.figures(payer).received.get(), u128::from(HOUR_MS), "at most what was signed");
    // The total of all accounts stays zero.
    let sums =
        pool.core.rows().into_iter().filter_map(|row| if let Row::Account(row) = row { Some(row) } else { None });
    let (received, sent) = sums
        .fold((0, 0), |(received, sent), row| (received + row.figures.received.get(), sent + row.figures.sent.get()));
    assert_eq!(received, sent);
}

/// The live channel of a key is the one that its voucher named first.
#[test]
fn another_channel_counts_after_the_first_is_settled() {
    let mut pool = pool();
    let first = pool.deposits(2 * HOUR_MS, HOUR_MS);
    let leases = pool.served(1);
    pool.passes(12 * MINUTE_MS);
    let second = channel(1);
    assert_eq!(pool.voucher(second, HOUR_MS), Some(Err(ErrorCode::Unsuitable)), "its lease runs");
    pool.leave(CLIENT, leases[0], LeaveReason::Surplus);
    assert_eq!(pool.voucher(second, HOUR_MS), Some(Err(ErrorCode::Unsuitable)), "its cost is not claimed");
    let metered = u64::try_from(pool.figures(LedgerAccount::Payer(signer())).metered.get()).unwrap();
    pool.claims(first, metered);
    assert_eq!(pool.voucher(second, 20 * MINUTE_MS), None);
    pool.chain.clear();
    let funds = pool.reads(second, holds(HOUR_MS)).unwrap().unwrap();
    assert_eq!((funds.id, funds.metered), (second.id(CHAIN), Amount::ZERO), "its own meter");
    assert_eq!(pool.chain, [ChainRequest::Forget(first.id(CHAIN))], "the first one is not read again");
    let left = pool.core.ledger.as_ref().unwrap().left(signer(), pool.now);
    assert_eq!(left.get(), u128::from(20 * MINUTE_MS));
    pool.claims(first, metered * 2);
    assert_eq!(
        pool.figures(LedgerAccount::Payer(signer())).received.get(),
        u128::from(metered),
        "the first one is settled"
    );
}

/// A client asks for another channel while its first one owes nothing yet, and spends from the first until the other is read.
#[test]
fn a_channel_that_is_used_while_another_is_read_stays() {
    let mut pool = pool();
    let first = pool.deposits(2 * HOUR_MS, HOUR_MS);
    let second = channel(1);
    assert_eq!(pool.voucher(second, HOUR_MS), None, "the first one owes nothing");
    pool.chain.clear();
    pool.served(1);
    pool.pass(5_000);
    assert_eq!(pool.reads(second, holds(HOUR_MS)), Some(Err(ErrorCode::Unsuitable)), "its lease runs");
    assert_eq!(pool.chain, [ChainRequest::Forget(second.id(CHAIN))]);
    assert_eq!(pool.voucher(first, HOUR_MS).unwrap().unwrap().id, first.id(CHAIN));
}

#[test]
fn a_first_voucher_is_answered_when_the_chain_is_not() {
    let mut pool = Pool::with(Limits { channel_reads: 1, channel_read_ms: 5_000, ..limits() });
    pool.settle();
    pool.join(CLIENT, client(CLIENT));
    let channel = channel(0);
    assert_eq!(pool.voucher(channel, HOUR_MS), None);
    assert_eq!(pool.reads(channel, holds(0)), Some(Err(ErrorCode::PaymentRequired)), "nothing is deposited");
    assert_eq!(pool.chain.pop(), Some(ChainRequest::Forget(channel.id(CHAIN))), "a stranger leaves nothing to read");
    assert_eq!(pool.voucher(channel, HOUR_MS), None);
    let (id, signer) = (channel.id(CHAIN), signer());
    let reply = pool.request(Command::Chain(ChainEvent::ChannelFailed { id, signer })).unwrap();
    assert_eq!(funds(reply), Err(ErrorCode::Busy));
    assert_eq!(pool.voucher(channel, HOUR_MS), None);
    assert_eq!(pool.voucher(channel, HOUR_MS), Some(Err(ErrorCode::Busy)), "one read at a time for an agent");
    pool.replies.clear();
    pool.pass(pool.core.limits.channel_read_ms + 1);
    assert_eq!(pool.replies.len(), 1, "the chain did not answer in time");
    assert_eq!(pool.reads(channel, holds(HOUR_MS)), None, "too late: nobody waits");
}

#[test]
fn a_restart_keeps_channels_and_a_switch_of_the_mode_has_them_count_for_nothing() {
    let mut pool = pool();
    let channel = pool.deposits(2 * HOUR_MS, HOUR_MS);
    let payer = LedgerAccount::Payer(signer());
    pool.restart(limits());
    assert_eq!(pool.chain, [ChainRequest::Watch { config: Box::new(channel), block: None }]);
    assert_eq!(pool.figures(payer).limit.get(), u128::from(HOUR_MS));
    pool.restart(Limits { payment: PaymentMode::Credit, ..limits() });
    assert_eq!(pool.figures(payer).limit, Amount::ZERO);
    pool.join(CLIENT, client(CLIENT));
    assert_eq!(pool.voucher(channel, 2 * HOUR_MS), Some(Err(ErrorCode::Unsuitable)));
    pool.chain.clear();
    pool.restart(limits());
    assert_eq!(pool.figures(payer).limit.get(), u128::from(HOUR_MS));
    assert_eq!(pool.chain.len(), 1);
    let voucher =
        |row: &Row| matches!(row, Row::Entry(entry) if matches!(entry.transaction, Transaction::Voucher { .. }));
    assert_eq!(pool.rows.iter().filter(|row| voucher(row)).count(), 3, "each change of the limit is in the journal");
}

/// Each larger voucher is a row and an entry of the journal, so an agent cannot have the pool write them without a pause.
#[test]
fn larger_vouchers_are_taken_at_intervals() {
    let mut pool = pool();
    let channel = pool.deposits(2 * HOUR_MS, HOUR_MS);
    pool.core.limits.voucher_interval_ms = 5_000;
    assert!(pool.voucher(channel, HOUR_MS + 1).unwrap().is_ok());
    assert_eq!(pool.voucher(channel, HOUR_MS + 2), Some(Err(ErrorCode::Busy)));
    assert!(pool.voucher(channel, HOUR_MS + 1).unwrap().is_ok(), "the same again changes nothing");
    pool.pass(5_000);
    assert!(pool.voucher(channel, HOUR_MS + 2).unwrap().is_ok());
}

/// Strangers that name channels without a deposit keep nobody else from the chain.
#[test]
fn an_address_block_has_only_its_share_of_the_reads() {
    let mut pool = Pool::with(Limits { channel_reads: 8, ..limits() });
    pool.settle();
    let mut ledger = pool.core.ledger.take().unwrap();
    let block = |text: &str| AddressBlock::of(text.parse().unwrap());
    let first = |byte: u8, block| FirstVoucher {
        id: channel(byte).id(CHAIN),
        config: ChannelConfig { payer_authorizer: account(byte), ..channel(byte) },
        signed: Amount::new(1),
        signature: key()
            .sign_typed(&Voucher { channel: channel(byte).id(CHAIN), max_claimable: Amount::new(1) }.typed_data(CHAIN)),
        caller: (pool.connection(CLIENT), 7),
        block,
        until: pool.now,
    };
    let strangers = block("10.0.0.1");
    let mut waiting = 0;
    while ledger.may_wait_for_channel(strangers, 8) {
        waiting += 1;
        ledger.wait_for_channel(first(waiting, strangers));
    }
    assert!((1..8).contains(&waiting), "{waiting}");
    assert!(ledger.may_wait_for_channel(block("11.0.0.1"), 8), "others have room");
    ledger.take_first_voucher(account(1), channel(1).id(CHAIN)).unwrap();
    assert!(ledger.may_wait_for_channel(strangers, 8), "given back");
}

#[test]
fn the_operator_sets_no_limit_where_vouchers_do() {
    let mut pool = pool();
    let limit = LedgerChangeKind::Limit { payer: signer(), limit: Amount::new(5) };
    assert_eq!(pool.change(limit, None), Err(ErrorCode::Unsuitable));
}
