use proptest::prelude::*;
use vipnode_types::{Account, Amount, LeaseId, Ms};

use crate::{
    AccountFigures, AccountRow, LeaseRow, LedgerAccount, LinkRow, MergedPeriods, MeteredPeriod, OperatorOrder, Row,
    Transaction, ledger::Ledger, output::Output,
};

fn account(number: u8) -> Account {
    Account::new([number; 20])
}

fn order() -> OperatorOrder {
    OperatorOrder { by: None, reason: "a test".to_owned(), key: None }
}

/// A period that cost so much.
fn period(number: u64, cost: u128, fee_bps: u16) -> MeteredPeriod {
    let lease = LeaseRow {
        id: LeaseId::new(number),
        row: 0,
        client: super::pool::node(1),
        host: super::pool::node(2),
        payee: Some(account(8)),
        payer: Some(account(1)),
        price: vipnode_types::Price::FREE,
        fee_bps,
        trial: false,
        carry: 0,
        offered: Ms::ZERO,
        client_seen: None,
        host_seen: None,
    };
    let cost = Amount::new(cost);
    MeteredPeriod {
        lease,
        client: None,
        host: None,
        billed_ms: 1,
        cost,
        ended: Ms::ZERO,
        earlier: MergedPeriods::default(),
        folded: 0,
    }
}

/// What may happen to a ledger.
#[derive(Debug, Clone)]
enum Step {
    Credit(u64),
    Debit(u64),
    Charge(u64, u16),
    Collect,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<u64>().prop_map(Step::Credit),
        any::<u64>().prop_map(Step::Debit),
        (any::<u64>(), 0..=10_000u16).prop_map(|(cost, fee)| Step::Charge(cost, fee)),
        Just(Step::Collect),
    ]
}

fn run(ledger: &mut Ledger, number: u64, step: &Step) -> Vec<Row> {
    let mut output = Output::new(Ms::new(number));
    let payer = account(1);
    match *step {
        Step::Credit(amount) => {
            let amount = Amount::new(amount.into());
            ledger.post(&mut output, Transaction::Credit { payer, amount, order: order() }).unwrap();
            ledger.collect(&mut output, payer, 2);
        }
        Step::Debit(amount) => {
            let amount = Amount::new(amount.into());
            ledger.post(&mut output, Transaction::Debit { payer, amount, order: order() }).unwrap();
        }
        Step::Charge(cost, fee_bps) => {
            ledger.charge(&mut output, &period(number, cost.into(), fee_bps));
        }
        Step::Collect => {
            ledger.collect(&mut output, payer, 2);
        }
    }
    let mut effects = Vec::new();
    output.finish(&mut effects);
    effects
        .into_iter()
        .flat_map(|effect| if let crate::Effect::Persist(rows) = effect { rows } else { vec![] })
        .collect()
}

fn figures(ledger: &Ledger, account: LedgerAccount) -> AccountFigures {
    let row = ledger.rows().into_iter().find_map(|row| match row {
        Row::Account(AccountRow { account: of, figures }) if of == account => Some(figures),
        _ => None,
    });
    row.unwrap_or_default()
}

proptest! {
    /// Every transaction sums to zero, no sum falls, and a host is owed only what was secured.
    #[test]
    fn the_ledger_creates_no_money(steps in prop::collection::vec(any_step(), 0..40)) {
        let (mut ledger, mut restored) = (Ledger::default(), Ledger::default());
        for (number, step) in (1u64..).zip(&steps) {
            let before = ledger.rows();
            let rows = run(&mut ledger, number, step);
            rows.into_iter().for_each(|row| restored.restore(row));
            let accounts = |rows: Vec<Row>| {
                let of = |row| if let Row::Account(row) = row { Some((row.account, row.figures)) } else { None };
                rows.into_iter().filter_map(of).collect::<std::collections::BTreeMap<_, _>>()
            };
            let (before, after) = (accounts(before), accounts(ledger.rows()));
            let sum = |of: fn(&AccountFigures) -> Amount| after.values().map(|figures| of(figures).get()).sum::<u128>();
            prop_assert_eq!(sum(|figures| figures.received), sum(|figures| figures.sent));
            for (account, old) in before {
                let new = after[&account];
                prop_assert!(new.received >= old.received && new.sent >= old.sent);
                prop_assert!(new.metered >= old.metered && new.collected >= old.collected);
            }
            let payer = figures(&ledger, LedgerAccount::Payer(account(1)));
            let (payee, fee) = (figures(&ledger, LedgerAccount::Payee(account(8))), figures(&ledger, LedgerAccount::Fee));
            prop_assert_eq!(payer.metered, payee.metered);
            prop_assert_eq!(payer.collected, payee.collected);
            prop_assert!(payer.collected <= payer.received && payer.collected <= payer.metered);
            prop_assert_eq!(payee.payable().get() + fee.received.get(), payee.collected.get());
            prop_assert_eq!(restored.rows(), ledger.rows(), "restored from its rows");
        }
    }

    /// The fee does not depend on how often a cost was secured in parts.
    #[test]
    fn the_fee_is_that_of_the_whole(cost in 1u64.., fee_bps in 0..=10_000u16, parts in prop::collection::vec(1u64.., 1..6)) {
        let mut ledger = Ledger::default();
        run(&mut ledger, 1, &Step::Charge(cost, fee_bps));
        let mut secured = 0u128;
        for (number, part) in (2u64..).zip(parts) {
            run(&mut ledger, number, &Step::Credit(part));
            secured = (secured + u128::from(part)).min(cost.into());
            let fee = figures(&ledger, LedgerAccount::Fee).received.get();
            prop_assert_eq!(fee, secured * u128::from(fee_bps) / 10_000);
            prop_assert_eq!(figures(&ledger, LedgerAccount::Payee(account(8))).collected.get(), secured);
        }
    }
}

#[test]
fn costs_are_secured_in_the_order_of_the_meter() {
    let mut ledger = Ledger::default();
    run(&mut ledger, 1, &Step::Credit(100));
    run(&mut ledger, 2, &Step::Charge(150, 0));
    run(&mut ledger, 3, &Step::Charge(40, 0));
    let unpaid = |ledger: &Ledger| {
        let rows = ledger.rows().into_iter();
        let of = |row| if let Row::Unpaid(row) = row { Some((row.entry, row.collected.get())) } else { None };
        rows.filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(unpaid(&ledger), [(2, 100), (3, 0)], "one period is cut");
    run(&mut ledger, 4, &Step::Credit(60));
    assert_eq!(unpaid(&ledger), [(3, 10)]);
    run(&mut ledger, 5, &Step::Credit(1_000));
    assert_eq!(unpaid(&ledger), []);
}

#[test]
fn accounts_are_listed_by_address_from_any_address_on() {
    let mut ledger = Ledger::default();
    let figures = AccountFigures { received: Amount::new(1), ..AccountFigures::default() };
    let payers = [3, 1, 0xff].map(|number| LedgerAccount::Payer(account(number)));
    let payees = [8, 3].map(|number| LedgerAccount::Payee(account(number)));
    for account in payers.into_iter().chain(payees) {
        ledger.restore(Row::Account(AccountRow { account, figures }));
    }
    for (node, payer) in [(1, 5), (2, 5), (3, 1)] {
        ledger.restore(Row::Link(LinkRow { node: super::pool::node(node), account: account(payer) }));
    }
    let listed = |from: Option<Account>, most| {
        let views = ledger.views(from, most, Ms::ZERO).into_iter();
        views.map(|view| (view.account.as_bytes()[0], view.nodes)).collect::<Vec<_>>()
    };
    let all = [(1, 1), (3, 0), (5, 2), (8, 0), (0xff, 0)];
    assert_eq!(listed(None, 10), all);
    assert_eq!(listed(None, 2), all[..2]);
    assert_eq!(listed(Some(account(4)), 2), all[2..4]);
    assert_eq!(listed(Some(account(5)), 10), all[2..]);
    assert_eq!(listed(Some(account(0xff)), 10), all[4..]);
}
