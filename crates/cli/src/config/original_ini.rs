use std::collections::BTreeMap;

use clap::Command;

use super::{
    flag::{Flag, FlagArity},
    settings::{key, quote},
};

/// What go-flags calls the section of the flags for all commands.
const GENERAL: &str = "application options";

/// Returns the TOML equivalent of a configuration file of the original; `None` if the text is not one.
///
/// It is one if every line is a section, `key = value` or a comment, and it has a comment with `;`, the section
/// `[Application Options]`, or a key in the original's spelling (`MinPeers`).
pub(super) fn replacement(text: &str, tree: &Command) -> Option<String> {
    let mut tables: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    let mut left_out = Vec::new();
    let (mut table, mut prefix, mut marked) = (String::new(), String::new(), false);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with(';') {
            marked = true;
        } else if line.starts_with('#') {
        } else if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let section = section.trim().to_lowercase();
            marked |= section == GENERAL;
            (table, prefix) = place(&section, tree);
        } else {
            let (key, value) = line.split_once(['=', ':'])?;
            let (name, value) = (key.trim(), value.trim().trim_matches('"'));
            let Some(flag) = flag(&table, &prefix, name, tree) else {
                left_out.push(format!("# omitted (unknown setting): {name} = {}", quote(value)));
                continue;
            };
            // An underscore in place of a dash is a slip in TOML.
            marked |= !flag.is_called(name) && !flag.is_called(&name.replace('_', "-"));
            if flag.arg().is_hide_set() {
                left_out.push(format!("# omitted (not supported in this version): {name} = {}", quote(value)));
                continue;
            }
            let rows = tables.entry(table.clone()).or_default();
            match rows.iter_mut().find(|said| said.key == flag.key()) {
                Some(said) => said.values.push(value.to_owned()),
                None => rows.push(Said {
                    key: flag.key(),
                    takes: flag.takes(),
                    integer: flag.is_integer(),
                    values: vec![value.to_owned()],
                }),
            }
        }
    }
    if !marked {
        return None;
    }
    let mut toml = String::new();
    for (table, rows) in tables {
        if !table.is_empty() {
            toml += &format!("[{table}]\n");
        }
        for said in rows {
            toml += &format!("{} = {}\n", key(&said.key), said.value());
        }
    }
    Some(toml + &left_out.join("\n"))
}

/// A section's command, and what stands before its keys.
fn place(section: &str, tree: &Command) -> (String, String) {
    let (first, rest) = section.split_once('.').unwrap_or((section, ""));
    if tree.find_subcommand(first).is_some() {
        return (first.to_owned(), rest.to_owned());
    }
    (String::new(), if section == GENERAL { String::new() } else { section.to_owned() })
}

fn flag<'a>(table: &str, prefix: &str, key: &str, tree: &'a Command) -> Option<Flag<'a>> {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let wanted = [plain(key), plain(&format!("{prefix}{key}"))];
    let command = tree.find_subcommand(table).unwrap_or(tree);
    Flag::of(command).filter(|flag| flag.is_in_files()).find(|flag| {
        let aliases = flag.arg().get_all_aliases().unwrap_or_default();
        let names = std::iter::once(flag.key()).chain(aliases.into_iter().map(ToOwned::to_owned));
        names.map(|name| plain(&name)).any(|name| wanted.contains(&name))
    })
}

/// A flag and its values in the file.
struct Said {
    key: String,
    takes: FlagArity,
    integer: bool,
    values: Vec<String>,
}

impl Said {
    fn value(&self) -> String {
        let one = self.values.last().map_or("", String::as_str);
        match self.takes {
            FlagArity::Nothing => (one.is_empty() || one.eq_ignore_ascii_case("true")).to_string(),
            // go-flags writes a -vv as a list of booleans.
            FlagArity::Count => self.values.len().to_string(),
            FlagArity::One if self.integer && one.parse::<u64>().is_ok() => one.to_owned(),
            FlagArity::One => quote(one),
            FlagArity::Many => {
                let values: Vec<String> = self.values.iter().map(|value| quote(value)).collect();
                format!("[{}]", values.join(", "))
            }
        }
    }
}
