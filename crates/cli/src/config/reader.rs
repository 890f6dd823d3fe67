use std::{collections::BTreeMap, error::Error as _, ffi::OsString, path::PathBuf};

use clap::{ArgMatches, Command, CommandFactory, error::ContextKind, parser::ValueSource};

use super::{
    config_file::ConfigFile,
    flag::Flag,
    settings::Settings,
    value::{Source, Value},
};
use crate::{
    args::Cli,
    error::{CliError, CommandError, TargetError},
};

/// Reads all settings, and can read them again.
#[derive(Clone)]
pub(crate) struct Reader {
    line: Vec<OsString>,
    env: fn(&str) -> Option<OsString>,
}

/// Why the settings cannot be used.
#[derive(Debug)]
pub(crate) enum Unread {
    /// An error of clap, and which of the flags in it were not typed. Help is one too.
    Line(Box<clap::Error>, Vec<String>),
    Error(CliError),
}

/// The table of an agent, which needs no command.
const NO_COMMAND: &str = "agent";

impl Reader {
    /// Of this process.
    pub(crate) fn here() -> Self {
        Self::new(std::env::args_os(), |name| std::env::var_os(name))
    }

    pub(crate) fn new(line: impl IntoIterator<Item = OsString>, env: fn(&str) -> Option<OsString>) -> Self {
        Self { line: line.into_iter().collect(), env }
    }

    /// The line, completed by the environment and the file.
    pub(crate) fn read(&self) -> Result<(Cli, Settings), Unread> {
        let mut tree = Cli::command();
        tree.build();
        let lenient = tree.clone().ignore_errors(true).try_get_matches_from(&self.line);
        let typed = lenient.map_err(|error| Unread::Line(Box::new(error), Vec::new()))?;
        let (words, command, typed) = leaf(&tree, &typed);
        let table = if words.is_empty() { NO_COMMAND.to_owned() } else { words.join(" ") };
        let file = match self.file(command, typed) {
            Some(path) => ConfigFile::read(&path, &tree).map_err(|error| Unread::Error(error.into()))?,
            None => ConfigFile::default(),
        };
        let mut found = Found { command, chosen: Vec::new(), parts: Vec::new(), sources: BTreeMap::new() };
        found.typed(typed);
        found.layer(|flag| {
            let variable = Some(flag).filter(|flag| !flag.is_line_only())?.variable();
            // An empty one is not set: shells and service files cannot unset one otherwise.
            let text = (self.env)(&variable).filter(|text| !text.is_empty())?;
            Some((Value::of_variable(flag, text), Source::Variable(variable)))
        })?;
        found.layer(|flag| file.get(&table, flag).filter(|_| flag.is_in_files()).cloned())?;
        let Found { parts, sources, .. } = found;
        let mut line = self.line.clone();
        let end = line.iter().position(|word| word == "--").unwrap_or(line.len());
        line.splice(end..end, parts);
        let failed = |error: clap::Error| {
            if words.is_empty()
                && let Some(error) = self.unknown_command(&tree, &error)
            {
                return Unread::Error(error.into());
            }
            let notes = notes(&error, command, &sources);
            Unread::Line(Box::new(error), notes)
        };
        let matches = tree.clone().try_get_matches_from(line).map_err(failed)?;
        let cli = Cli::of(&mut tree.clone(), &matches).map_err(failed)?;
        let (_, _, of_leaf) = leaf(&tree, &matches);
        Ok((cli, Settings::of(table, command, of_leaf, &sources)))
    }

    /// Returns the error of a word that was typed in place of a command.
    fn unknown_command(&self, tree: &Command, error: &clap::Error) -> Option<CommandError> {
        let Some(TargetError::Word { word }) = error.source().and_then(|cause| cause.downcast_ref::<TargetError>())
        else {
            return None;
        };
        if !self.line.iter().any(|typed| typed.to_str().is_some_and(|typed| typed.trim() == word)) {
            return None;
        }
        let names =
            tree.get_subcommands().map(|command| (strsim::osa_distance(command.get_name(), word), command.get_name()));
        let most = MOST_EDITS.min(word.chars().count().div_ceil(3));
        let near = names.min().filter(|(edits, _)| *edits <= most);
        let nearest = near.map(|(_, name)| format!("; did you mean '{name}'?")).unwrap_or_default();
        Some(CommandError::UnknownCommand { word: word.clone(), nearest })
    }

    fn file(&self, command: &Command, typed: &ArgMatches) -> Option<PathBuf> {
        let given = typed.try_get_one::<PathBuf>("config").ok().flatten().cloned();
        let variable =
            || Flag::of(command).find(|flag| flag.id() == "config").and_then(|flag| (self.env)(&flag.variable()));
        given.or_else(|| variable().filter(|text| !text.is_empty()).map(PathBuf::from))
    }
}

/// What was found of each flag so far.
struct Found<'a> {
    command: &'a Command,
    chosen: Vec<Flag<'a>>,
    parts: Vec<OsString>,
    sources: BTreeMap<String, Source>,
}

impl<'a> Found<'a> {
    fn typed(&mut self, typed: &ArgMatches) {
        let given = |flag: &Flag<'_>| {
            let known = typed.try_contains_id(flag.id()).is_ok();
            known && typed.value_source(flag.id()) == Some(ValueSource::CommandLine)
        };
        self.chosen = Flag::of(self.command).filter(given).collect();
        self.sources = self.chosen.iter().map(|flag| (flag.id().to_owned(), Source::Line)).collect();
    }

    /// Adds the values of a lower source, unless a higher one sets or contradicts them.
    fn layer(&mut self, said: impl Fn(Flag<'a>) -> Option<(Value, Source)>) -> Result<(), Unread> {
        let stronger = self.chosen.clone();
        for flag in Flag::of(self.command) {
            let taken = |other: &Flag<'a>| other.id() == flag.id() || other.conflicts(flag, self.command);
            if stronger.iter().any(taken) {
                continue;
            }
            let Some((value, source)) = said(flag) else { continue };
            let wrong = |takes| {
                let error = CommandError::Setting { flag: flag.key(), source: source.to_string(), takes };
                Unread::Error(error.into())
            };
            self.parts.extend(value.to_line(flag).map_err(wrong)?);
            self.chosen.push(flag);
            self.sources.insert(flag.id().to_owned(), source);
        }
        Ok(())
    }
}

/// Names more distant from a word than this many edits, or than a third of its letters, are not suggested.
const MOST_EDITS: usize = 3;

/// The command that is meant, its words, and its matches.
fn leaf<'a, 'm>(tree: &'a Command, matches: &'m ArgMatches) -> (Vec<String>, &'a Command, &'m ArgMatches) {
    let (mut words, mut command, mut matches) = (Vec::new(), tree, matches);
    while let Some((name, below)) = matches.subcommand() {
        let Some(next) = command.find_subcommand(name) else { break };
        words.push(name.to_owned());
        (command, matches) = (next, below);
    }
    (words, command, matches)
}

/// Flags that a refusal names, and that come from elsewhere than the line.
fn notes(error: &clap::Error, command: &Command, sources: &BTreeMap<String, Source>) -> Vec<String> {
    let named: String = [ContextKind::InvalidArg, ContextKind::PriorArg]
        .into_iter()
        .filter_map(|kind| error.get(kind).map(ToString::to_string))
        .collect();
    let foreign = Flag::of(command).filter(|flag| named.contains(&flag.arg().to_string()));
    let foreign = foreign.filter_map(|flag| Some((flag, sources.get(flag.id())?)));
    foreign
        .filter(|(_, source)| **source != Source::Line)
        .map(|(flag, source)| format!("{} comes from {source}", flag.arg()))
        .collect()
}
