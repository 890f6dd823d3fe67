use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use vipnode_pool::admin::{
    AdminDrained, AdminNodes, AuditRequest, BanRequest, DrainRequest, LeasesRequest, NodesRequest, TopOrder,
    TopRequest, UnbanRequest,
};

use vipnode_types::LeaseId;

use crate::{
    args::{AdminCommand, DrainArgs, LeasesArgs, NodesArgs, OrderName},
    commands::{pool_claim, pool_data_dir::client, pool_ledger, resolve_target},
    error::CliError,
    output::{Screen, Styled, shorten, terminal::page_width},
    pool_admin,
};

/// Characters that are shown of an error of the pool.
pub(super) const WORDS: usize = 1_000;

/// Shows or changes a running pool.
pub(crate) async fn run(command: AdminCommand, screen: Screen) -> Result<ExitCode, CliError> {
    if let AdminCommand::Statement(args) = &command {
        pool_ledger::statement(args, screen).await.map_err(|error| error.sanitized(WORDS))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let AdminCommand::Payouts(args) = &command {
        pool_ledger::payouts(args, screen).await.map_err(|error| error.sanitized(WORDS))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let AdminCommand::Claim(args) = &command {
        Box::pin(pool_claim::claim(args, screen)).await.map_err(|error| error.sanitized(WORDS))?;
        return Ok(ExitCode::SUCCESS);
    }
    let asked = ask(command, screen).await.map_err(|error| error.sanitized(WORDS))?;
    let (text, json) = asked;
    screen.print(&text.wrapped(page_width()), &json);
    Ok(ExitCode::SUCCESS)
}

async fn ask(command: AdminCommand, screen: Screen) -> Result<(Styled, Value), CliError> {
    if let Some(answer) = pool_ledger::ask(&command, screen).await? {
        return Ok(answer);
    }
    Ok(match command {
        AdminCommand::Top(args) => {
            let by = match args.by {
                OrderName::Core => TopOrder::Core,
                OrderName::Slots => TopOrder::Slots,
                OrderName::In => TopOrder::In,
                OrderName::Out => TopOrder::Out,
            };
            let top = client(&args.pool, screen)?.top(&TopRequest { by, most: args.most }).await?;
            (pool_admin::top_page(&top, page_width()), json(&top))
        }
        AdminCommand::Nodes(args) => {
            let nodes = nodes(args, screen).await?;
            (pool_admin::nodes_page(&nodes, page_width()), json(&nodes))
        }
        AdminCommand::Leases(LeasesArgs { node, account, after, most, pool }) => {
            let request = LeasesRequest { node, account, after: after.map(LeaseId::new), most };
            let leases = client(&pool, screen)?.leases(&request).await?;
            (pool_admin::leases_page(&leases, page_width()), json(&leases))
        }
        AdminCommand::Ban(args) => {
            let for_ms = args.duration.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            let client = client(&args.pool, screen)?;
            let target = resolve_target::target(&client, args.target).await?;
            let banned = client.ban(&BanRequest { target, reason: args.reason, for_ms }).await?;
            (pool_admin::banned_text(&banned), json(&banned))
        }
        AdminCommand::Unban(args) => {
            let client = client(&args.pool, screen)?;
            let target = resolve_target::banned(&client, args.target).await?;
            let bans = client.unban(&UnbanRequest { target }).await?;
            (pool_admin::unbanned_text(&target, &bans), json(&bans))
        }
        AdminCommand::Bans(args) => {
            let bans = client(&args.pool, screen)?.bans().await?;
            (pool_admin::bans_page(&bans, page_width()), json(&bans))
        }
        AdminCommand::Audit(args) => {
            let client = client(&args.pool, screen)?;
            let audit = client.audit(&AuditRequest { before: args.before, most: args.most }).await?;
            // A pool whose clients do not pay has no ledger, and its commands have no amounts.
            let asset = pool_ledger::asset(&client).await.ok();
            (pool_admin::audit_page(&audit, asset, page_width()), json(&audit))
        }
        AdminCommand::Drain(args) => {
            let (request, drained) = drain(args, screen).await?;
            (pool_admin::drained_text(&request, &drained), json(&drained))
        }
        // Answered above.
        AdminCommand::Credit(_)
        | AdminCommand::Debit(_)
        | AdminCommand::WriteOff(_)
        | AdminCommand::Correct(_)
        | AdminCommand::Limit(_)
        | AdminCommand::Account(_)
        | AdminCommand::Accounts(_)
        | AdminCommand::Statement(_)
        | AdminCommand::ClosePeriod(_)
        | AdminCommand::Claim(_)
        | AdminCommand::Epoch(_)
        | AdminCommand::Payouts(_)
        | AdminCommand::Price(_)
        | AdminCommand::Payout { .. } => (Styled::default(), Value::Null),
    })
}

/// Drains a node or the pool, or stops that.
async fn drain(args: DrainArgs, screen: Screen) -> Result<(DrainRequest, AdminDrained), CliError> {
    let client = client(&args.pool, screen)?;
    let node = match args.node {
        Some(typed) => Some(resolve_target::node(&client, typed).await?),
        None => None,
    };
    let request = DrainRequest { node, stop: args.stop };
    let drained = client.drain(&request).await?;
    Ok((request, drained))
}

/// A page of the nodes, whose versions they sent themselves.
async fn nodes(args: NodesArgs, screen: Screen) -> Result<AdminNodes, CliError> {
    let NodesArgs { filter, chain, from, most, pool } = args;
    let mut nodes = client(&pool, screen)?.nodes(&NodesRequest { chain_id: chain, filter, from, most }).await?;
    for node in &mut nodes.nodes {
        node.agent_version = shorten(&node.agent_version, WORDS);
        node.client_version = shorten(&node.client_version, WORDS);
    }
    Ok(nodes)
}

pub(super) fn json(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}
