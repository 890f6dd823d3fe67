//! `vipnode status`: asks the agents of this machine, or a pool, what they are about. [`look()`] asks and makes a
//! [`Report`] of what was said, for people and for programs.

mod agent_page;
mod agents;
mod agents_page;
mod look;
mod pool;
mod report;
mod table;
mod why;

pub(crate) use self::{
    agent_page::{role, short_client, standing},
    agents::clean,
    look::look,
    report::Report,
};
