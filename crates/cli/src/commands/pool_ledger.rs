use serde_json::Value;
use vipnode_pool::admin::{
    AccountStatementRequest, AccountsRequest, AdminAccount, AdminClient, AdminError, AdminPaidPayouts,
    AdminPayoutState, AdminPayouts, EpochRequest, LeasesRequest, LedgerOrder, LedgerPosted, LedgerRequest,
    PayoutsRequest, PriceRequest,
};
use vipnode_types::{
    Account, Amount, Asset,
    wire::{AccountFunds, WireError},
};

use super::{
    pool_admin::{WORDS, json},
    pool_data_dir::client,
};
use crate::{
    args::{
        AccountsArgs, AdminCommand, BalanceArgs, ClosePeriodArgs, DebitArgs, EpochAction, LedgerStatementArgs,
        PayoutCommand, PayoutPaidAllArgs, PayoutsArgs, PriceArgs, WrittenPrice,
    },
    error::{CliError, CommandError},
    output::{Screen, Styled, confirm, shorten, terminal::page_width},
    pool_admin,
};

/// Payouts of a page.
const PAGE: u32 = 1_000;
/// Settlement periods among which the newest with payouts is looked for.
const LOOKED_AT: usize = 100;

/// Shows or changes the ledger of a running pool. Returns `None` for other commands.
pub(super) async fn ask(command: &AdminCommand, screen: Screen) -> Result<Option<(Styled, Value)>, CliError> {
    let answer = match command {
        AdminCommand::Credit(args) => credit(args, screen).await?,
        AdminCommand::Debit(args) => debit(args, screen).await?,
        AdminCommand::Limit(args) => {
            let client = client(&args.pool, screen)?;
            let amount = amount(&client, &args.amount).await?;
            let order = LedgerOrder::Limit { account: args.account, amount };
            change(&client, order, &args.reason, args.key.clone()).await?
        }
        AdminCommand::WriteOff(args) => {
            let order = LedgerOrder::WriteOff { entry: args.entry };
            change(&client(&args.pool, screen)?, order, &args.reason, args.key.clone()).await?
        }
        AdminCommand::Correct(args) => {
            let client = client(&args.pool, screen)?;
            let amount = amount(&client, &args.amount).await?;
            let order = LedgerOrder::Correction { account: args.account, amount, takes: args.subtract };
            change(&client, order, &args.reason, args.key.clone()).await?
        }
        AdminCommand::Account(args) => {
            let (account, asset) = known_account(&client(&args.pool, screen)?, args.account).await?;
            (pool_admin::account_text(&account, asset), json(&account))
        }
        AdminCommand::Accounts(AccountsArgs { filter, from, most, pool }) => {
            let request = AccountsRequest { filter: filter.clone(), from: *from, most: *most };
            let page = client(pool, screen)?.accounts(&request).await?;
            (pool_admin::accounts_page(&page, page_width()), json(&page))
        }
        AdminCommand::ClosePeriod(args) => close_period(args, screen).await?,
        AdminCommand::Price(args) => price(args, screen).await?,
        AdminCommand::Epoch(args) => {
            let run = args.action == Some(EpochAction::Run);
            let epoch = client(&args.pool, screen)?.epoch(EpochRequest { run }).await?;
            let text = match args.action {
                Some(EpochAction::Plan) => pool_admin::epoch_plan_text(&epoch),
                Some(EpochAction::Run) | None => pool_admin::epoch_text(&epoch),
            };
            (text, json(&epoch))
        }
        AdminCommand::Payout { command: PayoutCommand::Paid(args) } => {
            let order = LedgerOrder::Paid { payout: args.payout };
            mark(&client(&args.pool, screen)?, order, (args.payout, &args.reference), args.key.clone()).await?
        }
        AdminCommand::Payout { command: PayoutCommand::PaidAll(args) } => paid_all(args, screen).await?,
        AdminCommand::Payout { command: PayoutCommand::Bounced(args) } => {
            let order = LedgerOrder::Bounced { payout: args.payout };
            mark(&client(&args.pool, screen)?, order, (args.payout, &args.reason), args.key.clone()).await?
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// Announces a price.
async fn price(args: &PriceArgs, screen: Screen) -> Result<(Styled, Value), CliError> {
    let PriceArgs { price, fee_bps, reason, .. } = args;
    let client = client(&args.pool, screen)?;
    let price = match price {
        WrittenPrice::Quoted(price) => price,
        WrittenPrice::Bare(_) => price.quoted(asset(&client).await?)?,
    };
    let request = PriceRequest { price: price.clone(), fee_bps: *fee_bps, reason: reason.clone() };
    let answer = client.price(&request).await?;
    Ok((pool_admin::price_text(&answer), json(&answer)))
}

/// Returns the figures of an account, and the asset of the pool. An account that neither the ledger nor a lease has may be mistyped.
async fn known_account(client: &AdminClient, account: Account) -> Result<(AdminAccount, Asset), CliError> {
    let page = client.accounts(&AccountsRequest { from: Some(account), most: 1, ..AccountsRequest::default() }).await?;
    if let Some(found) = page.accounts.into_iter().find(|found| found.account == account) {
        return Ok((found, page.asset));
    }
    // The ledger has the payout account of a host once a first lease was paid.
    let leases = client.leases(&LeasesRequest { account: Some(account), most: 1, ..LeasesRequest::default() }).await?;
    let known = leases.leases.is_empty().then_some(CommandError::UnknownAccount { account });
    known.map_or(Ok((without_entries(account), page.asset)), |unknown| Err(unknown.into()))
}

/// The figures of an account without entries.
fn without_entries(account: Account) -> AdminAccount {
    let none = Amount::ZERO;
    AdminAccount {
        account,
        funds: AccountFunds::default(),
        spent: none,
        nodes: 0,
        leases: 0,
        earned: none,
        secured: none,
        payable: none,
    }
}

/// Prints the statement of an account.
pub(super) async fn statement(args: &LedgerStatementArgs, screen: Screen) -> Result<(), CliError> {
    let (client, account) = (client(&args.pool, screen)?, args.account);
    known_account(&client, account).await?;
    let ask = async |range| Ok(client.statement(&AccountStatementRequest { account, range }).await?);
    super::statement::print(&format!("account {account}"), &args.output, screen, ask).await
}

/// Marks the payouts of a period as paid, page by page. The answer is the sum of all pages.
async fn paid_all(args: &PayoutPaidAllArgs, screen: Screen) -> Result<(Styled, Value), CliError> {
    let client = client(&args.pool, screen)?;
    let (mut after, mut sum) = (None, None::<AdminPaidPayouts>);
    loop {
        let change = LedgerOrder::PaidAll { period: args.period, after };
        let request = LedgerRequest { change, reason: args.reference.clone(), key: None, allow_negative: false };
        let posted = client.change_ledger(&request).await?;
        let Some(page) = posted.paid_all else { break Ok((pool_admin::posted_text(&posted), json(&posted))) };
        let before = sum.unwrap_or(AdminPaidPayouts { marked: 0, amount: Amount::ZERO, left_out: 0, next: None });
        let all = AdminPaidPayouts {
            marked: before.marked.saturating_add(page.marked),
            amount: before.amount.checked_add(page.amount).unwrap_or(Amount::MAX),
            left_out: before.left_out.saturating_add(page.left_out),
            next: None,
        };
        (after, sum) = (page.next, Some(all));
        if after.is_none() {
            break Ok((pool_admin::paid_text(&all, args.period, posted.asset), json(&all)));
        }
    }
}

/// Prints the payouts of a settlement period, page by page.
pub(super) async fn payouts(args: &PayoutsArgs, screen: Screen) -> Result<(), CliError> {
    let client = client(&args.pool, screen)?;
    let (mut after, mut shown) = (None, None::<AdminPayouts>);
    loop {
        let mut page = client.payouts(&PayoutsRequest { period: args.period, after, most: PAGE }).await?;
        if args.csv {
            screen.raw(pool_admin::payouts_csv(&page, after.is_none()).as_bytes());
        } else if screen.is_json() {
            screen.print(&Styled::default(), &json(&page));
        } else if let Some(shown) = &mut shown {
            shown.payouts.append(&mut page.payouts);
        } else {
            shown = Some(page.clone());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if let Some(all) = shown {
        if all.payouts.is_empty() {
            let with_payouts = newest_with_payouts(&client, all.newest_period).await?;
            let text = pool_admin::no_payouts_text(args.period, all.newest_period, with_payouts);
            screen.print(&text.wrapped(page_width()), &Value::Null);
            return Ok(());
        }
        screen.print(&pool_admin::payouts_page(&all, page_width()), &Value::Null);
    }
    Ok(())
}

/// The newest settlement period with payouts, of the last [`LOOKED_AT`].
async fn newest_with_payouts(client: &AdminClient, newest: u64) -> Result<Option<u64>, CliError> {
    for period in (1..=newest).rev().take(LOOKED_AT) {
        let page = client.payouts(&PayoutsRequest { period: Some(period), after: None, most: 1 }).await?;
        if !page.payouts.is_empty() {
            return Ok(Some(period));
        }
    }
    Ok(None)
}

/// Closes the settlement period, and lists its payouts.
async fn close_period(args: &ClosePeriodArgs, screen: Screen) -> Result<(Styled, Value), CliError> {
    let client = client(&args.pool, screen)?;
    let posted = post(&client, LedgerOrder::ClosePeriod, &args.reason, args.key.clone()).await?;
    let (mut after, mut all) = (None, None::<AdminPayouts>);
    loop {
        let mut page = client.payouts(&PayoutsRequest { period: posted.period, after, most: PAGE }).await?;
        after = page.next;
        match &mut all {
            Some(all) => all.payouts.append(&mut page.payouts),
            None => all = Some(page),
        }
        if after.is_none() {
            break;
        }
    }
    let mut answer = json(&posted);
    let Some(payouts) = all else { return Ok((pool_admin::posted_text(&posted), answer)) };
    if let Value::Object(fields) = &mut answer {
        fields.insert("payouts".to_owned(), json(&payouts.payouts));
    }
    let text = match posted.repeated {
        true => pool_admin::posted_text(&posted),
        false => pool_admin::closed_text(&posted, &payouts, page_width()),
    };
    Ok((text, answer))
}

/// Marks a payout, with the reference of the payment or the reason why it did not arrive.
async fn mark(
    client: &AdminClient,
    order: LedgerOrder,
    (payout, reference): (u64, &str),
    key: Option<String>,
) -> Result<(Styled, Value), CliError> {
    let posted = post(client, order, reference, key).await?;
    let state = match order {
        LedgerOrder::Bounced { .. } => AdminPayoutState::Bounced,
        _ => AdminPayoutState::Paid,
    };
    let text = match posted.repeated {
        true => pool_admin::posted_text(&posted),
        false => pool_admin::marked_text(&posted, payout, state, reference),
    };
    Ok((text, json(&posted)))
}

async fn credit(args: &BalanceArgs, screen: Screen) -> Result<(Styled, Value), CliError> {
    let client = client(&args.pool, screen)?;
    let amount = amount(&client, &args.amount).await?;
    let order = LedgerOrder::Credit { account: args.account, amount };
    change(&client, order, &args.reason, args.key.clone()).await
}

/// Debits an account. If the debit exceeds the balance, the user is asked.
async fn debit(args: &DebitArgs, screen: Screen) -> Result<(Styled, Value), CliError> {
    let BalanceArgs { account, amount: text, reason, key, pool } = &args.balance;
    let client = client(pool, screen)?;
    let change = LedgerOrder::Debit { account: *account, amount: amount(&client, text).await? };
    let request =
        LedgerRequest { change, reason: reason.clone(), key: key.clone(), allow_negative: args.allow_negative };
    let posted = match client.change_ledger(&request).await {
        Err(AdminError::Refused(refused)) if !screen.is_json() && asks_for(&refused, "--allow-negative") => {
            let question = format!("{}. Debit it anyway?", shorten(&refused.message, WORDS));
            if !confirm(&question).await {
                return Err(AdminError::Refused(refused).into());
            }
            client.change_ledger(&LedgerRequest { allow_negative: true, ..request }).await?
        }
        answer => answer?,
    };
    Ok((pool_admin::posted_text(&posted), json(&posted)))
}

/// Whether the pool would have accepted the order with this flag.
fn asks_for(refused: &WireError, flag: &str) -> bool {
    refused.hint().is_some_and(|hint| hint.contains(flag))
}

/// Reads an amount in the asset of the pool.
async fn amount(client: &AdminClient, text: &str) -> Result<Amount, CliError> {
    Ok(asset(client).await?.amount(text)?)
}

/// What the pool charges in.
pub(super) async fn asset(client: &AdminClient) -> Result<Asset, CliError> {
    Ok(client.accounts(&AccountsRequest { most: 1, ..AccountsRequest::default() }).await?.asset)
}

async fn change(
    client: &AdminClient,
    change: LedgerOrder,
    reason: &str,
    key: Option<String>,
) -> Result<(Styled, Value), CliError> {
    let posted = post(client, change, reason, key).await?;
    Ok((pool_admin::posted_text(&posted), json(&posted)))
}

async fn post(
    client: &AdminClient,
    change: LedgerOrder,
    reason: &str,
    key: Option<String>,
) -> Result<LedgerPosted, CliError> {
    let request = LedgerRequest { change, reason: reason.to_owned(), key, allow_negative: false };
    Ok(client.change_ledger(&request).await?)
}
