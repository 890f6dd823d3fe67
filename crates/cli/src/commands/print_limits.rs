use vipnode_types::LimitSettings;

use crate::{
    args::limit_flag,
    output::{Screen, terminal},
};

/// Prints the limits of a pool or an agent, as they are set.
pub(crate) fn print_limits(limits: &impl LimitSettings, screen: Screen) {
    let table = limit_flag::table(limits, terminal::width());
    screen.print(&table.trim_fmt().as_str().into(), &limit_flag::json(limits));
}
