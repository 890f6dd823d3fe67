use std::collections::BTreeMap;

use super::{
    reader::{Reader, Unread},
    settings::Settings,
};
use crate::{
    args::Cli,
    error::CliError,
    output::{Line, Screen, Tone, carry_flags, log::Verbosity},
};

/// The settings of a running command, and the way to read them again.
pub(crate) struct Reload {
    reader: Reader,
    running: Settings,
    verbosity: Verbosity,
}

/// Settings that were read again and are not in force yet.
pub(crate) struct ReloadedSettings {
    settings: Settings,
    verbose: u8,
}

/// What a command did with settings that were read again.
pub(crate) struct Applied<'a> {
    /// The keys that it can change at run time.
    pub(crate) live: &'a [&'a str],
    /// What else it could not change.
    pub(crate) refused: &'a [String],
    /// A file that a setting names has changed, and is in effect.
    pub(crate) file_changed: bool,
}

impl Reload {
    pub(crate) const fn new(reader: Reader, running: Settings, verbosity: Verbosity) -> Self {
        Self { reader, running, verbosity }
    }

    /// Reads everything again; if something is wrong, reports it and changes nothing.
    pub(crate) fn read(&self, screen: Screen) -> Option<(Cli, ReloadedSettings)> {
        match self.reader.read() {
            Ok((cli, settings)) => {
                let verbose = cli.global.verbose;
                Some((cli, ReloadedSettings { settings, verbose }))
            }
            // The line was read at the start.
            Err(Unread::Help(_)) => None,
            Err(Unread::Error(error)) => {
                say_kept(&error.message, &error.hint, screen);
                None
            }
        }
    }

    /// The flags that are in force, for other commands on this machine.
    pub(crate) fn flags(&self) -> BTreeMap<String, Vec<String>> {
        self.running.to_flags()
    }

    /// Reads everything again, completed by the flags of a running agent; from now on, hints have these too. `None` if the user
    /// asked for help.
    pub(crate) fn read_with(&self, agent: &BTreeMap<String, Vec<String>>) -> Result<Option<Cli>, CliError> {
        match self.reader.read_with(agent) {
            Ok((cli, settings)) => {
                carry_flags(settings.carried());
                Ok(Some(cli))
            }
            Err(Unread::Help(_)) => Ok(None),
            Err(Unread::Error(error)) => Err(error),
        }
    }

    /// Whether one of these settings is another one than what is in force.
    pub(crate) fn differs(&self, newer: &ReloadedSettings, keys: &[&str]) -> bool {
        self.running.changed(&newer.settings).iter().any(|key| keys.contains(&key.as_str()))
    }

    /// Takes the settings over. Reports which are in effect now and which only after a restart.
    pub(crate) fn done(&mut self, newer: ReloadedSettings, applied: &Applied<'_>, screen: Screen) {
        let changed = self.running.changed(&newer.settings);
        let (now, mut later): (Vec<String>, Vec<String>) =
            changed.into_iter().partition(|key| key == "verbose" || applied.live.contains(&key.as_str()));
        self.verbosity.set(newer.verbose);
        self.running.take_over(newer.settings, &later);
        later.extend_from_slice(applied.refused);
        lines(now, later, applied.file_changed).iter().for_each(|line| screen.say(line));
    }
}

/// What is said of settings that are in effect `now` and `later`.
fn lines(now: Vec<String>, later: Vec<String>, file_changed: bool) -> Vec<Line> {
    let reloaded = "Reloaded the settings and the files that they name";
    let text = match now.is_empty() {
        true if file_changed => reloaded.to_owned(),
        true => format!("{reloaded}. No setting that can be reloaded has changed"),
        false => format!("{reloaded}; now in effect: {}", now.join(", ")),
    };
    let mut lines = vec![Line::new("reloaded", Tone::Good, text).with("changed", now)];
    if !later.is_empty() {
        let text = format!("These settings take effect at the next start: {}", later.join(", "));
        let line = Line::new("restart_needed", Tone::Warning, text).hint("Restart vipnode");
        lines.push(line.with("settings", later));
    }
    lines
}

/// Reports why nothing changes.
pub(crate) fn say_kept(why: &str, hint: &str, screen: Screen) {
    screen.say(&kept_line(why, hint));
}

fn kept_line(why: &str, hint: &str) -> Line {
    let text = format!("Cannot use the new settings ({why}); keeping the old ones");
    Line::new("settings_kept", Tone::Warning, text).with("reason", why).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_of_a_reload() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut said = lines(names(&["members", "welcome", "price", "limit"]), names(&[]), true);
        said.extend(lines(names(&[]), names(&["public-url", "limit chains", "limit connections"]), false));
        said.extend(lines(names(&[]), names(&[]), true));
        let why = "/etc/vipnode/pool.toml line 2: unknown setting \"max_request_hosts\" in [pool]; did you mean \"max-request-hosts\"?";
        said.push(kept_line(why, "Use the name of a flag in `vipnode <command> --help`, without --."));
        insta::assert_snapshot!("reload", crate::tests::at_each_width(&crate::tests::text_of(&said)));
    }
}
