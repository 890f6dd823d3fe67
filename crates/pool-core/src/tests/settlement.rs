use vipnode_types::{Account, Amount, Ms};

use crate::{
    OrderError, PayoutRow, PayoutState, Row, RowKey, SettlementPeriodRow, ledger::settlement::Settlement,
    output::Output,
};

const PAYEE: Account = Account::new([8; 20]);

/// Closes a period with as many payouts, and marks them as paid.
fn close(settlement: &mut Settlement, payouts: u64) -> Vec<Row> {
    let mut output = Output::new(Ms::new(1));
    settlement.close(&mut output, Ms::new(1), (0..payouts).map(|_| (PAYEE, Amount::new(1))));
    let due: Vec<PayoutRow> = settlement.of_period(settlement.next_period() - 1, None).collect();
    assert_eq!((due.len() as u64, settlement.unmarked() as u64), (payouts, payouts));
    for row in due {
        settlement.set(&mut output, PayoutRow { state: PayoutState::Paid, ..row });
    }
    let mut effects = Vec::new();
    output.finish(&mut effects);
    let rows = |effect| if let crate::Effect::Persist(rows) = effect { rows } else { vec![] };
    effects.into_iter().flat_map(rows).collect()
}

/// The payouts of the newest periods stay, and the last number, so that none is used again. What a store has is what the core has.
#[test]
fn payouts_of_periods_long_ago_are_forgotten() {
    let (mut settlement, mut restored) = (Settlement::default(), Settlement::default());
    let mut deleted = Vec::new();
    for period in 1..=2 * SettlementPeriodRow::WITH_PAYOUTS {
        // No payouts in the second half.
        let rows = close(&mut settlement, if period <= SettlementPeriodRow::WITH_PAYOUTS { 2 } else { 0 });
        for row in rows {
            match row {
                Row::Period(row) => restored.restore(row),
                Row::Payout(row) => restored.restore_payout(row),
                Row::Delete(RowKey::Payout(number)) => {
                    deleted.push(number);
                    restored.delete(number);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(settlement.rows().collect::<Vec<_>>(), restored.rows().collect::<Vec<_>>());
        let of = |settlement: &Settlement, period| settlement.of_period(period, None).collect::<Vec<_>>();
        for old in 1..=period {
            assert_eq!(of(&settlement, old), of(&restored, old), "the index of period {old}");
        }
    }
    let last = 2 * SettlementPeriodRow::WITH_PAYOUTS;
    assert_eq!(deleted, (1..last).collect::<Vec<_>>());
    assert_eq!(settlement.payout(last).map(|row| row.state), Some(PayoutState::Paid));
    close(&mut settlement, 1);
    assert_eq!(settlement.payout(last + 1).map(|row| row.period), Some(last + 1));
}

#[test]
fn payouts_that_are_not_marked_are_counted() {
    let said = |payouts| OrderError::PayoutsUnmarked { payouts }.to_string();
    assert_eq!(said(1), "the previous period has unmarked payouts (1)");
    assert_eq!(said(2), "the previous period has unmarked payouts (2)");
}
