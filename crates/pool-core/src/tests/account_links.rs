use vipnode_types::{
    Account, Amount, Ms, PaymentMode, SignedAmount,
    wire::{AccountFunds, AccountView, ErrorCode, NodeFunds, WireError},
};

use super::{
    pool::{Pool, START, address, client, node, payout},
    scenario::{CLIENT, HOST, priced},
};
use crate::{
    AccountLink, CallOutcome, Command, Core, LedgerChange, LedgerChangeKind, Limits, LinkConsent, OperatorOrder, Reply,
    Row, RowKey,
};

const PAYER: Account = Account::new([0x46; 20]);
const OTHER: Account = Account::new([0x47; 20]);
/// Delegations in these tests are issued at this time.
const ISSUED: Ms = START.minus(9);

impl Pool {
    /// A pool whose clients pay.
    fn charging(limits: Limits) -> Self {
        let mut pool = Self::with(Limits { payment: PaymentMode::Credit, ..limits });
        pool.settle();
        pool
    }

    fn credit_to(&mut self, payer: Account, amount: u128) {
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
        let kind = LedgerChangeKind::Credit { payer, amount: Amount::new(amount) };
        let change = Box::new(LedgerChange { kind, order, allow_negative: true });
        let connection = self.connection(0);
        self.request(Command::Ledger { connection, request: 1, change }).unwrap().unwrap();
    }

    fn change_link(
        &mut self,
        agent: u32,
        account: Account,
        counter: Ms,
        consent: LinkConsent,
    ) -> Result<(), WireError> {
        let link = AccountLink { node: node(agent), account, counter, consent };
        let connection = self.connection(0);
        self.request(Command::Link { connection, request: 1, address: address(agent), link }).unwrap().map(drop)
    }

    fn link_to(&mut self, agent: u32, account: Account, counter: Ms) -> Result<(), WireError> {
        self.change_link(agent, account, counter, LinkConsent::Both { issued: ISSUED, chain_id: 1 })
    }

    fn view(&mut self, account: Account) -> AccountView {
        let (connection, address) = (self.connection(0), address(0));
        match self.request(Command::Account { connection, request: 1, address, account }) {
            Some(Ok(Reply::Account(view))) => *view,
            other => panic!("{other:?}"),
        }
    }

    fn funds_of(&mut self, agent: u32) -> NodeFunds {
        match self.request(Command::Funds { connection: self.connection(agent), request: 1 }) {
            Some(Ok(Reply::Funds(funds))) => *funds,
            other => panic!("{other:?}"),
        }
    }

    fn link_rows(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| matches!(row, Row::Link(_) | Row::LinkCounter(..) | Row::Delete(RowKey::Link(_))))
            .count()
    }
}

/// A pool with a client that has connected, and an account with funds.
fn linkable() -> Pool {
    let mut pool = Pool::charging(Limits::default());
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.credit_to(PAYER, 1_000);
    pool
}

#[test]
fn a_free_pool_links_nothing() {
    let mut pool = Pool::new();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    let error = pool.link_to(CLIENT, PAYER, pool.now).unwrap_err();
    assert!(error.is(ErrorCode::Unsuitable) && error.message.contains("no ledger"), "{error:?}");
}

#[test]
fn d8_d9_a_counter_grows_and_only_a_link_that_holds_raises_it() {
    let mut pool = linkable();
    let now = pool.now;
    for (account, counter, consent, why) in [
        (OTHER, now, LinkConsent::Both { issued: ISSUED, chain_id: 1 }, "has not credited"),
        (PAYER, now, LinkConsent::Both { issued: ISSUED, chain_id: 2 }, "chain 2"),
        (PAYER, now, LinkConsent::Both { issued: Ms::ZERO, chain_id: 1 }, "newer delegation"),
        (PAYER, now, LinkConsent::AccountEnds, "does not pay"),
        (PAYER, now, LinkConsent::NodeEnds { issued: ISSUED }, "does not pay"),
        (PAYER, now.plus(300_001), LinkConsent::Both { issued: ISSUED, chain_id: 1 }, "in the future"),
        (PAYER, now.minus(86_400_001), LinkConsent::Both { issued: ISSUED, chain_id: 1 }, "s old"),
        (PAYER, Ms::NEVER, LinkConsent::AccountEnds, "in the future"),
    ] {
        let error = pool.change_link(CLIENT, account, counter, consent).unwrap_err();
        assert!(error.message.contains(why), "{why}: {error:?}");
    }
    assert_eq!(pool.link_rows(), 0, "nothing is written");
    pool.link_to(CLIENT, PAYER, now).unwrap();
    assert_eq!(pool.core.ledger.as_ref().unwrap().payer_of(&node(CLIENT)), Some(PAYER));
    pool.change_link(CLIENT, PAYER, now.plus(1), LinkConsent::AccountEnds).unwrap();
    for replayed in [now, now.plus(1)] {
        let error = pool.link_to(CLIENT, PAYER, replayed).unwrap_err();
        assert!(error.message.contains("has already signed the counter"), "{error:?}");
    }
    pool.link_to(CLIENT, PAYER, now.plus(2)).unwrap();
    // A store keeps it over a restart, also once the account has no link.
    pool.change_link(CLIENT, PAYER, now.plus(3), LinkConsent::AccountEnds).unwrap();
    let payment = Row::Payment(PaymentMode::Credit);
    let rows = pool.core.rows().into_iter().chain([payment]);
    pool.core = Core::restore(Limits::default(), [5; 32], now, rows);
    let error = pool.link_to(CLIENT, PAYER, now.plus(3)).unwrap_err();
    assert!(error.message.contains("has already signed the counter"), "{error:?}");
}

#[test]
fn a_node_ends_its_own_link_without_touching_the_counter_of_the_account() {
    let mut pool = linkable();
    let now = pool.now;
    pool.link_to(CLIENT, PAYER, now).unwrap();
    let error = pool.change_link(CLIENT, PAYER, now, LinkConsent::NodeEnds { issued: ISSUED }).unwrap_err();
    assert!(error.message.contains("has already signed the counter"), "an older request ends no newer link: {error:?}");
    pool.change_link(CLIENT, PAYER, now.plus(9), LinkConsent::NodeEnds { issued: ISSUED }).unwrap();
    assert_eq!(pool.core.ledger.as_ref().unwrap().payer_of(&node(CLIENT)), None);
    pool.link_to(CLIENT, PAYER, now.plus(1)).unwrap();
}

/// Otherwise, the node would spend from an account whose owner ended that: the pool lost what it accepted after the backup.
#[test]
fn a_link_that_ended_after_the_backup_is_not_taken_again() {
    let limits = Limits { payment: PaymentMode::Credit, ..Limits::default() };
    let mut pool = linkable();
    let (backup, signed) = (pool.rows.clone(), pool.now);
    pool.link_to(CLIENT, PAYER, signed).unwrap();
    let linked = pool.rows.clone();
    let ends = |pool: &mut Pool| pool.change_link(CLIENT, PAYER, signed.plus(1), LinkConsent::AccountEnds);
    ends(&mut pool).unwrap();
    pool.pass(1_000);
    pool.restore(backup, limits.clone());
    // It may have been signed by a clock that was ahead.
    for counter in [signed, pool.now.plus(limits.nonce_ahead_ms)] {
        let error = pool.link_to(CLIENT, PAYER, counter).unwrap_err();
        assert!(error.message.contains("restored from a backup"), "{error:?}");
        assert!(error.hint().unwrap().contains("in 300 s"), "{error:?}");
    }
    // A start later does not change that.
    pool.restart(limits.clone());
    assert!(pool.link_to(CLIENT, PAYER, signed).unwrap_err().message.contains("restored from a backup"));
    let later = pool.now.plus(limits.nonce_ahead_ms + 1);
    pool.pass(1);
    pool.link_to(CLIENT, PAYER, later).unwrap();
    // A link of the backup ends with what its account signed before.
    pool.restore(linked, limits);
    assert_eq!(pool.view(PAYER).nodes, [node(CLIENT)]);
    ends(&mut pool).unwrap();
    assert!(pool.view(PAYER).nodes.is_empty());
}

/// Otherwise, the node would spend from the account until the time of the counter.
#[test]
fn a_link_that_was_signed_with_a_clock_that_was_ahead_can_be_ended_before_that_time() {
    let ends = [LinkConsent::NodeEnds { issued: ISSUED }, LinkConsent::AccountEnds];
    for (consent, ahead_ms) in ends.into_iter().zip([60_000, 400 * 86_400_000]) {
        let mut pool = linkable();
        let (now, ahead) = (pool.now, pool.now.plus(ahead_ms));
        if ahead_ms > 300_000 {
            // The pool's clock was ahead, too.
            let ledger = pool.core.ledger.as_mut().unwrap();
            ledger.set_link(node(CLIENT), Some(PAYER));
            ledger.set_link_counter(PAYER, ahead.get());
        } else {
            pool.link_to(CLIENT, PAYER, ahead).unwrap();
        }
        let error = pool.link_to(CLIENT, PAYER, now.plus(1)).unwrap_err();
        assert!(error.message.contains(&format!("is {} s in the future", ahead_ms / 1_000)), "{error:?}");
        pool.change_link(CLIENT, PAYER, now, consent).unwrap();
        let ledger = pool.core.ledger.as_ref().unwrap();
        let link = (ledger.payer_of(&node(CLIENT)), ledger.link_counter(PAYER));
        assert_eq!(link, (None, ahead.get()), "the counter never falls");
    }
}

/// Within the time that a counter may be ahead, the account could link the node again, and a repeat would end that link.
#[test]
fn an_account_does_not_end_a_link_with_a_lower_counter_while_it_could_link_again() {
    let mut pool = linkable();
    let now = pool.now;
    pool.link_to(CLIENT, PAYER, now.plus(60_000)).unwrap();
    let error = pool.change_link(CLIENT, PAYER, now, LinkConsent::AccountEnds).unwrap_err();
    assert!(error.hint().unwrap().contains("`vipnode account unlink`"), "{error:?}");
}

#[test]
fn d7_a_node_that_the_pool_does_not_know_is_not_linked() {
    let mut pool = linkable();
    let error = pool.link_to(HOST, PAYER, pool.now).unwrap_err();
    assert!(error.message.contains("does not know the node"), "{error:?}");
}

#[test]
fn an_account_pays_for_so_many_nodes() {
    let mut pool = Pool::charging(Limits { nodes_an_account: 2, ..Limits::default() });
    pool.credit_to(PAYER, 1);
    let now = pool.now;
    for agent in [1, 2, 3] {
        pool.connect(agent, client(agent)).unwrap();
    }
    pool.link_to(1, PAYER, now).unwrap();
    pool.link_to(2, PAYER, now.plus(1)).unwrap();
    let error = pool.link_to(3, PAYER, now.plus(2)).unwrap_err();
    assert!(error.message.contains("already pays for 2"), "{error:?}");
    pool.link_to(2, PAYER, now.plus(3)).unwrap();
    assert_eq!(pool.view(PAYER).nodes, [node(1), node(2)]);
}

#[test]
fn the_age_of_a_link_is_limited() {
    let mut pool = Pool::charging(Limits { link_age_ms: 1_000, ..Limits::default() });
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.credit_to(PAYER, 1);
    let error = pool.link_to(CLIENT, PAYER, pool.now.minus(1_001)).unwrap_err();
    assert!(error.message.contains("1 s old"), "{error:?}");
    pool.link_to(CLIENT, PAYER, pool.now.minus(1_000)).unwrap();
}

/// The wall clock was ahead once, so pool time is ahead of it.
#[test]
fn a_link_is_dated_by_the_wall_clock() {
    let mut pool = Pool::charging(Limits { link_age_ms: 1_000, ..Limits::default() });
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.credit_to(PAYER, 1);
    let wall = pool.now.minus(7_200_000);
    pool.core.set_wall_clock(pool.now, wall);
    assert!(pool.link_to(CLIENT, PAYER, wall.plus(7_200_000)).unwrap_err().message.contains("in the future"));
    pool.link_to(CLIENT, PAYER, wall).unwrap();
}

/// As [`Pool::leased`], with an account that pays for the client.
fn leased_and_linked() -> Pool {
    leased_and_linked_with(priced())
}

fn leased_and_linked_with(limits: Limits) -> Pool {
    let mut pool = Pool::charging(limits).paired();
    pool.credit_to(PAYER, 10_000_000);
    pool.link_to(CLIENT, PAYER, pool.now).unwrap();
    pool.lease_up();
    pool
}

#[test]
fn a_link_ends_the_running_period_and_the_figures_add_up() {
    let mut pool = leased_and_linked();
    pool.credit_to(OTHER, 10_000_000);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    let view = pool.view(PAYER);
    assert_eq!((view.spent.get(), view.funds.running.get(), view.credited.get()), (0, 60_000, 10_000_000));
    assert_eq!(view.nodes, [node(CLIENT)]);
    pool.link_to(CLIENT, OTHER, pool.now).unwrap();
    let before = pool.metered();
    assert_eq!((before.len(), before[0].billed_ms, before[0].lease.payer), (1, 60_000, Some(PAYER)));
    let view = pool.view(PAYER);
    assert_eq!((view.spent.get(), view.funds.running.get(), view.nodes.len()), (60_000, 0, 0));
    pool.pass_with(30_000, &[HOST, CLIENT]);
    assert_eq!((pool.view(OTHER).funds.running.get(), pool.view(PAYER).funds.running.get()), (30_000, 0));
    pool.change_link(CLIENT, OTHER, pool.now.plus(1), LinkConsent::AccountEnds).unwrap();
    let (view, earned) = (pool.view(OTHER), pool.view(payout(HOST)));
    assert_eq!((view.spent.get(), view.funds.running.get(), view.nodes.len()), (30_000, 0, 0));
    assert_eq!((earned.earned.get(), earned.secured.get(), earned.payable.get()), (90_000, 90_000, 90_000));
    pool.pass_with(30_000, &[HOST, CLIENT]);
    assert_eq!((pool.view(OTHER).spent.get(), pool.view(OTHER).funds.running.get()), (30_000, 0));
}

#[test]
fn what_the_operator_took_back_is_not_shown_as_spent() {
    let mut pool = super::funds::pool(super::funds::credit_limits());
    let payer = super::funds::payer();
    pool.credit(100_000);
    pool.change(LedgerChangeKind::Debit { payer, amount: Amount::new(30_000) }, None).unwrap();
    let view = pool.view(payer);
    assert_eq!((view.credited.get(), view.debited.get(), view.spent.get()), (100_000, 30_000, 0));
}

/// A caller, with the account's key, as its node, or as the operator, sees the same figures at the same time.
#[test]
fn the_funds_of_an_account_are_the_same_wherever_they_are_shown() {
    let mut pool = leased_and_linked();
    pool.pass_with(90_000, &[HOST, CLIENT]);
    pool.pass(7_000);
    let funds = pool.view(PAYER).funds;
    let running = Amount::new(97_000);
    let (balance, available) =
        (SignedAmount::difference(Amount::new(10_000_000), Amount::ZERO), Amount::new(9_903_000));
    assert_eq!(funds, AccountFunds { balance, running, limit: Amount::ZERO, available });
    assert_eq!(pool.funds_of(CLIENT).funds, funds);
    let accounts = pool.core.accounts_from(None, 9).unwrap();
    assert_eq!(accounts.iter().find(|view| view.account == PAYER).unwrap().funds, funds);
    // Once the period is posted, what was running is in the balance.
    pool.link_to(CLIENT, PAYER, pool.now).unwrap();
    let (posted, view) = (pool.funds_of(CLIENT).funds, pool.view(PAYER));
    assert_eq!(posted, view.funds);
    assert_eq!(posted.balance, SignedAmount::difference(view.credited, view.spent));
    assert!(posted.available <= available && view.spent.get() > 0, "{posted:?}");
}

#[test]
fn a_link_states_that_the_account_has_too_little_for_a_slot() {
    let mut pool = Pool::charging(Limits { funds_last_ms: 60_000, ..priced() }).paired();
    let unpaid = |pool: &mut Pool, later: u64| {
        let consent = LinkConsent::Both { issued: ISSUED, chain_id: 1 };
        let link = AccountLink { node: node(CLIENT), account: PAYER, counter: pool.now.plus(later), consent };
        let connection = pool.connection(0);
        match pool.request(Command::Link { connection, request: 1, address: address(CLIENT), link }) {
            Some(Ok(Reply::Linked(reply))) => reply.unpaid,
            other => panic!("{other:?}"),
        }
    };
    pool.credit_to(PAYER, 59_999);
    let error = unpaid(&mut pool, 1).unwrap();
    assert!(error.is(ErrorCode::PaymentRequired) && error.message.contains("59999 wei available"), "{error:?}");
    pool.credit_to(PAYER, 1);
    assert_eq!(unpaid(&mut pool, 2), None, "exactly enough");
    pool.lease_up();
    pool.pass_with(1_000, &[HOST, CLIENT]);
    pool.credit_to(PAYER, 2_000);
    assert_eq!(unpaid(&mut pool, 3), None, "for the lease that it has, not for one more");
}

#[test]
fn an_agent_reads_the_funds_of_its_own_node_only() {
    let mut pool = leased_and_linked();
    let funds = pool.funds_of(CLIENT);
    assert_eq!((funds.account, funds.funds.available.get(), funds.payout), (Some(PAYER), 10_000_000, None));
    let funds = pool.funds_of(HOST);
    assert_eq!((funds.account, funds.funds.available.get(), funds.payout), (None, 0, Some(payout(HOST))));
    let stranger = Command::Funds { connection: pool.connection(77), request: 1 };
    assert!(pool.request(stranger).unwrap().unwrap_err().is(ErrorCode::Unauthorized));
}

#[test]
fn another_payer_does_not_get_around_the_limit_of_periods() {
    let mut pool = leased_and_linked_with(Limits { periods_an_hour: 1, ..priced() });
    pool.credit_to(OTHER, 10_000_000);
    for _ in 0..3 {
        pool.pass_with(1_000, &[HOST, CLIENT]);
        pool.link_to(CLIENT, PAYER, pool.now).unwrap();
    }
    assert_eq!(pool.metered().len(), 1, "the others wait");
    for linked in [true, false] {
        let error = pool.link_to(CLIENT, OTHER, pool.now).unwrap_err();
        assert!(error.is(ErrorCode::Busy), "{error:?}");
        assert!(error.data.unwrap().retry_ms.is_some_and(|retry_ms| retry_ms <= 3_600_000));
        if linked {
            pool.change_link(CLIENT, PAYER, pool.now.plus(1), LinkConsent::AccountEnds).unwrap();
        }
    }
    assert_eq!(pool.metered().len(), 1);
    pool.pass_with(3_600_000, &[HOST, CLIENT]);
    assert_eq!(pool.metered().len(), 2);
    pool.link_to(CLIENT, OTHER, pool.now).unwrap();
}

#[test]
fn a_lease_that_ends_with_its_link_is_billed_to_its_end() {
    let mut pool = leased_and_linked();
    pool.pass(20_000);
    pool.change_link(CLIENT, PAYER, pool.now, LinkConsent::AccountEnds).unwrap();
    assert_eq!(pool.view(PAYER).spent.get(), 0);
    let left = |pool: &Pool| pool.core.ledger.as_ref().unwrap().left(PAYER, pool.now).get();
    assert_eq!(left(&pool), 10_000_000 - 20_000, "the account keeps what it may cost");
    pool.evicted(HOST).unwrap();
    pool.evicted(CLIENT).unwrap();
    let (view, earned) = (pool.view(PAYER), pool.view(payout(HOST)));
    assert_eq!((view.spent.get(), earned.secured.get(), left(&pool)), (20_000, 20_000, 10_000_000 - 20_000));
    assert_eq!(pool.core.counters().unpaired_ms, 0);
}

#[test]
fn what_another_payer_comes_before_is_not_billed() {
    let mut pool = leased_and_linked();
    pool.credit_to(OTHER, 10_000_000);
    pool.pass(20_000);
    pool.change_link(CLIENT, PAYER, pool.now, LinkConsent::AccountEnds).unwrap();
    pool.link_to(CLIENT, OTHER, pool.now).unwrap();
    pool.evicted(HOST).unwrap();
    pool.evicted(CLIENT).unwrap();
    let spent = [PAYER, OTHER].map(|account| pool.view(account).spent.get());
    assert_eq!((spent, pool.core.counters().unpaired_ms), ([0, 0], 20_000));
    assert_eq!(pool.core.ledger.as_ref().unwrap().left(PAYER, pool.now).get(), 10_000_000);
}

/// The attack: a lease that ends with the link is billed up to the last report of both sides, a client makes each lease
/// end before the first one, and does not confirm that it used the lease until then.
#[test]
fn linking_and_unlinking_in_a_loop_is_counted_as_unpaired_time() {
    let mut pool = leased_and_linked();
    let (mut served, round_ms) = (0, 20_000);
    for round in 0.. {
        assert!(round < 100, "served for {served} ms");
        pool.pass(round_ms);
        served += round_ms;
        pool.change_link(CLIENT, PAYER, pool.now, LinkConsent::AccountEnds).unwrap();
        assert!(pool.evicted(HOST).is_some());
        let (call, _) = pool.take_evict_call(CLIENT).unwrap();
        pool.done(call, CallOutcome::Lost);
        pool.link_to(CLIENT, PAYER, pool.now.plus(1)).unwrap();
        pool.beat(HOST);
        pool.beat(CLIENT);
        pool.ask(CLIENT, 1);
        let Some((call, lease)) = pool.take_admit(HOST) else { break };
        pool.done(call, CallOutcome::Done);
        pool.reports_up(HOST, lease);
        pool.reports_up(CLIENT, lease);
    }
    let billed: u64 = pool.billed_ms().iter().sum();
    let Limits { silence_ms, unpaired_pair_ms, .. } = pool.core.limits;
    let most = silence_ms + unpaired_pair_ms + round_ms;
    assert!(served - billed <= most, "{served} ms served, {billed} ms of them billed");
}
