use serde_json::{Value, json};
use vipnode_types::{
    Amount, Asset, Ms,
    payment::{ChannelState, PendingWithdrawal},
};

use super::ChannelFile;
use crate::output::{Column, Styled, Table};

/// What an account and its channel hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Balances {
    pub(crate) file: ChannelFile,
    pub(crate) asset: Asset,
    /// The account's coins for gas, in wei.
    pub(crate) coins_wei: u128,
    /// The account's tokens.
    pub(crate) tokens: Amount,
    pub(crate) channel: ChannelState,
    pub(crate) pending: Option<PendingWithdrawal>,
}

impl Balances {
    /// When a pending withdrawal can be finished.
    pub(crate) fn finalize_after(&self) -> Option<Ms> {
        self.pending.map(|pending| time(pending.finalize_after_s(self.file.config.withdraw_delay_s)))
    }
}

/// A time of the chain.
const fn time(seconds: u64) -> Ms {
    Ms::new(seconds.saturating_mul(1_000))
}

/// The balances, fitted to `width` columns.
pub(crate) fn balance_page(balances: &Balances, width: usize) -> Styled {
    let Balances { file, asset, coins_wei, tokens, channel, pending } = balances;
    let show = |amount: Amount| asset.show(amount).to_string();
    let mut page: Styled =
        format!("Channel {} on chain {}\nof account {}\n\n", file.id(), file.chain_id, file.config.payer)
            .as_str()
            .into();
    let mut rows = vec![
        ["In the account".to_owned(), show(*tokens)],
        ["For gas".to_owned(), Asset::ETHER.show(Amount::new(*coins_wei)).to_string()],
        ["In the channel".to_owned(), show(channel.unclaimed())],
        ["Claimed by the receiver".to_owned(), show(channel.total_claimed)],
    ];
    if let Some(pending) = pending {
        rows.push(["Being withdrawn".to_owned(), show(pending.amount)]);
    }
    page.append(&Table::new([Column::text(""), Column::number("AMOUNT")]).with_rows(rows).fit(width));
    if let Some(after) = balances.finalize_after() {
        page.push(&format!("\n\nThe withdrawal can be finished after {}", after.rfc3339_seconds()));
    }
    page.wrapped(width)
}

/// The same for programs, in smallest units.
pub(crate) fn balance_json(balances: &Balances) -> Value {
    let Balances { file, asset, coins_wei, tokens, channel, pending } = balances;
    json!({
        "event": "wallet_balance",
        "account": file.config.payer,
        "chain_id": file.chain_id,
        "asset": asset,
        "coins_wei": coins_wei.to_string(),
        "tokens": tokens,
        "channel": file.id(),
        "balance": channel.balance,
        "claimed": channel.total_claimed,
        "withdrawing": pending.map(|pending| pending.amount),
        "finalize_after": balances.finalize_after().map(Ms::rfc3339_seconds),
    })
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Account, Hash256, payment::ChannelConfig};

    use super::*;
    use crate::tests::{pages, plain};

    fn balances() -> Balances {
        let config = ChannelConfig {
            payer: Account::new([1; 20]),
            payer_authorizer: Account::new([2; 20]),
            receiver: Account::new([3; 20]),
            receiver_authorizer: Account::new([3; 20]),
            token: Account::new([4; 20]),
            withdraw_delay_s: 900,
            salt: Hash256::ZERO,
        };
        Balances {
            file: ChannelFile::new(8453, config, 6),
            asset: Asset::new("USDC", 6).unwrap(),
            coins_wei: 20_000_000_000_000,
            tokens: Amount::new(75_000_000),
            channel: ChannelState { balance: Amount::new(25_000_000), total_claimed: Amount::new(1_234_567) },
            pending: Some(PendingWithdrawal { amount: Amount::new(20_000_000), initiated_at_s: 1_795_000_000 }),
        }
    }

    #[test]
    fn snapshot_of_balances() {
        let page = |width| plain(&balance_page(&balances(), width).to_string());
        insta::assert_snapshot!("wallet_balance", pages(page));
    }

    #[test]
    fn programs_read_smallest_units() {
        let json = balance_json(&balances());
        assert_eq!((&json["balance"], &json["claimed"]), (&"25000000".into(), &"1234567".into()));
        assert_eq!(json["finalize_after"], "2026-11-18T11:21:40Z");
        let idle = Balances { pending: None, ..balances() };
        assert_eq!(balance_json(&idle)["withdrawing"], Value::Null);
        assert!(!balance_page(&idle, 80).to_string().contains("withdraw"));
    }
}
