use std::process::ExitCode;

use serde_json::json;
use vipnode_agent::state::{StateDir, StatementFile};

use crate::{
    args::AccountDailyStatementsArgs,
    error::CliError,
    output::{Screen, terminal::page_width},
    statement::{CheckedDay, MeterOverlaps, daily_lines_page, daily_page},
};

/// Checks what pools signed to the local hosts, and shows it. Fails if something is wrong with a statement.
pub(super) fn show(args: &AccountDailyStatementsArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let root = StateDir::root(args.state_dir.as_deref())?;
    let (mut days, mut lines, mut overlaps) = (Vec::new(), Vec::new(), MeterOverlaps::default());
    for file in StatementFile::all(&root)? {
        // Those of other days are read all the same: their intervals may overlap with those of this one.
        let kept = file.read();
        if let Ok(kept) = &kept {
            kept.pages.iter().filter(|page| page.verify().is_ok()).for_each(|page| overlaps.add(&page.statement));
        }
        if args.day.is_some_and(|day| day != file.day()) {
            continue;
        }
        let path = file.path();
        days.push(CheckedDay::of(file.day(), file.node(), path, kept.as_ref()));
        if args.day.is_some() {
            lines.extend(kept.into_iter().flat_map(|kept| kept.pages).map(|page| page.statement));
        }
    }
    let overlaps = overlaps.found();
    let mut page = daily_page(&root, &days, &overlaps, page_width());
    if args.day.is_some() && lines.iter().any(|statement| !statement.lines.is_empty()) {
        page.push("\n\n");
        page.append(&daily_lines_page(&lines, page_width()));
    }
    let shown: Vec<_> = days.iter().map(CheckedDay::json).collect();
    let json = json!({"event": "daily_statements", "statements": shown, "overlaps": overlaps, "pages": lines});
    screen.print(&page, &json);
    let is_good = overlaps.is_empty() && days.iter().all(|day| day.problem.is_none());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
