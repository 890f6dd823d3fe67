use vipnode_agent_core::Notice;
use vipnode_types::{
    Account, PaymentMode, TypedError as _,
    wire::{FundsLow, TrialEnds},
};

use crate::output::{
    Line, Tone,
    format::{rounded, span},
};

/// A notice about who pays for this client, or whether this host is paid; `None` for one about something else.
pub(super) fn payment_line(notice: &Notice) -> Option<Line> {
    Some(match notice {
        Notice::FundsLow { payment, low } => {
            let text = format!("{}. After that, leases end, newest first.", funds_low_text(*payment, low));
            Line::new("funds_low", Tone::Warning, text)
                .with("account", low.account.to_string())
                .with("available", low.available.get().to_string())
                .with("left_ms", low.left_ms)
                .hint(pay(*payment))
        }
        Notice::TrialBegins { left_ms, price } => {
            let text = format!(
                "This client is in its free trial: a host serves it for free, for at most {}. After that, a slot costs {price}",
                span(*left_ms)
            );
            let line = Line::new("trial_begins", Tone::Plain, text).with("left_ms", *left_ms);
            line.with("price", serde_json::to_value(price).unwrap_or_default())
        }
        Notice::TrialEnds { payment, ends } => trial_line(*payment, ends),
        Notice::LeaseUnpaid { payment, lease, host, account, trial } => {
            let (why, hint) = unpaid(*payment, account.as_ref(), *trial);
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

/// What the payer of a client has left, and for how long.
pub(crate) fn funds_low_text(payment: PaymentMode, low: &FundsLow) -> String {
    let FundsLow { account, asset, available, left_ms } = *low;
    let has = match payment {
        PaymentMode::X402 => "What this client signed and deposited leaves".to_owned(),
        _ => format!("Account {account} has"),
    };
    format!("{has} {} available, enough for {} of the current leases", rounded(asset, available), span(left_ms))
}

/// Why a lease ended for which nobody pays, and what helps.
fn unpaid(payment: PaymentMode, account: Option<&Account>, trial: bool) -> (String, &'static str) {
    let by_channel = matches!(payment, PaymentMode::X402);
    let why = match account {
        Some(_) if by_channel && trial => "the payment channel does not have enough funds".to_owned(),
        Some(_) if by_channel => "what is signed and deposited in the payment channel is used up".to_owned(),
        Some(account) if trial => format!("account {account} does not have enough funds"),
        Some(account) => format!("account {account} has no funds left"),
        None if by_channel && trial => "no payment channel pays for this node".to_owned(),
        None if by_channel => "no payment channel pays for this node anymore".to_owned(),
        None if trial => "no account pays for this node".to_owned(),
        None => "no account pays for this node anymore".to_owned(),
    };
    let hint = if account.is_some() { pay(payment) } else { link(payment) };
    (if trial { format!("the free trial is over, and {why}") } else { why }, hint)
}

fn trial_line(payment: PaymentMode, ends: &TrialEnds) -> Line {
    let TrialEnds { left_ms, price, minimum_balance, pays } = *ends;
    let left = span(left_ms);
    let line = if pays {
        let text = format!("The free trial ends in {left}; from then on, a slot costs {price}");
        Line::new("trial_ends", Tone::Plain, text)
    } else {
        let least = minimum_balance.map(|least| format!(" with at least {}", price.asset().show(least)));
        let payer = if matches!(payment, PaymentMode::X402) { "a payment channel" } else { "an account" };
        let text = format!(
            "The free trial ends in {left}; then the lease ends, unless {payer}{} pays for this node",
            least.unwrap_or_default()
        );
        Line::new("trial_ends", Tone::Warning, text).hint(link(payment))
    };
    line.with("left_ms", left_ms).with("price", serde_json::to_value(price).unwrap_or_default()).with("pays", pays)
}

/// How a client whose payer has too little left keeps or gets back its hosts. It then needs no restart.
pub(crate) const fn pay(payment: PaymentMode) -> &'static str {
    match payment {
        PaymentMode::X402 => {
            "Deposit more with `vipnode wallet deposit AMOUNT --channel FILE`. If the deposit is not used up, raise --max-spend-per-day \
             or --ahead."
        }
        _ => "Pay the pool's operator, who then credits the account. To see its funds, run `vipnode account show`.",
    }
}

/// How a client without a payer gets one.
pub(crate) const fn link(payment: PaymentMode) -> &'static str {
    match payment {
        PaymentMode::X402 => {
            "Deposit with `vipnode wallet deposit AMOUNT --channel FILE`, then start the client with --pay FILE --max-spend-per-day AMOUNT."
        }
        _ => LINK,
    }
}

pub(super) const LINK: &str = "Link an account that has funds: run `vipnode account link --keystore FILE`.";
