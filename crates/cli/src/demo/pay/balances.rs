use std::collections::BTreeMap;

use serde_json::{Value, json};
use vipnode_types::{Account, Amount, Asset, SignedAmount};

use crate::{
    demo::roles::DemoRole,
    error::CommandError,
    output::{Column, Table, format::rounded},
};

/// Who has what on the chain before and after the demo, and the figures of the pool's ledger that must match.
#[derive(Debug, Clone)]
pub(super) struct DemoBalances {
    pub(super) asset: Asset,
    pub(super) rows: Vec<BalanceRow>,
    /// How much of the token exists.
    pub(super) supply: Amount,
    /// The escrow's balance of the token.
    pub(super) in_escrow: Amount,
    pub(super) ledger: LedgerFigures,
}

/// What one account has. Amounts are in the token's smallest unit.
#[derive(Debug, Clone)]
pub(super) struct BalanceRow {
    pub(super) who: DemoRole,
    pub(super) account: Account,
    pub(super) before: Amount,
    /// In the account itself.
    pub(super) wallet: Amount,
    /// In its payment channel and not claimed.
    pub(super) deposit: Amount,
}

/// What the pool's ledger has posted for each.
#[derive(Debug, Clone, Default)]
pub(super) struct LedgerFigures {
    /// What each client has spent.
    pub(super) spent: BTreeMap<DemoRole, Amount>,
    /// What each host has earned, before the fee.
    pub(super) earned: BTreeMap<DemoRole, Amount>,
    /// What each host was paid.
    pub(super) paid: BTreeMap<DemoRole, Amount>,
    /// The most that is still payable to an account.
    pub(super) payable: Amount,
}

impl BalanceRow {
    fn name(&self) -> String {
        if self.who == DemoRole::Operator { "treasury".to_owned() } else { self.who.to_string() }
    }

    fn after(&self) -> Amount {
        sum([self.wallet, self.deposit])
    }

    fn change(&self) -> SignedAmount {
        SignedAmount::difference(self.after(), self.before)
    }
}

impl DemoBalances {
    fn before(&self) -> Amount {
        sum(self.rows.iter().map(|row| row.before))
    }

    fn wallets(&self) -> Amount {
        sum(self.rows.iter().map(|row| row.wallet))
    }

    fn deposits(&self) -> Amount {
        sum(self.rows.iter().map(|row| row.deposit))
    }

    fn after(&self) -> Amount {
        sum(self.rows.iter().map(BalanceRow::after))
    }

    /// What the pool keeps: what clients spent, less what hosts were paid.
    fn fee(&self) -> SignedAmount {
        SignedAmount::difference(self.spent(), self.paid())
    }

    fn spent(&self) -> Amount {
        sum(self.ledger.spent.values().copied())
    }

    fn paid(&self) -> Amount {
        sum(self.ledger.paid.values().copied())
    }

    /// Compares the balances on the chain with each other and with the ledger, to the smallest unit.
    ///
    /// # Errors
    /// [`CommandError::DemoSums`] with the first two figures that differ.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        let equal = |what: &str, one: SignedAmount, other: SignedAmount| match one == other {
            true => Ok(()),
            false => Err(CommandError::DemoSums { why: format!("{what}: {one} and {other}") }),
        };
        let whole = |amount| SignedAmount::difference(amount, Amount::ZERO);
        equal("all balances before, and the token's supply", whole(self.before()), whole(self.supply))?;
        equal("all balances after, and the token's supply", whole(self.after()), whole(self.supply))?;
        equal("all deposits, and what the escrow holds", whole(self.deposits()), whole(self.in_escrow))?;
        equal(
            "what clients spent, and what hosts earned before the fee, by the ledger",
            whole(self.spent()),
            whole(sum(self.ledger.earned.values().copied())),
        )?;
        equal("what is still payable by the ledger", whole(self.ledger.payable), SignedAmount::ZERO)?;
        for row in &self.rows {
            let of = |figures: &BTreeMap<DemoRole, Amount>| whole(figures.get(&row.who).copied().unwrap_or_default());
            let posted = match row.who {
                DemoRole::Client(_) => of(&self.ledger.spent).negated(),
                DemoRole::Host(_) => of(&self.ledger.paid),
                _ => self.fee(),
            };
            equal(&format!("the change of {}, on the chain and by the ledger", row.name()), row.change(), posted)?;
        }
        Ok(())
    }

    /// A row for each account, and their sums.
    pub(super) fn table(&self) -> Table<6> {
        let table = Table::new([
            Column::text("account"),
            Column::number("before"),
            Column::number("in account").rank(1),
            Column::number("in escrow").rank(1),
            Column::number("after"),
            Column::number("change"),
        ]);
        let cells = |who: String, [before, wallet, deposit, after]: [Amount; 4]| {
            let show = |amount| digits(self.asset, amount);
            let change = signed(self.asset, SignedAmount::difference(after, before));
            [who, show(before), show(wallet), show(deposit), show(after), change]
        };
        let rows = self.rows.iter().map(|row| cells(row.name(), [row.before, row.wallet, row.deposit, row.after()]));
        let sums = [self.before(), self.wallets(), self.deposits(), self.after()];
        table.with_rows(rows).with_rows([cells("total".to_owned(), sums)])
    }

    /// What was paid, in a line below the table.
    pub(super) fn text(&self) -> String {
        let show = |amount: Amount| self.asset.show(amount).to_string();
        format!(
            "The clients paid {}: {} to the hosts, and {} to the pool as its fee. On the chain and in the pool's ledger, \
             all amounts match to the smallest unit.",
            show(self.spent()),
            show(self.paid()),
            show(self.fee().magnitude())
        )
    }

    /// The table for programs.
    pub(super) fn json(&self) -> Value {
        let row = |row: &BalanceRow| {
            json!({
                "who": row.name(),
                "account": row.account,
                "before": row.before,
                "wallet": row.wallet,
                "deposit": row.deposit,
                "after": row.after(),
                "change": row.change(),
            })
        };
        self.rows.iter().map(row).collect()
    }
}

fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX))
}

/// With all decimals and without the symbol.
fn digits(asset: Asset, amount: Amount) -> String {
    rounded(asset, amount).trim_end_matches(asset.symbol()).trim_end().to_owned()
}

fn signed(asset: Asset, change: SignedAmount) -> String {
    let sign = match (change.is_negative(), change == SignedAmount::ZERO) {
        (true, _) => "-",
        (_, true) => "",
        _ => "+",
    };
    format!("{sign}{}", digits(asset, change.magnitude()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{pages, plain};

    const CLIENT: DemoRole = DemoRole::Client(0);
    const HOST: DemoRole = DemoRole::Host(0);

    fn balances() -> DemoBalances {
        let row = |who, number, [before, wallet, deposit]: [u128; 3]| BalanceRow {
            who,
            account: Account::new([number; 20]),
            before: Amount::new(before),
            wallet: Amount::new(wallet),
            deposit: Amount::new(deposit),
        };
        let rows = vec![
            row(CLIENT, 1, [20_000_000, 5_000_000, 14_939_001]),
            row(HOST, 2, [0, 59_475, 0]),
            row(DemoRole::Operator, 3, [0, 1_524, 0]),
        ];
        let of = |who, amount| BTreeMap::from([(who, Amount::new(amount))]);
        let [spent, earned, paid] = [of(CLIENT, 60_999), of(HOST, 60_999), of(HOST, 59_475)];
        let ledger = LedgerFigures { spent, earned, paid, payable: Amount::ZERO };
        let asset = Asset::new("USDC", 6).unwrap();
        DemoBalances { asset, rows, supply: Amount::new(20_000_000), in_escrow: Amount::new(14_939_001), ledger }
    }

    #[test]
    fn snapshot_of_balances() {
        let balances = balances();
        balances.check().unwrap();
        insta::assert_snapshot!(
            "demo_balances",
            pages(|width| {
                format!(
                    "{}\n{}",
                    plain(&balances.table().fit(width).to_string()),
                    crate::output::wrap(&balances.text(), width)
                )
            })
        );
    }

    #[test]
    fn one_unit_too_many_or_too_few_fails_the_demo() {
        type Change = fn(&mut DemoBalances);
        let one = Amount::new(1);
        let changes: [(Change, &str); 8] = [
            (|balances| balances.ledger.payable = Amount::new(1), "what is still payable"),
            (|balances| balances.supply = Amount::new(20_000_001), "the token's supply"),
            (|balances| balances.in_escrow = Amount::new(14_939_000), "what the escrow holds"),
            (|balances| balances.rows[0].wallet = Amount::new(4_999_999), "the token's supply"),
            (
                |balances| {
                    balances.rows[1].wallet = Amount::new(59_476);
                    balances.rows[2].wallet = Amount::new(1_523);
                },
                "the change of host A",
            ),
            (
                |balances| {
                    balances.rows[0].wallet = Amount::new(5_000_001);
                    balances.rows[2].wallet = Amount::new(1_523);
                },
                "the change of client 1",
            ),
            (
                |balances| {
                    balances.ledger.paid.insert(HOST, Amount::new(59_476));
                },
                "the change of host A",
            ),
            (
                |balances| {
                    balances.ledger.earned.insert(HOST, Amount::new(61_000));
                },
                "what hosts earned",
            ),
        ];
        for (change, what) in changes {
            let mut balances = balances();
            change(&mut balances);
            let error = balances.check().unwrap_err().to_string();
            assert!(error.contains(what), "{what}: {error}");
        }
        let mut lost = balances();
        lost.rows[2].wallet = lost.rows[2].wallet.checked_sub(one).unwrap();
        lost.supply = lost.supply.checked_sub(one).unwrap();
        assert!(lost.check().is_err(), "what was burned is missed");
    }
}
