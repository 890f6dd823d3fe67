use std::ffi::OsString;

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{
    meant_command::{command_that_takes, meant_instead},
    nearest::nearest,
};
use crate::{
    args::value_hint,
    error::{CliError, CommandError},
};

/// Returns an error of clap as this program shows its own errors: one line, and what to do. clap's own tips would pass a
/// mistyped flag on as a value. `words` are those of the command in the line, and `notes` say where a value is from.
pub(super) fn line_error(
    error: &clap::Error,
    tree: &Command,
    line: &[OsString],
    words: &[String],
    notes: &[String],
) -> CliError {
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
    {
        let error = CliError::from(unknown_below(tree, line, word));
        let hint = unquoted_amount(line, word).unwrap_or(error.hint);
        return CliError { hint, ..error };
    }
    let suggested = [ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let given = [ContextKind::InvalidArg, ContextKind::InvalidValue];
    let given = given.into_iter().filter_map(|kind| first(error.get(kind)?)).map(without_dashes);
    let suggested = suggested.into_iter().find_map(|kind| first(error.get(kind)?));
    let given_first = error.get(ContextKind::InvalidArg).and_then(first);
    let invalid_value = error.get(ContextKind::InvalidValue).and_then(first);
    // clap suggests more distant ones too.
    let is_near = |name: &&str| {
        let name = without_dashes(name);
        // In a word of two letters, a third is none; but one letter may be missing.
        let lacks_one = |word: &str| word.len() > 1 && strsim::osa_distance(name, word) == 1 && name.len() > word.len();
        given.clone().any(|word| nearest([name], word).is_some() || lacks_one(word))
    };
    let suggested = suggested.filter(is_near);
    let by_flag = || match error.kind() {
        ErrorKind::UnknownArgument => given_first
            .map(|text| flag_with_value(tree, words, text).unwrap_or_else(|| command_that_takes(tree, words, text)))
            .unwrap_or_default(),
        _ => String::new(),
    };
    let did_you_mean = suggested.map_or_else(by_flag, |text| format!("; did you mean '{text}'?"));
    let subcommand = error.get(ContextKind::InvalidSubcommand).and_then(first);
    let unquoted = || unquoted_amount(line, given_first.or(invalid_value).or(subcommand)?);
    let hint = unquoted()
        .or_else(|| value_hint(error))
        .unwrap_or_else(|| format!("For all flags, run `{} --help`.", called(words)));
    let notes: String = notes.iter().map(|note| format!("{note}. ")).collect();
    CliError { message: first_paragraph(error) + &did_you_mean, hint: notes + &hint }
}

/// Asks whether the user meant a flag and its value (`--tls-internal` for `--tls internal`).
fn flag_with_value(tree: &Command, words: &[String], given: &str) -> Option<String> {
    let command = words.iter().try_fold(tree, |command, word| command.find_subcommand(word))?;
    let given = given.strip_prefix("--")?;
    command.get_arguments().find_map(|arg| {
        let flag = arg.get_long()?;
        let value = given.strip_prefix(flag)?.strip_prefix('-')?;
        let takes = arg.get_possible_values().iter().any(|possible| possible.matches(value, false));
        takes.then(|| format!("; did you mean '--{flag} {value}'?"))
    })
}

/// How to pass an amount or a price whose unit became a word of its own (`10 USDC`).
fn unquoted_amount(line: &[OsString], given: &str) -> Option<String> {
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.') && !text.is_empty();
    let is_unit = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '/')
    };
    let pairs = line.windows(2).filter_map(|pair| Some((pair.first()?.to_str()?, pair.last()?.to_str()?)));
    let mut amounts = pairs.filter(|(number, unit)| *unit == given && is_number(number) && is_unit(unit));
    amounts.next().map(|(number, unit)| format!("Put the amount in quotes: \"{number} {unit}\"."))
}

fn without_dashes(name: &str) -> &str {
    name.trim_start_matches('-')
}

/// A command that is not one of those below another. Below `help` are the commands that it is about.
fn unknown_below(tree: &Command, line: &[OsString], word: &str) -> CommandError {
    let (mut command, mut words) = (tree, Vec::new());
    for typed in line.iter().skip(1).filter_map(|typed| typed.to_str()).take_while(|typed| *typed != word) {
        if let Some(below) = command.find_subcommand(typed).filter(|_| typed != "help") {
            command = below;
            words.push(typed);
        }
    }
    let of_command = |name: &str| [&words[..], &[name]].concat().join(" ");
    CommandError::UnknownSubcommand {
        word: of_command(word),
        nearest: match (&*words, word) {
            // `vipnode status` shows the local agents unless a pool is named.
            (["pool"], "status") => "; did you mean 'status --pool URL'?".to_owned(),
            _ => meant_instead(tree, &words, word),
        },
        help: [&["vipnode"], &words[..], &["--help"]].concat().join(" "),
    }
}

fn called(words: &[String]) -> String {
    std::iter::once("vipnode").chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

fn first(value: &ContextValue) -> Option<&str> {
    match value {
        ContextValue::String(text) => Some(text),
        ContextValue::Strings(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}

/// The message of clap, in one line; the usage and the tips come after it.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}
