use vipnode_types::{Amount, NodeId, wire::NodeFunds};

use super::funds_rows;
use crate::output::{Column, Styled, Table, with_carried_flags_of_own};

/// What a node may spend at its pool, and what it earned, fitted to `width` columns.
/// `hint` is how an account gets to pay for the node or to receive its earnings, where none does.
pub(crate) fn funds_page((node, pool): (&NodeId, &str), funds: &NodeFunds, hint: &str, width: usize) -> Styled {
    let show = |amount: Amount| funds.asset.show(amount).to_string();
    let mut page: Styled = format!("Node {} at {pool}\n\n", node.short()).as_str().into();
    let paid_by = funds.account.map_or_else(|| "none".to_owned(), |account| account.to_string());
    let paid_to = funds.payout.map_or_else(|| "none".to_owned(), |account| account.to_string());
    let mut rows = vec![["Paid by account".to_owned(), paid_by]];
    if funds.account.is_some() {
        rows.extend(funds_rows(funds.asset, &funds.funds));
    }
    rows.push(["Paid to account".to_owned(), paid_to]);
    if funds.payout.is_some() {
        rows.push(["Earned".to_owned(), show(funds.earned)]);
        rows.push(["To be paid out".to_owned(), show(funds.payable)]);
    }
    page.append(&Table::new([Column::text(""), Column::text("")]).with_rows(rows).fit(width));
    if funds.account.is_none() && funds.payout.is_none() {
        page.hint(&with_carried_flags_of_own(hint), "");
    }
    page.trimmed().wrapped(width)
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Account, Asset, SignedAmount, wire::AccountFunds};

    use super::*;
    use crate::tests::{pages, plain};

    #[test]
    fn snapshot_of_the_funds_of_a_node() {
        let client = NodeFunds {
            asset: Asset::new("USDC", 6).unwrap(),
            account: Some(Account::new([0x5a; 20])),
            funds: AccountFunds {
                balance: SignedAmount::difference(Amount::new(1_508_000), Amount::ZERO),
                running: Amount::new(8_000),
                limit: Amount::ZERO,
                available: Amount::new(1_500_000),
            },
            payout: None,
            next_payout: None,
            earned: Amount::ZERO,
            payable: Amount::ZERO,
            channel: None,
        };
        let host = NodeFunds {
            account: None,
            funds: AccountFunds::default(),
            payout: Some(Account::new([0x5b; 20])),
            earned: Amount::new(310_000),
            payable: Amount::new(300_700),
            ..client
        };
        let unlinked = NodeFunds { account: None, funds: AccountFunds::default(), ..client };
        let link = "Let an account pay for this node: `vipnode account link wss://pool.example/ --keystore FILE --tls-ca \
                    /etc/vipnode/ca.pem`";
        let balance = SignedAmount::difference(Amount::ZERO, Amount::new(7));
        let owing = NodeFunds { funds: AccountFunds { balance, ..AccountFunds::default() }, ..client };
        insta::assert_snapshot!(
            "funds",
            pages(|width| {
                [client, host, owing, unlinked]
                    .map(|funds| {
                        let of = (&NodeId::new([7; 64]), "wss://pool.example/");
                        plain(&funds_page(of, &funds, link, width).to_string())
                    })
                    .join("\n\n")
            })
        );
    }
}
