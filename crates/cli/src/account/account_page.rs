use vipnode_types::{
    Account, Amount,
    wire::{AccountView, LeavingNode, NextPayout},
};

use super::funds_rows;
use crate::output::{Column, Styled, Table};

/// The figures of an account, fitted to `width` columns.
pub(crate) fn account_page(account: &Account, pool: &str, view: &AccountView, width: usize) -> Styled {
    let show = |amount: Amount| view.asset.show(amount).to_string();
    let mut page: Styled = format!("Account {account} at {pool}\n\n").as_str().into();
    let mut rows = vec![
        ["Credited".to_owned(), show(view.credited)],
        ["Debited".to_owned(), show(view.debited)],
        ["Spent on slots".to_owned(), show(view.spent)],
    ];
    rows.extend(funds_rows(view.asset, &view.funds));
    rows.push(["Earned".to_owned(), show(view.earned)]);
    rows.push(["Secured by clients".to_owned(), show(view.secured)]);
    rows.push(["To be paid out".to_owned(), show(view.payable)]);
    page.append(&Table::new([Column::text(""), Column::number("AMOUNT")]).with_rows(rows).fit(width));
    let nodes = match view.nodes.as_slice() {
        [] => "\n\nNo node spends from this account".to_owned(),
        nodes => format!(
            "\n\nNodes that spend from this account: {}",
            nodes.iter().map(vipnode_types::NodeId::short).collect::<Vec<_>>().join(", ")
        ),
    };
    page.push(&nodes);
    for LeavingNode { node, next: NextPayout { account, from_ms } } in &view.leaving {
        let (node, from) = (node.short(), from_ms.rfc3339_seconds());
        page.push(&format!("\n\nNode {node} earns for this account only until {from}, then for {account}"));
    }
    page.wrapped(width)
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Asset, Ms, NodeId, SignedAmount, wire::AccountFunds};

    use super::*;
    use crate::tests::{pages, plain};

    fn view() -> AccountView {
        AccountView {
            asset: Asset::new("USDC", 6).unwrap(),
            time_ms: Ms::new(1_795_000_000_000),
            credited: Amount::new(25_000_000),
            debited: Amount::new(5_000_000),
            spent: Amount::new(1_234_567),
            funds: AccountFunds {
                balance: SignedAmount::difference(Amount::new(18_765_433), Amount::ZERO),
                running: Amount::new(8_000),
                limit: Amount::ZERO,
                available: Amount::new(18_757_433),
            },
            earned: Amount::new(310_000),
            secured: Amount::new(310_000),
            payable: Amount::new(300_700),
            nodes: vec![NodeId::new([0x1f; 64]), NodeId::new([0x2e; 64])],
            leaving: vec![LeavingNode {
                node: NodeId::new([0x3d; 64]),
                next: NextPayout { account: Account::new([0x6b; 20]), from_ms: Ms::new(1_795_000_000_000) },
            }],
        }
    }

    #[test]
    fn snapshot_of_the_figures() {
        let account = Account::new([0x5a; 20]);
        let owing = AccountView {
            spent: Amount::new(26_000_000),
            funds: AccountFunds {
                balance: SignedAmount::difference(Amount::ZERO, Amount::new(6_000_000)),
                running: Amount::new(8_000),
                limit: Amount::new(5_000_000),
                available: Amount::ZERO,
            },
            nodes: Vec::new(),
            leaving: Vec::new(),
            ..view()
        };
        insta::assert_snapshot!(
            "account",
            pages(|width| {
                [view(), owing.clone()]
                    .map(|view| plain(&account_page(&account, "wss://pool.example", &view, width).to_string()))
                    .join("\n\n")
            })
        );
    }
}
