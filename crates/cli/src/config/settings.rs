use std::{collections::BTreeMap, ffi::OsString, fmt::Write};

use clap::{ArgMatches, Command};
use vipnode_types::{hide_credentials, hide_url_credentials, hide_url_path, is_unprintable};

use super::{
    flag::{Flag, FlagArity},
    value::SettingSource,
};
use crate::{
    args::TYPED_POOL,
    output::{CARRIED, CarriedFlags, format::quoted},
};

/// The value of each flag of a command, and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The command's words, and its table in a file.
    table: String,
    rows: Vec<SettingRow>,
}

#[derive(Clone, PartialEq, Eq)]
struct SettingRow {
    key: String,
    general: bool,
    hidden: bool,
    secret: bool,
    integer: bool,
    path: bool,
    takes: FlagArity,
    /// A secret's too: it is compared and never shown.
    values: Vec<OsString>,
    source: SettingSource,
}

impl std::fmt::Debug for SettingRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingRow").field("key", &self.key).field("source", &self.source).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads what clap took.
    pub(super) fn of(
        table: String,
        command: &Command,
        matches: &ArgMatches,
        sources: &BTreeMap<String, SettingSource>,
    ) -> Self {
        let rows = Flag::of(command).filter(|flag| flag.is_in_files()).map(|flag| SettingRow {
            key: flag.key(),
            general: flag.arg().is_global_set(),
            hidden: flag.arg().is_hide_set(),
            secret: flag.is_secret(),
            integer: flag.is_integer(),
            path: flag.is_path(),
            takes: flag.takes(),
            values: flag.of_same_key(command).flat_map(|flag| values(flag, matches)).collect(),
            source: flag
                .of_same_key(command)
                .find_map(|flag| sources.get(flag.id()))
                .cloned()
                .unwrap_or(SettingSource::Default),
        });
        Self { table, rows: rows.collect() }
    }

    /// Returns the settings as a file, with the source of each value and without secrets.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = format!("# vipnode {}: a flag overrides its variable, which overrides this file\n", self.table);
        let (general, own): (Vec<&SettingRow>, Vec<&SettingRow>) = self.rows.iter().partition(|row| row.general);
        general.into_iter().for_each(|row| row.write(&mut text));
        let _infallible = writeln!(text, "\n[{}]", self.table.replace(' ', "."));
        own.into_iter().for_each(|row| row.write(&mut text));
        text
    }

    /// The flags that commands in hints need too; see [`CarriedFlags`].
    pub(crate) fn carried(&self) -> CarriedFlags {
        let flags = CARRIED.into_iter().filter_map(|name| {
            let mut typed = self.typed(name)?;
            // It means nothing without the keystore.
            if name == "keystore"
                && let Some(password_file) = self.typed("password-file")
            {
                typed += &format!(" {password_file}");
            }
            Some((name, typed))
        });
        let mut pools = self.given(TYPED_POOL).into_iter().flat_map(SettingRow::shown);
        let starts = |target: &str| target.trim().to_ascii_lowercase();
        let is_host = |target: &str| ["enode:", "enr:"].iter().any(|host| starts(target).starts_with(host));
        let pool = pools.find(|target| !is_host(target)).map(|pool| quoted(&pool).into_owned());
        CarriedFlags::new(flags.collect(), pool)
    }

    /// The flags that were given, for other commands on this machine, which may run in another directory: without secrets, and
    /// without what concerns the output.
    pub(crate) fn to_flags(&self) -> BTreeMap<String, Vec<String>> {
        let rows = self.rows.iter().filter(|row| row.source != SettingSource::Default && !row.secret && !row.general);
        let is_set = |row: &&SettingRow| row.takes != FlagArity::Nothing || row.values.iter().any(|on| on == "true");
        rows.filter(is_set).filter_map(|row| Some((row.key.clone(), row.values_anywhere()?))).collect()
    }

    /// A flag as it is typed, if it was given.
    fn typed(&self, name: &str) -> Option<String> {
        let row = self.given(name)?;
        let value = row.shown().into_iter().next()?;
        match row.takes {
            FlagArity::Nothing => (value == "true").then(|| format!("--{name}")),
            _ => Some(format!("--{name} {}", quoted(&value))),
        }
    }

    /// The row of a key whose value is not the default, and is not a secret.
    fn given(&self, key: &str) -> Option<&SettingRow> {
        self.rows.iter().find(|row| row.key == key && row.source != SettingSource::Default && !row.secret)
    }

    /// The keys whose values differ.
    pub(crate) fn changed(&self, newer: &Self) -> Vec<String> {
        let differs =
            |row: &&SettingRow| !newer.rows.iter().any(|other| other.key == row.key && other.values == row.values);
        self.rows.iter().filter(differs).map(|row| row.key.clone()).collect()
    }

    /// Takes over from a newer reading what is not in `kept`.
    pub(crate) fn take_over(&mut self, newer: Self, kept: &[String]) {
        for row in newer.rows {
            if let Some(own) = self.rows.iter_mut().find(|own| own.key == row.key && !kept.contains(&own.key)) {
                *own = row;
            }
        }
    }
}

/// The settings whose values are URLs.
const URLS: [&str; 3] = ["pool", "public-url", "tls-acme-directory"];

impl SettingRow {
    fn write(&self, text: &mut String) {
        let key = key(&self.key);
        let by = &self.source;
        let unset = self.values.is_empty();
        let _infallible = match () {
            () if self.hidden && (unset || *by == SettingSource::Default) => Ok(()),
            () if unset => writeln!(text, "# {key} is not set"),
            () if self.secret => writeln!(text, "# {key} is set (secret) # {by}"),
            // Spelt out it would count as given, and need what such a flag needs.
            () if *by == SettingSource::Default => writeln!(text, "# {key} = {} # {by}", self.said()),
            () => writeln!(text, "{key} = {} # {by}", self.said()),
        };
    }

    /// The values without the passwords of URLs, and without the keys of providers.
    fn shown(&self) -> Vec<String> {
        let hide = match self.key.as_str() {
            "rpc" | "chain.rpc" => hide_url_path,
            key if URLS.contains(&key) => hide_url_credentials,
            _ => hide_credentials,
        };
        self.values.iter().map(|value| hide(&value.to_string_lossy())).collect()
    }

    /// The values with absolute paths; `None` if one of them contains a secret, or is not Unicode.
    fn values_anywhere(&self) -> Option<Vec<String>> {
        let values: Option<Vec<String>> = self.values.iter().map(|value| value.to_str().map(str::to_owned)).collect();
        let values = values.filter(|values| *values == self.shown())?;
        let is_path = |value: &str| self.path || self.key == "rpc" && !value.contains("://");
        let absolute = |value: String| {
            // The shell's sign of the home directory means the same everywhere.
            if value.starts_with('~') || !is_path(&value) {
                return Some(value);
            }
            std::path::absolute(value).ok()?.to_str().map(str::to_owned)
        };
        values.into_iter().map(absolute).collect()
    }

    fn said(&self) -> String {
        let texts = self.shown();
        let one = texts.first().map_or("", String::as_str);
        match self.takes {
            FlagArity::Nothing | FlagArity::Count => one.to_owned(),
            FlagArity::One if self.integer => one.to_owned(),
            FlagArity::One => quote(one),
            FlagArity::Many => format!("[{}]", texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", ")),
        }
    }
}

fn values(flag: Flag<'_>, matches: &ArgMatches) -> Vec<OsString> {
    match flag.takes() {
        FlagArity::Nothing => {
            let on = matches.try_get_one::<bool>(flag.id()).ok().flatten().copied().unwrap_or_default();
            vec![on.to_string().into()]
        }
        FlagArity::Count => {
            let count = matches.try_get_one::<u8>(flag.id()).ok().flatten().copied().unwrap_or_default();
            vec![count.to_string().into()]
        }
        FlagArity::One | FlagArity::Many => {
            let raw = matches.try_get_raw(flag.id()).ok().flatten();
            raw.map(|raw| raw.map(ToOwned::to_owned).collect()).unwrap_or_default()
        }
    }
}

/// A key as TOML writes it.
pub(super) fn key(name: &str) -> String {
    let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { quote(name) }
}

/// A text as TOML writes it.
pub(super) fn quote(text: &str) -> String {
    // JSON's escapes are TOML's; what JSON leaves as it is and a terminal would obey is escaped as TOML does.
    let escaped = |c: char| match u32::from(c) {
        _ if !is_unprintable(c) => c.to_string(),
        code @ 0..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    serde_json::Value::from(text).to_string().chars().map(escaped).collect()
}
