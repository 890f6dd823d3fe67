use std::{ffi::OsString, fmt, path::PathBuf};

use super::flag::{Flag, FlagArity};

/// The value of a flag, from a variable or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Switch(bool),
    One(OsString),
    Many(Vec<OsString>),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettingSource {
    Line,
    Variable(String),
    File {
        path: PathBuf,
        line: usize,
    },
    /// The flags of the agent that runs here.
    Agent,
    Default,
}

/// More of one flag are refused.
const MOST_COUNT: u8 = 9;

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line => f.write_str("the command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Agent => f.write_str("the running agent"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Value {
    /// Reads the value of a variable. Several values are separated by commas, or written as a TOML array.
    pub(crate) fn of_variable(flag: Flag<'_>, text: OsString) -> Self {
        let Some(word) = text.to_str() else { return Self::One(text) };
        match flag.takes() {
            FlagArity::Nothing => match word.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => Self::Switch(true),
                "" | "0" | "false" | "no" | "off" => Self::Switch(false),
                _ => Self::One(text),
            },
            FlagArity::Many => Self::Many(split(word)),
            FlagArity::Count | FlagArity::One => Self::One(text),
        }
    }

    /// Reads the values of an agent's flag.
    pub(crate) fn of_agent(flag: Flag<'_>, values: &[String]) -> Option<Self> {
        let one = values.first()?;
        Some(match flag.takes() {
            FlagArity::Nothing => Self::Switch(one == "true"),
            FlagArity::Many => Self::Many(values.iter().map(OsString::from).collect()),
            FlagArity::Count | FlagArity::One => Self::One(one.into()),
        })
    }

    /// Returns the equivalent words of a command line; `Err` is what the flag takes.
    pub(crate) fn to_line(&self, flag: Flag<'_>) -> Result<Vec<OsString>, &'static str> {
        let name = format!("--{}", flag.key());
        let with = |value: &OsString| {
            if flag.arg().is_positional() {
                return value.clone();
            }
            let mut word = OsString::from(format!("{name}="));
            word.push(value);
            word
        };
        match (flag.takes(), self) {
            (FlagArity::Nothing, Self::Switch(true)) => Ok(vec![name.into()]),
            (FlagArity::Nothing, Self::Switch(false)) => Ok(Vec::new()),
            (FlagArity::Nothing, _) => Err("true or false"),
            (FlagArity::Count, Self::One(value)) => {
                let count = value.to_str().and_then(|text| text.parse::<u8>().ok()).filter(|n| *n <= MOST_COUNT);
                let count = count.ok_or("a number from 0 to 9")?;
                Ok((0..count).map(|_| OsString::from(&name)).collect())
            }
            (FlagArity::Count, _) => Err("a number from 0 to 9"),
            (FlagArity::One | FlagArity::Many, Self::One(value)) => Ok(vec![with(value)]),
            (FlagArity::Many, Self::Many(values)) => Ok(values.iter().map(with).collect()),
            (FlagArity::One, Self::Many(_)) => Err("a single value"),
            (FlagArity::One | FlagArity::Many, Self::Switch(_)) => Err("a string in quotes, or a number"),
        }
    }
}

fn split(text: &str) -> Vec<OsString> {
    if text.starts_with('[')
        && let Ok(value) = toml::de::DeValue::parse(text)
        && let Some(values) = value.get_ref().as_array()
        && let Some(values) = values.iter().map(|value| value.get_ref().as_str().map(OsString::from)).collect()
    {
        return values;
    }
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(OsString::from).collect()
}
