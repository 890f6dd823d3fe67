use vipnode_agent_core::Notice;
use vipnode_types::{
    TypedError as _,
    wire::{FundsLow, TrialEnds},
};

use crate::output::{
    Line, Tone,
    format::{rounded, span},
};

/// A notice about who pays for this client, or whether this host is paid; `None` for one about something else.
pub(super) fn payment_line(notice: &Notice) -> Option<Line> {
    Some(match notice {
        Notice::FundsLow(FundsLow { account, asset, available, left_ms }) => {
            let text = format!(
                "Account {account} has {} available, enough for {} of the current leases. After that, leases end, newest first.",
                rounded(*asset, *available),
                span(*left_ms)
            );
            Line::new("funds_low", Tone::Warning, text)
                .with("account", account.to_string())
                .with("available", available.get().to_string())
                .with("left_ms", *left_ms)
                .hint(PAY)
        }
        Notice::TrialEnds(ends) => trial_line(ends),
        Notice::LeaseUnpaid { lease, host, account, trial } => {
            let (why, hint) = match (account, trial) {
                (Some(account), false) => (format!("account {account} has no funds left"), PAY),
                (None, false) => ("no account pays for this node anymore".to_owned(), LINK),
                (Some(account), true) => {
                    (format!("the free trial is over, and account {account} does not have enough funds"), PAY)
                }
                (None, true) => ("the free trial is over, and no account pays for this node".to_owned(), LINK),
            };
            let line =
                Line::new("lease_unpaid", Tone::Warning, format!("The lease with host {} ended: {why}", host.short()));
            let line = line.with("lease", lease.get()).with("peer", host.to_string()).hint(hint);
            match account {
                Some(account) => line.with("account", account.to_string()),
                None => line,
            }
        }
        Notice::CannotPay { why } => Line::new(
            "cannot_pay",
            Tone::Warning,
            format!("This client cannot pay this pool from its payment channel: {why}"),
        )
        .hint(&why.hint().unwrap_or_default()),
        Notice::SpendLimit { max_spend } => {
            let most = max_spend.to_string();
            let most = most.split('/').next().unwrap_or_default().to_owned();
            let text = format!(
                "This client has signed for {most} in the last 24 hours, which is its maximum. Leases end once that is used up."
            );
            Line::new("spend_limit", Tone::Warning, text)
                .hint("To allow more, restart the client with a higher --max-spend-per-day.")
        }
        Notice::NoPayout { price } => {
            let text = format!("A slot costs {price} here, but this host has no payout account, so it earns nothing");
            Line::new("no_payout", Tone::Warning, text)
                .hint("Pass the account that receives the earnings: --payout 0x…")
        }
        _ => return None,
    })
}

fn trial_line(ends: &TrialEnds) -> Line {
    let TrialEnds { left_ms, price, minimum_balance, pays } = *ends;
    let left = span(left_ms);
    let line = if pays {
        let text = format!("The free trial ends in {left}; from then on, a slot costs {price}");
        Line::new("trial_ends", Tone::Plain, text)
    } else {
        let least = minimum_balance.map(|least| format!(" with at least {}", price.asset().show(least)));
        let text = format!(
            "The free trial ends in {left}; then the lease ends, unless an account{} pays for this node",
            least.unwrap_or_default()
        );
        Line::new("trial_ends", Tone::Warning, text).hint(LINK)
    };
    line.with("left_ms", left_ms).with("price", serde_json::to_value(price).unwrap_or_default()).with("pays", pays)
}

/// How a client keeps or gets back its hosts. It then needs no restart.
const PAY: &str = "Pay the pool's operator, who then credits the account. If the client pays from a channel (--pay), deposit more with `vipnode \
     wallet deposit`. To see the funds, run `vipnode account show`.";
pub(super) const LINK: &str = "Link an account that has funds: run `vipnode account link --keystore FILE`. If the pool uses x402, restart the client with --pay \
     FILE --max-spend-per-day AMOUNT.";
