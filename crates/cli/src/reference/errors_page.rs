//! The book's page of errors is generated from the tables of all crates, so that it lists each error. A test writes it, since
//! the command line itself does not use every crate that has a table.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use vipnode_types::{ErrorRow, ErrorTable, HintRow, wire::ErrorCode};

use super::cell;
use crate::error;

const INTRO: &str = "\
# Errors, and how to fix them

<!-- Written from the tables of the crates: WRITE=1 cargo test -p vipnode --bins errors_page -->

A command that fails prints what happened and why, and after `->` how to fix it; with `--json` it prints an object with
`text` and `hint`. Its exit code is 2. Errors from a pool or an agent also have a code, a message, and `data.hint` on the wire.

On this page, ‹…› marks a value that is filled in at run time. A hint in parentheses is not printed: it states why there is
nothing for the user to do.
";

/// The tables of all crates, in the order of the page.
const TABLES: &[&[ErrorTable]] = &[
    vipnode_agent::ERROR_TABLES,
    vipnode_agent_core::ERROR_TABLES,
    vipnode_node::ERROR_TABLES,
    vipnode_rpc::ERROR_TABLES,
    vipnode_chain::ERROR_TABLES,
    vipnode_pool::ERROR_TABLES,
    vipnode_pool_core::ERROR_TABLES,
    vipnode_types::ERROR_TABLES,
    error::ERROR_TABLES,
];

fn rows() -> impl Iterator<Item = &'static ErrorRow> {
    TABLES.iter().copied().flatten().flat_map(|table| table.rows)
}

#[test]
fn the_page_matches_the_sources() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src/errors.md");
    let written = page();
    if std::env::var_os("WRITE").is_some() {
        fs::write(&file, &written).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(there == written, "write it again: WRITE=1 cargo test -p vipnode --bins errors_page");
}

#[test]
fn known_errors_are_found() {
    let page = page();
    for part in [
        "| the agent uses protocol ‹theirs›, but this pool uses protocol ‹ours›<br>",
        "this pool is closed, and this node is not one of its members",
        "| Try again in ‹retry›. |",
        "its certificate was issued by a certificate authority that this machine does not trust",
        "another vipnode agent is running for this node",
        "no pool was ",
        "Keep the agent running as long as the node has peers from the pool.",
        "Check the clocks of both machines, then call again.",
        "the host is missing, or contains a space or another character that is not allowed",
        "| the batch is empty<br>",
        "Use the wss:// or https:// address.",
        "| {{‹placeholder›}} is not supported<br>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| ")).count();
    assert!(rows > 120, "only {rows} rows");
}

#[test]
fn each_error_has_a_message_and_a_hint_that_is_a_sentence() {
    for row in rows() {
        let upper = row.message.starts_with(char::is_uppercase) && !row.message.starts_with("TLS ");
        assert!(!upper && !row.message.ends_with('.'), "{}: {}", row.name, row.message);
        if let HintRow::Text(hint) = row.hint {
            let whole = hint.starts_with('{') && hint.ends_with('}');
            // The last sentence may depend on the case.
            let ends = hint.ends_with('.') || (hint.ends_with('}') && hint.contains(". {"));
            assert!(whole || (hint.starts_with(char::is_uppercase) && ends), "{}: {hint}", row.name);
        }
        assert!(row.doc.len() > 10 && row.doc.ends_with('.'), "{}: {}", row.name, row.doc);
    }
}

/// A command in backquotes is not broken at the end of a line, and gets the flags of the process that prints it.
#[test]
fn each_command_in_a_hint_is_in_backquotes() {
    use clap::CommandFactory as _;

    let tree = crate::args::Cli::command();
    for row in rows() {
        let HintRow::Text(hint) = row.hint else { continue };
        let unquoted = hint.split('`').step_by(2);
        for after in unquoted.flat_map(|text| text.split("vipnode ").skip(1)) {
            let word: String = after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '{').collect();
            assert!(tree.find_subcommand(&word).is_none() && !word.starts_with('{'), "{}: {hint}", row.name);
        }
    }
}

#[test]
fn no_table_has_two_errors_of_one_name() {
    for table in TABLES.iter().copied().flatten() {
        let names: BTreeSet<&str> = table.rows.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), table.rows.len(), "{}", table.title);
    }
}

fn page() -> String {
    let mut page = INTRO.to_owned();
    page += "\n## Errors from a pool or an agent, by code\n";
    for &code in ErrorCode::ALL {
        let _infallible = write!(page, "\n### {}\n\n{}: {}.\n", code.name(), code as i32, code.meaning());
        let lines: Vec<String> = rows().filter(|row| row.code == Some(code)).map(line).collect();
        table(&mut page, &lines);
    }
    for local in TABLES.iter().copied().flatten() {
        let lines: Vec<String> = local.rows.iter().filter(|row| row.code.is_none()).map(line).collect();
        if !lines.is_empty() {
            let _infallible = write!(page, "\n## {}\n", local.title);
            table(&mut page, &lines);
        }
    }
    page
}

fn table(page: &mut String, lines: &[String]) {
    if !lines.is_empty() {
        let _infallible = write!(page, "\n| Message | Hint |\n|---|---|\n{}", lines.concat());
    }
}

fn line(row: &ErrorRow) -> String {
    let hint = match row.hint {
        HintRow::Text(hint) => filled(hint),
        HintRow::Of(field) => format!("(Same hint as for the error in ‹{field}›.)"),
        HintRow::None(reason) => format!("({})", sentence(reason)),
    };
    format!("| {}<br>*{}* | {} |\n", cell(&filled(row.message)), cell(row.doc), cell(&hint))
}

/// Makes a sentence of a clause: with a capital letter and a period.
fn sentence(clause: &str) -> String {
    let mut rest = clause.chars();
    rest.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), rest.as_str()))
}

/// A template with its fields named: `{name:?}` becomes ‹name›, and `{{` becomes `{`.
fn filled(template: &str) -> String {
    let mut shown = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        let (brace, after) = from.split_at(1);
        shown += before;
        if let Some(after) = after.strip_prefix(brace) {
            shown += brace;
            rest = after;
            continue;
        }
        let (field, after) = after.split_once('}').unwrap_or((after, ""));
        let name = field.split(':').next().unwrap_or_default();
        let _infallible = write!(shown, "‹{name}›");
        rest = after;
    }
    shown + rest
}
