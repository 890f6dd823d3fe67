//! Documents generated from the program: manual pages, shell completions, pages of the book, and the OpenRPC document.
//!
//! May use `args`, `config`, `error`, and `output`; does not start any role.

#[cfg(test)]
mod errors_page;
mod methods_page;
mod metrics_page;

use std::{fmt::Write, path::Path};

use clap::{Arg, Command, CommandFactory};
use vipnode_agent::local;
use vipnode_openrpc::document;

use crate::{
    args::{Cli, CompletionsArgs, ManArgs},
    config::{Flag, with_variables},
    error::{CliError, CommandError},
    output::Screen,
    reference::{methods_page::methods_page, metrics_page::metrics_page},
};

/// The program's name.
const NAME: &str = "vipnode";

/// Prints manual pages to stdout or into a directory, a page of the book, or the OpenRPC document.
pub(crate) fn man(args: &ManArgs, screen: Screen) -> Result<(), CliError> {
    if args.markdown {
        screen.raw(markdown().as_bytes());
        return Ok(());
    }
    if args.metrics {
        screen.raw(metrics_page().as_bytes());
        return Ok(());
    }
    if args.openrpc || args.methods {
        let mut rows = local::rows();
        rows.extend(vipnode_pool::admin::rows());
        let document = document(env!("CARGO_PKG_VERSION"), &rows);
        let failed = |error| CommandError::Document { error };
        let page = if args.openrpc { document.to_text() } else { methods_page(&document) };
        screen.raw(page.map_err(failed)?.as_bytes());
        return Ok(());
    }
    let failed = |error, path: &Path| CommandError::WritePage { path: path.to_owned(), error };
    let tree = with_variables(Cli::command());
    if let Some(dir) = &args.dir {
        std::fs::create_dir_all(dir).map_err(|error| failed(error, dir))?;
        return Ok(clap_mangen::generate_to(tree, dir).map_err(|error| failed(error, dir))?);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(tree).render(&mut page).map_err(|error| failed(error, Path::new("stdout")))?;
    screen.raw(&page);
    Ok(())
}

/// What a shell reads to complete a line.
pub(crate) fn completions(args: &CompletionsArgs, screen: Screen) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    screen.raw(&script);
}

/// The whole command line as a page of the book.
fn markdown() -> String {
    let mut tree = Cli::command();
    tree.build();
    let mut page = "# The command line\n\n\
        <!-- Written by `vipnode man --markdown`; a test compares them. -->\n\n\
        You can also set each flag with an environment variable (`VIPNODE_` plus the flag's name in uppercase, with `_` in place of `-` and `.`) or with a key in the [settings file](configuration.md) (the flag's name without `--`).\n\
        "
        .to_owned();
    let general = Flag::of(&tree).filter(|flag| flag.arg().is_global_set());
    page += "\n## Global options\n\n";
    table(&mut page, general);
    for command in tree.get_subcommands().filter(|command| is_shown(command)) {
        of_command(&mut page, command, 2);
    }
    page
}

fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn of_command(page: &mut String, command: &Command, depth: usize) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    let about = about.trim_end_matches('.');
    let usage = command.clone().render_usage().to_string();
    // Further lines are indented by the width of "Usage: ".
    let usage = usage.trim_start_matches("Usage: ").replace("\n       ", "\n");
    let _infallible = write!(page, "\n{} {name}\n\n{about}.\n\n```text\n{usage}\n```\n\n", "#".repeat(depth));
    if let Some(after) = command.get_after_help() {
        let _infallible = write!(page, "```text\n{}\n```\n\n", after.to_string().trim_end());
    }
    table(page, Flag::of(command).filter(|flag| !flag.arg().is_global_set()));
    for sub in command.get_subcommands().filter(|command| is_shown(command)) {
        of_command(page, sub, depth.saturating_add(1).min(6));
    }
}

/// The flags, those under one heading together.
fn table<'a>(page: &mut String, flags: impl Iterator<Item = Flag<'a>>) {
    let flags: Vec<&Arg> = flags.map(Flag::arg).filter(|arg| !arg.is_hide_set()).collect();
    let mut headings: Vec<&str> = Vec::new();
    for heading in flags.iter().filter_map(|arg| arg.get_help_heading()) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        rows(page, heading, flags.iter().copied().filter(|arg| arg.get_help_heading() == Some(heading)));
    }
}

fn rows<'a>(page: &mut String, heading: &str, flags: impl Iterator<Item = &'a Arg>) {
    let mut rows = String::new();
    for arg in flags {
        let mut names = format!("`{}`", arg.to_string().replace('|', "\\|"));
        if let Some(short) = arg.get_short() {
            names = format!("`-{short}`, {names}");
        }
        for alias in arg.get_visible_aliases().unwrap_or_default() {
            names += &format!(", `--{alias}`");
        }
        let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let defaults = arg.get_default_values().iter().filter(|value| !value.is_empty());
        let defaults: Vec<String> = defaults.map(|value| format!("`{}`", value.to_string_lossy())).collect();
        let shown = arg.get_action().takes_values() && !defaults.is_empty();
        let default = if shown { format!(" [default: {}]", defaults.join(", ")) } else { String::new() };
        let _infallible = writeln!(rows, "| {names} | {}{default} |", cell(&help));
    }
    if !rows.is_empty() {
        let _infallible = write!(page, "\n| {heading} | |\n|---|---|\n{rows}");
    }
}

/// Returns a text as the cell of a Markdown table, in one line. Within backticks, `<` is shown as it is.
fn cell(text: &str) -> String {
    let text = text.replace("\n\n", " ").replace('\n', " ").replace('|', "\\|");
    let parts = text.split('`').enumerate();
    let escaped = parts.map(|(number, part)| if number % 2 == 0 { part.replace('<', "&lt;") } else { part.to_owned() });
    escaped.collect::<Vec<_>>().join("`").trim().to_owned()
}

#[cfg(test)]
mod tests;
