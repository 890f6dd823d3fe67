//! `vipnode status`: asks the agents of this machine, or a pool, what they are about. [`look()`] asks and makes a
//! [`Report`] of what was said, for people and for programs. [`Live`] shows the same in one line below a running role.
//!
//! May use `args`, `error` and `output`.

mod agent_page;
mod agents;
mod agents_page;
mod live;
mod look;
mod pool;
mod report;
mod role_line;
mod table;
mod why;

pub(crate) use self::{live::Live, look::look, report::Report};
