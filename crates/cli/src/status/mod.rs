//! `vipnode status`: queries the agents on this machine, or a pool, for their status. [`query()`] builds a [`Report`]
//! from the answers, for people and for programs. [`StatusLine`] shows the same in one line below the output of a
//! running role.
//!
//! May use `args`, `error`, and `output`; changes nothing at the agents, the pool, or the node.

mod agent_page;
mod agents_page;
mod local_agents;
mod local_pools;
mod payment_words;
mod ping;
mod pool;
mod pool_figures;
mod query;
mod report;
mod status_line;
mod status_line_text;
mod why;

pub(crate) use self::{
    local_agents::LocalAgents, ping::ping, pool_figures::PoolFigures, query::query, report::Report,
    status_line::StatusLine,
};

#[cfg(test)]
pub(crate) use self::pages::{line_of_agent, page_of_agents, page_of_pool};

#[cfg(test)]
mod pages {
    use std::path::PathBuf;

    use vipnode_agent::local::AgentStatus;
    use vipnode_types::wire::PoolStatus;

    use super::{agents_page::agents_page, local_agents::LocalAgents};
    use crate::args::{Cli, Command};

    /// The page of these agents, as `vipnode status` shows it.
    pub(crate) fn page_of_agents(agents: &[AgentStatus], width: usize) -> String {
        let Some(Command::Status(args)) = Cli::read(["vipnode", "status"]).unwrap().command else { panic!("status") };
        let answered = agents.iter().map(|status| (PathBuf::new(), status.clone())).collect();
        let agents = LocalAgents { roots: Vec::new(), answered, unresponsive: Vec::new(), inaccessible: Vec::new() };
        agents_page(&agents, &args, width).to_string()
    }

    /// The line below the notices of this agent.
    pub(crate) fn line_of_agent(status: AgentStatus) -> String {
        super::status_line_text::agent_line(status)
    }

    pub(crate) fn page_of_pool(url: &str, status: &PoolStatus, width: usize) -> String {
        super::pool::page(url, status, width).to_string()
    }
}
