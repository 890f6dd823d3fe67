use std::{collections::BTreeMap, io::ErrorKind, path::Path};

use clap::Command;
use toml::de::{DeTable, DeValue};

use super::{
    flag::Flag,
    nearest::nearest,
    original_ini,
    value::{SettingSource, Value},
};
use vipnode_types::sanitize;

use crate::error::{CommandError, SettingError};

/// Characters of an unknown key that are shown.
const KEY_CHARS: usize = 100;
/// The most tables that are named where a setting belongs.
const TABLES: usize = 3;
/// Larger files are refused.
const MOST_BYTES: u64 = 1 << 20;

/// A TOML file with a table per command; keys before the first table apply to each command that has them.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    /// By table ("" before the first) and key.
    entries: BTreeMap<(String, String), (Value, SettingSource)>,
}

/// An error at a position of the text.
struct Wrong {
    at: usize,
    error: SettingError,
}

impl ConfigFile {
    /// Reads a file and checks every key in it against the tree of commands.
    pub(crate) fn read(path: &Path, tree: &Command) -> Result<Self, CommandError> {
        let failed = |error| CommandError::ConfigFile { path: path.to_owned(), error };
        let text = match vipnode_files::read_text(path, MOST_BYTES) {
            Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                return Err(CommandError::ConfigSize { path: path.to_owned(), most_bytes: MOST_BYTES });
            }
            read => read.map_err(failed)?,
        };
        Self::parse(path, &text, tree)
    }

    /// Reads what a file holds.
    pub(crate) fn parse(path: &Path, text: &str, tree: &Command) -> Result<Self, CommandError> {
        // Editors on Windows begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self::entries(path, text, tree).map_err(|wrong| match original_ini::replacement(text, tree) {
            Some(toml) => CommandError::ConfigIni {
                path: path.to_owned(),
                replacement: format!("Replace it with this:\n\n{toml}"),
            },
            None => CommandError::ConfigLine {
                path: path.to_owned(),
                line: line_of(text, wrong.at),
                why: Box::new(wrong.error),
            },
        })
    }

    fn entries(path: &Path, text: &str, tree: &Command) -> Result<Self, Wrong> {
        let parsed = DeTable::parse(text).map_err(|error| Wrong {
            at: error.span().map_or(0, |span| span.start),
            error: SettingError::NotToml { why: error.message().to_owned() },
        })?;
        let mut file = Self::default();
        let mut walk = Walk { path, text, tree, file: &mut file };
        walk.table(parsed.get_ref(), &mut Vec::new(), "")?;
        Ok(file)
    }

    /// Returns the value of a flag of a command; the command's own table overrides the keys before the first table.
    pub(crate) fn get(&self, table: &str, flag: Flag<'_>) -> Option<&(Value, SettingSource)> {
        let in_table = |table: &str| {
            self.entries.iter().find(|((of, key), _)| of == table && flag.is_called(key)).map(|(_, found)| found)
        };
        in_table(table).or_else(|| in_table(""))
    }
}

struct Walk<'a> {
    path: &'a Path,
    text: &'a str,
    tree: &'a Command,
    file: &'a mut ConfigFile,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, commands: &mut Vec<String>, prefix: &str) -> Result<(), Wrong> {
        let command = find(self.tree, commands);
        for (key, value) in table {
            let (at, value) = (key.span().start, value.get_ref());
            let key = format!("{prefix}{}", key.get_ref());
            if let DeValue::Table(inner) = value {
                if prefix.is_empty() && command.find_subcommand(&key).is_some() {
                    commands.push(key);
                    self.table(inner, commands, "")?;
                    commands.pop();
                    continue;
                }
                if !known(command, commands, |name| name.starts_with(&format!("{key}."))) {
                    return Err(self.unknown(&key, at, commands));
                }
                self.table(inner, commands, &format!("{key}."))?;
                continue;
            }
            if !known(command, commands, |name| name == key) {
                return Err(self.unknown(&key, at, commands));
            }
            let source = SettingSource::File { path: self.path.to_owned(), line: line_of(self.text, at) };
            let value = read(value)
                .ok_or_else(|| Wrong { at, error: SettingError::Type { key: sanitize(&key, KEY_CHARS) } })?;
            self.file.entries.insert((commands.join(" "), key), (value, source));
        }
        Ok(())
    }

    fn unknown(&self, key: &str, at: usize, commands: &[String]) -> Wrong {
        let command = find(self.tree, commands);
        let mut candidates = names(command, commands);
        candidates.extend(command.get_subcommands().map(|sub| sub.get_name().to_owned()));
        let nearest = nearest(candidates.iter().map(String::as_str), key);
        let nearest = nearest.map(|name| format!("; did you mean \"{name}\"?"));
        let nearest = nearest.unwrap_or_else(|| self.elsewhere(key));
        let table = if commands.is_empty() { String::new() } else { format!(" in [{}]", commands.join(".")) };
        Wrong { at, error: SettingError::Unknown { key: sanitize(key, KEY_CHARS), table, nearest } }
    }

    /// The tables of the commands that have a setting of this name.
    fn elsewhere(&self, key: &str) -> String {
        let name = key.replace('_', "-");
        let has = |command: &&Command| names(command, &["".to_owned()]).contains(&name);
        let tables = self.tree.get_subcommands().filter(has).take(TABLES).map(|command| command.get_name());
        let mut tables: Vec<String> = tables.map(|command| format!("[{command}]")).collect();
        tables.sort_unstable();
        let what = if name == key { "it".to_owned() } else { format!("\"{name}\"") };
        if tables.is_empty() { String::new() } else { format!("; {what} belongs in {}", tables.join(" or ")) }
    }
}

fn find<'a>(tree: &'a Command, commands: &[String]) -> &'a Command {
    commands.iter().fold(tree, |command, name| command.find_subcommand(name).unwrap_or(command))
}

/// Whether a key stands for a flag there: before the first table, for one of any command.
fn known(command: &Command, commands: &[String], is: impl Fn(&str) -> bool) -> bool {
    names(command, commands).iter().any(|name| is(name))
}

fn names(command: &Command, commands: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for flag in Flag::of(command).filter(|flag| flag.is_in_files()) {
        all.push(flag.key());
        all.extend(flag.arg().get_all_aliases().unwrap_or_default().into_iter().map(ToOwned::to_owned));
    }
    if commands.is_empty() {
        all.extend(command.get_subcommands().flat_map(every));
    }
    all
}

fn every(command: &Command) -> Vec<String> {
    let mut all = names(command, &["".to_owned()]);
    all.extend(command.get_subcommands().flat_map(every));
    all
}

fn read(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::Boolean(switch) => Some(Value::Switch(*switch)),
        DeValue::Array(values) => {
            let one = |value: &DeValue<'_>| match read(value) {
                Some(Value::One(text)) => Some(text),
                _ => None,
            };
            values.iter().map(|value| one(value.get_ref())).collect::<Option<_>>().map(Value::Many)
        }
        DeValue::String(text) => Some(Value::One(text.as_ref().into())),
        DeValue::Integer(number) if number.radix() == 10 => Some(Value::One(number.as_str().replace('_', "").into())),
        _ => None,
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}
