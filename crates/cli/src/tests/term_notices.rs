use vipnode_agent_core::{CannotPay, Notice};
use vipnode_types::{
    Account, Amount, AmountError, Asset, LeaseId, Ms, PaymentMode, Price,
    payment::ChannelTermsError,
    wire::{FundsLow, NextPrice, Side, TrialEnds},
};

use super::{account, node, pool_id};

const fn next_price(price: Price, fee_bps: u16) -> NextPrice {
    NextPrice { price, fee_bps, from_ms: Ms::new(1_795_000_000_000) }
}

fn unpaid(payment: PaymentMode, account: Option<Account>, trial: bool) -> Notice {
    Notice::LeaseUnpaid { payment, lease: LeaseId::new(7), host: node(0xab), account, trial }
}

fn trial_ends(payment: PaymentMode, pays: bool) -> Notice {
    let price = Price::per_minute(100_000_000_000);
    let minimum_balance = Some(Amount::new(1_000_000_000_000));
    Notice::TrialEnds { payment, ends: TrialEnds { left_ms: 300_000, price, minimum_balance, pays } }
}

fn funds_low(payment: PaymentMode) -> Notice {
    let asset = Asset::new("USDC", 6).unwrap();
    let low = FundsLow { account: account(7), asset, available: Amount::new(1_500_000), left_ms: 3_600_000 };
    Notice::FundsLow { payment, low }
}

/// Notices to a client that cannot pay, or not for long.
pub(super) fn unpaid_notices() -> Vec<Notice> {
    let of_mode = |payment| {
        [
            funds_low(payment),
            unpaid(payment, Some(account(7)), false),
            unpaid(payment, None, false),
            unpaid(payment, Some(account(7)), true),
            unpaid(payment, None, true),
            trial_ends(payment, false),
            trial_ends(payment, true),
        ]
    };
    [PaymentMode::Credit, PaymentMode::X402].into_iter().flat_map(of_mode).collect()
}

fn max_spend_in_euros() -> CannotPay {
    CannotPay::MaxSpend { why: AmountError::Unit { unit: "EUR".to_owned(), asset: Asset::new("USDC", 6).unwrap() } }
}

fn other_receiver() -> ChannelTermsError {
    ChannelTermsError::Receiver { receiver: account(8), expected: account(7) }
}

/// Notices about what a pool that was joined offers.
pub(super) fn term_notices() -> Vec<Notice> {
    let dearer = Price::per_minute(120_000_000_000);
    vec![
        Notice::Connected {
            welcome: Some("Be kind.".to_owned()),
            price: Some(Price::per_minute(100_000_000_000)),
            pool_id: Some(pool_id()),
        },
        Notice::Connected { welcome: None, price: None, pool_id: None },
        Notice::PriceChanged { old: Price::FREE, new: Price::per_minute(100_000_000_000) },
        Notice::PriceChanged { old: Price::per_minute(100_000_000_000), new: Price::FREE },
        Notice::OtherChains { why: "no host here is on chain 7; hosts are on mainnet".to_owned() },
        Notice::CannotPay { why: CannotPay::NoTerms },
        Notice::CannotPay { why: CannotPay::OtherChain { pool: 8_453, channel: 1 } },
        Notice::CannotPay { why: CannotPay::OtherDecimals { pool: 18, token: 6 } },
        Notice::CannotPay { why: max_spend_in_euros() },
        Notice::CannotPay { why: other_receiver().into() },
        Notice::TrialBegins { left_ms: 1_800_000, price: Price::per_minute(100_000_000_000) },
        Notice::SpendLimit { max_spend: "1 USDC/day".parse().unwrap() },
        Notice::NoPayout { price: Price::per_minute(100_000_000_000) },
        Notice::PriceKept { price: Price::per_minute(100_000_000_000) },
        Notice::PriceAnnounced { next: next_price(dearer, 500), old_fee_bps: None, refused_by: None },
        Notice::PriceAnnounced { next: next_price(dearer, 0), old_fee_bps: None, refused_by: Some(Side::Client) },
        Notice::PriceAnnounced { next: next_price(dearer, 500), old_fee_bps: None, refused_by: Some(Side::Host) },
        Notice::PriceAnnounced { next: next_price(dearer, 500), old_fee_bps: Some(250), refused_by: None },
        Notice::PriceAnnounced { next: next_price(dearer, 500), old_fee_bps: Some(250), refused_by: Some(Side::Host) },
        Notice::PriceWithdrawn { announced: dearer, price: Price::FREE, fees_bps: None },
        Notice::PriceWithdrawn { announced: dearer, price: dearer, fees_bps: Some((500, 250)) },
        Notice::OtherPayout { wanted: account(7), paid: Some(account(8)) },
        Notice::OtherPayout { wanted: account(7), paid: None },
        Notice::PayoutChanges { paid: account(7), next: account(8), from: Ms::new(1_795_000_000_000) },
        Notice::PayoutKept { paid: account(7), canceled: account(8) },
        Notice::PayoutChanged { paid: account(8) },
        Notice::PriceAboveMaximum {
            price: Price::per_minute(100_000_000_000),
            most: "50 gwei/minute".parse().unwrap(),
        },
    ]
}
