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
/// The fewest columns of the reference of a payment.
const REFERENCE: usize = 9;

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

/// A settlement period that was closed, and its payouts.
pub(crate) fn closed_text(posted: &LedgerPosted, payouts: &AdminPayouts, width: usize) -> Styled {
    let period = posted.period.unwrap_or_default();
    let due = &payouts.payouts;
    if due.is_empty() {
        let mut text: Styled =
            format!("Closed period {period}: nothing was payable, so it has no payouts").as_str().into();
        if period > 1 {
            text.hint("List the payouts of an earlier period: `vipnode pool admin payouts --period N`", "");
        }
        return text;
    }
    let sum = due.iter().fold(Amount::ZERO, |sum, payout| sum.checked_add(payout.amount).unwrap_or(Amount::MAX));
    let count = counted(u64::try_from(due.len()).unwrap_or(u64::MAX), "payout");
    let mut text: Styled = format!("Closed period {period}: {count}, {}\n", posted.asset.show(sum)).as_str().into();
    text.append(&payouts_page(payouts, width));
    let hint = format!(
        "Pay each, then mark it: `vipnode pool admin payout paid ID REF`. For a spreadsheet, run `vipnode pool admin payouts \
         --period {period} --csv`"
    );
    text.hint(&hint, "");
    text
}

/// A payout that was marked as paid, with the reference of the payment, or as bounced, with the reason.
pub(crate) fn marked_text(posted: &LedgerPosted, payout: u64, state: AdminPayoutState, reference: &str) -> Styled {
    let amount = posted.amount.filter(|amount| *amount > Amount::ZERO).map(|amount| posted.asset.show(amount));
    let amount = amount.map(|amount| format!("{amount} ")).unwrap_or_default();
    let to = posted.account.as_ref().map(|account| format!(" ({amount}to {})", account.account)).unwrap_or_default();
    let again = if state == AdminPayoutState::Bounced { "\nIt is due again in the next settlement period" } else { "" };
    format!("Payout {payout}{to} is marked as {}: {reference}{again}", self::state(state)).as_str().into()
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
        counted(leases.into(), "paid lease"),
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
            "{now}.\nFrom {}: {}, of which the operator keeps {}. The change takes effect even if the pool restarts with its \
             present --price and --fee-bps. Before the next restart, set both to the new values: a restart with any other value \
             announces that value as a further change.",
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
    let rows = payouts.payouts.iter().map(|payout| {
        [
            payout.payout.to_string(),
            payout.account.to_string(),
            payouts.asset.show(payout.amount).to_string(),
            state(payout.state).to_owned(),
            payout.period.to_string(),
            payout.reference.clone().unwrap_or_default(),
        ]
    });
    let table = Table::new([
        Column::number("ID"),
        Column::text("ACCOUNT").least(ADDRESS),
        Column::number("AMOUNT"),
        Column::text("STATE").rank(1),
        Column::number("PERIOD").rank(3),
        Column::text("REFERENCE").rank(2).least(REFERENCE),
    ]);
    table.with_rows(rows).fit(width)
}

/// That a settlement period has no payouts: the one that was asked for, or the newest. `with_payouts` is the newest period that has
/// some.
pub(crate) fn no_payouts_text(asked: Option<u64>, newest: u64, with_payouts: Option<u64>) -> Styled {
    let mut text: Styled = match asked {
        _ if newest == 0 => "No settlement period is closed yet".to_owned(),
        Some(period) if period == 0 || period > newest => {
            format!("No settlement period has the number {period}; the newest one that is closed is {newest}")
        }
        Some(period) => format!("Settlement period {period} has no payouts"),
        None => format!("The newest settlement period, {newest}, has no payouts"),
    }
    .as_str()
    .into();
    match with_payouts {
        Some(period) => {
            let command = format!("`vipnode pool admin payouts --period {period}`");
            text.hint(&format!("List those of the newest period with payouts: {command}"), "");
        }
        None if newest == 0 => text.hint("Close one: `vipnode pool admin close-period`", ""),
        None => {}
    }
    text
}

/// The payouts of a page as comma-separated values. Amounts are in the asset's largest unit, exact.
pub(crate) fn payouts_csv(payouts: &AdminPayouts, first: bool) -> String {
    let headings = "payout,period,account,amount,asset,state,reference";
    let mut text = if first { csv_line(headings.split(',').map(str::to_owned)) } else { String::new() };
    for payout in &payouts.payouts {
        let cells = [
            payout.payout.to_string(),
            payout.period.to_string(),
            payout.account.to_string(),
            payouts.asset.decimal(payout.amount),
            payouts.asset.to_string(),
            state(payout.state).to_owned(),
            payout.reference.clone().unwrap_or_default(),
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
