use super::{
    Report,
    agents_page::{agents_json, agents_page},
    local_agents::LocalAgents,
    local_pools::LocalPools,
    pool::look_at_pool,
    why::look_why,
};
use crate::{args::StatusArgs, error::CliError, output::terminal::page_width};

/// Asks the agents or the pool that the arguments name. The pages fit the terminal.
///
/// # Errors
/// A state directory cannot be read, or the pool does not answer or shows nothing.
pub(crate) async fn query(args: &StatusArgs) -> Result<Report, CliError> {
    if let Some(url) = &args.pool {
        return look_at_pool(url, args).await;
    }
    if args.why {
        return look_why(args).await;
    }
    let agents = LocalAgents::ask(args).await?;
    let (mut text, mut json) = (agents_page(&agents, args, page_width()), agents_json(&agents));
    // On the machine of a pool, the user may mean the status of the pool.
    let asks_for_all = args.node.is_none() && args.state_dir.is_none();
    if asks_for_all && agents.answered.is_empty() && agents.unresponsive.is_empty() {
        let pools = LocalPools::ask().await;
        if !pools.commands.is_empty() {
            text.push("\n");
            text.append(&pools.page().wrapped(page_width()));
        }
        if let Some(object) = json.as_object_mut() {
            object.insert("pool_commands".to_owned(), pools.commands.into());
        }
    }
    Ok(Report { text, json, complete: agents.complete() })
}
