use serde::{Deserialize, Serialize};

use super::PayoutView;
use crate::{Account, Amount, Asset, Price};

/// A notice that the pool asks an agent to show to its user. An agent that does not know a kind shows nothing and
/// answers as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoticeCall {
    /// To a client: the funds of the account that pays for its node will last only a short time.
    FundsLow(FundsLow),
    /// To a host: the account that receives the host's earnings has changed, or the node key has signed a change to it.
    Payout(PayoutView),
    /// To a client: its free trial ends soon.
    TrialEnds(TrialEnds),
    /// To a client: the funds for its node have changed, so a request for hosts may get a different answer now.
    FundsChanged,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A warning that an account has funds for only a limited time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FundsLow {
    /// The account that pays for the client's node.
    pub account: Account,
    /// The asset of the amount.
    pub asset: Asset,
    /// The amount that the account can still spend.
    pub available: Amount,
    /// The time for which the available funds last at the cost of the current leases, in milliseconds. After that time,
    /// the leases end, newest first.
    pub left_ms: u64,
}

/// A notice that a client's free trial ends soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrialEnds {
    /// The rest of the trial, in milliseconds.
    pub left_ms: u64,
    /// The price of a slot after the trial.
    pub price: Price,
    /// The amount that the account that pays for the client must have left for one host, in the smallest unit of the
    /// asset of the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_balance: Option<Amount>,
    /// Whether an account with enough funds pays for the client now. If so, the client's lease continues at `price`.
    pub pays: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_later_version_is_read() {
        let read = |text: &str| serde_json::from_str::<NoticeCall>(text);
        assert_eq!(read(r#"{"kind":"price_announced","price":7}"#).unwrap(), NoticeCall::Unknown);
        assert!(read("{}").is_err());
        let (account, asset) = (Account::new([5; 20]), Asset::ETHER);
        let low = NoticeCall::FundsLow(FundsLow { account, asset, available: Amount::MAX, left_ms: 3_600_000 });
        assert_eq!(read(&serde_json::to_string(&low).unwrap()).unwrap(), low);
        assert_eq!(read(r#"{"kind":"funds_changed"}"#).unwrap(), NoticeCall::FundsChanged);
    }
}
