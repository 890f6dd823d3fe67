use vipnode_pool::admin::{
    AdminAccount, AdminAccounts, AdminPaidPayouts, AdminPayoutState, AdminPayouts, AdminPrice, LedgerPosted,
};
use vipnode_types::{
    Amount, Asset,
    wire::{AccountFunds, NextPrice},
};

use crate::output::{
    Column, Styled, Table, csv_line,
    format::{counted, percent},
};

/// The fewest columns of an address.
const ADDRESS: usize = 42;

/// A change that was posted, now or before.
pub(crate) fn posted_text(posted: &LedgerPosted) -> Styled {
    let LedgerPosted { entry, at_ms, .. } = posted;
    let entry = if posted.repeated {
        let at = at_ms.rfc3339_seconds();
        format!("Nothing changed: this command was already posted with the same key, as ledger entry {entry}, on {at}")
    } else {
        format!("Posted entry {entry} of the ledger")
    };
    match &posted.account {
        Some(account) => {
            let mut text: Styled = entry.as_str().into();
            text.push("\n");
            text.push(&account_words(account, posted.asset));
            text
        }
        None => entry.as_str().into(),
    }
}

/// The figures of an account.
pub(crate) fn account_text(account: &AdminAccount, asset: Asset) -> Styled {
    account_words(account, asset).as_str().into()
}

fn account_words(account: &AdminAccount, asset: Asset) -> String {
    let show = |amount: Amount| asset.show(amount).to_string();
    let AdminAccount { account, funds, spent, nodes, leases, earned, secured, payable } = *account;
    let AccountFunds { balance, running, limit, available } = funds;
    let pays = format!(
        "As payer: balance {}, running leases at most {} ({} of {}), credit limit {}, available {}; spent on slots {}",
        asset.show_signed(balance),
        show(running),
        counted(leases.into(), "lease"),
        counted(nodes, "node"),
        show(limit),
        show(available),
        show(spent)
    );
    let earns = format!(
        "As host: earned {}, of which clients secured {}; to be paid out {}",
        show(earned),
        show(secured),
        show(payable)
    );
    format!("Account {account}\n{pays}\n{earns}")
}

/// What slots cost, and what was announced.
pub(crate) fn price_text(answer: &AdminPrice) -> Styled {
    let AdminPrice { price, fee_bps, next } = answer;
    let now = format!("A slot costs {}, of which the operator keeps {}", price.in_sentence(), percent(*fee_bps));
    let text = match next {
        None => format!("{now}. No other price is announced."),
        Some(NextPrice { price, fee_bps, from_ms }) => format!(
            "{now}.\nFrom {}: {}, of which the operator keeps {}. The pool keeps to this announcement, even after a restart with the \
             same --price and --fee-bps as now. Set both to the announced values, so that the settings name what the pool \
             charges; any other value is announced in turn.",
            from_ms.rfc3339_seconds(),
            price.in_sentence(),
            percent(*fee_bps)
        ),
    };
    text.as_str().into()
}

pub(crate) fn accounts_page(page: &AdminAccounts, width: usize) -> Styled {
    if page.accounts.is_empty() {
        return "No accounts".into();
    }
    let rows = page.accounts.iter().map(|account| {
        [
            account.account.to_string(),
            page.asset.show_signed(account.funds.balance),
            page.asset.show(account.funds.running).to_string(),
            page.asset.show(account.funds.available).to_string(),
            account.leases.to_string(),
            page.asset.show(account.payable).to_string(),
        ]
    });
    let table = Table::new([
        Column::text("ACCOUNT").least(ADDRESS),
        Column::number("BALANCE"),
        Column::number("RUNNING").rank(3),
        Column::number("AVAILABLE").rank(2),
        Column::number("LEASES").rank(4),
        Column::number("TO BE PAID OUT").rank(1),
    ]);
    let mut text = table.with_rows(rows).fit(width);
    if let Some(next) = page.next {
        text.push(&format!("\n\nMore: --from {next}"));
    }
    text
}

/// The payouts of a settlement period.
pub(crate) fn payouts_page(payouts: &AdminPayouts, width: usize) -> Styled {
    if payouts.payouts.is_empty() {
        return "No payouts".into();
    }
    let rows = payouts.payouts.iter().map(|payout| {
        [
            payout.payout.to_string(),
            payout.account.to_string(),
            payouts.asset.show(payout.amount).to_string(),
            state(payout.state).to_owned(),
            payout.period.to_string(),
        ]
    });
    let table = Table::new([
        Column::number("ID"),
        Column::text("ACCOUNT").least(ADDRESS),
        Column::number("AMOUNT"),
        Column::text("STATE").rank(1),
        Column::number("PERIOD").rank(2),
    ]);
    table.with_rows(rows).fit(width)
}

/// That a settlement period has no payouts. `newest` is the newest period that has some.
pub(crate) fn no_payouts_text(period: u64, newest: Option<u64>) -> Styled {
    let text = match newest {
        Some(newest) if period > newest => {
            format!("No settlement period has the number {period}; the newest one with payouts is {newest}")
        }
        Some(newest) => {
            format!("Settlement period {period} has no payouts; the newest period with payouts is {newest}")
        }
        None => format!("No settlement period has the number {period}, and none has payouts"),
    };
    text.as_str().into()
}

/// The payouts of a page as comma-separated values. Amounts are in the asset's largest unit, exact.
pub(crate) fn payouts_csv(payouts: &AdminPayouts, first: bool) -> String {
    let headings = "payout,period,account,amount,asset,state";
    let mut text = if first { csv_line(headings.split(',').map(str::to_owned)) } else { String::new() };
    for payout in &payouts.payouts {
        let cells = [
            payout.payout.to_string(),
            payout.period.to_string(),
            payout.account.to_string(),
            payouts.asset.decimal(payout.amount),
            payouts.asset.to_string(),
            state(payout.state).to_owned(),
        ];
        text += &csv_line(cells.into_iter());
    }
    text
}

/// Payouts were marked as paid.
pub(crate) fn paid_text(paid: &AdminPaidPayouts, period: u64, asset: Asset) -> Styled {
    let payouts = counted(paid.marked.into(), "payout");
    let mut text = format!("Marked {payouts} of period {period} as paid: {}", asset.show(paid.amount));
    if paid.left_out > 0 {
        let left_out = counted(paid.left_out.into(), "payout");
        text += &format!("\nSkipped {left_out}: the amount payable is now lower than the payout");
        let mut text: Styled = text.as_str().into();
        text.hint("Run `vipnode pool verify`", "");
        return text;
    }
    text.as_str().into()
}

const fn state(state: AdminPayoutState) -> &'static str {
    match state {
        AdminPayoutState::Due => "due",
        AdminPayoutState::Paid => "paid",
        AdminPayoutState::Bounced => "bounced",
    }
}
