use super::{
    Paper, Report,
    agents::Agents,
    agents_page::{agents_json, agents_page},
};
use crate::{args::StatusArgs, failure::Failure};

/// Asks whom the user means.
///
/// # Errors
/// Nobody can be asked: a state directory that may not be read, a pool that is away or tells nothing.
pub(crate) async fn look(args: &StatusArgs, paper: Paper) -> Result<Report, Failure> {
    let agents = Agents::ask(args).await?;
    let (text, json) = (agents_page(&agents, args, paper), agents_json(&agents));
    Ok(Report { text, json, complete: agents.complete() })
}
