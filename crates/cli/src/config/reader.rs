use std::{collections::BTreeMap, error::Error as _, ffi::OsString, path::PathBuf};

use clap::{
    ArgMatches, Command, CommandFactory,
    error::{ContextKind, ErrorKind},
    parser::ValueSource,
};

use super::{
    config_file::ConfigFile,
    flag::Flag,
    home_path::{home_path, with_home_paths},
    line_error::line_error,
    meant_command::meant_instead,
    settings::Settings,
    value::{SettingSource, Value},
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
    /// The user asked for help or for the version, or named a command that needs another one.
    Help(Box<clap::Error>),
    Error(CliError),
}

/// The table of an agent, which needs no command.
const NO_COMMAND: &str = "agent";

impl Unread {
    fn of(error: clap::Error, tree: &Command, line: &[OsString], words: &[String], notes: &[String]) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Self::Help(Box::new(error)),
            _ => Self::Error(line_error(&error, tree, line, words, notes)),
        }
    }
}

fn built(mut tree: Command) -> Command {
    tree.build();
    tree
}

/// Lets a flag reject a negative number itself; clap would take it for an unknown flag.
fn with_negative_numbers(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let takes = arg.get_action().takes_values() && !arg.is_positional();
            if takes { arg.allow_negative_numbers(true) } else { arg }
        })
        .mut_subcommands(with_negative_numbers)
}

impl Reader {
    /// Of this process.
    pub(crate) fn here() -> Self {
        Self::new(std::env::args_os(), |name| std::env::var_os(name))
    }

    pub(crate) fn new(line: impl IntoIterator<Item = OsString>, env: fn(&str) -> Option<OsString>) -> Self {
        Self { line: line.into_iter().collect(), env }
    }

    /// Whether errors are for programs, if that can be read from a wrong line.
    pub(crate) fn asks_for_json(&self) -> bool {
        let typed = self.line.iter().take_while(|word| *word != "--").any(|word| word == "--json");
        typed || (self.env)("VIPNODE_JSON").is_some_and(|value| value == "true" || value == "1")
    }

    /// The line, completed by the environment and the file.
    pub(crate) fn read(&self) -> Result<(Cli, Settings), Unread> {
        self.read_with(&BTreeMap::new())
    }

    /// The same, completed by the flags of a running agent too.
    pub(crate) fn read_with(&self, agent: &BTreeMap<String, Vec<String>>) -> Result<(Cli, Settings), Unread> {
        let tree = with_home_paths(with_negative_numbers(Cli::command()));
        // Before it is built, so that it counts for all commands: an error must not hide which of them is meant.
        let lenient = tree.clone().ignore_errors(true).try_get_matches_from(&self.line);
        let tree = built(tree);
        let typed = lenient.map_err(|error| Unread::of(error, &tree, &self.line, &[], &[]))?;
        let (words, command, typed) = leaf(&tree, &typed);
        let table = if words.is_empty() { NO_COMMAND.to_owned() } else { words.join(" ") };
        let file = match self.file(command, typed).map_err(|error| Unread::Error(error.into()))? {
            Some(path) => ConfigFile::read(&path, &tree).map_err(|error| Unread::Error(error.into()))?,
            None => ConfigFile::default(),
        };
        let mut found = FoundSettings { command, chosen: Vec::new(), parts: Vec::new(), sources: BTreeMap::new() };
        found.typed(typed);
        found.layer(|flag| {
            let variable = Some(flag).filter(|flag| !flag.is_line_only())?.variable();
            // An empty one is not set: shells and service files cannot unset one otherwise.
            let text = (self.env)(&variable).filter(|text| !text.is_empty())?;
            Some((Value::of_variable(flag, text), SettingSource::Variable(variable)))
        })?;
        found.layer(|flag| file.get(&table, flag).filter(|_| flag.is_in_files()).cloned())?;
        found.layer(|flag| {
            let values = agent.get(&flag.key()).filter(|_| !flag.is_line_only())?;
            Some((Value::of_agent(flag, values)?, SettingSource::Agent))
        })?;
        let FoundSettings { parts, sources, .. } = found;
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
            Unread::of(error, &tree, &self.line, &words, &notes)
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
        Some(CommandError::UnknownCommand { word: word.clone(), nearest: meant_instead(tree, &[], word) })
    }

    fn file(&self, command: &Command, typed: &ArgMatches) -> Result<Option<PathBuf>, CommandError> {
        let given = typed.try_get_one::<PathBuf>("config").ok().flatten().cloned();
        let variable =
            || Flag::of(command).find(|flag| flag.id() == "config").and_then(|flag| (self.env)(&flag.variable()));
        match given {
            Some(path) => Ok(Some(path)),
            None => variable().filter(|text| !text.is_empty()).map(home_path).transpose(),
        }
    }
}

/// What was found of each flag so far.
struct FoundSettings<'a> {
    command: &'a Command,
    chosen: Vec<Flag<'a>>,
    parts: Vec<OsString>,
    sources: BTreeMap<String, SettingSource>,
}

impl<'a> FoundSettings<'a> {
    fn typed(&mut self, typed: &ArgMatches) {
        let given = |flag: &Flag<'_>| {
            let known = typed.try_contains_id(flag.id()).is_ok();
            known && typed.value_source(flag.id()) == Some(ValueSource::CommandLine)
        };
        self.chosen = Flag::of(self.command).filter(given).collect();
        self.sources = self.chosen.iter().map(|flag| (flag.id().to_owned(), SettingSource::Line)).collect();
    }

    /// Adds the values of a lower source, unless a higher one sets or contradicts them.
    fn layer(&mut self, said: impl Fn(Flag<'a>) -> Option<(Value, SettingSource)>) -> Result<(), Unread> {
        let stronger = self.chosen.clone();
        for flag in Flag::of(self.command) {
            let taken = |other: &Flag<'a>| other.key() == flag.key() || other.conflicts(flag, self.command);
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
fn notes(error: &clap::Error, command: &Command, sources: &BTreeMap<String, SettingSource>) -> Vec<String> {
    let named: String = [ContextKind::InvalidArg, ContextKind::PriorArg]
        .into_iter()
        .filter_map(|kind| error.get(kind).map(ToString::to_string))
        .collect();
    let foreign = Flag::of(command).filter(|flag| named.contains(&flag.arg().to_string()));
    let foreign = foreign.filter_map(|flag| Some((flag, sources.get(flag.id())?)));
    foreign
        .filter(|(_, source)| **source != SettingSource::Line)
        .map(|(flag, source)| format!("{} comes from {source}", flag.arg()))
        .collect()
}
