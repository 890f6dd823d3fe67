//! `vipnode account statement` and `vipnode pool admin statement`: both print the same pages.

use vipnode_types::wire::{Statement, StatementRange};

use crate::{
    args::StatementOutputArgs,
    error::CliError,
    output::{Screen, terminal::page_width},
    statement::{PageCheck, StatementCsv, statement_page},
};

/// Entries of a page, so that its answer fits into a message.
const PAGE: u32 = 500;
/// Lines that are shown to people; a file has all.
const SHOWN: usize = 1_000;

/// Prints the statement of the account `of`. `ask` gets a page, which is printed only if it follows from those before.
pub(super) async fn print(
    of: &str,
    args: &StatementOutputArgs,
    screen: Screen,
    mut ask: impl AsyncFnMut(StatementRange) -> Result<Statement, CliError>,
) -> Result<(), CliError> {
    let mut range = args.range(PAGE);
    let (mut csv, mut check) = (StatementCsv::default(), PageCheck::default());
    let mut shown: Option<Statement> = None;
    loop {
        let mut page = ask(range).await?;
        check.check(&page)?;
        range.after = page.next;
        if args.csv {
            screen.raw(csv.page(&page).as_bytes());
        } else if screen.is_json() {
            let mut json = serde_json::to_value(&page).unwrap_or_default();
            if let Some(fields) = json.as_object_mut() {
                fields.insert("event".to_owned(), "statement".into());
            }
            screen.print(&of.into(), &json);
        } else if let Some(shown) = &mut shown {
            shown.lines.append(&mut page.lines);
            (shown.closing, shown.batch) = (page.closing, page.batch);
        } else {
            shown = Some(page);
        }
        let lines = shown.as_ref().map_or(0, |shown| shown.lines.len());
        if range.after.is_none() || lines >= SHOWN {
            break;
        }
    }
    if let Some(statement) = shown {
        screen.print(&statement_page(of, &statement, range.after.is_some(), page_width()), &serde_json::Value::Null);
    }
    Ok(())
}
