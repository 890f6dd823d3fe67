use serde_json::Value;
use vipnode_pool::admin::{
    AccountStatementRequest, AccountsRequest, AdminClient, LedgerOrder, LedgerRequest, PayoutsRequest,
};
use vipnode_types::{Account, Amount, Asset};

use super::pool_admin::{client, json};
use crate::{
    args::{AccountsArgs, AdminCommand, BalanceArgs, LedgerStatementArgs, PayoutCommand},
    error::{CliError, CommandError},
    output::{Screen, Styled, terminal::page_width},
    pool_admin,
};

/// Shows or changes the ledger of a running pool. Returns `None` for other commands.
pub(super) async fn ask(command: &AdminCommand) -> Result<Option<(Styled, Value)>, CliError> {
    let answer = match command {
        AdminCommand::Credit(args) => balance(args, |account, amount| LedgerOrder::Credit { account, amount }).await?,
        AdminCommand::Debit(args) => balance(args, |account, amount| LedgerOrder::Debit { account, amount }).await?,
        AdminCommand::Limit(args) => {
            let client = client(&args.pool)?;
            let amount = amount(&client, &args.amount).await?;
            let order = LedgerOrder::Limit { account: args.account, amount };
            change(&client, order, &args.reason, None).await?
        }
        AdminCommand::Account(args) => {
            let client = client(&args.pool)?;
            let mut page = client.accounts(&AccountsRequest { from: Some(args.account), most: 1 }).await?;
            page.accounts.retain(|account| account.account == args.account);
            let Some(account) = page.accounts.first() else {
                return Err(CommandError::UnknownAccount { account: args.account }.into());
            };
            (pool_admin::account_text(account, page.asset), json(account))
        }
        AdminCommand::Accounts(AccountsArgs { from, most, pool }) => {
            let page = client(pool)?.accounts(&AccountsRequest { from: *from, most: *most }).await?;
            (pool_admin::accounts_page(&page, page_width()), json(&page))
        }
        AdminCommand::ClosePeriod(args) => {
            let client = client(&args.pool)?;
            let (mut text, mut posted) = change(&client, LedgerOrder::ClosePeriod, &args.reason, None).await?;
            let payouts = client.payouts(&PayoutsRequest { period: None }).await?;
            text.push("\n");
            text.append(&pool_admin::payouts_page(&payouts, page_width()));
            if let Value::Object(posted) = &mut posted {
                posted.insert("payouts".to_owned(), json(&payouts.payouts));
            }
            (text, posted)
        }
        AdminCommand::Payouts(args) => {
            let payouts = client(&args.pool)?.payouts(&PayoutsRequest { period: args.period }).await?;
            (pool_admin::payouts_page(&payouts, page_width()), json(&payouts))
        }
        AdminCommand::Payout { command: PayoutCommand::Paid(args) } => {
            let order = LedgerOrder::Paid { payout: args.payout };
            change(&client(&args.pool)?, order, &args.reference, None).await?
        }
        AdminCommand::Payout { command: PayoutCommand::Bounced(args) } => {
            let order = LedgerOrder::Bounced { payout: args.payout };
            change(&client(&args.pool)?, order, &args.reason, None).await?
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// Prints the statement of an account.
pub(super) async fn statement(args: &LedgerStatementArgs, screen: Screen) -> Result<(), CliError> {
    let (client, account) = (client(&args.pool)?, args.account);
    let ask = async |range| Ok(client.statement(&AccountStatementRequest { account, range }).await?);
    super::statement::print(&format!("account {account}"), &args.output, screen, ask).await
}

async fn balance(
    args: &BalanceArgs,
    order: impl FnOnce(Account, Amount) -> LedgerOrder,
) -> Result<(Styled, Value), CliError> {
    let client = client(&args.pool)?;
    let amount = amount(&client, &args.amount).await?;
    change(&client, order(args.account, amount), &args.reason, args.key.clone()).await
}

/// Reads an amount in the asset of the pool.
async fn amount(client: &AdminClient, text: &str) -> Result<Amount, CliError> {
    let asset: Asset = client.accounts(&AccountsRequest { from: None, most: 1 }).await?.asset;
    Ok(asset.amount(text)?)
}

async fn change(
    client: &AdminClient,
    change: LedgerOrder,
    reason: &str,
    key: Option<String>,
) -> Result<(Styled, Value), CliError> {
    let request = LedgerRequest { change, reason: reason.to_owned(), key, by: user() };
    let posted = client.change_ledger(&request).await?;
    Ok((pool_admin::posted_text(&posted), json(&posted)))
}

/// The ID of the user who runs the command.
#[cfg(unix)]
fn user() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn user() -> Option<u32> {
    None
}
